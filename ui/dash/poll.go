package dash

import (
	"context"
	"slices"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"flwrup/internal/front"
	"flwrup/internal/health"
	"flwrup/internal/safego"
	"flwrup/internal/supernode"
	"flwrup/ui/logs"
)

const (
	fast        = 3 * time.Second  // between two questions to the grid while something changes
	slow        = 30 * time.Second // when nothing has changed for long
	running     = 10 * time.Second // at most, while a run is under way
	watching    = 10 * time.Second // at most, while lost SuperNodes are restarted
	usageEvery  = 3 * time.Second
	settle      = 90 * time.Second // how long a node may take from its start until it is online
	forget      = 3 * time.Minute  // an action without any news
	cpuReadings = 8                // CPU readings kept a node
	rewatch     = 5 * time.Second
	quiet       = 150 * time.Millisecond // gathers the changes of many nodes
	logAfter    = 200 * time.Millisecond // the cursor rests this long before the log follows it
	oneAnswer   = 15 * time.Second       // for one node's usage
	beat        = 5 * time.Second        // between two looks whether the grid lives
	long        = time.Hour              // how old the grid's answer may be for such a look
	unanswered  = 3 * time.Second        // the dashboard reports a question that takes longer
)

type (
	overviewMsg struct {
		model *Model
		o     front.Overview
		grid  bool
		pulse bool
	}
	changedMsg struct{ model *Model }
	usageMsg   struct {
		model *Model
		node  string
		usage supernode.Usage
		err   error
	}
	tickMsg   struct{ model *Model }
	logDueMsg struct {
		model *Model
		gen   int
	}
)

// watch runs in a goroutine of its own until the dashboard is closed.
func (w *watcher) watch() {
	for w.ctx.Err() == nil {
		// An error is not reported here: Overview says what is wrong with the runtime.
		_ = w.src.Watch(w.ctx, w.signal)
		select {
		case <-w.ctx.Done():
		case <-time.After(rewatch):
			w.signal()
		}
	}
}

func (w *watcher) signal() {
	select {
	case w.changed <- struct{}{}:
	default:
	}
}

func (w *watcher) fail(err error) {
	select {
	case w.broken <- err:
	default:
	}
}

// wait is the command that waits for a change of the runtime's side.
func (m *Model) wait() tea.Msg {
	select {
	case <-m.ctx.Done():
		return nil
	case err := <-m.broken:
		return Failed{err}
	case <-m.changed:
	}
	select {
	case <-m.ctx.Done():
		return nil
	case <-time.After(quiet):
	}
	select {
	case <-m.changed: // came meanwhile
	default:
	}
	return changedMsg{m}
}

// tick returns the command that comes back in a second, unless one is on its way or nobody looks.
func (m *Model) tick() tea.Cmd {
	if m.ticking || !m.visible && !m.listening {
		return nil
	}
	m.ticking = true
	return func() tea.Msg {
		select {
		case <-m.ctx.Done():
			return nil
		case <-time.After(time.Second):
			return tickMsg{m}
		}
	}
}

// look returns the command that reads the runtime's side; the grid's answer may be of any age.
func (m *Model) look() tea.Cmd {
	if m.looking {
		m.again = true
		return nil
	}
	m.looking = true
	return func() tea.Msg { return overviewMsg{model: m, o: m.overview(health.Anytime)} }
}

// overview reads both sides. A bug in that is shown in the place of a runtime or a grid that does not answer.
func (w *watcher) overview(age time.Duration) (o front.Overview) {
	if err := safego.Call("looking at the SuperNodes", func() error { o = w.src.Overview(w.ctx, age); return nil }); err != nil {
		o = front.Overview{RuntimeErr: err, GridErr: err}
	}
	return o
}

// askGrid returns the command that asks the grid.
func (m *Model) askGrid() tea.Cmd {
	if m.asking {
		return nil
	}
	m.asking, m.asked = true, m.now()
	age := m.interval / 2 // the answer to another screen's question will do
	return func() tea.Msg { return overviewMsg{model: m, o: m.overview(age), grid: true} }
}

