package steps

import (
	"context"
	"os"
	"testing"

	"flwrup/internal/front"
	"flwrup/internal/ledger"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/site"
	"flwrup/internal/sitetest"
)

// TestOnlooker: while another flwrup is at work everything can be looked at, its writes are seen, and nothing can be
// changed.
func TestOnlooker(t *testing.T) {
	dir := t.TempDir()
	first, err := site.Open(site.Options{Dir: dir, Create: true})
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	_, busy := site.Open(site.Options{Dir: dir})
	if !problem.Is(busy, problem.Busy) {
		t.Fatalf("a second site: %v", busy)
	}
	o, err := LookOn(dir, busy)
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	if !o.Title().LookingOnly || first.Title().LookingOnly {
		t.Error("the title of the one that looks says so, the other's does not")
	}

	ctx := context.Background()
	run := ledger.Run{ID: "7", Connection: first.Choices().Grid.Connection}
	if err := first.Ledger.PutRun(run); err != nil {
		t.Fatal(err)
	}
	o.Overview(ctx, 0)
	if runs := o.s.Ledger.Runs(); len(runs) != 1 || runs[0].ID != "7" {
		t.Errorf("what the other wrote is not seen: %v", runs)
	}

	before, err := os.ReadFile(project.File(dir))
	if err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"Apply": o.Apply(ctx, 5, &sitetest.Heard{}), "Change": o.Change(ctx, 5, &sitetest.Heard{}),
		"Undo": o.Undo(ctx, 8), "Act": o.Act(ctx, front.StopNodes, nil, &sitetest.Heard{}),
	} {
		if p := problem.Of(err); err == nil || p.Code != problem.Busy || p.Fix == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if after, err := os.ReadFile(project.File(dir)); err != nil || string(after) != string(before) {
		t.Errorf("flwrup.toml has changed, %v", err)
	}
}
