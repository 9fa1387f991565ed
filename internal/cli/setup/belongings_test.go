package setup

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"flwrup/internal/cli/program"
	"flwrup/internal/front"
	"flwrup/internal/project"
	"flwrup/internal/site"
	"flwrup/internal/sitetest"
	"flwrup/keys"
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
	sitetest.MakeKeys(t, s)
	for _, name := range []string{"numpyfl/server_app.py", "pyproject.toml", "request-site-1.txt", "reply-site-1.txt", "grid-ca.pem"} {
		put(name)
	}
	asked := func(answer string) (bool, string, []front.Question) {
		var out bytes.Buffer
		to := &answering{answer: answer}
		p := &program.Program{Streams: program.Streams{Out: &out}}
		ok := mayRemove(context.Background(), p, s, to)
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

// TestRehearsalKeepsOthersKeys: a key that came into a rehearsal's folder from elsewhere is the person's, whatever its
// name; one of a SuperNode that was removed is the rehearsal's.
func TestRehearsalKeepsOthersKeys(t *testing.T) {
	s := sitetest.Registered(t, sitetest.NewGrid("1.42.0"), 2)
	sitetest.Choose(t, s, func(c *project.Choices) { c.Nodes = 1 })
	if list := belongings(s); len(list) > 0 {
		t.Errorf("of the person's: %q", list)
	}
	if _, err := keys.Generate(t.Context(), filepath.Join(s.Dir, "keys"), []string{"client_credentials_7"}, nil); err != nil {
		t.Fatal(err)
	}
	half := filepath.Join(s.Dir, "keys", "client_credentials_8")
	if err := os.Link(filepath.Join(s.Dir, "keys", "client_credentials_7"), half); err != nil {
		t.Fatal(err)
	}
	want := []string{"keys/client_credentials_7", "keys/client_credentials_7.pub", "keys/client_credentials_8"}
	if list := belongings(s); !slices.Equal(list, want) {
		t.Errorf("of the person's: %q, want %q", list, want)
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