// pulse returns the command that checks whether the grid lives: the questions to it are too rare to reveal
// one that hangs.
func (m *Model) pulse() tea.Cmd {
	m.pulsing, m.asked = true, m.now()
	return func() tea.Msg { return overviewMsg{model: m, o: m.overview(long), pulse: true} }
}

// hurry makes the grid's next question come soon: something is about to change.
func (s *schedule) hurry(now time.Time) { s.interval, s.due = fast, now }

// poll starts the due questions: the grid, and the usage of visible nodes.
func (m *Model) poll() tea.Cmd {
	now := m.now()
	m.stale = true
	var cmds []tea.Cmd
	for name, d := range m.busy {
		if now.Sub(d.since) > forget {
			delete(m.busy, name)
		}
	}
	if !m.asking && !now.Before(m.due) {
		cmds = append(cmds, m.askGrid())
	} else if m.loaded && !m.asking && !m.pulsing && !m.have.GridAt.IsZero() && now.Sub(m.asked) >= beat {
		cmds = append(cmds, m.pulse())
	}
	for _, n := range m.inSight() {
		if !m.visible {
			break
		}
		u := m.usage[n.Name]
		if n.Runtime.State != supernode.Running || u != nil && (u.asking || now.Sub(u.asked) < usageEvery) {
			continue
		}
		if u == nil {
			u = new(usage)
			m.usage[n.Name] = u
		}
		u.asking, u.asked = true, now
		name := n.Name
		cmds = append(cmds, func() tea.Msg {
			ctx, cancel := context.WithTimeout(m.ctx, oneAnswer)
			defer cancel()
			got, err := m.src.Usage(ctx, name)
			return usageMsg{m, name, got, err}
		})
	}
	m.counted()
	m.fade(now)
	return tea.Batch(append(cmds, askProgress(m), m.recall(now))...)
}

// counted takes over what the logs of SuperNodes that run say, and follows those logs.
func (m *Model) counted() {
	var up []string
	for _, n := range m.have.Nodes {
		if n.Runtime.State == supernode.Running {
			up = append(up, n.Name)
			m.counts[n.Name] = m.tally.Of(n.Name)
		} else {
			delete(m.counts, n.Name)
		}
	}
	m.tally.Follow(up)
	m.arrange()
}

// took notes the usage of a node. A node that cannot be read has stopped, or is about to.
func (m *Model) took(msg usageMsg) {
	u := m.usage[msg.node]
	if u == nil {
		return
	}
	u.asking = false
	if msg.err != nil {
		return
	}
	u.Usage = msg.usage
	if len(u.history) == cpuReadings {
		u.history = u.history[:copy(u.history, u.history[1:])]
	}
	u.history = append(u.history, msg.usage.CPU)
	m.stale = true
}

// seen takes over an overview.
func (m *Model) seen(msg overviewMsg) tea.Cmd {
	var cmds []tea.Cmd
	before, first := m.have, !m.loaded
	if msg.pulse {
		m.pulsing = false
		if (msg.o.GridErr == nil) != (m.have.GridErr == nil) {
			m.hurry(m.now())
		}
	}
	if msg.grid || msg.pulse {
		m.asking = m.asking && !msg.grid
		if m.looking {
			m.again = true // this answer's runtime side may be older than a reading on its way
		}
	} else {
		m.looking = false
		if m.again {
			m.again = false
			cmds = append(cmds, m.look())
		}
	}
	m.have, m.loaded, m.stale = msg.o, true, true
	m.keepCursor(before)
	m.arrange()
	for name := range m.usage {
		if n, ok := m.node(name); !ok || n.Runtime.State != supernode.Running {
			delete(m.usage, name)
		}
	}
	for name := range m.marked {
		if _, ok := m.node(name); !ok {
			delete(m.marked, name)
		}
	}
	if first || runtimeMoved(before, m.have) {
		m.hurry(m.now()) // the grid will see it as well
	}
	if msg.grid {
		m.pace(first || gridMoved(before, m.have))
	}
	if msg.grid {
		cmds = append(cmds, (restarter{m}).keep())
	}
	cmds = append(cmds, tell(m.Chronicle.Look(m.have, m.now())), m.hear(m), m.followCursor())
	if first {
		cmds = append(cmds, m.poll())
	}
	return tea.Batch(cmds...)
}

