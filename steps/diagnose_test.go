package steps

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"flwrup/flwrexec"
	"flwrup/internal/front"
	"flwrup/internal/health"
	"flwrup/internal/problem"
	"flwrup/internal/site"
	"flwrup/internal/sitetest"
	"flwrup/internal/supernode"
)

// A SuperNode that ended is never well, whatever its exit code: it ends with 0 where the grid sends it away.
func TestEndedIsNotHealth(t *testing.T) {
	s := siteOn(t, sitetest.NewGrid("1.42.0"), 1)
	site.With(s, site.Backends{Runtime: sitetest.Saying{Runtime: sitetest.RuntimeOf(t, s), Lines: map[string]string{"supernode_1": "INFO :      SuperNode ID: 7\nINFO :      SuperNode terminated gracefully."}}})
	for _, c := range []struct {
		st   supernode.Status
		grid string
		code problem.Code
		says string
	}{
		{supernode.Status{State: supernode.Running, ID: "4711", Reason: supernode.Suspended}, flwrexec.StatusOnline, health.NodeSuspended, "loses it within a minute"},
		{supernode.Status{State: supernode.Running, ID: "4711", Reason: supernode.Suspended}, "", health.NodeSuspended, "Ctrl-Z"},
		{supernode.Status{State: supernode.Running, ID: "0123456789abcdef", Image: "flwr/supernode:1.42.0", Reason: supernode.Suspended}, flwrexec.StatusOnline, health.NodeSuspended, "paused its container"},
		{supernode.Status{State: supernode.Restarting, ExitCode: 1}, flwrexec.StatusOnline, flwrexec.NodeHeld, "grid"},
		{supernode.Status{State: supernode.Stopped, ExitCode: 137, Reason: "out of memory"}, flwrexec.StatusOffline, health.NodeKilled, "out of memory"},
		{supernode.Status{State: supernode.Stopped, ExitCode: 0}, flwrexec.StatusOffline, health.NodeEnded, "not by flwrup"},
		{supernode.Status{State: supernode.Stopped, ExitCode: 3}, flwrexec.StatusOffline, health.NodeEnded, "exit code 3"},
		{supernode.Status{State: supernode.Stopped, ExitCode: 137}, flwrexec.StatusOffline, health.NodeKilled, "SIGKILL"},
		{supernode.Status{State: supernode.Running, ID: "4711", Reason: supernode.Suspended}, flwrexec.StatusOffline, health.NodeSuspended, "Ctrl-Z"},
		{supernode.Status{State: supernode.Running, ID: "4711"}, flwrexec.StatusOffline, problem.NodeNotOnline, "lost it"},
	} {
		c.st.Name = "supernode_1"
		m, err := site.MemberNamed(s, "supernode_1")
		if err != nil {
			t.Fatal(err)
		}
		p, r := health.Diagnose(t.Context(), s, m, front.NodeView{Name: "supernode_1", NodeID: "7", Grid: front.GridState(c.grid), Runtime: c.st, Wanted: front.WantedUp}, front.Overview{})
		if p == nil || p.Code != c.code || !strings.Contains(p.Error(), c.says) || p.Fix == "" || r == nil {
			t.Errorf("%+v: %+v %+v", c.st, p, r)
		}
	}
}

