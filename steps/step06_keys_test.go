package steps

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"flwrup/internal/project"
	"flwrup/internal/site"
	"flwrup/internal/sitetest"
)

// TestKeysFolder: a person chooses the folder of keys, once, and flwrup keeps the choice. It does not ask a script.
func TestKeysFolder(t *testing.T) {
	for _, attended := range []bool{true, false} {
		dir := t.TempDir()
		s, err := site.Open(site.Options{Dir: dir, Create: true, Attended: attended, Choose: func(c *project.Choices) { c.Nodes = 2 }})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		to := &sitetest.Scripted{Answers: map[string]string{"keys-folder": "of the nodes"}}
		for range 2 {
			if err := Apply(context.Background(), s, 6, to); err != nil {
				t.Fatal(err)
			}
		}
		folder, asked := "keys", 0
		if attended {
			folder, asked = "of the nodes", 1
		}
		if len(to.Asked) != asked {
			t.Errorf("attended %v: asked %q", attended, to.Asked)
		}
		if _, err := os.Stat(filepath.Join(dir, folder, "client_credentials_2")); err != nil {
			t.Errorf("attended %v: %v", attended, err)
		}
		if kept, err := project.Load(dir); err != nil || kept.Keys != folder {
			t.Errorf("attended %v: kept %+v, %v", attended, kept, err)
		}
	}
}
