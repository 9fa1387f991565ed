package site

import (
	"os"
	"strings"
	"testing"

	"flwrup/internal/project"
)

// TestChangeKeepsEdits: what a person wrote into flwrup.toml since it was read outlives a change by flwrup.
func TestChangeKeepsEdits(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	t.Setenv("XDG_STATE_HOME", "")
	t.Setenv("XDG_CACHE_HOME", "")
	s, err := Open(Options{Dir: t.TempDir(), Create: true, Choose: func(c *project.Choices) { c.Nodes, c.Federation = 2, "@ada/one" }})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	file := project.File(s.Dir)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	edited := strings.Replace(string(text), "@ada/one", "@ada/two", 1) + "\n# asked Grace on Monday\n"
	if edited == string(text) {
		t.Fatalf("no federation in %s", text)
	}
	if err := os.WriteFile(file, []byte(edited), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Change(func(c *project.Choices) error { c.Nodes = 3; return nil }); err != nil {
		t.Fatal(err)
	}
	now, err := project.Load(s.Dir)
	if err != nil || now.Nodes != 3 || now.Federation != "@ada/two" || s.Choices().Federation != "@ada/two" {
		t.Errorf("%+v, %v", now, err)
	}
	if after, err := os.ReadFile(file); err != nil || !strings.Contains(string(after), "# asked Grace on Monday") {
		t.Errorf("%s, %v", after, err)
	}
}
