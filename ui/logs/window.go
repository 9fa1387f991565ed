package logs

import "sort"

// The lines of a pane are computed from the rings each time: a merged pane walks its nodes' lines in time
// order from its place. No list of all lines is kept in order, so late lines cost nothing, and a frame costs
// only its visible lines.

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
	m      *Model
	nodes  []int
	follow bool
	top    place // first row, when not following
	cur    ref   // the line of a search or a jump
	has    bool  // cur is set
	x      int   // columns cut off at the left, when not wrapping
	raw    bool  // only the nodes' own lines, all of them
}

// kept holds the kept lines of all nodes, with the matches of filter and search in them.
type kept struct {
	nodes []string
	rings []*ring
	index []index
	query *query
	marks [][]uint64 // bookmarks
	raw   bool       // nothing is folded
}

// shown returns how many of a ring's lines pass the filter and are not folded, shownSeq the number of the i-th of them.
func (k *kept) shown(node int) int {
	switch {
	case node >= len(k.nodes): // rules
	case k.query.filters():
		return len(k.index[node].shown)
	case !k.raw:
		return len(k.rings[node].open)
	}
	return k.rings[node].len()
}

func (k *kept) shownSeq(node, i int) uint64 {
	switch {
	case node >= len(k.nodes):
	case k.query.filters():
		return k.index[node].shown[i]
	case !k.raw:
		return k.rings[node].open[i]
	}
	return k.rings[node].head() + uint64(i)
}

func (k *kept) refOf(node int, seq uint64) ref {
	return ref{time: k.rings[node].time(seq), node: node, seq: seq}
}

// cursor is a place between two lines of a pane. A step compares the nodes' nearest lines, and reads only that of the
// node it moved over: a merged pane of 50 nodes takes as many steps as it has rows.
type cursor struct {
	k             *kept
	nodes         []int
	pos           []int // shown lines of each node in front of the cursor
	ahead, behind []near
}

// near is the line of a node next to a cursor.
type near struct {
	ref
	known, none bool
}

func (k *kept) begin(p *pane) *cursor {
	nodes := k.streams(p)
	return &cursor{k: k, nodes: nodes, pos: make([]int, len(nodes)), ahead: make([]near, len(nodes)), behind: make([]near, len(nodes))}
}

func (k *kept) end(p *pane) *cursor {
	c := k.begin(p)
	for i, node := range c.nodes {
		c.pos[i] = k.shown(node)
	}
	return c
}

// at returns the cursor in front of the first line that is not before r.
func (k *kept) at(p *pane, r ref) *cursor {
	c := k.begin(p)
	for i, node := range c.nodes {
		c.pos[i] = sort.Search(k.shown(node), func(n int) bool {
			return !k.refOf(node, k.shownSeq(node, n)).before(r)
		})
	}
	return c
}

// near returns the line of the i-th node at pos.
func (c *cursor) near(i, pos int) near {
	node := c.nodes[i]
	if pos < 0 || pos >= c.k.shown(node) {
		return near{known: true, none: true}
	}
	return near{ref: c.k.refOf(node, c.k.shownSeq(node, pos)), known: true}
}

// next moves over the line behind the cursor; ok is false at the end.
func (c *cursor) next() (r ref, ok bool) {
	at := 0
	for i := range c.ahead {
		x := &c.ahead[i]
		if !x.known {
			*x = c.near(i, c.pos[i])
		}
		if !x.none && (!ok || x.before(r)) {
			r, at, ok = x.ref, i, true
		}
	}
	if ok {
		c.pos[at]++
		c.ahead[at], c.behind[at] = near{}, c.ahead[at]
	}
	return r, ok
}

