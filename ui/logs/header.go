package logs

import (
	"strings"

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
			state += ", " + thousands(min(at+1, all)) + " of " + thousands(all)
		}
	}
	left := []part{{name, look}}
	if s := p.state(); s != "" {
		left = append(left, part{s, l.Warn})
	}
	if d := p.dropped(); d > 0 {
		left = append(left, part{"dropped " + count(d, "line"), l.Warn})
	}
	left = append(append(left, p.queried()...), part{state, l.Dim})
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
			text += " " + p.m.filter
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
	label, note := "search ", "text or /regex/"
	p := m.focused()
	if m.asking == forFilter {
		label = "filter "
		note = "level: all (tab)"
		if m.level > None {
			note = "level: " + m.level.String() + " and above (tab)"
		}
	} else if m.search != "" {
		_, all := m.rank(p, m.hits, p.cur)
		note = count(all, "hit")
	}
	look := l.Dim
	if m.typoErr != "" {
		note, look = m.typoErr, l.Bad
	}
	room := m.w - len(label) - 1
	typed := m.typedText(max(1, room-width(note)-2))
	rest := room - width(typed.shown) - width(note)
	if rest < 2 {
		note, rest = "", 0
	}
	return l.Accent.Render(label) + typed.painted + spaces(rest) + look.Render(note)
}

type shownInput struct{ shown, painted string }

// typedText returns the end of the typed text, with a cursor behind it.
func (m *Model) typedText(w int) shownInput {
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
