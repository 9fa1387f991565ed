package logs

import "sort"

// Which lines a pane shows is worked out from the rings each time: a merged pane walks its nodes' lines
// in time order from where it stands. No list of all lines is kept in order, so lines that come late
// cost nothing, and a frame costs only what is on it.

// ref names one line; refs are ordered by time, then node, then number.
type ref struct {
	time int64
	node int
	seq  uint64
}

func (a ref) before(b ref) bool {
	if a.time != b.time {
		return a.time < b.time
	}
	if a.node != b.node {
		return a.node < b.node
	}
	return a.seq < b.seq
}

// place is a row on the way through a pane: a line and, where it is wrapped, a row of it.
type place struct {
	ref
	row int
}

func (a place) before(b place) bool {
	if a.ref != b.ref {
		return a.ref.before(b.ref)
	}
	return a.row < b.row
}

// pane shows the lines of some nodes.
type pane struct {
	nodes  []int
	follow bool
	top    place // first row, when not following
	cur    ref   // the line that a search or a jump stands on
	has    bool  // cur is set
	x      int   // columns cut off at the left, when not wrapping
}

// shown is how many of the node's lines pass the filter, shownSeq which the i-th of them is.
func (m *Model) shown(node int) int {
	if m.query.filters() {
		return len(m.index[node].shown)
	}
	return m.rings[node].len()
}

func (m *Model) shownSeq(node, i int) uint64 {
	if m.query.filters() {
		return m.index[node].shown[i]
	}
	return m.rings[node].head() + uint64(i)
}

func (m *Model) refOf(node int, seq uint64) ref {
	return ref{time: m.rings[node].time(seq), node: node, seq: seq}
}

// cursor stands between two lines of a pane.
type cursor struct {
	m     *Model
	nodes []int
	pos   []int // shown lines of each node in front of the cursor
}

func (m *Model) begin(p *pane) *cursor {
	return &cursor{m: m, nodes: p.nodes, pos: make([]int, len(p.nodes))}
}

func (m *Model) end(p *pane) *cursor {
	c := m.begin(p)
	for i, node := range p.nodes {
		c.pos[i] = m.shown(node)
	}
	return c
}

// at gives the cursor in front of the first line that is not before r.
func (m *Model) at(p *pane, r ref) *cursor {
	c := m.begin(p)
	for i, node := range p.nodes {
		c.pos[i] = sort.Search(m.shown(node), func(k int) bool {
			return !m.refOf(node, m.shownSeq(node, k)).before(r)
		})
	}
	return c
}

// next moves over the line behind the cursor; ok is false at the end.
func (c *cursor) next() (r ref, ok bool) {
	at := 0
	for i, node := range c.nodes {
		if c.pos[i] >= c.m.shown(node) {
			continue
		}
		if x := c.m.refOf(node, c.m.shownSeq(node, c.pos[i])); !ok || x.before(r) {
			r, at, ok = x, i, true
		}
	}
	if ok {
		c.pos[at]++
	}
	return r, ok
}

// prev moves back over the line in front of the cursor; ok is false at the beginning.
func (c *cursor) prev() (r ref, ok bool) {
	at := 0
	for i, node := range c.nodes {
		if c.pos[i] == 0 {
			continue
		}
		if x := c.m.refOf(node, c.m.shownSeq(node, c.pos[i]-1)); !ok || r.before(x) {
			r, at, ok = x, i, true
		}
	}
	if ok {
		c.pos[at]--
	}
	return r, ok
}

func (c *cursor) passed() int {
	n := 0
	for _, k := range c.pos {
		n += k
	}
	return n
}

// total is how many lines the pane could show.
func (m *Model) total(p *pane) int {
	n := 0
	for _, node := range p.nodes {
		n += m.shown(node)
	}
	return n
}

