package steps

import (
	"context"
	"strings"
	"testing"
	"time"

	"flwrup/flwrexec"
	"flwrup/internal/problem"
	"flwrup/internal/supernode"
)

// A SuperNode that ended is never well, whatever its exit code: it ends with 0 where the grid sends it away.
func TestEndedIsNotHealth(t *testing.T) {
	s := siteOn(t, newFakeGrid("1.42.0"), 1)
	s.runtime = sayingRuntime{s.runtime.(*fakeRuntime), map[string]string{"supernode_1": "INFO :      SuperNode ID: 7\nINFO :      SuperNode terminated gracefully."}}
	for _, c := range []struct {
		st   supernode.Status
		grid string
		code problem.Code
		says string
	}{
		{supernode.Status{State: supernode.Stopped, ExitCode: 0}, flwrexec.StatusOffline, NodeEnded, "not by flwrup"},
		{supernode.Status{State: supernode.Stopped, ExitCode: 3}, flwrexec.StatusOffline, NodeEnded, "exit code 3"},
		{supernode.Status{State: supernode.Stopped, ExitCode: 137}, flwrexec.StatusOffline, NodeKilled, "SIGKILL"},
		{supernode.Status{State: supernode.Running, ID: "4711", Reason: supernode.Suspended}, flwrexec.StatusOffline, NodeSuspended, "Ctrl-Z"},
		{supernode.Status{State: supernode.Running, ID: "4711"}, flwrexec.StatusOffline, problem.NodeNotOnline, "lost it"},
	} {
		c.st.Name = "supernode_1"
		m, err := s.member("supernode_1")
		if err != nil {
			t.Fatal(err)
		}
		p, r := s.diagnose(t.Context(), m, NodeView{Name: "supernode_1", NodeID: "7", Grid: c.grid, Runtime: c.st, Wanted: wantedUp}, Overview{})
		if p == nil || p.Code != c.code || !strings.Contains(p.Error(), c.says) || p.Fix == "" || r == nil {
			t.Errorf("%+v: %+v %+v", c.st, p, r)
		}
	}
}

// refusedRuntime has SuperNodes that end as soon as they are started, for the grid lets none in.
type refusedRuntime struct {
	sayingRuntime
	starts map[string]int
}

func (r refusedRuntime) List(context.Context) ([]supernode.Status, error) {
	var list []supernode.Status
	for name := range r.lines {
		list = append(list, supernode.Status{Name: name, State: supernode.Stopped, ExitCode: 1})
	}
	return list, nil
}

func (r refusedRuntime) Start(_ context.Context, spec supernode.Spec) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.starts[spec.Name]++
	return nil
}

// SuperNodes that the grid refuses again and again are not hammered, and the person hears why, soon.
func TestRefusedIsNotHammered(t *testing.T) {
	g := newFakeGrid("1.26.1")
	s := siteOn(t, g, 2)
	if err := s.Apply(t.Context(), 10, &heard{}); err != nil {
		t.Fatal(err)
	}
	no := "INFO :      Starting Flower SuperNode\n	details = \"No SuperNode found with the given public key.\""
	rt := refusedRuntime{sayingRuntime{s.runtime.(*fakeRuntime), map[string]string{"supernode_1": no, "supernode_2": no}}, map[string]int{}}
	s.runtime = rt
	began, h := time.Now(), &heard{}
	err := online{}.Apply(t.Context(), s, h)
	if !problem.Is(err, problem.NodeNotOnline) || !strings.Contains(err.Error(), "await its confirmation") {
		t.Errorf("%v\n%s", err, h.said())
	}
	if took := time.Since(began); took > onlineWithin/2 || rt.starts["supernode_1"] > refusals || rt.starts["supernode_2"] > refusals {
		t.Errorf("after %v: %v", took, rt.starts)
	}
}
