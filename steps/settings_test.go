package steps

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/sitetest"
)

// answers answers one question after the other, each by its ID.
type answers struct {
	sitetest.Heard
	t    *testing.T
	list []string // "id=answer"
}

func (a *answers) Ask(_ context.Context, q front.Question) (string, error) {
	a.t.Helper()
	if len(a.list) == 0 {
		a.t.Fatalf("asked for more: %s", q.ID)
	}
	id, answer, _ := strings.Cut(a.list[0], "=")
	a.list = a.list[1:]
	if id != q.ID {
		a.t.Fatalf("asked for %s, not %s", q.ID, id)
	}
	if answer == "Enter" {
		answer = q.Default
	}
	if q.Validate != nil {
		if err := q.Validate(answer); err != nil {
			a.t.Fatalf("%s: %q: %v", id, answer, err)
		}
	}
	for _, c := range q.Choices {
		if c.Value == answer && c.Disabled {
			a.t.Fatalf("%s: %q cannot be chosen: %s", id, answer, c.Note)
		}
	}
	return answer, nil
}

// Settings are asked for, kept in flwrup.toml with its comments, and are what SuperNodes are started with;
// a secret value is in no file.
func TestSettings(t *testing.T) {
	ctx := context.Background()
	s, rt := upAndRunning(t, 2)
	file := project.File(s.Dir)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, append([]byte("# what I must not forget\n"), text...), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := Change(ctx, s, 13, &answers{t: t, list: []string{"whose-settings=Enter", "setting=Enter"}}); err != nil { // Enter alone
		t.Fatal(err)
	}
	if now, err := os.ReadFile(file); err != nil || string(now) != "# what I must not forget\n"+string(text) {
		t.Errorf("Enter alone changed the file: %v\n%s", err, now)
	}
	if err := os.Mkdir(filepath.Join(s.Dir, "scans"), 0o755); err != nil {
		t.Fatal(err)
	}
	sitetest.Choose(t, s, func(c *project.Choices) { c.Runtime = project.RuntimeDocker }) // for the questions alone
	asked := &answers{t: t, list: []string{"whose-settings=Enter",
		"setting=node-config", "node-config=site=1", "setting=memory", "memory=2g", "setting=install-packages", "install-packages=yes",
		"setting=lasting", "lasting=no", "setting=args", "args=--max-retries 10",
		"setting=data", "data-here=nowhere", "data-here=scans", "data-inside=Enter", "data-write=Enter",
		"setting=env", "env-name=FLWRUP_TEST_TOKEN", "value of FLWRUP_TEST_TOKEN=s3cret-of-the-clinic",
		"setting=Enter", "restart-now=Enter"}}
	if err := Change(ctx, s, 13, asked); err != nil || len(asked.list) > 0 {
		t.Fatal(err, asked.list)
	}
	one := &answers{t: t, list: []string{"setting=memory", "memory=4g", "setting=data", "data-here=scans", "data-inside=/scans", "data-write=yes", "setting=Enter", "restart-now=Enter"}}
	if err := Act(ctx, s, front.ChangeSettings, []string{"supernode_2"}, one); err != nil || len(one.list) > 0 {
		t.Fatal(err, one.list)
	}
	kept, err := project.Load(s.Dir)
	if err != nil {
		t.Fatal(err)
	}
	first, second := kept.ForNode(1), kept.ForNode(2)
	if first.NodeConfig != "site=1" || first.Memory != "2g" || !*first.Install || *first.Lasting || !slices.Equal(first.Args, []string{"--max-retries", "10"}) ||
		!slices.Equal(first.Data, []string{"scans:/data/scans"}) || !slices.Equal(first.Env, []string{"FLWRUP_TEST_TOKEN"}) {
		t.Errorf("supernode_1: %+v", first)
	}
	if second.Memory != "4g" || second.NodeConfig != "site=1" || !slices.Equal(second.Data, []string{"scans:/scans:rw"}) {
		t.Errorf("supernode_2: %+v", second)
	}
	if now, _ := os.ReadFile(file); !strings.HasPrefix(string(now), "# what I must not forget\n") || !strings.Contains(string(now), "# number of SuperNodes") {
		t.Errorf("comments are gone:\n%s", now)
	}
	sitetest.Choose(t, s, func(c *project.Choices) { c.Runtime = project.RuntimeProcess })
	if err := Act(ctx, s, front.RestartNodes, []string{"supernode_1"}, &sitetest.Heard{}); err != nil {
		t.Fatal(err)
	}
	if got := rt.Started["supernode_1"].Secrets["FLWRUP_TEST_TOKEN"]; got != "s3cret-of-the-clinic" {
		t.Errorf("the value that was asked for is %q", got)
	}
	err = filepath.WalkDir(s.Dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if strings.Contains(string(content), "s3cret-of-the-clinic") {
			t.Errorf("%s holds the secret", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	sitetest.Choose(t, s, func(c *project.Choices) { c.Runtime = project.RuntimeDocker })
	gone := &answers{t: t, list: []string{"setting=memory", "memory=-", "setting=data", "data=without scans:/scans:rw", "setting=Enter", "restart-now=yes"}}
	if err := Act(ctx, s, front.ChangeSettings, []string{"supernode_2"}, gone); err != nil {
		t.Fatal(err)
	}
	if n := s.Choices().ForNode(2); n.Memory != "2g" || !slices.Equal(n.Data, []string{"scans:/data/scans"}) {
		t.Errorf("after taking its own away: %+v", n)
	}
	if got := rt.Started["supernode_2"]; got.Memory != 2<<30 {
		t.Errorf("it was not restarted with what was chosen: %+v", got)
	}
	if err := Act(ctx, s, front.ChangeSettings, []string{"supernode_9"}, &sitetest.Heard{}); !problem.Is(err, problem.Usage) {
		t.Error(err)
	}
}
