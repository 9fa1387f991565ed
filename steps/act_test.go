package steps

import (
	"context"
	"os"
	"strings"
	"testing"

	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/site"
	"flwrup/internal/sitetest"
)

// upAndRunning is a site with n SuperNodes that are registered and started.
func upAndRunning(t *testing.T, n int) (*site.Site, *sitetest.Runtime) {
	t.Helper()
	s := siteOn(t, sitetest.NewGrid("1.42.0"), n)
	if err := Apply(context.Background(), s, 10, &sitetest.Heard{}); err != nil {
		t.Fatal(err)
	}
	if err := Act(context.Background(), s, front.StartNodes, nil, &sitetest.Heard{}); err != nil {
		t.Fatal(err)
	}
	return s, sitetest.RuntimeOf(t, s)
}

// What a person has written into flwrup.toml beside an open dashboard is taken, and not lost at the next save.
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
