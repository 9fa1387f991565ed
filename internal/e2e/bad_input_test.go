//go:build linux

package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestBadInput holds what a person is told against what went wrong: a code, a sentence, what to do.
func TestBadInput(t *testing.T) {
	h := newHome(t)
	write := func(dir, name, text string) string {
		t.Helper()
		file := filepath.Join(h.dir, dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return filepath.Join(h.dir, dir)
	}
	for _, c := range []struct {
		name string
		args []string
		exit int
		says string
	}{
		{"unknown command", []string{"upp"}, 2, "upp"},
		{"unknown flag", []string{"up", "--nope"}, 2, "--nope"},
		{"not a number", []string{"rehearse", "--nodes", "three"}, 2, "three"},
		{"nothing there", []string{"status", "--dir", filepath.Join(h.dir, "empty")}, 1, "flwrup.toml"},
		{"invalid TOML", []string{"status", "--dir", write("bad toml", "flwrup.toml", "nodes = = 3\n")}, 1, "flwrup.toml"},
		{"unknown key", []string{"status", "--dir", write("bad key", "flwrup.toml", "nodez = 3\n")}, 1, "nodez"},
		{"a folder that is a file", []string{"rehearse", "--yes", "--dir", filepath.Join(write("file", "here", ""), "here")}, 1, "file"},
		{"a real project", []string{"rehearse", "--yes", "--dir", write("real", "flwrup.toml", "nodes = 3\n")}, 1, "real grid"},
		{"a folder that cannot be made", []string{"rehearse", "--yes", "--dir", "/proc/flwrup"}, 1, "/proc/flwrup"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := *h
			h.t = t
			r := h.run(c.args...)
			if r.code != c.exit || !strings.Contains(r.err, c.says) {
				t.Errorf("exit %d and %q wanted, got exit %d:\n%s%s", c.exit, c.says, r.code, r.out, r.err)
			}
			if strings.Contains(r.err, "panic") || strings.Contains(r.err, "goroutine") {
				t.Error("a panic reached the person")
			}
		})
	}
}
