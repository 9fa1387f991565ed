package steps

import (
	"context"
	"slices"
	"testing"

	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/sitetest"
)

// TestDoctor: all is looked at in order; a grid that does not answer is named once, not at every step.
func TestDoctor(t *testing.T) {
	g := sitetest.NewGrid("1.42.0")
	s := siteOn(t, g, 2)
	if err := Apply(context.Background(), s, 10, &sitetest.Heard{}); err != nil {
		t.Fatal(err)
	}
	nodes := map[string]Finding{}
	look := func() (whats []string, wrong []*problem.Problem) {
		Doctor(context.Background(), s, func(f Finding) {
			nodes[f.What] = f
			whats = append(whats, f.What)
			if f.Problem != nil {
				wrong = append(wrong, f.Problem)
			}
		})
		return
	}
	whats, wrong := look()
	if len(whats) != front.StepTotal+3 || whats[9] != "10 Register" || whats[front.StepTotal] != "releases" || whats[front.StepTotal+1] != "supernode_1" {
		t.Errorf("16 steps, the releases and two SuperNodes wanted, got %q", whats)
	}
	if r := nodes["releases"]; !slices.Contains(r.Says, "the grid speaks HTTP to flwr's commands") || !slices.Contains(r.Says, "flwr 1.42.0 is known to this flwrup") {
		t.Errorf("%+v", r)
	}
	if len(wrong) != 0 {
		t.Errorf("nothing is wrong yet, got %v", wrong)
	}
	if n := nodes["supernode_1"]; n.Stands != front.Idle {
		t.Errorf("a SuperNode that was never started: %v", n.Stands)
	}
	for range 20 {
		g.Faults["nodes"] = append(g.Faults["nodes"], sitetest.Fault{Err: sitetest.ErrCut})
	}
	if _, wrong = look(); len(wrong) != 1 || wrong[0].Code != problem.Unreachable {
		t.Errorf("one trouble wanted, the grid's, got %v", wrong)
	}
	if n := nodes["12 Confirmation"]; n.State != front.Blocked || len(n.Says) == 0 || n.Problem != nil {
		t.Errorf("a step that waits for step 9: %+v", n)
	}
	if n := nodes["supernode_1"]; n.Stands != front.NotKnown || n.State == front.Done {
		t.Errorf("a SuperNode that is not here, on a grid that does not answer, is %v", n.Stands)
	}
}
