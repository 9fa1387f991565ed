package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"flwrup/internal/front"
	"flwrup/internal/plain"
	"flwrup/internal/problem"
	"flwrup/internal/project"

	"github.com/spf13/pflag"
)

func TestExitCode(t *testing.T) {
	for _, c := range []struct {
		err  error
		want int
	}{
		{nil, 0},
		{errors.New("anything"), 1},
		{problem.New(problem.Unreachable, "unreachable", "", ""), 1},
		{fmt.Errorf("step 3: %w", problem.New(problem.Usage, "usage", "", "")), 2},
		{fmt.Errorf("step 12: %w", problem.New(problem.NeedsGrid, "waiting", "", "")), 3},
		{problem.New(problem.NeedsPerson, "waiting", "", ""), 3},
		{problem.New(problem.NotLoggedIn, "not logged in", "", ""), 3},
		{problem.New(problem.Cancelled, "stopped", "", ""), 130},
	} {
		if got := exitCode(c.err); got != c.want {
			t.Errorf("%v: exit code %d, %d wanted", c.err, got, c.want)
		}
	}
}

// TestUnattendedQuestions: a default answers; without one the error names the flag that answers.
func TestUnattendedQuestions(t *testing.T) {
	f := &plain.Front{Out: &bytes.Buffer{}, Yes: true}
	if got, err := f.Ask(context.Background(), front.Question{ID: "nodes", Default: "3"}); got != "3" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	_, err := f.Ask(context.Background(), front.Question{ID: "passphrase", Kind: front.AskSecret, Ask: "A passphrase"})
	if p := problem.Of(err); p == nil || p.Code != problem.NeedsPerson || !strings.Contains(p.Fix, "--passphrase-file") {
		t.Errorf("needs-person with --passphrase-file wanted, got %+v", p)
	}
}

// TestPlaceFrom: a file on the command line is where the shell would look for it, and is kept as the project finds it.
func TestPlaceFrom(t *testing.T) {
	here := t.TempDir()
	t.Chdir(here)
	for _, c := range []struct{ dir, file, want string }{
		{".", "pass", "pass"},
		{"project", "pass", filepath.Join(here, "pass")},
		{"project", "project/secrets/pass", filepath.Join("secrets", "pass")},
		{"project", filepath.Join(here, "pass"), filepath.Join(here, "pass")},
	} {
		if got := placeFrom(c.dir, c.file); got != c.want {
			t.Errorf("%s for %s: %q, %q wanted", c.file, c.dir, got, c.want)
		}
	}
	if got := appFrom("project", "none"); got != "none" {
		t.Errorf("no app became %q", got)
	}
}

// TestLongProblem: no line of a problem is longer than one can hear in one breath.
func TestLongProblem(t *testing.T) {
	var b strings.Builder
	writeProblem(&b, problem.New(problem.Usage, strings.Repeat("the cause of it, ", 30), "why", strings.Repeat("do this. ", 60)))
	for _, l := range strings.Split(b.String(), "\n") {
		if len(l) > 200 {
			t.Errorf("%d characters: %s", len(l), l)
		}
	}
	if !strings.Contains(b.String(), "  what to do: ") || strings.Count(b.String(), "do this.") != 60 {
		t.Error(b.String())
	}
}

// TestKept: the flags of up that the project keeps are those of the list.
func TestKept(t *testing.T) {
	o, c := upOptions{}, &project.Choices{}
	sets := o.keep(c, ".")
	for name, set := range o.nodes.keep(&c.All) {
		sets[name] = set
	}
	upCommand(&program{}).Flags().VisitAll(func(f *pflag.Flag) {
		_, keeps := sets[f.Name]
		if has := slices.Contains(kept, f.Name); has != keeps {
			t.Errorf("--%s: is in the list: %v, is kept: %v", f.Name, has, keeps)
		}
		delete(sets, f.Name)
	})
	if len(sets) > 0 {
		t.Errorf("no flags %v", sets)
	}
}
