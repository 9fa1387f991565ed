// Package logs is the log panes of flwrup: one SuperNode, several next to each other, or all merged in time
// order. It is a part of a screen, not a program: the frame passes it messages and a size.
//
// The rules that keep it quick at 50,000 lines a second: sources read in their own goroutines; Update gets
// their lines in batches and copies them; commands search over a snapshot; View draws only the visible lines.
package logs

import (
	"time"

	inputcursor "github.com/charmbracelet/bubbles/cursor"
	"github.com/charmbracelet/bubbles/textinput"
	tea "github.com/charmbracelet/bubbletea"

	"flwrup/ui/style"
)

const (
	keepLines = 100_000  // of all nodes together
	keepBytes = 24 << 20 // of all nodes together
)

// Failed tells the frame that something in the panes broke: a bug in flwrup.
type Failed struct{ Err error }

// Exported tells the frame where the shown lines went, or why they could not be written.
type Exported struct {
	Path  string
	Lines int
	Err   error
}

// layout is how the nodes share the place.
type layout int

const (
	merged layout = iota // all in one pane, in time order
	split                // a pane each
)

// asking is the purpose of the prompt.
type asking int

const (
	nothing asking = iota
	forSearch
	forFilter
	forTime
)

// Model is the log panes. Make it with New; call Close when it is not needed any more.
type Model struct {
	kept
	src    Source
	labels []string
	look   *look
	feed   *feed
	lines  int // kept, of all nodes

	states []string
	runs   []map[string]bool     // seen, of each node
	story  map[string][]Happened // of each SuperNode; "": of all
	now    func() time.Time

	scanning   bool
	wantsSeek  bool
	wantsError bool

	together *pane
	single   []*pane
	focus    int // of single
	layout   layout
	wrap     bool
	times    bool
	zoom     bool
	bare     bool
	verbatim bool // nothing is folded
	sought   sought
	thawed   bool // bare: the panes that followed before and are to follow again

	asking    asking
	was       pane // place of the pane when the prompt opened
	input     textinput.Model
	search    string
	filter    string
	level     Level
	typoErr   string // what is wrong with the typed text
	wasFilter string // before the prompt opened
	wasLevel  Level
	message   string
	bad       bool // message is about a failure

	w, h   int
	holder bool // see SetFocus
	frame  string
	stale  bool
	closed bool
}

// New makes the panes for the logs of nodes. Nothing is read before Init.
func New(src Source, nodes []string, st *style.Set) *Model {
	in := textinput.New()
	in.Prompt = ""
	in.Cursor.SetMode(inputcursor.CursorStatic)
	m := &Model{
		src: src, look: newLook(st), input: in, lines: keepLines, story: map[string][]Happened{}, now: time.Now,
		kept: kept{query: &query{}}, wrap: true, times: true, w: 80, h: 24, stale: true,
	}
	m.setNodes(nodes)
	return m
}

// Limit sets how many lines are kept of all nodes together, when 100,000 are too many. Call it before Init or
// SetNodes.
func (m *Model) Limit(lines int) {
	m.lines = lines
	m.setNodes(m.nodes)
}

// SetNodes shows the logs of other nodes from now on. The typed search and filter stay.
func (m *Model) SetNodes(nodes []string) tea.Cmd {
	if m.feed != nil {
		m.feed.close()
	}
	m.setNodes(nodes)
	return m.Init()
}

func (m *Model) setNodes(nodes []string) {
	m.nodes = append([]string(nil), nodes...)
	m.labels = labels(m.nodes)
	n := max(1, len(nodes))
	m.rings, m.index, m.single, m.marks = nil, make([]index, len(nodes)), nil, make([][]uint64, len(nodes))
	m.states, m.runs = make([]string, len(nodes)), make([]map[string]bool, len(nodes))
	all := &pane{m: m, follow: true}
	for i := range nodes {
		m.rings = append(m.rings, newRing(m.lines/n, keepBytes/n))
		m.runs[i] = map[string]bool{}
		m.single = append(m.single, &pane{m: m, nodes: []int{i}, follow: true})
		all.nodes = append(all.nodes, i)
	}
	m.rings = append(m.rings, make([]*ring, len(nodes)+1)...)
	m.rule()
	m.together, m.focus = all, 0
	m.layout = merged
	if len(nodes) == 2 {
		m.layout = split
	}
	m.query = &query{gen: m.query.gen + 1, filter: m.query.filter, search: m.query.search, level: m.query.level, raw: m.raw}
	m.scanning, m.stale = false, true
	// A feed carries no goroutine until Init starts it.
	m.feed = newFeed(m.src, m.nodes, m.lines/n)
}

