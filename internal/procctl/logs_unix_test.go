//go:build linux || darwin

package procctl

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"flwrup/internal/problem"
	"flwrup/internal/supernode"
)

// logOf makes a node that has only a log.
func logOf(t *testing.T, older, newer string) (*Runtime, string) {
	t.Helper()
	r, err := New(Options{Dir: t.TempDir(), Project: "p"})
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(r.opts.Dir, "supernode_1")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{nodeFile: "{}", logFile + ".1": older, logFile: newer} {
		if content == "" {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return r, filepath.Join(dir, logFile)
}

func numbers(from, to int) string {
	var b strings.Builder
	for i := from; i < to; i++ {
		fmt.Fprintf(&b, "line %d %s\n", i, strings.Repeat("x", i%90))
	}
	return b.String()
}

func TestTail(t *testing.T) {
	for _, c := range []struct{ older, newer string }{
		{"", ""}, {"", "one"}, {"", "one\ntwo"}, {"", "\n\n\n"}, {"a\nb\n", "c\nd\n"}, {"a\nb\n", ""},
		{numbers(0, 3000), numbers(3000, 6000)}, {numbers(0, 10), numbers(10, 5000) + "unfinished"},
	} {
		r, _ := logOf(t, c.older, c.newer)
		all := strings.Split(strings.TrimSuffix(c.older+c.newer, "\n"), "\n")
		if c.older+c.newer == "" {
			all = nil
		}
		for _, n := range []int{-1, 0, 1, 2, 3, 5, 100, 2999, 3000, 3001, 4990, 4991, 4992, 100000} {
			want := all
			if n >= 0 && n < len(all) {
				want = all[len(all)-n:]
			}
			if got := text(t, r, supernode.LogOptions{Tail: n}); !slices.Equal(got, want) {
				t.Fatalf("%d older, %d newer bytes, tail %d: %d lines %.80q…, want %d", len(c.older), len(c.newer), n, len(got), got, len(want))
			}
		}
	}
}

func TestFollow(t *testing.T) {
	r, path := logOf(t, "", "old 1\nold 2\n")
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	lines := make(chan supernode.Line, 100)
	done := make(chan error, 1)
	go func() {
		done <- r.Logs(ctx, "supernode_1", supernode.LogOptions{Follow: true, Tail: 1}, func(l supernode.Line) error {
			lines <- l
			return nil
		})
	}()
	next := func(want string, timed bool) {
		t.Helper()
		select {
		case l := <-lines:
			if l.Text != want || l.Node != "supernode_1" || l.Time.IsZero() == timed {
				t.Fatalf("got %+v, want %q", l, want)
			}
		case <-time.After(5 * time.Second):
			t.Fatalf("never came: %q", want)
		}
	}
	write := func(flag int, s string) {
		t.Helper()
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|flag, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := f.WriteString(s); err != nil {
			t.Fatal(err)
		}
	}
	next("old 2", false)
	for now := false; !now; { // a line that is there before the end of the old ones is read has no time
		write(os.O_APPEND, "settle\n")
		now = !(<-lines).Time.IsZero()
	}
	write(os.O_APPEND, "new 1\nhal")
	next("new 1", true)
	write(os.O_APPEND, "f\n\x1b]52;c;x\x07\x1b[31mred\n")
	next("half", true)
	next("red", true)
	// Set aside, with a last line that nobody has read yet.
	write(os.O_APPEND, "last word\n")
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	write(0, mark("supernode_1 started: x", time.Now())+"anew\n")
	next("last word", true)
	if l := <-lines; markTime(l.Text).IsZero() || !l.Time.Equal(markTime(l.Text)) {
		t.Fatalf("%+v", l)
	}
	next("anew", true)
	write(os.O_TRUNC, "e\n")
	next("e", true)
	// Removed: the log ends.
	if err := os.RemoveAll(filepath.Dir(path)); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-done:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(5 * time.Second):
		t.Fatal("follows a node that was removed")
	}
	if err := r.Logs(ctx, "supernode_1", supernode.LogOptions{}, nil); !problem.Is(err, problem.NodeNotFound) {
		t.Fatal(err)
	}
}

func TestFollowEnds(t *testing.T) {
	r, _ := logOf(t, "", "a\nb\n")
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(100*time.Millisecond, cancel)
	o := supernode.LogOptions{Follow: true, Tail: -1}
	if err := r.Logs(ctx, "supernode_1", o, func(supernode.Line) error { return nil }); err != context.Canceled {
		t.Fatal(err)
	}
	stop := errors.New("stop")
	if err := r.Logs(context.Background(), "supernode_1", o, func(supernode.Line) error { return stop }); err != stop {
		t.Fatal(err)
	}
}

func TestRotation(t *testing.T) {
	r := runtimeIn(t, t.TempDir())
	spec := specOf(program(t))
	dir := filepath.Join(r.opts.Dir, "supernode_1")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("old line\n", maxLog/9+1) + "cut off"
	if err := os.WriteFile(filepath.Join(dir, logFile), []byte(long), 0o600); err != nil {
		t.Fatal(err)
	}
	start(t, r, spec)
	if info, err := os.Stat(filepath.Join(dir, logFile)); err != nil || info.Size() > 4096 {
		t.Fatal(info, err)
	}
	lines := text(t, r, supernode.LogOptions{Tail: 3})
	if !strings.Contains(strings.Join(lines, "\n"), "started:") {
		t.Errorf("%q", lines)
	}
	if n := len(text(t, r, supernode.LogOptions{Tail: -1})); n < maxLog/9 {
		t.Errorf("%d lines kept", n)
	}
}

func TestLastWords(t *testing.T) {
	for _, c := range []struct{ name, log, want string }{
		{"refused 1.42", "INFO :      Starting Flower SuperNode\nERROR :     Exit Code: 305\nFailed to initialize the connection to the SuperLink.\n" +
			"[code: 2004] Failed to activate SuperNode.\nThe SuperNode could not establish a connection to the SuperLink.\n\nINFO:     Finished server process [1]\n",
			"Exit Code: 305: Failed to initialize the connection to the SuperLink. [code: 2004] Failed to activate SuperNode."},
		{"traceback", "Traceback (most recent call last):\n  File \"x\"\nFileNotFoundError: [Errno 2] No such file\n\n", "FileNotFoundError: [Errno 2] No such file"},
		{"good-bye", "\x1b[92mINFO \x1b[0m:      SuperNode terminated gracefully.\nINFO:     Finished server process [1]\n", "SuperNode terminated gracefully."},
		{"only this start", "ERROR : Exit Code: 1\nold\n" + mark("supernode_1 started: x", time.Now()) + "WARNING :   Connection attempt failed, retrying in 0.83 seconds\n" +
			mark("asked process 1 to stop", time.Now()), "Connection attempt failed, retrying in 0.83 seconds"},
		{"nothing", "", ""},
	} {
		_, path := logOf(t, "", c.log)
		if got := lastWords(filepath.Dir(path)); got.text != c.want || got.graceful != (c.name == "good-bye") {
			t.Errorf("%s: %+v, want %q", c.name, got, c.want)
		}
	}
}
