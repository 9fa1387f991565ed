package site_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/site"
	"flwrup/internal/sitetest"
)

// Values come from the file, then from the environment, then from the person. flwrup writes them into no file.
func TestSecrets(t *testing.T) {
	s := sitetest.WithKeys(t, sitetest.NewGrid("1.42.0"), 1)
	t.Setenv("FLWRUP_TEST_TOKEN", "from the environment")
	file := filepath.Join(s.Dir, "node.env")
	if err := os.WriteFile(file, []byte("# ours\nA=1 'x'\r\nFLWRUP_TEST_TOKEN=from the file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	sitetest.Choose(t, s, func(c *project.Choices) {
		c.All = project.NodeChoice{EnvFile: "node.env", Env: []string{"FLWRUP_TEST_TOKEN", "FLWRUP_TEST_ASKED"}}
	})
	list, _, err := site.Members(s)
	if err != nil {
		t.Fatal(err)
	}
	spec, err := site.Spec(context.Background(), s, list[0], "")
	if err != nil || spec.Secrets["A"] != "1 'x'" || spec.Secrets["FLWRUP_TEST_TOKEN"] != "from the environment" ||
		len(spec.Missing) != 1 || spec.Missing[0] != "FLWRUP_TEST_ASKED" {
		t.Fatalf("%v %v %v", err, spec.Secrets, spec.Missing)
	}
	if err := site.AskValues(context.Background(), s, spec, &sitetest.Heard{}); !problem.Is(err, problem.NeedsPerson) {
		t.Errorf("unattended: %v", err)
	}
	if err := os.WriteFile(file, []byte("export A=1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := site.Spec(context.Background(), s, list[0], ""); !problem.Is(err, problem.BadInput) || !strings.Contains(err.Error(), "line 1") || strings.Contains(err.Error(), "A=1") {
		t.Error(err)
	}
}
