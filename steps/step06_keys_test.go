package steps

import (
	"os"
	"path/filepath"
	"testing"

	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/site"
	"flwrup/internal/sitetest"
)

// TestKeysFolder: a person chooses the folder of keys before there are any, and flwrup keeps the choice. Making keys
// asks nothing.
func TestKeysFolder(t *testing.T) {
	dir := t.TempDir()
	s, err := site.Open(site.Options{Dir: dir, Create: true, Attended: true, Choose: func(c *project.Choices) { c.Nodes = 2 }})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	to := &sitetest.Scripted{Answers: map[string]string{"keys-folder": "of the nodes"}}
	if err := Change(t.Context(), s, front.StepKeys, to); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := Apply(t.Context(), s, front.StepKeys, to); err != nil {
			t.Fatal(err)
		}
	}
	if len(to.Asked) != 1 {
		t.Errorf("asked %q", to.Asked)
	}
	if _, err := os.Stat(filepath.Join(dir, "of the nodes", "client_credentials_2")); err != nil {
		t.Error(err)
	}
	if kept, err := project.Load(dir); err != nil || kept.Keys != "of the nodes" {
		t.Errorf("kept %+v, %v", kept, err)
	}
	if err := Change(t.Context(), s, front.StepKeys, to); !problem.Is(err, problem.BadInput) {
		t.Errorf("another folder for keys that are there: %v", err)
	}
}
