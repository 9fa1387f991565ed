package watch

import (
	"os"
	"strings"
	"testing"

	"flwrup/internal/health"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/site"
	"flwrup/internal/sitetest"
)

func TestMain(m *testing.M) { sitetest.Main(m) }

// A watch goes on with the values before an edit that nobody accepted.
func TestWatchKeepsValues(t *testing.T) {
	dir := sitetest.Clone(t, "nodes = 1\n")
	if err := sitetest.Try(site.Options{Dir: dir}); err != nil {
		t.Fatal(err)
	}
	var said []health.WatchEvent
	w := &watcher{dir: dir, each: func(e health.WatchEvent) { said = append(said, e) }}
	if err := w.open(); err != nil {
		t.Fatal(err)
	}
	defer func() { w.site.Close() }()
	sitetest.Rewrite(t, dir, "nodes = 1", "nodes = 2\nimage = \"theirs\"")
	for range 2 {
		if err := w.open(); err != nil {
			t.Fatal(err)
		}
	}
	if len(said) != 1 || said[0].Code != problem.NotAccepted || w.site.Choices().Nodes != 1 {
		t.Errorf("said %v, and has %d nodes", said, w.site.Choices().Nodes)
	}
	s, err := site.Open(site.Options{Dir: dir, Instead: w.site.Choices()})
	if err != nil {
		t.Fatal(err)
	}
	if s.Choices().Image != "" || s.Choices().Nodes != 1 {
		t.Error("a restart takes what nobody accepted")
	}
	s.Close()
	if text, _ := os.ReadFile(project.File(dir)); !strings.Contains(string(text), "theirs") {
		t.Error("a restart undid the edit")
	}
	asked, err := site.Trust(dir, nil)
	if err == nil {
		_, err = site.Trust(dir, asked.Open)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := w.open(); err != nil || w.site.Choices().Image != "theirs" {
		t.Errorf("accepted, and the watch has %q: %v", w.site.Choices().Image, err)
	}
}
