package program

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"flwrup/internal/front"
	"flwrup/internal/plain"
	"flwrup/internal/problem"
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
		if got := ExitCode(c.err); got != c.want {
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

// TestLongProblem: no line of a problem is longer than one can hear in one breath.
func TestLongProblem(t *testing.T) {
	var b strings.Builder
	WriteProblem(&b, problem.New(problem.Usage, strings.Repeat("the cause of it, ", 30), "why", strings.Repeat("do this. ", 60)))
	for _, l := range strings.Split(b.String(), "\n") {
		if len(l) > 200 {
			t.Errorf("%d characters: %s", len(l), l)
		}
	}
	if !strings.Contains(b.String(), "  what to do: ") || strings.Count(b.String(), "do this.") != 60 {
		t.Error(b.String())
	}
}
