package health

import (
	"testing"
	"time"

	"flwrup/flwrexec"
	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/site"
	"flwrup/internal/supernode"
)

// TestHostAway: a SuperNode whose Docker host does not answer has the host's reason as its diagnosis, whatever the grid
// says. What the grid calls online needs attention and does not fail.
func TestHostAway(t *testing.T) {
	away := problem.New("host-away", "Docker on gpu-box does not answer", "nothing answers ssh there", "make sure that the machine is on")
	for grid, want := range map[front.GridState]front.Severity{flwrexec.StatusOnline: front.Warning, flwrexec.StatusOffline: front.Failing} {
		v := front.NodeView{Name: "supernode_2", NodeID: "4711", Grid: grid, Wanted: front.WantedUp,
			Runtime: supernode.Status{State: supernode.Unknown, Host: "gpu-box", Away: away}}
		e := evidence{node: v, known: true, now: time.Now()}
		p, r := judge(t.Context(), nil, nil, site.Member{Name: v.Name}, &e)
		if p != away || r != nil {
			t.Errorf("%s: %v %v", grid, p, r)
		}
		if v.Diagnosis = p; v.Severity() != want {
			t.Errorf("%s: %v, want %v", grid, v.Severity(), want)
		}
	}
}
