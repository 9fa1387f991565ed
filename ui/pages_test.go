package ui

import (
	"fmt"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/supernode"
	"flwrup/ui/dash"
)

// pageScene is one state of a page that is not a step; file is the page.
type pageScene struct {
	file, name string
	make       func(t testing.TB, m *Model)
}

// pages are the dashboard, the verbs that start there, and the log panes.
var pages = append([]pageScene{
	{"welcome", "real grid", func(t testing.TB, m *Model) { m.base(m.wizard); m.push(newWelcome(m)) }},
	{"welcome", "rehearsal", func(t testing.TB, m *Model) { m.title.Rehearsal = true; m.push(newWelcome(m)) }},
	{"dashboard", "four of five online", func(t testing.TB, m *Model) { openDash(t, m) }},
	{"dashboard", "all keys", func(t testing.TB, m *Model) {
		openDash(t, m)
		m.key(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune("?")})
	}},
	{"dashboard", "at work", func(t testing.TB, m *Model) {
		openDash(t, m)
		m.verb.act(dash.Run{Verb: front.RestartNodes, Nodes: []string{"supernode_4", "supernode_5"}})
		m.desk.job.began = noon.Add(-12 * time.Second)
		m.desk.job.take(m, changed(five(4, says("running"), front.ItemWorking, "starting")[3:], front.Progress{Label: "started", Done: 1, Total: 2}), 0)
	}},
	{"dashboard", "failed", func(t testing.TB, m *Model) {
		openDash(t, m)
		m.verb.act(dash.Run{Verb: front.StartNodes, Nodes: []string{"supernode_5"}})
		m.desk.job.take(m, changed(five(4, says(""), front.ItemFailed, "the container name is taken")[4:]), 0)
		m.desk.job.end(noon, stories[13].err)
	}},
	{"dashboard", "palette", func(t testing.TB, m *Model) {
		openDash(t, m)
		m.key(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(":")})
		typeInto(m, "res 4")
	}},
	{"logs", "one", func(t testing.TB, m *Model) { openLogs(t, m, 1) }},
	{"logs", "two", func(t testing.TB, m *Model) { openLogs(t, m, 2) }},
	{"logs", "five, all keys", func(t testing.TB, m *Model) {
		openLogs(t, m, 5)
		m.key(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune("?")})
	}},
}, verbPages()...)

// openDash shows the dashboard of five SuperNodes, one of them offline.
func openDash(t testing.TB, m *Model) {
	openDashUntil(t, m, func(frame string) bool {
		return strings.Contains(frame, "supernode_5") && (m.h < 20 || strings.Contains(frame, "Starting Flower SuperNode"))
	})
}

func openDashUntil(t testing.TB, m *Model, until func(frame string) bool) {
	f := m.work.(*fake)
	f.over = front.Overview{GridAt: time.Now().Add(time.Hour), Online: 4} // "just now", however slow the machine is
	for i, id := range nodeIDs {
		n := front.NodeView{Name: fmt.Sprintf("supernode_%d", i+1), NodeID: id, Grid: front.GridOnline, Fingerprint: fingerprint,
			Runtime: supernode.Status{State: supernode.Running, Image: image, Ours: true}}
		if i == 4 {
			n.Grid = front.GridOffline
			n.Diagnosis = problem.New(problem.NodeNotOnline, "image flwr 1.24.0 cannot speak to this grid", "HTTP since 1.40", "start it again with the image of flwr 1.42.0")
		}
		f.over.Nodes = append(f.over.Nodes, n)
	}
	f.over.Runs = []front.RunView{{ID: runID, App: "ada/lungs 1.0.0", Status: "finished:completed", Elapsed: 133 * time.Second}}
	cmd := m.showDash()
	t.Cleanup(m.dash.Close)
	pump(t, m, cmd, until)
}

// openLogs shows the log panes of the first n SuperNodes.
func openLogs(t testing.TB, m *Model, n int) {
	openLogsUntil(t, m, n, func(frame string) bool { return strings.Count(frame, "Starting Flower") == n })
}

func openLogsUntil(t testing.TB, m *Model, n int, until func(frame string) bool) {
	var names []string
	for i := range n {
		names = append(names, fmt.Sprintf("supernode_%d", i+1))
	}
	cmd := m.showLogs(names)
	t.Cleanup(m.logs.Close)
	pump(t, m, cmd, until)
}

// pump runs commands as Bubble Tea does, until the frame satisfies until.
func pump(t testing.TB, m *Model, cmd tea.Cmd, until func(frame string) bool) {
	t.Helper()
	told := make(chan tea.Msg, 1000)
	run := func(cmd tea.Cmd) {
		if cmd != nil {
			go func() { told <- cmd() }()
		}
	}
	run(cmd)
	limit := time.After(20 * time.Second)
	for !until(m.View()) {
		select {
		case msg := <-told:
			if batch, ok := msg.(tea.BatchMsg); ok {
				for _, c := range batch {
					run(c)
				}
			} else if msg != nil {
				run(m.update(msg))
			}
		case <-limit:
			t.Fatalf("never seen:\n%s", m.View())
		}
	}
}

// TestVerbQuestion: below the question of a verb are the SuperNodes that it is about, and its command.
func TestVerbQuestion(t *testing.T) {
	m := still(world(16), 16, 120, 40, Options{NoColor: true})
	defer m.close()
	openDash(t, m)
	m.verb.act(dash.Run{Verb: front.UnregisterNodes, Nodes: []string{"supernode_2", "supernode_5"}})
	m.desk.job.take(m, []any{question(questions["confirm"])}, 0)
	v := m.View()
	for _, want := range []string{"✓ supernode_2  online, node ID " + nodeIDs[1], "✗ supernode_5  offline: image flwr 1.24.0", "Shell   flwrup remove supernode_2 supernode_5 --unregister"} {
		if !strings.Contains(v, want) {
			t.Errorf("no %q:\n%s", want, v)
		}
	}
	m.resize(40, 12) // there is room for the question alone
	if v := m.View(); strings.Contains(v, "Shell") || !strings.Contains(v, "Yes") {
		t.Error(v)
	}
}
