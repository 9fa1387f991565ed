package logs

import (
	"strings"

	"github.com/charmbracelet/x/ansi"

	"flwrup/ui/logs/paint"
)

const (
	timeWidth   = 9 // "15:04:05 "
	signWidth   = 2
	minText     = 44 // narrower than this, times and long names are left out
	minColumn   = 38 // of panes side by side
	minRows     = 6  // of panes above each other, header included
	columnSpace = 3  // " │ "
)

// geometry is how a pane's rows are cut up.
type geometry struct {
	width, rows int // rows without the header
	time, name  int // columns; 0 where it is not shown
	sign        int
	text        int
	long        bool // names in full
	wrap        bool
}

// grid says how many panes are side by side and above each other, and which is the first.
func (m *Model) grid() (columns, rows, first int) {
	if m.layout == merged || m.zoom || m.bare || len(m.single) < 2 {
		return 1, 1, m.focus
	}
	n := len(m.single)
	columns = max(1, min(n, (m.w+columnSpace)/(minColumn+columnSpace)))
	rows = max(1, min((n+columns-1)/columns, m.body()/minRows))
	page := columns * rows
	if page >= n {
		if columns*(rows-1) >= n {
			rows--
		}
		return columns, rows, 0
	}
	return columns, rows, min(m.focus/page*page, n-page)
}

// body is the rows without the prompt.
func (m *Model) body() int {
	if m.prompting() {
		return max(0, m.h-1)
	}
	return m.h
}

func (m *Model) prompting() bool { return m.h > 2 && (m.asking != nothing || m.message != "") }

// geometry gives how p is cut up when it is on the screen.
func (m *Model) geometry(p *pane) geometry {
	columns, rows, first := m.grid()
	w, h := m.w, m.body()
	if columns > 1 || rows > 1 {
		i := 0
		if len(p.nodes) == 1 {
			i = max(0, p.nodes[0]-first)
		}
		w, h = columnWidth(m.w, columns, i%columns), rowHeight(h, rows, i/columns)
	}
	return m.cut(p, w, h)
}

func columnWidth(w, n, i int) int {
	w -= columnSpace * (n - 1)
	if i < w%n {
		return w/n + 1
	}
	return w / n
}

func rowHeight(h, n, i int) int {
	if i < h%n {
		return h/n + 1
	}
	return h / n
}

func (m *Model) cut(p *pane, w, h int) geometry {
	g := geometry{width: w, rows: h, wrap: m.wrap, sign: signWidth}
	if !m.bare && h > 1 {
		g.rows--
	}
	g.rows = max(0, g.rows)
	if m.bare {
		g.sign, g.text = 0, w
		return g
	}
	g.text = w - g.sign
	if len(p.nodes) > 1 {
		long, short := 0, 0
		for _, i := range p.nodes {
			long, short = max(long, width(m.nodes[i])), max(short, width(m.labels[i]))
		}
		g.name, g.long = long+1, true
		if long > 24 || g.text-g.name-timeWidth < minText+minText/2 {
			g.name, g.long = min(short, 12)+1, false
		}
		g.text -= g.name
	}
	if m.times && g.text-timeWidth >= minText {
		g.time = timeWidth
		g.text -= timeWidth
	}
	g.text = max(2, g.text)
	return g
}

// display gives a line as it is shown, its word in front.
func (m *Model) display(b *block, i int) (sign, word, text string, mark, body paint.Paint) {
	e := b.entries[i]
	text = string(b.text(i))
	if m.bare {
		text = expand(text)
	} else {
		sign, word, mark, body = m.look.of(e.kind, e.skip)
		text = expand(text[e.skip:])
	}
	if m.look.plainASCII {
		text = toASCII(text)
	}
	return sign, word, text, mark, body
}

// between parts a landmark's word from the line.
func (l *look) between() string { return " " + l.Separator + " " }

// height is how many rows line r takes.
func (m *Model) height(r ref, g geometry) int {
	if !g.wrap {
		return 1
	}
	b, i := m.rings[r.node].at(r.seq)
	if e := b.entries[i]; int(e.n)+16 <= g.text && e.kind.mark() == noMark && simple(b.text(i)) {
		return 1
	}
	_, word, text, _, _ := m.display(b, i)
	if word != "" {
		text = word + m.look.between() + text
	}
	n := 0
	wrap(text, max(2, g.text), func(string) { n++ })
	return n
}

// simple tells whether b takes as many columns as it has bytes.
func simple(b []byte) bool {
	for _, c := range b {
		if c == '\t' || c >= 0x80 {
			return false
		}
	}
	return true
}

