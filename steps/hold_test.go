package steps

import (
	"context"
	"testing"
	"time"

	"flwrup/flwrexec"
)

// A SuperNode that was killed is started only after the grid has noticed; one beside it at once.
func TestKilledOneWaitsForTheGrid(t *testing.T) {
	g := newFakeGrid("1.42.0")
	s := siteOn(t, g, 2)
	if err := s.Apply(context.Background(), 10, &heard{}); err != nil {
		t.Fatal(err)
	}
	status := func(to string) {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.nodes[0].Status = to
	}
	status(flwrexec.StatusOnline)
	rt := s.runtime.(*fakeRuntime)
	started := func(name string) bool {
		rt.mu.Lock()
		defer rt.mu.Unlock()
		_, ok := rt.started[name]
		return ok
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Act(context.Background(), StartNodes, nil, &heard{}) }()
	for limit := time.Now().Add(20 * time.Second); !started("supernode_2") && time.Now().Before(limit); {
		time.Sleep(10 * time.Millisecond)
	}
	time.Sleep(300 * time.Millisecond)
	if !started("supernode_2") || started("supernode_1") {
		t.Errorf("free one started: %v, killed one started: %v", started("supernode_2"), started("supernode_1"))
	}
	status(flwrexec.StatusOffline)
	if err := <-ended; err != nil || !started("supernode_1") {
		t.Errorf("after the grid let go: %v, started: %v", err, started("supernode_1"))
	}
}
