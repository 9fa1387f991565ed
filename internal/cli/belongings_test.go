package cli

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"flwrup/internal/front"
	"flwrup/internal/project"
	"flwrup/internal/site"
	"flwrup/internal/sitetest"
)

// TestRehearsalKeepsBelongings: a rehearsal's folder goes with all that the rehearsal made, and not with a file of the
// person's, unless the person says so; what goes and what stays is said before.
func TestRehearsalKeepsBelongings(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "rehearsal")
	s, err := site.Open(site.Options{Dir: dir, Create: true, Rehearsal: true, Choose: func(c *project.Choices) { c.Nodes = 1 }})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	put := func(name string) {
		t.Helper()
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"keys/client_credentials_1", "keys/client_credentials_1.pub", "numpyfl/server_app.py", "pyproject.toml"} {
		put(name)
	}
	asked := func(answer string) (bool, string, []front.Question) {
		var out bytes.Buffer
		to := &answering{answer: answer}
		ok := (&program{Streams: Streams{Out: &out}}).mayRemove(context.Background(), s, to)
		return ok, out.String(), to.asked
	}
	if ok, says, questions := asked("no"); !ok || len(questions) > 0 || !strings.Contains(says, "keys, logs") {
		t.Errorf("nothing of the person's is there: %v %q %v", ok, says, questions)
	}
	put("run-7-metrics.csv")
	put("keys/mine.txt")
	if ok, says, questions := asked("no"); ok || len(questions) != 1 || !strings.Contains(questions[0].Help, "run-7-metrics.csv") || !strings.Contains(says, "keys/mine.txt") {
		t.Errorf("%v %q %v", ok, says, questions)
	}
	if ok, _, _ := asked("yes"); !ok {
		t.Error("the person said yes")
	}
}

// answering answers every question alike, and notes it.
type answering struct {
	sitetest.Heard
	answer string
	asked  []front.Question
}

func (a *answering) Ask(_ context.Context, q front.Question) (string, error) {
	a.asked = append(a.asked, q)
	return a.answer, nil
}
