package ui

import (
	"slices"
	"strings"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"flwrup/internal/front"
	"flwrup/internal/shell"
	"flwrup/ui/dash"
	"flwrup/ui/keymap"
)

// command is a thing to do that has a name: by a key of the page, or by a verb that has none there.
type command struct {
	name string // "stop supernode_2"
	key  string // the key that does it on this page; "" without one
	line string // what one types in a shell to the same effect; "" where a shell has none
	do   func() tea.Cmd
}

// nodeVerbs are the verbs for named SuperNodes, with the dashboard's keys.
var nodeVerbs = []struct {
	verb front.Verb
	key  key.Binding
}{
	{front.StartNodes, keymap.Start}, {front.StopNodes, keymap.Stop}, {front.RestartNodes, keymap.Restart},
	{front.ChangeSettings, keymap.Change}, {front.TakeOutNodes, keymap.Remove}, {verb: front.UnregisterNodes},
	{verb: front.RestoreKey}, {verb: front.RotateKeys}, {verb: front.ReplaceNodes}, {verb: front.OwnImage},
}

// verbCommand is a verb as a command.
func verbCommand(m *Model, v front.Verb, nodes []string) command {
	return command{name: v.Names(nodes), line: lineOf(v.Args(nodes)), do: func() tea.Cmd { return m.verb.act(dash.Run{Verb: v, Nodes: nodes}) }}
}

// lineOf writes flwrup's arguments as one types them; "" for none.
func lineOf(args []string) string {
	if args == nil {
		return ""
	}
	return "flwrup " + shell.Line(args)
}

// shellOnly are the commands that have no screen; Enter copies them.
var shellOnly = [][2]string{
	{"check everything", "flwrup doctor"}, {"show the whole plan", "flwrup plan"}, {"show the status as JSON", "flwrup status --json"},
	{"undo a rehearsal, or stop all", "flwrup down"}, {"export files for Compose, Swarm, Kubernetes or systemd", "flwrup export compose"},
	{"join a study of others, in a folder of its own", "flwrup request --dir FOLDER"},
}

// commandsOf lists all that can be done now from a page: what its keys do, then every verb, then places to go to.
func commandsOf(m *Model, below page) (list []command) {
	var o front.Overview
	var targets []string
	if m.dash != nil {
		o = m.dash.Overview()
	}
	switch {
	case below == m.dash && m.dash != nil:
		targets = m.dash.Targets()
	case below == m.logs && m.logs != nil:
		targets = m.logs.Nodes()
	}
	verbs := verbCommands(m, below == m.dash && m.dash != nil, o, targets)
	taken := map[string]bool{}
	for _, c := range verbs {
		taken[c.key] = c.key != ""
	}
	offered := below.bindings()
	if p, ok := below.(panel); ok {
		offered = append(offered, p.Keys()...)
	}
	seen := map[string]bool{}
	for _, b := range offered {
		h := b.Help()
		if seen[h.Key] || taken[h.Key] || !b.Enabled() || claims(moving, keymap.Press(b)) || key.Matches(keymap.Press(b), keymap.Help, keymap.Palette, keymap.Back, keymap.Pick, keymap.Yes, keymap.No) {
			continue
		}
		seen[h.Key] = true
		c := command{name: h.Desc, key: h.Key, line: lines[h.Key], do: func() tea.Cmd { return below.update(keymap.Press(b)) }}
		if below == m.dash && key.Matches(keymap.Press(b), keymap.Fix) {
			c.line = lineOf(m.dash.Remedy().Args())
		}
		list = append(list, c)
	}
	list = append(list, verbs...)
	for _, b := range []key.Binding{keys.dash, keys.logs, keys.places, keys.reference, keys.mouse, keymap.Quit} {
		if h := b.Help(); !seen[h.Key] {
			list = append(list, command{name: h.Desc, key: h.Key, line: lines[h.Key], do: func() tea.Cmd { cmd, _ := m.everywhere(keymap.Press(b)); return cmd }})
		}
	}
	for _, st := range m.list.steps {
		list = append(list, command{name: "step " + st.number.String() + ": " + st.title, do: func() tea.Cmd {
			m.base(m.wizard)
			return tea.Batch(m.shown(), m.list.goTo(st.number))
		}})
	}
	for _, c := range shellOnly {
		list = append(list, command{name: c[0] + " (copies the command)", line: c[1], do: func() tea.Cmd { return m.outside.copy(c[1], "") }})
	}
	return list
}

// lines are the command lines of keys that have the same effect on every page.
var lines = map[string]string{keymap.Logs.Help().Key: "flwrup logs -f", keymap.Dashboard.Help().Key: "flwrup status",
	keymap.AutoRestart.Help().Key: "flwrup watch", keymap.Errors.Help().Key: "flwrup logs"}

// verbCommands are the verbs for SuperNodes and runs: first for the targets, then for each SuperNode, then for all.
func verbCommands(m *Model, onDash bool, o front.Overview, targets []string) (list []command) {
	group := func(nodes []string, keyed bool) {
		for _, v := range nodeVerbs {
			c := verbCommand(m, v.verb, nodes)
			if keyed {
				c.key = v.key.Help().Key
			}
			list = append(list, c)
		}
		c := command{name: "logs of " + strings.Join(nodes, ", "), line: lineOf(append([]string{"logs", "-f"}, nodes...)), do: func() tea.Cmd { return m.showLogs(nodes) }}
		if keyed {
			c.key = keymap.Logs.Help().Key
		}
		list = append(list, c)
	}
	if len(targets) > 0 {
		group(targets, onDash)
	}
	own := func(b key.Binding) string {
		if onDash {
			return b.Help().Key
		}
		return ""
	}
	add := verbCommand(m, front.AddNode, nil)
	add.key = own(keymap.Add)
	list = append(list, add, command{name: keymap.Run.Help().Desc, key: own(keymap.Run), line: "flwrup run", do: func() tea.Cmd { return m.wizard.newRun() }})
	if m.title.Site == "" {
		list = append(list, command{name: front.AdmitSite.Names(nil), line: lineOf(front.AdmitSite.Args(nil)), do: m.verb.admit})
	} else {
		list = append(list, command{name: "ask the coordinator: request and reply", line: "flwrup request", do: func() tea.Cmd {
			m.base(m.wizard)
			return tea.Batch(m.shown(), m.list.goTo(front.StepRegister))
		}})
	}
	for _, s := range o.Sites {
		list = append(list, verbCommand(m, front.RemoveSite, []string{s.Name}))
	}
	for _, r := range o.Runs {
		if r.Status.Going() {
			list = append(list, verbCommand(m, front.StopRun, []string{r.ID}))
		}
	}
	if o.Fit.Target != "" {
		list = append(list, verbCommand(m, front.Upgrade, nil))
	}
	if m.title.Rehearsal {
		list = append(list, verbCommand(m, front.StartGrid, nil))
	}
	for _, n := range o.Nodes {
		if !slices.Equal(targets, []string{n.Name}) {
			group([]string{n.Name}, false)
		}
	}
	for _, v := range nodeVerbs {
		if v.verb.ForAll() && len(o.Nodes) > 1 {
			var all []string
			for _, n := range o.Nodes {
				all = append(all, n.Name)
			}
			c := verbCommand(m, v.verb, all)
			c.name, c.line = v.verb.Names([]string{"all SuperNodes"}), lineOf(v.verb.Args(nil)) // without names it is for all
			list = append(list, c)
		}
	}
	return list
}