// prev moves back over the line in front of the cursor; ok is false at the beginning.
func (c *cursor) prev() (r ref, ok bool) {
	at := 0
	for i := range c.behind {
		x := &c.behind[i]
		if !x.known {
			*x = c.near(i, c.pos[i]-1)
		}
		if !x.none && (!ok || r.before(x.ref)) {
			r, at, ok = x.ref, i, true
		}
	}
	if ok {
		c.pos[at]--
		c.behind[at], c.ahead[at] = near{}, c.behind[at]
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

// total returns how many lines the pane could show.
func (k *kept) total(p *pane) int {
	n := 0
	for _, node := range k.streams(p) {
		n += k.shown(node)
	}
	return n
}

// last returns the top row at which the pane's last line is at the bottom.
func (p *pane) last(g geometry) place {
	c, left := p.m.end(p), g.rows
	var top place
	for left > 0 {
		r, ok := c.prev()
		if !ok {
			break
		}
		n := p.height(r, g)
		top = place{ref: r, row: max(0, n-left)}
		left -= n
	}
	return top
}

// first returns the pane's top row as it is now.
func (p *pane) first(g geometry) place {
	last := p.last(g)
	if p.follow || last.before(p.top) {
		return last
	}
	return p.top
}

// up moves n rows towards the oldest line.
func (p *pane) up(g geometry, n int) {
	top := p.first(g)
	c := p.m.at(p, top.ref)
	n -= top.row
	top.row = 0
	for n > 0 {
		r, ok := c.prev()
		if !ok {
			break
		}
		h := p.height(r, g)
		top = place{ref: r, row: max(0, h-n)}
		n -= h
	}
	if n < 0 && top.row == 0 {
		top.row = -n
	}
	p.follow, p.top = false, top
}

// down moves n rows towards the newest line, and follows when it gets there.
func (p *pane) down(g geometry, n int) {
	if p.follow {
		return
	}
	top := p.first(g)
	c := p.m.at(p, top.ref)
	n += top.row
	for {
		r, ok := c.next()
		if !ok {
			p.follow = true
			return
		}
		h := p.height(r, g)
		if n < h {
			top = place{ref: r, row: n}
			break
		}
		n -= h
	}
	p.top = top
	if last := p.last(g); !top.before(last) {
		p.follow = true
	}
}

// show brings line r onto the pane if it is not there, with some lines in front of it. It unfolds it.
func (p *pane) show(g geometry, r ref) {
	if !p.m.query.filters() && r.node < len(p.m.nodes) {
		p.m.rings[r.node].reveal(r.seq)
	}
	p.cur, p.has = r, true
	top := p.first(g)
	p.follow, p.top = false, top
	c, left := p.m.at(p, top.ref), g.rows+top.row
	for left > 0 {
		x, ok := c.next()
		if !ok {
			break
		}
		left -= p.height(x, g)
		if x == r && left >= 0 {
			return
		}
	}
	c, left = p.m.at(p, r), g.rows/3
	p.top = place{ref: r}
	for left > 0 {
		x, ok := c.prev()
		if !ok {
			break
		}
		left -= p.height(x, g)
		p.top = place{ref: x}
	}
}

// step finds the nearest line of the lists (one a node of the pane) after r, or before it.
func (k *kept) step(p *pane, lists func(node int) []uint64, r ref, forward bool) (found ref, ok bool) {
	for _, node := range p.nodes {
		list := lists(node)
		i := sort.Search(len(list), func(i int) bool {
			x := k.refOf(node, list[i])
			return !x.before(r) && (!forward || x != r)
		})
		if !forward {
			i--
		}
		if i < 0 || i >= len(list) {
			continue
		}
		if x := k.refOf(node, list[i]); !ok || forward && x.before(found) || !forward && found.before(x) {
			found, ok = x, true
		}
	}
	return found, ok
}

// rank returns how many lines of the lists are before r, and how many there are.
func (k *kept) rank(p *pane, lists func(node int) []uint64, r ref) (before, all int) {
	for _, node := range p.nodes {
		list := lists(node)
		all += len(list)
		before += sort.Search(len(list), func(i int) bool { return !k.refOf(node, list[i]).before(r) })
	}
	return before, all
}

func (k *kept) hits(node int) []uint64   { return k.index[node].hits }
func (k *kept) marked(node int) []uint64 { return k.marks[node] }

// errors returns the node's lines at which an error begins and that pass the filter.
func (k *kept) errors(node int) []uint64 {
	errs := k.rings[node].errs
	if !k.query.filters() {
		return errs
	}
	var both []uint64
	for shown := k.index[node].shown; len(shown) > 0 && len(errs) > 0; {
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
