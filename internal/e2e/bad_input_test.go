//go:build linux

package e2e

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
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

// TestStops ends a rehearsal with Ctrl-C in the middle: exit code 130, nothing left running, and the same
// command goes on. Meanwhile a second flwrup in the same folder is told who is at work.
func TestStops(t *testing.T) {
	h := newHome(t, "1.24.0")
	dir := filepath.Join(h.dir, "stopped")
	args := []string{"rehearse", "--yes", "--json", "--nodes", "2", "--flwr", "1.24.0", "--runtime", "process", "--dir", dir}
	cmd := h.command(context.Background(), args...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, time.Minute, func() string {
		if len(ledgerNodes(t, dir)) == 0 {
			return "nothing registered yet"
		}
		return ""
	})
	if r := h.run(args...); r.code != 1 || !strings.Contains(r.out, `"busy"`) {
		t.Errorf("a second flwrup in the folder: exit %d\n%s", r.code, tail(r.out))
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 130 {
		t.Errorf("exit code %d after Ctrl-C, 130 wanted", code)
	}
	if left := processesOf(h.dir); len(left) > 0 {
		t.Errorf("processes left: %v", left)
	}
	before := ledgerNodes(t, dir)
	got := parse(t, h.must(append(args, "--keep")...).out)
	defer h.run("down", "--dir", dir)
	if got.Data.Online != 2 {
		t.Errorf("two nodes online wanted, got %+v", got.Data)
	}
	for key, id := range before {
		if ledgerNodes(t, dir)[key] != id {
			t.Errorf("the node ID of %s was %s", key, id)
		}
	}
}
