package steps

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"flwrup/flwrexec"
	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/site"
	"flwrup/internal/sitetest"
)

// A verb takes the person's edits of flwrup.toml, and the next save keeps them.
func TestEditsBesideAreTaken(t *testing.T) {
	s, rt := upAndRunning(t, 1)
	file := project.File(s.Dir)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, append(text, "\n[node.all]\nmemory = \"2g\" # they are greedy\n"...), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := Act(context.Background(), s, front.RestartNodes, nil, &sitetest.Heard{}); err != nil {
		t.Fatal(err)
	}
	if got := rt.Started["supernode_1"].Memory; got != 2<<30 {
		t.Errorf("started with %d bytes at most", got)
	}
	sitetest.Choose(t, s, func(*project.Choices) {})
	if now, _ := os.ReadFile(file); !strings.Contains(string(now), "memory = \"2g\" # they are greedy") {
		t.Errorf("the edit is gone:\n%s", now)
	}
	if err := os.WriteFile(file, []byte("nodes = many"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := Act(context.Background(), s, front.RestartNodes, nil, &sitetest.Heard{}); !problem.Is(err, problem.BadInput) || len(rt.Running()) != 1 {
		t.Errorf("with a file that cannot be read: %v, running %v", err, rt.Running())
	}
}

// flwrup ends while it waits for the grid to let go of a killed SuperNode. Nothing was started, the person's wish is kept,
// and the same command goes on.
func TestHoldCutShort(t *testing.T) {
	g := sitetest.NewGrid("1.42.0")
	s := sitetest.Registered(t, g, 1)
	rt := sitetest.RuntimeOf(t, s)
	g.Known[0].Status = flwrexec.StatusOnline
	ctx, end := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	to := &sitetest.Heard{}
	go func() { ended <- Act(ctx, s, front.StartNodes, nil, to) }()
	for limit := time.Now().Add(30 * time.Second); !waits(to, "supernode_1") && time.Now().Before(limit); {
		time.Sleep(10 * time.Millisecond)
	}
	end()
	if err := <-ended; !problem.Is(err, problem.Cancelled) || len(rt.Running()) > 0 {
		t.Fatalf("%v, running %v", err, rt.Running())
	}
	s = sitetest.Reopen(t, s)
	if got := site.Wanted(s, "supernode_1"); got != front.WantedUp {
		t.Errorf("what was asked for is %q", got)
	}
	g.Known[0].Status = flwrexec.StatusOffline
	if err := Act(context.Background(), s, front.StartNodes, nil, &sitetest.Heard{}); err != nil || len(rt.Running()) != 1 {
		t.Errorf("again: %v, running %v", err, rt.Running())
	}
}

// waits reports whether h heard that the grid lets in a SuperNode later.
func waits(h *sitetest.Heard, name string) bool {
	for _, e := range h.Events() {
		if i, ok := e.(front.ItemChanged); ok && i.Item.Name == name && strings.Contains(i.Item.Text, "it was killed") {
			return true
		}
	}
	return false
}
