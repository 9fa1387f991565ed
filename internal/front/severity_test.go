package front

import (
	"errors"
	"testing"
	"time"

	"flwrup/internal/problem"
	"flwrup/internal/supernode"
)

func TestWorst(t *testing.T) {
	for _, c := range []struct {
		all  []Severity
		want Severity
	}{
		{nil, Idle}, {[]Severity{OK, OK}, OK}, {[]Severity{OK, Idle}, Idle}, {[]Severity{Working, OK}, Working},
		{[]Severity{OK, NotKnown, Working}, NotKnown}, {[]Severity{NotKnown, Warning}, Warning}, {[]Severity{Failing, Warning, OK}, Failing},
	} {
		if got := Worst(c.all...); got != c.want {
			t.Errorf("Worst(%v) = %v, want %v", c.all, got, c.want)
		}
	}
}

// TestSigns: every severity has a sign and a word that no other has.
func TestSigns(t *testing.T) {
	seen := map[string]Severity{}
	for s := NotKnown; s <= Failing; s++ {
		for _, text := range []string{s.Sign(false), s.String(), "ascii " + s.Sign(true)} {
			if other, ok := seen[text]; ok || text == "" {
				t.Errorf("%v and %v are both %q", s, other, text)
			}
			seen[text] = s
		}
		if c := s.Sign(true); len(c) != 1 || c[0] > 0x7e {
			t.Errorf("%v: %q is not ASCII", s, c)
		}
	}
}

// TestNodeSeverity: nothing is OK but a SuperNode that the grid calls online and that nothing here contradicts.
func TestNodeSeverity(t *testing.T) {
	wrong := problem.New("x", "x", "", "")
	for _, c := range []struct {
		name   string
		grid   GridState
		here   supernode.State
		wanted Wanted
		p      *problem.Problem
		want   Severity
	}{
		{"online", GridOnline, supernode.Running, WantedUp, nil, OK},
		{"online, elsewhere", GridOnline, supernode.Absent, WantedNone, nil, OK},
		{"online, with a trouble", GridOnline, supernode.Running, WantedUp, wrong, Warning},
		{"killed, the grid has not noticed", GridOnline, supernode.Stopped, WantedUp, wrong, Failing},
		{"ended", GridOffline, supernode.Stopped, WantedUp, nil, Failing},
		{"removed", GridOffline, supernode.Absent, WantedUp, nil, Failing},
		{"stopped on purpose", GridOffline, supernode.Stopped, WantedDown, nil, Idle},
		{"stopped on purpose, grid silent", GridUnknown, supernode.Stopped, WantedDown, nil, Idle},
		{"starting", GridOffline, supernode.Starting, WantedUp, nil, Working},
		{"up, not seen yet", GridRegistered, supernode.Running, WantedUp, nil, Working},
		{"never started", GridRegistered, supernode.Absent, WantedNone, nil, Idle},
		{"unregistered", GridUnregistered, supernode.Absent, WantedDown, nil, Failing},
		{"grid silent, not here", GridUnknown, supernode.Absent, WantedNone, nil, NotKnown},
		{"grid silent, up", GridUnknown, supernode.Running, WantedUp, nil, NotKnown},
		{"nothing known", GridUnknown, "", WantedUp, nil, NotKnown},
	} {
		n := NodeView{Name: c.name, NodeID: "1", Grid: c.grid, Wanted: c.wanted, Diagnosis: c.p, Runtime: supernode.Status{State: c.here}}
		if got := n.Severity(); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	paused := NodeView{Grid: GridOnline, Diagnosis: wrong, Runtime: supernode.Status{State: supernode.Running, Reason: supernode.Suspended}}
	if got := paused.Severity(); got != Failing {
		t.Errorf("suspended: %v", got)
	}
	if got := (NodeView{Runtime: supernode.Status{State: supernode.Absent}}).Severity(); got != Idle {
		t.Errorf("not registered yet: %v", got)
	}
}

// TestOverviewSeverity: the whole is as bad as its worst part.
func TestOverviewSeverity(t *testing.T) {
	well := NodeView{NodeID: "1", Grid: GridOnline, Runtime: supernode.Status{State: supernode.Running}, Wanted: WantedUp}
	ended := NodeView{NodeID: "2", Grid: GridOffline, Runtime: supernode.Status{State: supernode.Stopped, ExitCode: 1}, Wanted: WantedUp}
	down := NodeView{NodeID: "3", Grid: GridOffline, Runtime: supernode.Status{State: supernode.Stopped}, Wanted: WantedDown}
	at := time.Unix(1, 0)
	for _, c := range []struct {
		name string
		o    Overview
		want Severity
	}{
		{"none", Overview{GridAt: at}, Idle},
		{"all online", Overview{Nodes: []NodeView{well, well}, GridAt: at}, OK},
		{"one ended", Overview{Nodes: []NodeView{well, ended}, GridAt: at}, Failing},
		{"one stopped on purpose", Overview{Nodes: []NodeView{well, down}, GridAt: at}, Idle},
		{"grid not asked", Overview{Nodes: []NodeView{well}}, NotKnown},
		{"grid silent", Overview{Nodes: []NodeView{well}, GridAt: at, GridErr: errors.New("x")}, Warning},
		{"file not gone by", Overview{Nodes: []NodeView{well}, GridAt: at, FileErr: errors.New("x")}, Warning},
		{"runtime silent", Overview{Nodes: []NodeView{well}, GridAt: at, RuntimeErr: errors.New("x")}, Failing},
	} {
		if got := c.o.Severity(); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	o := Overview{Nodes: []NodeView{well}, GridErr: errors.New("x")}
	if got := o.SeverityOf(well); got != NotKnown {
		t.Errorf("online before the grid fell silent: %v", got)
	}
}

func TestRunSeverity(t *testing.T) {
	for status, want := range map[RunStatus]Severity{RunUnknown: NotKnown, RunPending: Working, RunRunning: Working, RunCompleted: OK,
		RunFailed: Failing, RunLost: Failing, RunStopped: Idle, "finished": NotKnown, "queued": NotKnown} {
		if got := status.Severity(); got != want {
			t.Errorf("%q: %v, want %v", status, got, want)
		}
	}
}

// TestStepSeverity: a step that is done is not OK while something of it fails.
func TestStepSeverity(t *testing.T) {
	failed := []Item{{Name: "control", State: ItemFailed}}
	for _, c := range []struct {
		st   Status
		want Severity
	}{
		{Status{State: Done}, OK}, {Status{State: Done, Items: failed}, Warning}, {Status{State: Ready}, Idle},
		{Status{State: Ready, Items: failed}, Warning}, {Status{State: Waiting}, Working}, {Status{}, NotKnown},
	} {
		if got := c.st.Severity(); got != c.want {
			t.Errorf("%+v: %v, want %v", c.st, got, c.want)
		}
	}
}
