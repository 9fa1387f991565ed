package logs

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"flwrup/internal/front"
	"flwrup/internal/supernode"
)

// seen is one SuperNode as the dashboard sees it.
func seen(s supernode.State, since time.Time, grid front.GridState) front.Overview {
	return front.Overview{GridAt: began, Nodes: []front.NodeView{{Name: "supernode_1", Wanted: front.WantedUp, Grid: grid,
		Runtime: supernode.Status{ID: "1", State: s, Since: since}}}}
}

func TestChronicle(t *testing.T) {
	at := func(s int) time.Time { return began.Add(time.Duration(s) * time.Second) }
	killed := seen(supernode.Stopped, at(100), front.GridOnline)
	killed.Nodes[0].Runtime.ExitCode, killed.Nodes[0].Runtime.Reason = 137, "killed (SIGKILL)"
	lost := killed
	lost.Nodes = slices.Clone(killed.Nodes)
	lost.Nodes[0].Grid, lost.Nodes[0].GridSince = front.GridOffline, at(150)
	back := seen(supernode.Running, at(632), front.GridOffline)
	back.Nodes[0].GridSince = at(150)
	online := seen(supernode.Running, at(632), front.GridOnline)
	online.Nodes[0].GridSince = at(640)
	again := seen(supernode.Running, at(700), front.GridOnline)
	again.Nodes[0].Runtime.Restarts = 1
	stopped := seen(supernode.Stopped, at(800), front.GridOnline)
	stopped.Nodes[0].Wanted = front.WantedDown
	down := seen(supernode.Stopped, at(800), front.GridOnline)
	down.GridErr = errors.New("no route")
	held := seen(supernode.Running, at(900), front.GridOnline)
	held.Nodes[0].Runtime.Reason = supernode.Suspended

	var c Chronicle
	for i, tt := range []struct {
		o    front.Overview
		want string
	}{
		{seen(supernode.Running, at(0), front.GridOnline), ""},
		{killed, "100 killed (137) down"},
		{killed, ""},
		{lost, "150 offline on the grid down"},
		{back, "100 killed (137), down 8m 52s, restarted"},
		{online, "150 offline on the grid, 640 online again, 8m 10s after it was lost"},
		{online, ""},
		{again, "700 restarted by Docker"},
		{stopped, "800 stopped down"},
		{down, "1009 no answer from the grid: no route down"},
		{stopped, "1009 no answer from the grid for 1.0s"},
		{held, "1011 suspended down, 800 stopped, down 1m 40s, restarted"},
		{seen(supernode.Running, at(900), front.GridOnline), "1011 suspended; no longer"},
	} {
		var got []string
		for _, h := range c.Look(tt.o, at(1000+i)) {
			s := fmt.Sprintf("%.0f %s", h.At.Sub(began).Seconds(), h.Text)
			if h.Down {
				s += " down"
			}
			got = append(got, s)
		}
		if strings.Join(got, ", ") != tt.want {
			t.Errorf("look %d: %q, want %q", i, strings.Join(got, ", "), tt.want)
		}
	}
	if n := len(c.Story()); n != 7 {
		t.Errorf("%d things in the story, 7 wanted: %v", n, c.Story())
	}
}

func TestChronicleOfRuns(t *testing.T) {
	var c Chronicle
	look := func(status front.RunStatus, over time.Time) string {
		var got []string
		for _, h := range c.Look(front.Overview{GridAt: began, Runs: []front.RunView{{ID: "42", Status: status, Over: over}}}, began) {
			got = append(got, h.Text)
		}
		return strings.Join(got, ", ")
	}
	for i, tt := range []struct{ got, want string }{
		{look(front.RunRunning, time.Time{}), ""}, {look(front.RunFailed, time.Time{}), "run 42 failed"}, {look(front.RunFailed, time.Time{}), ""},
	} {
		if tt.got != tt.want {
			t.Errorf("%d: %q, want %q", i, tt.got, tt.want)
		}
	}
	c = Chronicle{}
	if got := look(front.RunCompleted, began); got != "run 42 completed" {
		t.Errorf("over before the first look: %q", got)
	}
}

// How a SuperNode that ended is called, whichever runtime it had.
func TestEndOf(t *testing.T) {
	for want, r := range map[string]supernode.Status{
		"killed (137)":                {ExitCode: 137, Reason: "killed (SIGKILL)"},
		"out of memory, killed (137)": {ExitCode: 137, Reason: "killed: out of memory"},
		"killed by SIGTERM":           {ExitCode: -1, Reason: "killed by SIGTERM; last line: x"},
		"ended (1)":                   {ExitCode: 1, Reason: "a line of its log"},
		"ended (0)":                   {},
	} {
		if got := endOf(front.NodeView{Runtime: r}); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// A rule is across the log at its time, also between lines that came before flwrup knew of it.
func TestRulesAcrossTheLog(t *testing.T) {
	m := testModel(t, 2, 60, 10)
	m.layout = merged
	tell(m, 0, "INFO :      one", "INFO :      two") // 0 s and 1 s
	h := Happened{Node: "supernode_1", Key: "1", At: began.Add(500 * time.Millisecond), Text: "killed (137)", Bad: true, Down: true}
	m.Update(Told{h})
	if got := text(m); !strings.Contains(got, "one\n── supernode_1 killed (137) ──") || !strings.HasSuffix(got, "two") {
		t.Errorf("down:\n%s", m.View())
	}
	if !strings.Contains(strings.Split(m.View(), "\n")[0], "supernode_1 killed (137)") {
		t.Errorf("the header does not say it\n%s", m.View())
	}
	h.Text, h.Down = "killed (137), down 8m 52s, restarted", false
	m.Update(Told{h})
	if got := m.View(); strings.Count(got, "killed") != 1 || !strings.Contains(got, "── s1 killed (137), down 8m 52s, restarted ──") {
		t.Errorf("back:\n%s", got)
	}
	// A jump to its time says where it is.
	p := m.focused()
	p.goTo(p.geometry(), h.At)
	m.stale = true
	if !strings.Contains(m.View(), "▸─ s1 killed (137), down 8m 52s, restarted ──") {
		t.Errorf("not chosen:\n%s", m.View())
	}
	keysTo(m, "G")

	// It stays through a filter, and in the panes of the node alone.
	keysTo(m, fields("f t w o enter")...)
	if got := text(m); !strings.Contains(got, "killed") || strings.Contains(got, "one") {
		t.Errorf("filtered:\n%s", got)
	}
	m.SetNodes([]string{"supernode_1"})
	if !strings.Contains(m.View(), "── killed (137), down 8m 52s, restarted ──") {
		t.Errorf("alone:\n%s", m.View())
	}
	m.SetNodes([]string{"supernode_2"})
	if strings.Contains(m.View(), "killed") {
		t.Errorf("of another:\n%s", m.View())
	}
}

// Text in a rule comes from outside.
func TestRulesAreSafe(t *testing.T) {
	var c Chronicle
	v := front.NodeView{Name: "supernode_1", Runtime: supernode.Status{State: supernode.Stopped, Since: began, Reason: "killed \x1b[2J\x1b]0;x\x07\u202e"}}
	m := testModel(t, 1, 60, 10)
	m.Update(c.Look(front.Overview{Nodes: []front.NodeView{v}}, began))
	checkFrame(t, m, m.View())
	if v := m.View(); !strings.Contains(v, "killed") || strings.ContainsRune(v, '\u202e') {
		t.Errorf("shown as\n%q", v)
	}
}
