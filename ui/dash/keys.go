package dash

import (
	"strings"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"flwrup/internal/front"
	"flwrup/internal/wording"
)

var keys = struct {
	up, down, pageUp, pageDown, home, end                                                        key.Binding
	mark, all, start, stop, restart, logs, copy, add, remove, run, details, settings, fix, watch key.Binding
	log, search, escape                                                                          key.Binding
}{
	up:       key.NewBinding(key.WithKeys("up", "k"), key.WithHelp("k", "up")),
	down:     key.NewBinding(key.WithKeys("down", "j"), key.WithHelp("j", "down")),
	pageUp:   key.NewBinding(key.WithKeys("pgup"), key.WithHelp("pgup", "page up")),
	pageDown: key.NewBinding(key.WithKeys("pgdown"), key.WithHelp("pgdn", "page down")),
	home:     key.NewBinding(key.WithKeys("home", "g"), key.WithHelp("g", "first")),
	end:      key.NewBinding(key.WithKeys("end", "G"), key.WithHelp("G", "last")),
	mark:     key.NewBinding(key.WithKeys(" "), key.WithHelp("space", "mark")),
	all:      key.NewBinding(key.WithKeys("A"), key.WithHelp("A", "mark all")),
	start:    key.NewBinding(key.WithKeys("s"), key.WithHelp("s", "start")),
	stop:     key.NewBinding(key.WithKeys("x"), key.WithHelp("x", "stop")),
	restart:  key.NewBinding(key.WithKeys("r"), key.WithHelp("r", "restart")),
	logs:     key.NewBinding(key.WithKeys("l"), key.WithHelp("l", "logs")),
	copy:     key.NewBinding(key.WithKeys("y"), key.WithHelp("y", "copy node ID")),
	add:      key.NewBinding(key.WithKeys("a"), key.WithHelp("a", "add")),
	remove:   key.NewBinding(key.WithKeys("u", "delete"), key.WithHelp("u", "remove")),
	settings: key.NewBinding(key.WithKeys("e"), key.WithHelp("e", "settings")),
	watch:    key.NewBinding(key.WithKeys("w"), key.WithHelp("w", "restart lost ones by itself")),
	run:      key.NewBinding(key.WithKeys("n"), key.WithHelp("n", "run")),
	details:  key.NewBinding(key.WithKeys("enter"), key.WithHelp("enter", "details")),
	fix:      key.NewBinding(key.WithKeys("f"), key.WithHelp("f", "fix")),
	log:      key.NewBinding(key.WithKeys("tab"), key.WithHelp("tab", "into the log")),
	search:   key.NewBinding(key.WithKeys("/"), key.WithHelp("/", "search log")),
	escape:   key.NewBinding(key.WithKeys("esc"), key.WithHelp("esc", "back")),
}

// Keys returns the key bindings that mean something now, the most useful first.
func (m *Model) Keys() []key.Binding {
	if m.inLog {
		return append(m.log.Keys(), key.NewBinding(key.WithKeys("tab", "esc"), key.WithHelp("esc", "to the nodes")))
	}
	var list []key.Binding
	if _, w := m.offer(); w.words != "" {
		list = append(list, key.NewBinding(key.WithKeys("f"), key.WithHelp("f", w.words)))
	}
	if m.sel != "" {
		list = append(list, keys.mark, keys.start, keys.stop, keys.restart, keys.logs)
	}
	list = append(list, keys.add, keys.run)
	if m.sel != "" {
		list = append(list, keys.details, keys.copy, keys.settings, keys.remove, keys.all)
	}
	if m.keeper != nil {
		list = append(list, key.NewBinding(key.WithKeys("w"), key.WithHelp("w", "stop restarting")))
	} else if len(m.have.Nodes) > 0 {
		list = append(list, keys.watch)
	}
	if m.Holds() {
		list = append(list, keys.escape)
	}
	if m.parts().logs > 0 {
		list = append(list, keys.log, keys.search)
	}
	return append(list, keys.up, keys.down, keys.pageUp, keys.pageDown, keys.home, keys.end)
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
	case key.Matches(msg, keys.end):
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
