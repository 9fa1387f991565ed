package dash

import (
	"fmt"
	"slices"
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
	log, search, escape, filter, sort, sortBack, errors, period                                  key.Binding
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
	search:   keymap.As(keymap.Find, "filter"),
	filter:   keymap.Filter,
	sort:     keymap.As(keymap.Sort, "sort"),
	sortBack: keymap.SortBack,
	errors:   keymap.As(keymap.Errors, "errors"),
	period:   keymap.Period,
	escape:   keymap.Back,
}

// Keys returns the key bindings that mean something now, the most useful first.
func (m *Model) Keys() []key.Binding {
	if m.inLog {
		return append(m.log.Keys(), keymap.As(keymap.Back, "to the nodes"))
	}
	if m.finding {
		return []key.Binding{keymap.As(keymap.Enter, "keep"), keymap.As(keymap.Back, "show all")}
	}
	here := m.sel != ""
	var list []key.Binding
	if _, w := m.offer(); w.Says != "" {
		list = append(list, keymap.As(keys.fix, w.Says))
	}
	if here {
		list = append(list, keys.mark, keys.start, keys.stop, keys.restart, keys.logs)
	}
	if len(m.failing()) > 0 {
		list = append(list, keys.errors)
	}
	list = append(list, keys.add, keys.run)
	if m.site != "" {
		list = append(list, keymap.As(keys.remove, "remove the site"))
	} else if m.sitesAlone() {
		list = append(list, keymap.As(keys.remove, "remove a site"))
	}
	if here {
		list = append(list, keys.details, keys.copy, keys.settings, keys.remove, keys.all)
	}
	if m.keeper != nil {
		list = append(list, keymap.As(keys.watch, "stop auto-restart"))
	} else if len(m.have.Nodes) > 0 && m.others.WatchedBy == 0 {
		list = append(list, keys.watch)
	}
	return append(list, moving(m)...)
}

// moving returns the keys that find and order.
func moving(m *Model) (list []key.Binding) {
	if len(m.have.Nodes) > 1 {
		list = append(list, keys.search, keys.sort)
	}
	if len(m.past.strips) > 0 {
		list = append(list, keys.period)
	}
	if m.Holds() {
		list = append(list, keys.escape)
	}
	if (screen{m}).parts().logs > 0 {
		list = append(list, keys.log)
	}
	return append(list, keys.up, keys.down, keys.pageUp, keys.pageDown, keys.home, keys.end, keys.bottom)
}

