package ui

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"flwrup/internal/front"
	"flwrup/internal/supernode"
	"flwrup/ui/dash"
)

// TestLogsShowWhatHappens: what happens to a SuperNode while its log is open is shown across the log, although the
// dashboard is not on the screen, and what happened before as well.
func TestLogsShowWhatHappens(t *testing.T) { synctest.Test(t, logsShowWhatHappens) }

func logsShowWhatHappens(t *testing.T) {
	f := world(16)
	set := func(change func(n *front.NodeView)) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.over.Nodes = slices.Clone(f.over.Nodes)
		change(&f.over.Nodes[0])
	}
	began := time.Now()
	f.over = front.Overview{GridAt: began, Nodes: []front.NodeView{{Name: "supernode_1", Wanted: front.WantedUp, Grid: front.GridOnline,
		Runtime: supernode.Status{ID: "1", State: supernode.Running, Since: began}}}}
	m := still(f, 16, 80, 24, Options{NoColor: true})
	m.list.auto = false
	p := runInBubble(m)
	defer func() {
		p.leave(t, 5*time.Second)
		m.close()
		m.tasks.wait(5 * time.Second)
	}()
	after := func(d time.Duration, want string) {
		t.Helper()
		time.Sleep(d)
		synctest.Wait()
		if v := m.View(); !strings.Contains(v, want) {
			t.Errorf("%q is not there after %v\n%s", want, d, v)
		}
	}
	p.Send(dash.OpenLogs{Nodes: []string{"supernode_1"}})
	after(time.Minute, "Starting Flower")
	set(func(n *front.NodeView) {
		n.Runtime.State, n.Runtime.ExitCode, n.Runtime.Since = supernode.Stopped, 137, time.Now()
	})
	after(35*time.Second, "── killed (137) ──")
	after(8*time.Minute+17*time.Second, "supernode_1 · killed (137)")
	set(func(n *front.NodeView) { n.Runtime.State, n.Runtime.Since = supernode.Running, time.Now() })
	after(35*time.Second, "── killed (137), down 8m 52s, restarted ──")

	// Panes that open later have it as well.
	p.Send(dash.OpenLogs{Nodes: []string{"supernode_2"}})
	after(time.Second, "supernode_2 ·")
	p.Send(dash.OpenLogs{Nodes: []string{"supernode_1"}})
	after(time.Second, "── killed (137), down 8m 52s, restarted ──")
}
