package steps

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"flwrup/internal/fleet"
	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/site"
	"flwrup/internal/sitetest"
	"flwrup/internal/supernode"
)

// A SuperNode that cannot start is named before anything starts and does not hold up the others; what
// concerns all of them starts nothing.
func TestCheckFirst(t *testing.T) {
	s := siteOn(t, sitetest.NewGrid("1.42.0"), 3)
	rt := sitetest.RuntimeOf(t, s)
	list, _, err := site.Members(s)
	if err != nil {
		t.Fatal(err)
	}
	bad := problem.New(problem.BadInput, "no such folder", "", "make it")
	rt.Findings = []supernode.Finding{{Node: list[1].Name, Problem: bad}, {Node: list[2].Name, Warning: true, Problem: bad}}
	err = fleet.BringUp(context.Background(), s, list, &sitetest.Heard{})
	if !problem.Is(err, problem.BadInput) || !strings.Contains(err.Error(), list[1].Name) || len(rt.Started) != 2 {
		t.Errorf("%v, started %d", err, len(rt.Started))
	}
	var st front.Status
	st.Items = []front.Item{{Name: list[1].Name, Text: "not started"}, {Name: list[2].Name, Text: "not started"}}
	fleet.ShowFindings(&st, append(rt.Findings, supernode.Finding{Problem: bad}))
	if st.Items[0].State != front.ItemFailed || st.Items[1].State == front.ItemFailed || !strings.Contains(st.Items[0].Text, "make it") || len(st.Hints) != 1 {
		t.Errorf("%+v", st)
	}
	clear(rt.Started)
	rt.Findings = []supernode.Finding{{Problem: bad}}
	if err := fleet.BringUp(context.Background(), s, list, &sitetest.Heard{}); !problem.Is(err, problem.BadInput) || len(rt.Started) != 0 {
		t.Errorf("%v, started %d", err, len(rt.Started))
	}
}

// Values come from the file, then from the environment, then from the person; they are in no file.
func TestSecrets(t *testing.T) {
	s := siteOn(t, sitetest.NewGrid("1.42.0"), 1)
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
	spec, err := site.Spec(context.Background(), s, list[0])
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
	if _, err := site.Spec(context.Background(), s, list[0]); !problem.Is(err, problem.BadInput) || !strings.Contains(err.Error(), "line 1") || strings.Contains(err.Error(), "A=1") {
		t.Error(err)
	}
}