func (m *Model) pressed(msg tea.KeyMsg) tea.Cmd {
	if m.inLog {
		return m.pressedInLog(msg)
	}
	if m.finding {
		return (finder{m}).typed(msg)
	}
	switch {
	case key.Matches(msg, keys.up):
		return m.move(-1)
	case key.Matches(msg, keys.down):
		return m.move(1)
	case key.Matches(msg, keys.pageUp):
		return m.move(-max(1, (screen{m}).parts().nodes-1))
	case key.Matches(msg, keys.pageDown):
		return m.move(max(1, (screen{m}).parts().nodes-1))
	case key.Matches(msg, keys.home):
		return m.move(-len(m.rows) - len(m.have.Sites))
	case key.Matches(msg, keys.end, keys.bottom):
		return m.move(len(m.rows) + len(m.have.Sites))
	case key.Matches(msg, keys.escape):
		switch {
		case m.detail:
			m.detail = false
		case m.filter != "":
			return (finder{m}).sift("")
		default:
			clear(m.marked)
		}
	case key.Matches(msg, keys.search, keys.filter) && len(m.have.Nodes) > 0:
		m.finding, m.detail = true, false
		m.find.SetValue(m.filter)
		m.find.CursorEnd()
		m.find.Focus()
	case key.Matches(msg, keys.sort):
		m.sort = (m.sort + 1) % len(sorts)
	case key.Matches(msg, keys.sortBack):
		m.sort = (m.sort + len(sorts) - 1) % len(sorts)
	case key.Matches(msg, keys.period):
		return m.nextPeriod()
	case key.Matches(msg, keys.errors):
		return m.showErrors()
	case key.Matches(msg, keys.add):
		return send(Run{Verb: front.AddNode})
	case key.Matches(msg, keys.run):
		return send(NewRun{})
	case key.Matches(msg, keys.fix):
		return m.mend()
	case key.Matches(msg, keys.watch):
		return (restarter{m}).toggleWatch()
	}
	if m.sel == "" {
		switch {
		case !key.Matches(msg, keys.remove):
		case m.site != "":
			return send(Run{Verb: front.RemoveSite, Nodes: []string{m.site}})
		case m.sitesAlone():
			return send(Run{Verb: front.RemoveSite})
		}
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
		if len(m.targetsMarked()) == len(m.rows) {
			clear(m.marked)
			return nil
		}
		for _, n := range m.rows {
			m.marked[n.Name] = true
		}
	case key.Matches(msg, keys.start):
		return m.take(way{Remedy: front.Remedy{Verb: front.StartNodes, Nodes: m.targets()}})
	case key.Matches(msg, keys.stop):
		return m.take(way{Remedy: front.Remedy{Verb: front.StopNodes, Nodes: m.targets()}})
	case key.Matches(msg, keys.restart):
		return m.take(way{Remedy: front.Remedy{Verb: front.RestartNodes, Nodes: m.targets()}})
	case key.Matches(msg, keys.remove):
		return m.take(way{Remedy: front.Remedy{Verb: front.TakeOutNodes, Nodes: m.targets()}})
	case key.Matches(msg, keys.settings):
		return send(Run{Verb: front.ChangeSettings, Nodes: m.targets()})
	case key.Matches(msg, keys.logs):
		return send(OpenLogs{Nodes: m.targets()})
	case key.Matches(msg, keys.copy):
		return m.copyIDs()
	case key.Matches(msg, keys.details):
		m.detail = !m.detail
	case key.Matches(msg, keys.log):
		m.inLog = (screen{m}).parts().logs > 0
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

// move moves the cursor by rows; below those of the SuperNodes are those of the other sites.
func (m *Model) move(by int) tea.Cmd {
	sites := siteList{&m.table}.sites()
	if m.detail || m.finding {
		sites = nil
	}
	at := m.row()
	switch i := slices.IndexFunc(sites, func(s front.SiteView) bool { return s.Name == m.site }); {
	case i >= 0:
		at = len(m.rows) + i
	case len(m.rows) == 0:
		at = -1
	}
	at = min(max(0, at+by), len(m.rows)+len(sites)-1)
	switch {
	case at < 0:
	case at < len(m.rows):
		m.sel, m.site = m.rows[at].Name, ""
	default:
		m.sel, m.site = "", sites[at-len(m.rows)].Name
	}
	return m.followCursor()
}

// row returns the row that the cursor is on; the last one while it is on another site.
func (t *table) row() int {
	if t.site != "" {
		return max(0, len(t.rows)-1)
	}
	for i, n := range t.rows {
		if n.Name == t.sel {
			return i
		}
	}
	return 0
}

// targets returns the nodes that an action is for: the marked ones in sight, or the one under the cursor.
func (t *table) targets() []string {
	if names := t.targetsMarked(); names != nil {
		return names
	}
	return []string{t.sel}
}

// targetsMarked returns the marked nodes that pass the filter: an action never meets one that nobody sees.
func (t *table) targetsMarked() (names []string) {
	for _, n := range t.have.Nodes {
		if t.marked[n.Name] && t.passes(n) {
			names = append(names, n.Name)
		}
	}
	return names
}

// finder is the filter of the table.
type finder struct{ *Model }

// typed handles a key while the filter is being typed.
func (m finder) typed(msg tea.KeyMsg) tea.Cmd {
	switch msg.Type {
	case tea.KeyEnter:
		m.finding = false
		m.find.Blur()
		return nil
	case tea.KeyEsc:
		m.finding = false
		m.find.Blur()
		return m.sift("")
	case tea.KeyUp:
		return m.move(-1)
	case tea.KeyDown:
		return m.move(1)
	}
	m.find, _ = m.find.Update(msg) // the cursor stands still: no command of its own is needed
	return m.sift(m.find.Value())
}

// sift shows the SuperNodes that match text; the cursor goes to the first of them where its own does not.
func (m finder) sift(text string) tea.Cmd {
	m.filter = text
	m.arrange()
	if len(m.rows) > 0 && !slices.ContainsFunc(m.rows, func(n front.NodeView) bool { return n.Name == m.sel }) {
		m.sel, m.site = m.rows[0].Name, ""
	}
	return m.followCursor()
}

// line draws the filter, with how many match.
func (m finder) line() string {
	text := " " + m.ink.Accent.Render("filter ")
	room := m.w - 9
	value := []rune(clean(m.find.Value()))
	if !m.finding {
		value = []rune(clean(m.filter))
	}
	text += m.ink.Text.Render(m.st.Cut(string(value), room))
	if m.finding {
		text += m.st.Caret(" ")
	}
	return m.st.Cut(text+m.ink.Dim.Render(fmt.Sprintf("   %d of %s", len(m.rows), wording.Count(len(m.have.Nodes), "SuperNode"))), m.w)
}

// showErrors opens the logs of the SuperNodes with errors, at the newest of them.
func (m *Model) showErrors() tea.Cmd {
	bad := m.failing()
	if len(bad) == 0 {
		for _, n := range m.have.Nodes {
			if m.count(n.Name).Errors > 0 {
				bad = append(bad, n.Name)
			}
		}
	}
	if len(bad) == 0 {
		m.note = note{text: "no errors in the logs of the SuperNodes that run"}
		return nil
	}
	return send(OpenLogs{Nodes: bad, Errors: true})
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
