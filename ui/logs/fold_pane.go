package logs

import (
	"slices"
	"time"

	tea "github.com/charmbracelet/bubbletea"
)

// fold takes over whether anything is folded at all.
func (m *Model) fold() tea.Cmd {
	if raw := m.verbatim || m.bare; m.raw != raw {
		m.raw = raw
		if m.query.filters() {
			return m.requery()
		}
	}
	return nil
}

// unfold shows what is folded under the chosen line, else under the last visible line with something under it; or
// folds it again.
func (p *pane) unfold(g geometry) {
	m := p.m
	if m.raw || m.query.filters() {
		m.message = "nothing is folded here"
		if m.query.filters() {
			m.message = "a filter shows what passes it; esc ends it"
		}
		return
	}
	at := p.cur
	if !p.has || !m.foldable(at) || !slices.Contains(p.visible(g), at) {
		ok := false
		for _, r := range slices.Backward(p.visible(g)) {
			if ok = m.foldable(r); ok {
				at = r
				break
			}
		}
		if !ok {
			m.message = "nothing to unfold here: v shows every line as it was written"
			return
		}
	}
	ring := m.rings[at.node]
	from, to, _ := ring.block(at.seq)
	all := !ring.unfolded(from, to)
	if ring.unfold(from, to, all); !all {
		if t, ok := ring.traceAt(at.seq); ok {
			at = m.refOf(at.node, t.last)
		}
	}
	p.show(g, at)
}

// foldable reports whether something belongs under line r.
func (k *kept) foldable(r ref) bool {
	if r.node >= len(k.nodes) {
		return false
	}
	from, to, ok := k.rings[r.node].block(r.seq)
	return ok && to > from
}

// visible returns the lines on the screen.
func (p *pane) visible(g geometry) (list []ref) {
	top := p.first(g)
	c, left := p.m.at(p, top.ref), g.rows+top.row
	for left > 0 {
		r, ok := c.next()
		if !ok {
			break
		}
		left -= p.height(r, g)
		list = append(list, r)
	}
	return list
}

// mark sets or removes a mark: at the chosen line if it is visible, else at the first visible one, or the last one
// when the pane follows.
func (p *pane) mark(g geometry) {
	lines := slices.DeleteFunc(p.visible(g), func(r ref) bool { return r.node >= len(p.m.nodes) })
	if len(lines) == 0 {
		return
	}
	at := lines[0]
	switch {
	case p.has && slices.Contains(lines, p.cur):
		at = p.cur
	case p.follow:
		at = lines[len(lines)-1]
	}
	list := &p.m.marks[at.node]
	i, has := slices.BinarySearch(*list, at.seq)
	if has {
		*list = slices.Delete(*list, i, i+1)
		return
	}
	*list = slices.Insert(*list, i, at.seq)
}

func (k *kept) isMarked(r ref) bool {
	if r.node >= len(k.marks) {
		return false
	}
	_, has := slices.BinarySearch(k.marks[r.node], r.seq)
	return has
}

// goTo puts the first line from a time on at the top.
func (p *pane) goTo(g geometry, at time.Time) {
	r, ok := p.m.at(p, ref{time: at.UnixNano()}).next()
	if !ok {
		p.follow, p.has = true, false
		p.m.message = "no line since " + p.clock(at)
		return
	}
	if first, _ := p.m.begin(p).next(); first == r && when(r.time).After(at) {
		p.m.message = "the log begins at " + p.clock(when(r.time))
	}
	p.follow, p.top, p.cur, p.has = false, place{ref: r}, r, true
}

// clock writes a time, with its day unless that is today.
func (p *pane) clock(at time.Time) string {
	if now := p.m.now(); at.YearDay() == now.YearDay() && at.Year() == now.Year() {
		return at.Format(time.TimeOnly)
	}
	return at.Format("2 Jan 15:04:05")
}
