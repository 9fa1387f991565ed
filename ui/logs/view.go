package logs

import (
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"flwrup/ui/logs/paint"
	"flwrup/ui/style"
)

const (
	timeWidth   = 9 // "15:04:05 "
	signWidth   = 2
	minText     = 44 // narrower than this, times and long names are left out
	minColumn   = 38 // of panes next to each other
	minRows     = 6  // of panes above each other, header included
	stripWidth  = 2  // of the errors at the right edge
	columnSpace = 3  // " │ "
)

// geometry is how a pane's rows are divided.
type geometry struct {
	width, rows int // rows without the header
	time, name  int // columns; 0 when hidden
	sign        int
	text, strip int  // strip: 0 when hidden
	long        bool // names in full
	wrap        bool
}

// grid returns how many panes are next to and above each other, and which is the first.
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

// body returns the rows without the prompt.
func (m *Model) body() int {
	if m.prompting() {
		return max(0, m.h-1)
	}
	return m.h
}

func (m *Model) prompting() bool { return m.h > 2 && (m.asking != nothing || m.message != "") }

// geometry returns how the rows of p are divided on the screen.
func (p *pane) geometry() geometry {
	columns, rows, first := p.m.grid()
	w, h := p.m.w, p.m.body()
	if columns > 1 || rows > 1 {
		i := 0
		if len(p.nodes) == 1 {
			i = max(0, p.nodes[0]-first)
		}
		w, h = columnWidth(p.m.w, columns, i%columns), rowHeight(h, rows, i/columns)
	}
	return p.cut(w, h)
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

func (p *pane) cut(w, h int) geometry {
	g := geometry{width: w, rows: h, wrap: p.m.wrap, sign: signWidth}
	if !p.m.bare && h > 1 {
		g.rows--
	}
	g.rows = max(0, g.rows)
	if p.m.bare {
		g.sign, g.text = 0, w
		return g
	}
	g.text = w - g.sign
	if len(p.nodes) > 1 {
		long, short := 0, 0
		for _, i := range p.nodes {
			long, short = max(long, width(p.m.nodes[i])), max(short, width(p.m.labels[i]))
		}
		g.name, g.long = long+1, true
		if long > 24 || g.text-g.name-timeWidth < minText+minText/2 {
			g.name, g.long = min(short, 12)+1, false
		}
		g.text -= g.name
	}
	if p.m.times && g.text-timeWidth >= minText {
		g.time = timeWidth
		g.text -= timeWidth
	}
	if p.m.zoom && len(p.nodes) == 1 && g.text-stripWidth >= minText {
		g.strip = stripWidth
		g.text -= stripWidth
	}
	g.text = max(2, g.text)
	return g
}

// display returns a line as it is shown, its word in front.
func (p *pane) display(r ref, b *block, i int) (sign, word, text string, mark, body paint.Paint) {
	e := b.entries[i]
	text = string(b.text(i))
	if p.m.bare {
		text = expand(text)
	} else {
		sign, word, mark, body = p.m.look.of(e.kind, e.skip)
		text = expand(text[e.skip:])
		if !p.m.raw && r.node < len(p.m.nodes) {
			word, text = p.brief(r, e, word, text)
		}
	}
	if p.m.look.plainASCII {
		text = toASCII(text)
	}
	return sign, word, text, mark, body
}

// brief returns a line without what few want to read: whole IDs, the halves of a message and its answer. A line that
// the search matches only as it was written stays so.
func (p *pane) brief(r ref, e entry, word, text string) (string, string) {
	l, ring := p.m.look, p.m.rings[r.node]
	cut := text
	if e.skip > 0 || e.kind.mark() != noMark {
		cut = style.ShortIDs(text, l.Ellipsis)
	}
	if t, ok := ring.taskAt(r.seq); ok {
		word = messageOf(text)
		cut = t.tells() + ring.about(r.seq, l)
	}
	if s := p.m.query.search; s != nil && s.matches(text) && !s.matches(cut) {
		return word, text
	}
	return word, cut
}

// tells says what became of a message.
func (t task) tells() string {
	switch t.took {
	case waits:
		return "no answer yet"
	case unanswered:
		return "never answered"
	}
	return "answered in " + style.Took(time.Duration(t.took))
}

// about says for which round of which run a message came: the line in front of it has it.
func (r *ring) about(seq uint64, l *look) string {
	if seq == r.head() {
		return ""
	}
	b, i := r.at(seq - 1)
	text := string(b.told(i))
	id := runOf(text)
	if id == "" {
		return ""
	}
	about := l.between() + "run " + style.ShortIDs(id, l.Ellipsis)
	if _, round, ok := strings.Cut(text, ", ROUND "); ok {
		about = l.between() + "round " + strings.TrimSuffix(round, "]") + about
	}
	return about
}

// between separates a landmark's word from the line.
func (l *look) between() string { return " " + l.Separator + " " }

// height returns how many rows line r takes.
func (p *pane) height(r ref, g geometry) int {
	if !g.wrap {
		return 1
	}
	b, i := p.m.rings[r.node].at(r.seq)
	e := b.entries[i]
	if e.kind.mark() == markRule || int(e.n)+16 <= g.text && e.kind.mark() == noMark && simple(b.text(i)) {
		return 1
	}
	_, word, text, _, _ := p.display(r, b, i)
	if word != "" {
		text = word + p.m.look.between() + text
	}
	n := 0
	wrap(text, max(2, g.text), func(string) { n++ })
	return n
}

// simple reports whether b takes as many columns as it has bytes.
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
		for i, line := range m.focused().draw(m.w, h, true) {
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
			cells = append(cells, m.single[i].draw(w, rh, i == m.focus))
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
func (p *pane) draw(w, h int, focus bool) []string {
	g := p.cut(w, h)
	out := make([]string, 0, h)
	if g.rows < h {
		out = append(out, p.header(g, focus))
	}
	top := p.first(g)
	c, skip := p.m.at(p, top.ref), top.row
	passed := 0 // shown lines of the first SuperNode above the first row
	if len(p.nodes) > 0 {
		passed = c.pos[0]
	}
	for len(out) < h {
		r, ok := c.next()
		if !ok {
			break
		}
		out = p.line(out, g, r, skip, h)
		skip = 0
	}
	if p.m.total(p) == 0 && len(out) < h {
		out = append(out, p.empty(w))
	}
	for len(out) < h {
		out = append(out, "")
	}
	if g.strip > 0 {
		p.errorStrip(out[h-g.rows:], g, passed)
	}
	return out
}

// errorStrip puts a column at the right edge of the rows of a full screen, which stand for all lines of the SuperNode
// from the first to the last: an error shows where it is among them, and a thin line which of them begin here.
func (p *pane) errorStrip(rows []string, g geometry, passed int) {
	node, k := p.nodes[0], p.m
	n, errs := k.shown(node), k.errors(node)
	if n <= g.rows || len(errs) == 0 {
		return
	}
	sign, _, bad, _ := k.look.of(newKind(Error, noMark), 1)
	for y := range rows {
		first, after := y*n/len(rows), (y+1)*n/len(rows)
		from, to := k.shownSeq(node, first), k.rings[node].next
		if after < n {
			to = k.shownSeq(node, after)
		}
		shown := ""
		switch rest := since(errs, from); {
		case len(rest) > 0 && rest[0] < to:
			shown = bad.Render(sign)
		case first <= passed && passed < after:
			shown = k.look.Faint.Render(k.look.Vertical)
		default:
			continue
		}
		rows[y] += spaces(g.width-1-ansi.StringWidth(rows[y])) + shown
	}
}

// line adds the rows of line r, the first skip of them left out, until there are h.
func (p *pane) line(out []string, g geometry, r ref, skip, h int) []string {
	b, i := p.m.rings[r.node].at(r.seq)
	e := b.entries[i]
	if e.kind.mark() == markRule {
		if len(out) == h {
			return out
		}
		return append(out, p.rule(g, r))
	}
	sign, word, text, mark, body := p.display(r, b, i)
	here := p.has && p.cur == r
	prefix := ""
	if word != "" {
		prefix = word + p.m.look.between()
		text = prefix + text
	}
	var rows []string
	if g.wrap {
		rows = wrapped(text, g.text)
	} else {
		rows = []string{fit(skipColumns(text, p.x), g.text, p.m.look.Ellipsis)}
	}
	if e.kind.mark() == markRaise {
		if t, ok := p.m.rings[r.node].traceAt(r.seq); ok && t.last != r.seq {
			body = p.m.look.Dim // it led to another one
		}
	}
	if text == "" && sign == " " && !here && !p.m.isMarked(r) { // a separator of paragraphs needs no time and no name
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
				s.WriteString(p.m.look.Dim.Render(when(e.time).Format("15:04:05")))
				s.WriteByte(' ')
			} else {
				s.WriteString(spaces(timeWidth))
			}
		}
		if g.name > 0 {
			if n == 0 {
				name := p.m.labels[r.node]
				if g.long {
					name = p.m.nodes[r.node]
				}
				s.WriteString(p.m.look.Node(r.node).Render(pad(name, g.name-1, p.m.look.Ellipsis)))
				s.WriteByte(' ')
			} else {
				s.WriteString(spaces(g.name))
			}
		}
		if g.sign > 0 {
			switch {
			case here && n == 0:
				s.WriteString(p.m.look.Selected.Render(p.m.look.Cursor))
			case n == 0 && p.m.isMarked(r):
				s.WriteString(p.m.look.Accent.Render(p.m.look.Marked))
			case n == 0:
				s.WriteString(mark.Render(sign))
			default:
				s.WriteByte(' ')
			}
			s.WriteByte(' ')
		}
		if rest, ok := strings.CutPrefix(row, prefix); ok && n == 0 && prefix != "" {
			s.WriteString(mark.Render(word))
			s.WriteString(p.m.look.Dim.Render(p.m.look.between()))
			row = rest
		}
		p.highlight(&s, row, body, here)
		if n == len(rows)-1 {
			p.folded(&s, g, r, width(rows[n]))
		}
		out = append(out, s.String())
	}
	return out
}

