package fleet

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"

	"flwrup/internal/front"
	"flwrup/internal/health"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/site"
	"flwrup/internal/sitetest"
	"flwrup/internal/supernode"
	"flwrup/keys"
)

// Where a SuperNode's registered key is gone, or another key is in its place, flwrup does not start it. It goes on running
// when the others are restarted, and can be stopped.
func TestNotStartedWithAnotherKey(t *testing.T) {
	for name, harm := range map[string]func(t *testing.T, s *site.Site){
		"another key": func(t *testing.T, s *site.Site) {
			sitetest.Choose(t, s, func(c *project.Choices) { c.Nodes = 3 })
			sitetest.MakeKeys(t, s)
			sitetest.Choose(t, s, func(c *project.Choices) { c.Nodes = 2 })
			for _, end := range []string{"", ".pub"} {
				if err := os.Rename(s.Folder().KeysDir()+"/client_credentials_3"+end, s.Folder().KeysDir()+"/client_credentials_2"+end); err != nil {
					t.Fatal(err)
				}
			}
		},
		"no key": func(t *testing.T, s *site.Site) {
			if err := os.Remove(s.Folder().KeysDir() + "/client_credentials_2"); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := context.Background()
			s, rt := sitetest.Up(t, sitetest.NewGrid("1.42.0"), 2)
			harm(t, s)
			key := rt.Started["supernode_2"].KeyFile
			rt.Started["supernode_2"] = supernode.Spec{Name: "supernode_2", KeyFile: key, Image: "as it was"}
			err := Operate(ctx, s, front.RestartNodes, nil, &sitetest.Heard{})
			if p := problem.Of(err); !problem.Is(err, health.KeySwapped, health.KeyLost) || p.Fix == "" {
				t.Errorf("restart: %v", err)
			}
			if got := rt.Started["supernode_2"].Image; got != "as it was" || rt.Started["supernode_1"].KeyFile == "" {
				t.Errorf("restart did not leave supernode_2 alone, or supernode_1 down: %v", rt.Running())
			}
			if err := Operate(ctx, s, front.StartNodes, []string{"supernode_2"}, &sitetest.Heard{}); !problem.Is(err, health.KeySwapped, health.KeyLost) {
				t.Errorf("start: %v", err)
			}
			if err := Operate(ctx, s, front.StopNodes, []string{"supernode_2"}, &sitetest.Heard{}); err != nil {
				t.Errorf("stop: %v", err)
			}
			if got := rt.Running(); !slices.Equal(got, []string{"supernode_1"}) {
				t.Errorf("running after the stop: %v", got)
			}
			if err := Operate(ctx, s, front.StartNodes, []string{"supernode_9"}, &sitetest.Heard{}); !problem.Is(err, problem.Usage) {
				t.Errorf("a name that is none: %v", err)
			}
		})
	}
}

// A restart finds the obstacle to a start before it stops a SuperNode.
func TestRestartLooksFirst(t *testing.T) {
	ctx := context.Background()
	s, rt := sitetest.Up(t, sitetest.NewGrid("1.42.0"), 3)
	wrong := problem.New(problem.BadInput, "image holds flwr 1.24.0, not 1.42.0", "", "")
	rt.Findings = []supernode.Finding{{Problem: wrong}}
	if err := Operate(ctx, s, front.RestartNodes, nil, &sitetest.Heard{}); !problem.Is(err, problem.BadInput) {
		t.Error(err)
	}
	if got := rt.Running(); len(got) != 3 {
		t.Errorf("an image that cannot be started took down all but %v", got)
	}
	rt.Findings[0].Node = "supernode_2"
	rt.Started["supernode_2"] = supernode.Spec{Name: "supernode_2", Image: "as it was"}
	if err := Operate(ctx, s, front.RestartNodes, nil, &sitetest.Heard{}); !problem.Is(err, problem.BadInput) {
		t.Error(err)
	}
	if rt.Started["supernode_2"].Image != "as it was" || rt.Started["supernode_1"].KeyFile == "" {
		t.Errorf("supernode_2 was not left alone, or held up the others: %v", rt.Running())
	}
}

// TestUnregisteredAreNotStarted: the others are, and the grid hears nothing of those without a node ID.
func TestUnregisteredAreNotStarted(t *testing.T) {
	ctx := context.Background()
	s, _, rt := sitetest.InFederation(t, sitetest.NewGrid("1.42.0"), 2)
	sitetest.Choose(t, s, func(c *project.Choices) { c.Nodes = 3 })
	if _, err := keys.Generate(ctx, s.Folder().KeysDir(), []string{"client_credentials_3"}, nil); err != nil {
		t.Fatal(err)
	}
	for _, verb := range []front.Verb{front.StartNodes, front.RestartNodes, front.ReplaceNodes} {
		err := Operate(ctx, s, verb, []string{"supernode_3"}, &sitetest.Heard{})
		if !problem.Is(err, problem.NeedsPerson) || !strings.Contains(err.Error(), "cannot start supernode_3: not registered") {
			t.Errorf("%s: %v", verb, err)
		}
	}
	if err := Operate(ctx, s, front.StartNodes, nil, &sitetest.Heard{}); !problem.Is(err, problem.NeedsPerson) {
		t.Errorf("all: %v", err)
	}
	if _, third := rt.Started["supernode_3"]; third || len(rt.Started) != 2 {
		t.Errorf("started %v", rt.Started)
	}
}
