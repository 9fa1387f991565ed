package health

import (
	"slices"
	"strings"
	"testing"
	"time"

	"flwrup/flwrexec"
	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/site"
	"flwrup/internal/sitetest"
	"flwrup/internal/supernode"
)

// A SuperNode that ended is never well: it ends with 0, too, when the grid sends it away.
func TestEndedIsNotHealth(t *testing.T) {
	s := sitetest.WithKeys(t, sitetest.NewGrid("1.42.0"), 1)
	site.With(s, site.Backends{Runtime: sitetest.Saying{Runtime: sitetest.RuntimeOf(t, s), Lines: map[string]string{"supernode_1": "INFO :      SuperNode ID: 7\nINFO :      SuperNode terminated gracefully."}}})
	for _, c := range []struct {
		st   supernode.Status
		grid string
		code problem.Code
		says string
	}{
		{supernode.Status{State: supernode.Running, ID: "4711", Reason: supernode.Suspended}, flwrexec.StatusOnline, NodeSuspended, "loses it within a minute"},
		{supernode.Status{State: supernode.Running, ID: "4711", Reason: supernode.Suspended}, "", NodeSuspended, "Ctrl-Z"},
		{supernode.Status{State: supernode.Running, ID: "0123456789abcdef", Image: "flwr/supernode:1.42.0", Reason: supernode.Suspended}, flwrexec.StatusOnline, NodeSuspended, "its container was paused"},
		{supernode.Status{State: supernode.Restarting, ExitCode: 1}, flwrexec.StatusOnline, flwrexec.NodeHeld, "grid"},
		{supernode.Status{State: supernode.Stopped, ExitCode: 137, Reason: "out of memory"}, flwrexec.StatusOffline, NodeKilled, "out of memory"},
		{supernode.Status{State: supernode.Stopped, ExitCode: 0, Image: "flwr/supernode:1.42.0"}, flwrexec.StatusOffline, NodeEnded, "docker stop"},
		{supernode.Status{State: supernode.Stopped, ExitCode: 0}, flwrexec.StatusOffline, NodeEnded, "other than flwrup stopped it: a signal"},
		{supernode.Status{State: supernode.Stopped, ExitCode: 3}, flwrexec.StatusOffline, NodeEnded, "exit code 3"},
		{supernode.Status{State: supernode.Stopped, ExitCode: 137}, flwrexec.StatusOffline, NodeKilled, "SIGKILL"},
		{supernode.Status{State: supernode.Running, ID: "4711", Reason: supernode.Suspended}, flwrexec.StatusOffline, NodeSuspended, "Ctrl-Z"},
		{supernode.Status{State: supernode.Running, ID: "4711"}, flwrexec.StatusOffline, problem.NodeNotOnline, "lost it"},
	} {
		c.st.Name = "supernode_1"
		m, err := site.MemberNamed(s, "supernode_1")
		if err != nil {
			t.Fatal(err)
		}
		look := s.Look(t.Context(), site.Want{Parts: site.ReadKeys | site.ReadFlwr})
		p, r := diagnose(t.Context(), s, &look, m, front.NodeView{Name: "supernode_1", NodeID: "7", Grid: front.GridState(c.grid), Runtime: c.st, Wanted: front.WantedUp}, front.Overview{})
		if p == nil || p.Code != c.code || !strings.Contains(p.Error(), c.says) || p.Fix == "" || r == nil {
			t.Errorf("%+v: %+v %+v", c.st, p, r)
		}
	}
}

// The overview and the watch name a suspended SuperNode at once, also while the grid does not answer.
func TestSuspendedIsSaidAtOnce(t *testing.T) {
	grid := sitetest.NewGrid("1.42.0")
	s := sitetest.Registered(t, grid, 2)
	for i := range grid.Known {
		grid.Known[i].Status = flwrexec.StatusOnline
	}
	sitetest.Suspend(t, s)
	if err := site.NoteWanted(s, []string{"supernode_1", "supernode_2"}, front.WantedUp); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{"grid answers": nil, "grid is silent": problem.New(problem.Unreachable, "the grid does not answer", "", "")} {
		s.Forget()
		if err != nil {
			grid.Faults["nodes"] = []sitetest.Fault{{Err: err}}
		}
		o := Diagnosed(t.Context(), s, 0)
		if (o.GridErr != nil) != (err != nil) || o.Online > 1 {
			t.Errorf("%s: %+v", name, o)
		}
		for _, v := range o.Nodes {
			is := v.Diagnosis != nil && v.Diagnosis.Code == NodeSuspended && v.Remedy != nil && v.Remedy.Verb == front.StartNodes
			if is != (v.Name == "supernode_1") {
				t.Errorf("%s: %s: %v %v", name, v.Name, v.Diagnosis, v.Remedy)
			}
		}
		var w watchMemory
		events, _ := w.next(moment{wall: time.Now()}, o)
		if said := slices.ContainsFunc(events, func(e WatchEvent) bool { return e.Node == "supernode_1" && e.Code == NodeSuspended }); !said {
			t.Errorf("%s: watch says %+v", name, events)
		}
	}
}
