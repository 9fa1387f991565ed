package steps

import (
	"strings"
	"testing"

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