// folded says behind a line how many are folded under it.
func (p *pane) folded(s *strings.Builder, g geometry, r ref, used int) {
	if p.m.bare || p.m.raw {
		return
	}
	t, ok := p.m.rings[r.node].traceAt(r.seq)
	if !ok || t.last != r.seq || t.from == t.to || p.m.query.filter != nil || p.m.rings[r.node].unfolded(t.from, t.to) {
		return
	}
	text := "  " + count(int(t.to-t.from), "line") + " folded"
	if used+width(text) <= g.text {
		s.WriteString(p.m.look.Dim.Render(text))
	}
}

// highlight writes row with the hits of the search marked.
func (p *pane) highlight(s *strings.Builder, row string, body paint.Paint, here bool) {
	if p.m.query.search == nil || p.m.bare {
		s.WriteString(body.Render(row))
		return
	}
	hit := p.m.look.Match
	if here {
		hit = p.m.look.Button
	}
	at := 0
	for {
		from, to, ok := p.m.query.search.find(row, at)
		if !ok {
			break
		}
		s.WriteString(body.Render(row[at:from]))
		s.WriteString(hit.Render(row[from:to]))
		at = to
	}
	s.WriteString(body.Render(row[at:]))
}

// empty says why no line is visible.
func (p *pane) empty(w int) string {
	text := "no lines yet"
	if p.m.filtered() {
		for _, i := range p.nodes {
			if p.m.rings[i].len() > 0 {
				text = "no line passes the filter"
			}
		}
	}
	if len(p.m.nodes) == 0 {
		text = "no SuperNode"
	}
	return fit("  ", w, "") + p.m.look.Dim.Render(fit(text, w-2, p.m.look.Ellipsis))
}