// SetFocus says whether the panes have the keys when they are one part of a screen among others: then the
// focused pane carries a sign.
func (m *Model) SetFocus(on bool) {
	m.stale = m.stale || m.holder != on
	m.holder = on
}

// Init starts reading.
func (m *Model) Init() tea.Cmd {
	if len(m.nodes) == 0 {
		return nil
	}
	m.feed.start()
	return m.feed.next
}

// Close ends the goroutines that read. It does not wait for them.
func (m *Model) Close() {
	m.closed = true
	m.feed.close()
}

// SetSize sets the columns and rows that View may fill.
func (m *Model) SetSize(w, h int) {
	w, h = max(0, w), max(0, h)
	if w != m.w || h != m.h {
		m.w, m.h, m.stale = w, h, true
	}
}

// Nodes returns the names of the SuperNodes whose logs are shown.
func (m *Model) Nodes() []string { return m.nodes }

// Typing reports that letters belong to a prompt and not to key bindings.
func (m *Model) Typing() bool { return m.asking != nothing }

// Holds reports that Esc means something here: it closes a prompt, a view or a search. If it is false, Esc
// belongs to the frame.
func (m *Model) Holds() bool {
	return m.asking != nothing || m.bare || m.zoom || m.search != "" || m.filtered()
}

// Full reports that the panes want the whole terminal: full screen, or the borderless view.
func (m *Model) Full() bool { return m.zoom || m.bare }

func (m *Model) filtered() bool { return m.filter != "" || m.level > None }

// Update handles a message. Messages for other panes, and keys that mean nothing here, change nothing.
func (m *Model) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case batchMsg:
		if msg.feed != m.feed {
			return nil
		}
		return m.bring(msg)
	case foundMsg:
		if msg.model != m {
			return nil
		}
		m.stale = true
		return m.take(msg)
	case exportedMsg:
		if msg.model != m {
			return nil
		}
		return m.exported(msg.Exported)
	case Told:
		m.told(msg)
	case tea.KeyMsg:
		m.stale = true
		m.message = ""
		if m.asking != nothing {
			return m.typed(msg)
		}
		return m.pressed(msg)
	}
	return nil
}

// bring adds new lines to the rings.
func (m *Model) bring(msg batchMsg) tea.Cmd {
	m.stale = true
	news := false // a run
	for i, b := range msg.batches {
		if b == nil {
			continue
		}
		m.rings[i].append(b)
		m.trim(i)
		if b.changed {
			m.states[i] = b.state
		}
		for _, id := range b.runs {
			if !m.runs[i][id] && len(m.runs[i]) < maxRuns {
				m.runs[i][id], news = true, true
			}
		}
	}
	if news {
		m.rule()
	}
	m.feed.give(msg.batches)
	seekError(m)
	cmds := []tea.Cmd{m.feed.next}
	if cmd := m.scan(); cmd != nil {
		cmds = append(cmds, cmd)
	}
	if msg.failed != nil {
		cmds = append(cmds, func() tea.Msg { return Failed{msg.failed} })
	}
	return tea.Batch(cmds...)
}

// seek goes to the newest match of the search, once all lines have been searched.
func (m *Model) seek() {
	if !m.wantsSeek {
		return
	}
	m.wantsSeek = false
	if m.query.search == nil {
		return
	}
	p := m.focused()
	g := p.geometry()
	if p.has {
		before, _ := m.rank(p, m.hits, p.cur)
		if next, ok := m.step(p, m.hits, p.cur, true); ok && before == 0 {
			p.show(g, next)
			return
		}
	}
	if r, ok := m.step(p, m.hits, ref{time: 1<<63 - 1}, false); ok {
		p.show(g, r)
	}
}

// ToErrors is a message for panes: go to the newest error, now or when the first has been read.
type ToErrors struct{}

// seekError goes to the newest error once there is one.
func seekError(m *Model) {
	if !m.wantsError {
		return
	}
	p := m.focused()
	if r, ok := m.step(p, m.errors, ref{time: 1<<63 - 1}, false); ok {
		m.wantsError, m.sought, m.stale = false, anError, true
		p.show(p.geometry(), r)
	}
}

// focused returns the pane that gets the keys.
func (m *Model) focused() *pane {
	if m.layout == merged || len(m.single) == 0 {
		return m.together
	}
	return m.single[m.focus]
}

// Stale reports that View would draw something new.
func (m *Model) Stale() bool { return m.stale }
