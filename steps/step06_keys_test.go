package steps

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/site"
	"flwrup/internal/sitetest"
	"flwrup/internal/supernode"
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

// TestModesShutOutContainers: where a container that somebody started by hand reads its key by a mode that flwrup takes
// away, flwrup says what that means, and for no other SuperNode.
func TestModesShutOutContainers(t *testing.T) {
	g := sitetest.NewGrid("1.42.0")
	s := sitetest.WithKeys(t, g, 3)
	site.With(s, site.Backends{Flwr: g, Runtime: sitetest.Listing{Runtime: &sitetest.Runtime{}, Nodes: []supernode.Status{
		{Name: "supernode_1", State: supernode.Running, ByHand: "container by_hand"},
		{Name: "supernode_2", State: supernode.Running, ByHand: "container of_its_owner"},
		{Name: "supernode_3", State: supernode.Running, Ours: true},
	}}})
	for _, name := range []string{"client_credentials_1", "client_credentials_3"} {
		if err := os.Chmod(filepath.Join(s.Dir, "keys", name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	to := &sitetest.Heard{}
	if err := Apply(t.Context(), s, front.StepKeys, to); err != nil {
		t.Fatal(err)
	}
	said := to.Said()
	if !strings.Contains(said, "container by_hand was started by hand") || !strings.Contains(said, "`flwrup restart supernode_1 --replace`") {
		t.Errorf("said: %s", said)
	}
	if strings.Contains(said, "of_its_owner") || strings.Contains(said, "supernode_3") {
		t.Errorf("said of others, too: %s", said)
	}
}
