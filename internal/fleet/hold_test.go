package fleet

import (
	"context"
	"slices"
	"testing"
	"time"

	"flwrup/flwrexec"
	"flwrup/internal/front"
	"flwrup/internal/sitetest"
)

// flwrup starts a SuperNode that was killed only after the grid has noticed, and the other one at once.
func TestKilledOneWaitsForTheGrid(t *testing.T) {
	g := sitetest.NewGrid("1.42.0")
	s := sitetest.Registered(t, g, 2)
	g.SetStatus(0, flwrexec.StatusOnline)
	rt := sitetest.RuntimeOf(t, s)
	started := func(name string) bool { return slices.Contains(rt.Running(), name) }
	ended := make(chan error, 1)
	go func() { ended <- Operate(context.Background(), s, front.StartNodes, nil, &sitetest.Heard{}) }()
	for limit := time.Now().Add(20 * time.Second); !started("supernode_2") && time.Now().Before(limit); {
		time.Sleep(10 * time.Millisecond)
	}
	time.Sleep(300 * time.Millisecond)
	if !started("supernode_2") || started("supernode_1") {
		t.Errorf("free one started: %v, killed one started: %v", started("supernode_2"), started("supernode_1"))
	}
	g.SetStatus(0, flwrexec.StatusOffline)
	if err := <-ended; err != nil || !started("supernode_1") {
		t.Errorf("after the grid let go: %v, started: %v", err, started("supernode_1"))
	}
}