// A suspended SuperNode is told at once, whatever the grid says or does not say, and is not counted.
func TestSuspendedIsSaidAtOnce(t *testing.T) {
	grid := sitetest.NewGrid("1.42.0")
	s := siteOn(t, grid, 2)
	if err := Apply(t.Context(), s, 10, &sitetest.Heard{}); err != nil {
		t.Fatal(err)
	}
	for i := range grid.Known {
		grid.Known[i].Status = flwrexec.StatusOnline
	}
	site.With(s, site.Backends{Runtime: heldRuntime{sitetest.RuntimeOf(t, s)}})
	if err := site.Want(s, []string{"supernode_1", "supernode_2"}, front.WantedUp); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{"grid answers": nil, "grid is silent": problem.New(problem.Unreachable, "the grid does not answer", "", "")} {
		s.Forget()
		if err != nil {
			grid.Faults["nodes"] = []sitetest.Fault{{Err: err}}
		}
		o := health.NodesOverview(t.Context(), s, 0, true)
		if (o.GridErr != nil) != (err != nil) || o.Online > 1 {
			t.Errorf("%s: %+v", name, o)
		}
		for _, v := range o.Nodes {
			is := v.Diagnosis != nil && v.Diagnosis.Code == health.NodeSuspended && v.Remedy != nil && v.Remedy.Verb == front.StartNodes
			if is != (v.Name == "supernode_1") {
				t.Errorf("%s: %s: %v %v", name, v.Name, v.Diagnosis, v.Remedy)
			}
		}
		var w health.WatchMemory
		events, _ := w.Next(health.Moment{Wall: time.Now()}, o)
		if said := slices.ContainsFunc(events, func(e health.WatchEvent) bool { return e.Node == "supernode_1" && e.Code == health.NodeSuspended }); !said {
			t.Errorf("%s: watch says %+v", name, events)
		}
	}
	s.Forget()
	if st, err := (online{}).Inspect(t.Context(), s); err != nil || st.Done != 1 || st.State == front.Done || !slices.ContainsFunc(st.Items, func(i front.Item) bool {
		return i.Name == "supernode_1" && i.State == front.ItemFailed && strings.Contains(i.Text, "suspended")
	}) {
		t.Errorf("step 14: %+v %v", st, err)
	}
}

// heldRuntime has two SuperNodes that run, the first of them suspended.
type heldRuntime struct{ *sitetest.Runtime }

func (heldRuntime) List(context.Context) ([]supernode.Status, error) {
	since := time.Now().Add(-time.Hour)
	return []supernode.Status{{Name: "supernode_1", State: supernode.Running, Reason: supernode.Suspended, ID: "4711", Since: since, Ours: true},
		{Name: "supernode_2", State: supernode.Running, ID: "4712", Since: since, Ours: true}}, nil
}

// refusedRuntime has SuperNodes that end as soon as they are started, for the grid lets none in.
type refusedRuntime struct {
	sitetest.Saying
	mu     sync.Mutex
	starts map[string]int
}

func (r *refusedRuntime) List(context.Context) ([]supernode.Status, error) {
	var list []supernode.Status
	for name := range r.Lines {
		list = append(list, supernode.Status{Name: name, State: supernode.Stopped, ExitCode: 1})
	}
	return list, nil
}

func (r *refusedRuntime) Start(_ context.Context, spec supernode.Spec) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.starts[spec.Name]++
	return nil
}

// SuperNodes that the grid refuses again and again are not hammered, and the person hears why, soon.
func TestRefusedIsNotHammered(t *testing.T) { synctest.Test(t, refusedIsNotHammered) }

func refusedIsNotHammered(t *testing.T) {
	g := sitetest.NewGrid("1.26.1")
	s := siteOn(t, g, 2)
	if err := Apply(t.Context(), s, 10, &sitetest.Heard{}); err != nil {
		t.Fatal(err)
	}
	no := "INFO :      Starting Flower SuperNode\n	details = \"No SuperNode found with the given public key.\""
	rt := &refusedRuntime{Saying: sitetest.Saying{Runtime: sitetest.RuntimeOf(t, s), Lines: map[string]string{"supernode_1": no, "supernode_2": no}}, starts: map[string]int{}}
	site.With(s, site.Backends{Runtime: rt})
	began, h := time.Now(), &sitetest.Heard{}
	err := online{}.Apply(t.Context(), s, h)
	if !problem.Is(err, problem.NodeNotOnline) || !strings.Contains(err.Error(), "await its confirmation") {
		t.Errorf("%v\n%s", err, h.Said())
	}
	if took := time.Since(began); took > site.OnlineWithin/2 || rt.starts["supernode_1"] > refusals || rt.starts["supernode_2"] > refusals {
		t.Errorf("after %v: %v", took, rt.starts)
	}
}
