package logs

import (
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"flwrup/ui/logs/paint"
)

// header returns a rule with the pane's name and state.
func (p *pane) header(g geometry, focus bool) string {
	l := p.m.look
	name, look := p.title(), l.Bold
	if focus && (p.m.holder || p.m.layout == split && len(p.m.single) > 1) {
		look = l.Selected
		name = l.Cursor + " " + name
	}
	state := "following"
	if !p.follow {
		at, all := p.m.at(p, p.first(g).ref).passed(), p.m.total(p)
		state = "paused"
		if all > 0 {
			state += ", " + thousands(min(at+1, all)) + " of " + thousands(all) + p.day(g)
		}
	}
	left := []part{{name, look}}
	if s := p.trouble(); s != "" {
		left = append(left, part{p.m.safe(s), l.Bad})
	}
	if s := p.state(); s != "" {
		left = append(left, part{s, l.Warn})
	}
	if d := p.dropped(); d > 0 {
		left = append(left, part{"dropped " + count(d, "line"), l.Warn})
	}
	left = append(append(left, p.queried()...), part{state, l.Dim})
	left = append(left, p.counts()...)
	room := g.width - 3
	s := l.Faint.Render(strings.Repeat(l.Horizontal, min(2, g.width))) + " "
	used := 0
	for i, piece := range left {
		text := piece.text
		if i > 0 {
			if used+3+min(8, width(text)) > room-1 {
				break
			}
			s += l.Dim.Render(l.between())
			used += 3
		}
		text = fit(text, room-used-1, l.Ellipsis)
		used += width(text)
		s += piece.paint.Render(text)
	}
	if n := room - used - 1; n > 0 {
		s += " " + l.Faint.Render(strings.Repeat(l.Horizontal, n))
	}
	return s
}

// day is the day of the first visible line, unless that is today or not known.
func (p *pane) day(g geometry) string {
	top, _ := p.m.at(p, p.first(g).ref).next()
	if top.time < int64(24*time.Hour) {
		return ""
	}
	at, now := when(top.time), p.m.now()
	if at.YearDay() == now.YearDay() && at.Year() == now.Year() {
		return ""
	}
	return ", " + at.Format("2 Jan")
}

type part struct {
	text  string
	paint paint.Paint
}

func (p *pane) title() string {
	if len(p.nodes) == 1 {
		return p.m.nodes[p.nodes[0]]
	}
	return count(len(p.nodes), "SuperNode") + " merged"
}

// counts are the errors and warnings among the kept lines; of several nodes, for each that has errors.
func (p *pane) counts() []part {
	errs, warns, bad := 0, 0, []string(nil)
	for _, i := range p.nodes {
		r := p.m.rings[i]
		errs, warns = errs+len(r.errs), warns+len(r.warns)
		if n := len(r.errs); n > 0 {
			bad = append(bad, p.m.labels[i]+" "+thousands(n))
		}
	}
	var parts []part
	if errs > 0 {
		text := count(errs, "error")
		if len(p.nodes) > 1 && len(bad) <= 3 {
			text += ": " + strings.Join(bad, ", ")
		}
		parts = append(parts, part{text, p.m.look.Bad})
	}
	if warns > 0 {
		parts = append(parts, part{count(warns, "warning"), p.m.look.Warn})
	}
	return parts
}

func (p *pane) dropped() int {
	n := 0
	for _, i := range p.nodes {
		n += p.m.rings[i].dropped
	}
	return n
}

// state says which logs do not come, and why.
func (p *pane) state() string {
	n, last := 0, -1
	for _, i := range p.nodes {
		if p.m.states[i] != "" {
			n, last = n+1, i
		}
	}
	switch {
	case n == 0:
		return ""
	case len(p.nodes) == 1:
		return "trying again: " + p.m.states[last]
	case n == 1:
		return p.m.nodes[last] + ": " + p.m.states[last]
	}
	return count(n, "log") + " not coming"
}

// queried shows the filter and how often the search matches.
func (p *pane) queried() []part {
	var parts []part
	if p.m.filtered() {
		text := "filter"
		if p.m.filter != "" {
			text += " "
			if isRegex(p.m.filter) {
				text += "regex "
			}
			text += p.m.filter
		}
		if p.m.level > None {
			text += " " + p.m.level.String() + "+"
		}
		parts = append(parts, part{p.m.safe(text), p.m.look.Accent})
	}
	if p.m.search != "" {
		at, all := p.m.rank(p, p.m.hits, p.cur)
		text := count(all, "hit")
		if p.has && all > 0 {
			text = thousands(min(at+1, all)) + " of " + text
		}
		parts = append(parts, part{text, p.m.look.Accent})
	}
	return parts
}

func (m *Model) safe(s string) string {
	if m.look.plainASCII {
		return toASCII(s)
	}
	return s
}

// bottom returns the prompt, or the last action.
func (m *Model) bottom() string {
	l := m.look
	if m.asking == nothing {
		look := l.OK
		if m.bad {
			look = l.Bad
		}
		return look.Render(m.safe(fit(m.message, m.w, l.Ellipsis)))
	}
	label, note := "search ", kindOf(m.input.Value())
	p := m.focused()
	switch {
	case m.asking == forTime:
		label, note = "go to ", "10m (ago), 14:00, yesterday, or a date"
	case m.asking == forFilter:
		label = "filter "
		level := "all"
		if m.level > None {
			level = m.level.String() + " and above"
		}
		if !halfRegex(m.input.Value()) {
			note += ", level: " + level + " (tab)"
		}
	case m.search != "" && m.search == m.input.Value():
		_, all := m.rank(p, m.hits, p.cur)
		note += ", " + count(all, "hit")
	}
	look := l.Dim
	if m.typoErr != "" {
		note, look = m.typoErr, l.Bad
		if m.asking == forFilter && m.filter != "" {
			note += "; still " + m.filter
		}
	}
	note = m.safe(fit(note, max(0, m.w-width(label)-width(m.input.Value())-4), l.Ellipsis))
	room := m.w - len(label) - 1
	typed := typedText(m, max(1, room-width(note)-2))
	rest := room - width(typed.shown) - width(note)
	if rest < 2 {
		note, rest = "", 0
	}
	return l.Accent.Render(label) + typed.painted + spaces(rest) + look.Render(note)
}

type shownInput struct{ shown, painted string }

// typedText returns the end of the typed text, with a cursor behind it.
func typedText(m *Model, w int) shownInput {
	v := []rune(m.safe(m.input.Value()))
	at := min(m.input.Position(), len(v))
	before, after := string(v[:at]), string(v[at:])
	under := " "
	if after != "" {
		r := []rune(after)
		under, after = string(r[0]), string(r[1:])
	}
	cursor := m.look.caret(under)
	under = ansi.Strip(cursor)
	if over := width(before) - (w - 1 - width(under)); over > 0 {
		before = skipColumns(before, over)
	}
	after = fit(after, max(0, w-width(before)-width(under)), "")
	return shownInput{before + under + after, before + cursor + after}
}
