package steps

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/sitetest"
)

// TestPathsInThePlanAreNoFlags: folders and files whose names begin with a dash reach programs as files.
func TestPathsInThePlanAreNoFlags(t *testing.T) {
	for _, version := range []string{"1.24.0", "1.42.0"} {
		s := siteOn(t, sitetest.NewGrid(version), 1)
		sitetest.Choose(t, s, func(c *project.Choices) { c.Keys, c.Backup, c.App, c.Nodes = "-keys", "-backup.age", "-app", 2 })
		if err := os.Rename(filepath.Join(s.Dir, "keys"), filepath.Join(s.Dir, "-keys")); err != nil {
			t.Fatal(err)
		}
		app := filepath.Join(s.Dir, "-app")
		if err := os.MkdirAll(app, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(app, "pyproject.toml"), []byte("[project]\nname = \"x\"\nversion = \"1\"\n[tool.flwr.app]\npublisher = \"p\"\n"+
			"[tool.flwr.app.components]\nserverapp = \"s:app\"\nclientapp = \"c:app\"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, step := range Steps() {
			actions, err := Plan(context.Background(), s, step.ID())
			if err != nil && step.ID() != front.StepTools && step.ID() != front.StepRun && !problem.Is(err, problem.PythonMissing) {
				t.Logf("step %d: %v", step.ID(), err)
			}
			for _, a := range actions {
				all = append(all, a.Command)
			}
		}
		text := strings.Join(all, "\n")
		for _, want := range []string{"./-keys", "./-backup.age", "./-app"} {
			if !strings.Contains(text, want) {
				t.Errorf("flwr %s: no %s in\n%s", version, want, text)
			}
		}
		for _, bad := range []string{" -keys", " -backup", " -app", "'-"} {
			if strings.Contains(text, bad) {
				t.Errorf("flwr %s: %q in\n%s", version, bad, text)
			}
		}
	}
}
