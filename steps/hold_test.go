package steps

import (
	"context"
	"strings"
	"testing"
	"time"

	"flwrup/flwrexec"
	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/site"
)

// A SuperNode that was killed is started only after the grid has noticed; one beside it at once.
func TestKilledOneWaitsForTheGrid(t *testing.T) {
	g := newFakeGrid("1.42.0")
	s := siteOn(t, g, 2)
	if err := Apply(context.Background(), s, 10, &heard{}); err != nil {
		t.Fatal(err)
	}
	status := func(to string) {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.nodes[0].Status = to
	}
	status(flwrexec.StatusOnline)
	rt := s.Runtime.(*fakeRuntime)
	started := func(name string) bool {
		rt.mu.Lock()
		defer rt.mu.Unlock()
		_, ok := rt.started[name]
		return ok
	}
	ended := make(chan error, 1)
	go func() { ended <- Act(context.Background(), s, front.StartNodes, nil, &heard{}) }()
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

// flwrup is ended while it waits for the grid to let go of a killed SuperNode: nothing was started, what was
// asked for is known, and the same command goes on.
func TestHoldCutShort(t *testing.T) {
	g := newFakeGrid("1.42.0")
	s := siteOn(t, g, 1)
	if err := Apply(context.Background(), s, 10, &heard{}); err != nil {
		t.Fatal(err)
	}
	rt := s.Runtime
	g.nodes[0].Status = flwrexec.StatusOnline
	ctx, end := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	to := &heard{}
	go func() { ended <- Act(ctx, s, front.StartNodes, nil, to) }()
	for limit := time.Now().Add(30 * time.Second); !to.waits("supernode_1") && time.Now().Before(limit); {
		time.Sleep(10 * time.Millisecond)
	}
	end()
	if err := <-ended; !problem.Is(err, problem.Cancelled) || len(rt.(*fakeRuntime).running()) > 0 {
		t.Fatalf("%v, running %v", err, rt.(*fakeRuntime).running())
	}
	s = reopened(t, s)
	if got := site.Wanted(s, "supernode_1"); got != front.WantedUp {
		t.Errorf("what was asked for is %q", got)
	}
	g.nodes[0].Status = flwrexec.StatusOffline
	if err := Act(context.Background(), s, front.StartNodes, nil, &heard{}); err != nil || len(rt.(*fakeRuntime).running()) != 1 {
		t.Errorf("again: %v, running %v", err, rt.(*fakeRuntime).running())
	}
}

// waits tells whether it was said of a SuperNode that the grid lets it in later.
func (h *heard) waits(name string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, e := range h.events {
		if i, ok := e.(front.ItemChanged); ok && i.Item.Name == name && strings.Contains(i.Item.Text, "it was killed") {
			return true
		}
	}
	return false
}