// pace decides when the grid is asked again.
func (m *Model) pace(moved bool) {
	switch {
	case moved || m.unsettled():
		m.interval = fast
	default:
		m.interval = min(m.interval*3/2, slow)
	}
	if m.interval > running {
		for _, r := range m.have.Runs {
			if r.Status.Going() {
				m.interval = running
			}
		}
	}
	if m.keeper != nil {
		m.interval = min(m.interval, watching)
	}
	m.due = m.now().Add(m.interval)
}

// unsettled reports that a node is on its way to another state.
func (t *table) unsettled() bool {
	if len(t.busy) > 0 {
		return true
	}
	for _, n := range t.have.Nodes {
		switch n.Runtime.State {
		case supernode.Starting, supernode.Restarting:
			return true
		case supernode.Running:
			if n.Grid != front.GridOnline && t.now().Sub(n.Runtime.Since) < settle {
				return true
			}
		case supernode.Stopped:
			// The grid takes up to a minute to notice.
			if n.Grid == front.GridOnline && t.now().Sub(n.Runtime.Since) < settle {
				return true
			}
		}
	}
	return false
}

func gridMoved(a, b front.Overview) bool {
	if len(a.Nodes) != len(b.Nodes) || len(a.Runs) != len(b.Runs) || (a.GridErr == nil) != (b.GridErr == nil) {
		return true
	}
	for i, n := range b.Nodes {
		if o := a.Nodes[i]; o.Name != n.Name || o.Grid != n.Grid || o.NodeID != n.NodeID {
			return true
		}
	}
	for i, r := range b.Runs {
		if a.Runs[i].ID != r.ID || a.Runs[i].Status != r.Status {
			return true
		}
	}
	return false
}

func runtimeMoved(a, b front.Overview) bool {
	if len(a.Nodes) != len(b.Nodes) {
		return true
	}
	for i, n := range b.Nodes {
		o := a.Nodes[i].Runtime
		if o.State != n.Runtime.State || o.ID != n.Runtime.ID || o.Restarts != n.Runtime.Restarts {
			return true
		}
	}
	return false
}

// tell reports what happened to the log panes, here and in the frame.
func tell(told logs.Told) tea.Cmd {
	if len(told) == 0 {
		return nil
	}
	return func() tea.Msg { return told }
}

// keepCursor keeps the cursor on its node or site, or on its old row.
func (t *table) keepCursor(before front.Overview) {
	if _, ok := t.node(t.sel); ok || t.site != "" && slices.ContainsFunc(siteList{t}.sites(), func(s front.SiteView) bool { return s.Name == t.site }) {
		return
	}
	t.site = ""
	row := 0
	for i, n := range before.Nodes {
		if n.Name == t.sel {
			row = i
		}
	}
	t.sel = ""
	if n := len(t.have.Nodes); n > 0 {
		t.sel = t.have.Nodes[min(row, n-1)].Name
	}
}

// followCursor switches the log to the node under the cursor, a moment after the cursor came to rest.
func (m *Model) followCursor() tea.Cmd {
	if m.sel == m.logNode || m.inLog || m.site != "" { // the log of the SuperNode before stays
		return nil
	}
	m.logGen++
	gen := m.logGen
	return func() tea.Msg {
		select {
		case <-m.ctx.Done():
			return nil
		case <-time.After(logAfter):
			return logDueMsg{m, gen}
		}
	}
}

func (m *Model) openLog() tea.Cmd {
	if m.sel == m.logNode {
		return nil
	}
	m.logNode, m.stale = m.sel, true
	if m.sel == "" {
		return m.log.SetNodes(nil)
	}
	return m.log.SetNodes([]string{m.sel})
}