// last gives the top row at which the pane's last line is at the bottom.
func (m *Model) last(p *pane, g geometry) place {
	c, left := m.end(p), g.rows
	var top place
	for left > 0 {
		r, ok := c.prev()
		if !ok {
			break
		}
		n := m.height(r, g)
		top = place{ref: r, row: max(0, n-left)}
		left -= n
	}
	return top
}

// first gives the pane's top row as it is now.
func (m *Model) first(p *pane, g geometry) place {
	last := m.last(p, g)
	if p.follow || last.before(p.top) {
		return last
	}
	return p.top
}

// up moves n rows towards the oldest line.
func (m *Model) up(p *pane, g geometry, n int) {
	top := m.first(p, g)
	c := m.at(p, top.ref)
	n -= top.row
	top.row = 0
	for n > 0 {
		r, ok := c.prev()
		if !ok {
			break
		}
		h := m.height(r, g)
		top = place{ref: r, row: max(0, h-n)}
		n -= h
	}
	if n < 0 && top.row == 0 {
		top.row = -n
	}
	p.follow, p.top = false, top
}

// down moves n rows towards the newest line, and follows when it gets there.
func (m *Model) down(p *pane, g geometry, n int) {
	if p.follow {
		return
	}
	top := m.first(p, g)
	c := m.at(p, top.ref)
	n += top.row
	for {
		r, ok := c.next()
		if !ok {
			p.follow = true
			return
		}
		h := m.height(r, g)
		if n < h {
			top = place{ref: r, row: n}
			break
		}
		n -= h
	}
	p.top = top
	if last := m.last(p, g); !top.before(last) {
		p.follow = true
	}
}

// show brings line r onto the pane if it is not there, with some lines in front of it.
func (m *Model) show(p *pane, g geometry, r ref) {
	p.cur, p.has = r, true
	top := m.first(p, g)
	p.follow, p.top = false, top
	c, left := m.at(p, top.ref), g.rows+top.row
	for left > 0 {
		x, ok := c.next()
		if !ok {
			break
		}
		left -= m.height(x, g)
		if x == r && left >= 0 {
			return
		}
	}
	c, left = m.at(p, r), g.rows/3
	p.top = place{ref: r}
	for left > 0 {
		x, ok := c.prev()
		if !ok {
			break
		}
		left -= m.height(x, g)
		p.top = place{ref: x}
	}
}

// step finds the nearest line of the lists (one a node of the pane) after r, or before it.
func (m *Model) step(p *pane, lists func(node int) []uint64, r ref, forward bool) (found ref, ok bool) {
	for _, node := range p.nodes {
		list := lists(node)
		i := sort.Search(len(list), func(i int) bool {
			x := m.refOf(node, list[i])
			return !x.before(r) && (!forward || x != r)
		})
		if !forward {
			i--
		}
		if i < 0 || i >= len(list) {
			continue
		}
		if x := m.refOf(node, list[i]); !ok || forward && x.before(found) || !forward && found.before(x) {
			found, ok = x, true
		}
	}
	return found, ok
}

// rank is how many lines of the lists are before r, and how many there are.
func (m *Model) rank(p *pane, lists func(node int) []uint64, r ref) (before, all int) {
	for _, node := range p.nodes {
		list := lists(node)
		all += len(list)
		before += sort.Search(len(list), func(i int) bool { return !m.refOf(node, list[i]).before(r) })
	}
	return before, all
}

func (m *Model) hits(node int) []uint64 { return m.index[node].hits }

// errors gives the node's lines at which an error begins and that the filter lets through.
func (m *Model) errors(node int) []uint64 {
	errs := m.rings[node].errs
	if !m.query.filters() {
		return errs
	}
	var both []uint64
	for shown := m.index[node].shown; len(shown) > 0 && len(errs) > 0; {
		switch {
		case shown[0] < errs[0]:
			shown = shown[1:]
		case errs[0] < shown[0]:
			errs = errs[1:]
		default:
			both = append(both, errs[0])
			shown, errs = shown[1:], errs[1:]
		}
	}
	return both
}