// View draws the panes: SetSize's rows, none wider than its columns.
func (m *Model) View() string {
	if m.stale {
		m.frame, m.stale = m.draw(), false
	}
	return m.frame
}

func (m *Model) draw() string {
	if m.w < 1 || m.h < 1 {
		return ""
	}
	var out strings.Builder
	h := m.body()
	columns, rows, first := m.grid()
	if columns*rows == 1 {
		for i, line := range m.pane(m.focused(), m.w, h, true) {
			if i > 0 {
				out.WriteByte('\n')
			}
			out.WriteString(line)
		}
	} else {
		m.drawGrid(&out, h, columns, rows, first)
	}
	if m.prompting() {
		out.WriteByte('\n')
		out.WriteString(m.bottom())
	}
	return out.String()
}

func (m *Model) drawGrid(out *strings.Builder, h, columns, rows, first int) {
	line := m.look.Faint.Render(" " + m.look.Vertical + " ")
	for y := range rows {
		var cells [][]string
		rh := rowHeight(h, rows, y)
		for x := range columns {
			i := first + y*columns + x
			w := columnWidth(m.w, columns, x)
			if i >= len(m.single) {
				cells = append(cells, make([]string, rh))
				continue
			}
			cells = append(cells, m.pane(m.single[i], w, rh, i == m.focus))
		}
		for r := range rh {
			if y > 0 || r > 0 {
				out.WriteByte('\n')
			}
			for x := range columns {
				if x > 0 {
					out.WriteString(line)
				}
				cell := cells[x][r]
				out.WriteString(cell)
				if x < columns-1 {
					out.WriteString(spaces(columnWidth(m.w, columns, x) - ansi.StringWidth(cell)))
				}
			}
		}
	}
}

// pane draws p: h rows.
func (m *Model) pane(p *pane, w, h int, focus bool) []string {
	g := m.cut(p, w, h)
	out := make([]string, 0, h)
	if g.rows < h {
		out = append(out, m.header(p, g, focus))
	}
	top := m.first(p, g)
	c, skip := m.at(p, top.ref), top.row
	for len(out) < h {
		r, ok := c.next()
		if !ok {
			break
		}
		out = m.line(out, p, g, r, skip, h)
		skip = 0
	}
	if m.total(p) == 0 && len(out) < h {
		out = append(out, m.empty(p, w))
	}
	for len(out) < h {
		out = append(out, "")
	}
	return out
}

// line adds the rows of line r, the first skip of them left out, until there are h.
func (m *Model) line(out []string, p *pane, g geometry, r ref, skip, h int) []string {
	b, i := m.rings[r.node].at(r.seq)
	e := b.entries[i]
	sign, word, text, mark, body := m.display(b, i)
	here := p.has && p.cur == r
	prefix := ""
	if word != "" {
		prefix = word + m.look.between()
		text = prefix + text
	}
	var rows []string
	if g.wrap {
		rows = wrapped(text, g.text)
	} else {
		rows = []string{fit(skipColumns(text, p.x), g.text, m.look.Ellipsis)}
	}
	if text == "" && sign == " " && !here { // what parts paragraphs needs no time and no name
		return append(out, "")
	}
	for n, row := range rows {
		if n < skip {
			continue
		}
		if len(out) == h {
			break
		}
		var s strings.Builder
		if g.time > 0 {
			if n == 0 && e.kind&untimed == 0 {
				s.WriteString(m.look.Dim.Render(when(e.time).Format("15:04:05")))
				s.WriteByte(' ')
			} else {
				s.WriteString(spaces(timeWidth))
			}
		}
		if g.name > 0 {
			if n == 0 {
				name := m.labels[r.node]
				if g.long {
					name = m.nodes[r.node]
				}
				s.WriteString(m.look.Node(r.node).Render(pad(name, g.name-1, m.look.Ellipsis)))
				s.WriteByte(' ')
			} else {
				s.WriteString(spaces(g.name))
			}
		}
		if g.sign > 0 {
			switch {
			case here && n == 0:
				s.WriteString(m.look.Selected.Render(m.look.Cursor))
			case n == 0:
				s.WriteString(mark.Render(sign))
			default:
				s.WriteByte(' ')
			}
			s.WriteByte(' ')
		}
		if rest, ok := strings.CutPrefix(row, prefix); ok && n == 0 && prefix != "" {
			s.WriteString(mark.Render(word))
			s.WriteString(m.look.Dim.Render(m.look.between()))
			row = rest
		}
		m.highlight(&s, row, body, here)
		out = append(out, s.String())
	}
	return out
}

