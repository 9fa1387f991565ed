package health

import (
	"slices"
	"strings"
	"testing"
	"time"

	"flwrup/flwrexec"
	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/supernode"
)

// nodeAs returns a SuperNode as the watch sees it: "up", "ended", "held" (killed, the grid has not
// noticed), "lost" (runs, offline on the grid), "asked" (stopped by the person), "starting", or a
// code: down for that reason.
func nodeAs(name, how string) front.NodeView {
	v := front.NodeView{Name: name, Wanted: front.WantedUp, Grid: flwrexec.StatusOffline, Runtime: supernode.Status{State: supernode.Stopped}}
	code := NodeEnded
	switch how {
	case "up":
		v.Grid, v.Runtime.State = flwrexec.StatusOnline, supernode.Running
		return v
	case "starting":
		v.Runtime.State = supernode.Running
		return v
	case "asked":
		v.Wanted = front.WantedDown
		return v
	case "ended":
	case "held":
		v.Grid, code = flwrexec.StatusOnline, NodeKilled
	case "lost":
		v.Runtime.State, code = supernode.Running, problem.NodeNotOnline
	case "unconfirmed":
		v.Grid, code = flwrexec.StatusRegistered, problem.NodeRefused
	default:
		code = problem.Code(how)
	}
	v.Diagnosis = problem.New(code, name+" is "+how, "", "")
	return v
}

// lookAt is one look of the watch: the SuperNodes at a time, and the events and restarts that have to follow.
type lookAt struct {
	at       int    // seconds on the monotonic clock
	nodes    string // how each stands, in order: "up ended"
	err      error  // of the grid
	slept    int    // seconds that the wall clock is ahead
	restarts string // wanted: names
	says     string // wanted: kinds of events
}

