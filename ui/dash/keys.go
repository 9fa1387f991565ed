package dash

import (
	"strings"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"flwrup/internal/front"
	"flwrup/internal/wording"
	"flwrup/ui/keymap"
)

var keys = struct {
	up, down, pageUp, pageDown, home, end, bottom                                                key.Binding
	mark, all, start, stop, restart, logs, copy, add, remove, run, details, settings, fix, watch key.Binding
	log, search, escape                                                                          key.Binding
}{
	up:       keymap.Up,
	down:     keymap.Down,
	pageUp:   keymap.PageUp,
	pageDown: keymap.PageDown,
	home:     keymap.First,
	end:      keymap.Last,
	bottom:   keymap.ToTheEnd,
	mark:     keymap.Mark,
	all:      keymap.MarkAll,
	start:    keymap.Start,
	stop:     keymap.Stop,
	restart:  keymap.Restart,
	logs:     keymap.Logs,
	copy:     keymap.As(keymap.Copy, "copy node ID"),
	add:      keymap.As(keymap.Add, "add"),
	remove:   keymap.Remove,
	settings: keymap.As(keymap.Change, "settings"),
	watch:    keymap.AutoRestart,
	run:      keymap.As(keymap.Run, "run"),
	details:  keymap.As(keymap.Enter, "details"),
	fix:      keymap.Fix,
	log:      keymap.As(keymap.Pane, "into the log"),
	search:   keymap.As(keymap.Find, "search log"),
	escape:   keymap.Back,
}

// Keys returns the key bindings that mean something now, the most useful first.
func (m *Model) Keys() []key.Binding {
	if m.inLog {
		return append(m.log.Keys(), keymap.As(keymap.Back, "to the nodes"))
	}
	var list []key.Binding
	if _, w := m.offer(); w.words != "" {
		list = append(list, keymap.As(keys.fix, w.words))
	}
	if m.sel != "" {
		list = append(list, keys.mark, keys.start, keys.stop, keys.restart, keys.logs)
	}
	list = append(list, keys.add, keys.run)
	if m.sel != "" {
		list = append(list, keys.details, keys.copy, keys.settings, keys.remove, keys.all)
	}
	if m.keeper != nil {
		list = append(list, keymap.As(keys.watch, "stop restarting"))
	} else if len(m.have.Nodes) > 0 {
		list = append(list, keys.watch)
	}
	if m.Holds() {
		list = append(list, keys.escape)
	}
	if m.parts().logs > 0 {
		list = append(list, keys.log, keys.search)
	}
	return append(list, keys.up, keys.down, keys.pageUp, keys.pageDown, keys.home, keys.end, keys.bottom)
}

func (m *Model) pressed(msg tea.KeyMsg) tea.Cmd {
	if m.inLog {
		return m.pressedInLog(msg)
	}
	switch {
	case key.Matches(msg, keys.up):
		return m.move(-1)
	case key.Matches(msg, keys.down):
		return m.move(1)
	case key.Matches(msg, keys.pageUp):
		return m.move(-max(1, m.parts().nodes-1))
	case key.Matches(msg, keys.pageDown):
		return m.move(max(1, m.parts().nodes-1))
	case key.Matches(msg, keys.home):
		return m.move(-len(m.have.Nodes))
	case key.Matches(msg, keys.end, keys.bottom):
		return m.move(len(m.have.Nodes))
	case key.Matches(msg, keys.escape):
		switch {
		case m.detail:
			m.detail = false
		default:
			clear(m.marked)
		}
	case key.Matches(msg, keys.add):
		return send(Run{Verb: front.AddNode})
	case key.Matches(msg, keys.run):
		return send(NewRun{})
	case key.Matches(msg, keys.fix):
		return m.mend()
	case key.Matches(msg, keys.watch):
		return m.toggleWatch()
	}
	if m.sel == "" {
		return nil
	}
	switch {
	case key.Matches(msg, keys.mark):
		if m.marked[m.sel] {
			delete(m.marked, m.sel)
		} else {
			m.marked[m.sel] = true
		}
		return m.move(1)
	case key.Matches(msg, keys.all):
		if len(m.marked) == len(m.have.Nodes) {
			clear(m.marked)
			return nil
		}
		for _, n := range m.have.Nodes {
			m.marked[n.Name] = true
		}
	case key.Matches(msg, keys.start):
		return m.take(way{verb: front.StartNodes, nodes: m.targets()})
	case key.Matches(msg, keys.stop):
		return m.take(way{verb: front.StopNodes, nodes: m.targets()})
	case key.Matches(msg, keys.restart):
		return m.take(way{verb: front.RestartNodes, nodes: m.targets()})
	case key.Matches(msg, keys.remove):
		return m.take(way{verb: front.TakeOutNodes, nodes: m.targets()})
	case key.Matches(msg, keys.settings):
		return send(Run{Verb: front.ChangeSettings, Nodes: m.targets()})
	case key.Matches(msg, keys.logs):
		return send(OpenLogs{m.targets()})
	case key.Matches(msg, keys.copy):
		return m.copyIDs()
	case key.Matches(msg, keys.details):
		m.detail = !m.detail
	case key.Matches(msg, keys.log):
		m.inLog = m.parts().logs > 0
	case key.Matches(msg, keys.search):
		if m.parts().logs > 0 {
			m.inLog = true
			return m.log.Update(msg)
		}
	}
	return nil
}

// pressedInLog passes keys to the log, except those that lead out of it.
func (m *Model) pressedInLog(msg tea.KeyMsg) tea.Cmd {
	if !m.log.Typing() {
		out := key.Matches(msg, keys.log) || key.Matches(msg, keys.escape) && !m.log.Holds()
		if out && !m.log.Full() {
			m.inLog = false
			return m.followCursor()
		}
	}
	return m.log.Update(msg)
}

func send(msg tea.Msg) tea.Cmd { return func() tea.Msg { return msg } }

// move moves the cursor by rows.
func (m *Model) move(by int) tea.Cmd {
	if len(m.have.Nodes) == 0 {
		return nil
	}
	at := min(max(0, m.row()+by), len(m.have.Nodes)-1)
	m.sel = m.have.Nodes[at].Name
	return m.followCursor()
}

// row returns the row that the cursor is on.
func (t *table) row() int {
	for i, n := range t.have.Nodes {
		if n.Name == t.sel {
			return i
		}
	}
	return 0
}

// targets returns the nodes that an action is for: the marked ones, or the one under the cursor.
func (t *table) targets() []string {
	var names []string
	for _, n := range t.have.Nodes {
		if t.marked[n.Name] {
			names = append(names, n.Name)
		}
	}
	if names == nil {
		return []string{t.sel}
	}
	return names
}

func (m *Model) copyIDs() tea.Cmd {
	var ids []string
	for _, name := range m.targets() {
		if n, _ := m.node(name); n.NodeID != "" {
			ids = append(ids, n.NodeID)
		}
	}
	what := "node ID of " + m.targets()[0]
	switch len(ids) {
	case 0:
		m.note = note{text: m.targets()[0] + " has no node ID yet"}
		return nil
	case 1:
	default:
		what = wording.Count(len(ids), "node ID")
	}
	return send(Copy{strings.Join(ids, "\n"), what})
}