// highlight writes row with the hits of the search marked.
func (m *Model) highlight(s *strings.Builder, row string, body paint.Paint, here bool) {
	if m.query.search == nil || m.bare {
		s.WriteString(body.Render(row))
		return
	}
	hit := m.look.Match
	if here {
		hit = m.look.Button
	}
	at := 0
	for {
		from, to, ok := m.query.search.find(row, at)
		if !ok {
			break
		}
		s.WriteString(body.Render(row[at:from]))
		s.WriteString(hit.Render(row[from:to]))
		at = to
	}
	s.WriteString(body.Render(row[at:]))
}

// empty says why there is nothing.
func (m *Model) empty(p *pane, w int) string {
	text := "no lines yet"
	if m.filtered() {
		for _, i := range p.nodes {
			if m.rings[i].len() > 0 {
				text = "no line passes the filter"
			}
		}
	}
	if len(m.nodes) == 0 {
		text = "no SuperNode"
	}
	return fit("  ", w, "") + m.look.Dim.Render(fit(text, w-2, m.look.Ellipsis))
}

// header is a rule that carries the pane's name and how it stands.
func (m *Model) header(p *pane, g geometry, focus bool) string {
	l := m.look
	name, look := m.title(p), l.Bold
	if focus && m.layout == split && len(m.single) > 1 {
		look = l.Selected
		name = l.Cursor + " " + name
	}
	state := "following"
	if !p.follow {
		at, all := m.at(p, m.first(p, g).ref).passed(), m.total(p)
		state = "paused"
		if all > 0 {
			state += ", " + thousands(min(at+1, all)) + " of " + thousands(all)
		}
	}
	left := []part{{name, look}}
	if s := m.state(p); s != "" {
		left = append(left, part{s, l.Warn})
	}
	if d := m.dropped(p); d > 0 {
		left = append(left, part{"dropped " + count(d, "line"), l.Warn})
	}
	left = append(append(left, m.queried(p)...), part{state, l.Dim})
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

func (m *Model) title(p *pane) string {
	if len(p.nodes) == 1 {
		return m.nodes[p.nodes[0]]
	}
	return count(len(p.nodes), "SuperNode") + " merged"
}

func (m *Model) dropped(p *pane) int {
	n := 0
	for _, i := range p.nodes {
		n += m.rings[i].dropped
	}
	return n
}

// state says which logs do not come, and why.
func (m *Model) state(p *pane) string {
	n, last := 0, -1
	for _, i := range p.nodes {
		if m.states[i] != "" {
			n, last = n+1, i
		}
	}
	switch {
	case n == 0:
		return ""
	case len(p.nodes) == 1:
		return "trying again: " + m.states[last]
	case n == 1:
		return m.nodes[last] + ": " + m.states[last]
	}
	return count(n, "log") + " not coming"
}

// queried says what is filtered and how often the search was found.
func (m *Model) queried(p *pane) []part {
	var parts []part
	if m.filtered() {
		text := "filter"
		if m.filter != "" {
			text += " " + m.filter
		}
		if m.level > None {
			text += " " + m.level.String() + "+"
		}
		parts = append(parts, part{m.safe(text), m.look.Accent})
	}
	if m.search != "" {
		at, all := m.rank(p, m.hits, p.cur)
		text := count(all, "hit")
		if p.has && all > 0 {
			text = thousands(min(at+1, all)) + " of " + text
		}
		parts = append(parts, part{text, m.look.Accent})
	}
	return parts
}

func (m *Model) safe(s string) string {
	if m.look.plainASCII {
		return toASCII(s)
	}
	return s
}

// bottom is the prompt, or what was just done.
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

// typedText is the end of what has been typed, a cursor behind it.
func (m *Model) typedText(w int) shownInput {
	v := []rune(m.safe(m.input.Value()))
	at := min(m.input.Position(), len(v))
	before, after := string(v[:at]), string(v[at:])
	under := " "
	if after != "" {
		r := []rune(after)
		under, after = string(r[0]), string(r[1:])
	}
	if over := width(before) - (w - 1 - width(under)); over > 0 {
		before = skipColumns(before, over)
	}
	after = fit(after, max(0, w-width(before)-width(under)), "")
	cursor := "\x1b[7m" + under + "\x1b[27m"
	return shownInput{before + under + after, before + cursor + after}
}