func TestWatchDecides(t *testing.T) {
	unreachable, loggedOut := problem.New(problem.Unreachable, "no", "", ""), problem.New(problem.NotLoggedIn, "no", "", "")
	for _, c := range []struct {
		name  string
		looks []lookAt
	}{
		{"all well", []lookAt{{at: 0, nodes: "up up"}, {at: 100, nodes: "up up"}}},
		{"one ended and comes back", []lookAt{
			{at: 0, nodes: "up up"}, {at: 10, nodes: "ended up", says: "node-down"}, {at: 15, nodes: "ended up"},
			{at: 20, nodes: "ended up", restarts: "n1"}, {at: 22, nodes: "starting up"}, {at: 25, nodes: "up up", says: "node-back"}}},
		{"killed: not while the grid holds it", []lookAt{
			{at: 0, nodes: "held up", says: "node-down"}, {at: 50, nodes: "held up"}, {at: 54, nodes: "ended up", restarts: "n1"},
			{at: 70, nodes: "bad-key up", says: "node-left-alone"}}},
		{"the grid lost one that runs", []lookAt{{at: 0, nodes: "lost up", says: "node-down"}, {at: 10, nodes: "lost up", restarts: "n1"}}},
		{"stopped by the person, before or after it was seen down", []lookAt{
			{at: 0, nodes: "asked ended", says: "node-down"}, {at: 60, nodes: "asked asked"}, {at: 600, nodes: "asked asked"}}},
		{"the pause doubles; five times an hour, then left; brought back by somebody it is watched again", []lookAt{
			{at: 0, nodes: "ended", says: "node-down"}, {at: 10, nodes: "ended", restarts: "n1"}, {at: 29, nodes: "ended"},
			{at: 30, nodes: "ended", restarts: "n1"}, {at: 69, nodes: "ended"}, {at: 70, nodes: "ended", restarts: "n1"},
			{at: 149, nodes: "ended"}, {at: 150, nodes: "ended", restarts: "n1"}, {at: 309, nodes: "ended"}, {at: 310, nodes: "ended", restarts: "n1"},
			{at: 609, nodes: "ended"}, {at: 610, nodes: "ended", says: "node-left-alone"}, {at: 9999, nodes: "ended"},
			{at: 10000, nodes: "up", says: "node-back"}, {at: 10010, nodes: "ended", says: "node-down"}, {at: 10020, nodes: "ended", restarts: "n1"}}},
		{"online for long: the pause starts small again", []lookAt{
			{at: 0, nodes: "ended", says: "node-down"}, {at: 10, nodes: "ended", restarts: "n1"}, {at: 30, nodes: "ended", restarts: "n1"},
			{at: 40, nodes: "up", says: "node-back"}, {at: 640, nodes: "up"}, {at: 650, nodes: "ended", says: "node-down"},
			{at: 660, nodes: "ended", restarts: "n1"}}},
		{"a restart does not mend it", []lookAt{
			{at: 0, nodes: "bad-key node-unregistered node-version grid-untrusted node-key-lost unconfirmed up",
				says: "node-left-alone node-left-alone node-left-alone node-left-alone node-left-alone node-left-alone"},
			{at: 900, nodes: "bad-key node-unregistered node-version grid-untrusted node-key-lost unconfirmed up"}}},
		{"refused though it was let in before", []lookAt{{at: 0, nodes: "node-refused up", says: "node-down"}, {at: 10, nodes: "node-refused up", restarts: "n1"}}},
		{"the grid goes away and comes back", []lookAt{
			{at: 0, nodes: "up up"}, {at: 10, nodes: "ended up", err: unreachable, says: "grid-lost node-down"}, {at: 300, nodes: "ended up", err: unreachable},
			{at: 310, nodes: "ended lost", says: "grid-back node-down"}, {at: 369, nodes: "ended up", says: "node-back"},
			{at: 370, nodes: "ended up", restarts: "n1"}}},
		{"all offline at once", []lookAt{
			{at: 0, nodes: "up up"}, {at: 10, nodes: "lost lost", says: "grid-lost node-down node-down"}, {at: 69, nodes: "lost up", says: "node-back"},
			{at: 70, nodes: "lost up", restarts: "n1"}}},
		{"all ended at once is not the grid", []lookAt{{at: 0, nodes: "ended ended", says: "node-down node-down"}, {at: 10, nodes: "ended ended", restarts: "n1 n2"}}},
		{"slept", []lookAt{
			{at: 0, nodes: "up up"}, {at: 2, slept: 3600, nodes: "lost up", says: "slept node-down"}, {at: 60, slept: 3600, nodes: "lost up"},
			{at: 62, slept: 3600, nodes: "lost up", restarts: "n1"}}},
		{"logged out: what ended here is restarted once the grid has let go", []lookAt{
			{at: 0, nodes: "up up", err: loggedOut, says: "grid-lost"}, {at: 10, nodes: "ended up", err: loggedOut, says: "node-down"},
			{at: 69, nodes: "ended up", err: loggedOut}, {at: 70, nodes: "ended up", err: loggedOut, restarts: "n1"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var w watchMemory
			began := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
			for _, l := range c.looks {
				o := front.Overview{GridErr: l.err}
				for i, how := range strings.Fields(l.nodes) {
					v := nodeAs("n"+string(rune('1'+i)), how)
					if l.err != nil {
						v.Grid = ""
					}
					o.Nodes = append(o.Nodes, v)
				}
				mono := time.Duration(l.at) * time.Second
				events, restart := w.next(moment{wall: began.Add(mono + time.Duration(l.slept)*time.Second), mono: mono}, o)
				var kinds []string
				for _, e := range events {
					kinds = append(kinds, string(e.Kind))
				}
				if !slices.Equal(kinds, strings.Fields(l.says)) || !slices.Equal(restart, strings.Fields(l.restarts)) {
					t.Errorf("at %d s, %s: says %v, wanted [%s]; restarts %v, wanted [%s]", l.at, l.nodes, kinds, l.says, restart, l.restarts)
				}
				for _, name := range restart {
					w.tried(name, mono)
				}
			}
		})
	}
}
