//go:build linux

package e2e

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"flwrup/internal/ptytest"
)

// onTerminal starts flwrup on a terminal of w columns and rows rows.
func (h *home) onTerminal(w, rows int, args ...string) *ptytest.Terminal {
	h.t.Helper()
	return ptytest.Start(h.t, h.command(context.Background(), args...), w, rows)
}

// TestSilentTerminal: version, and the wizard's first frame, come at once on a terminal that answers
// nothing, where Bubble Tea alone would wait five seconds for its colours.
func TestSilentTerminal(t *testing.T) {
	h := newHome(t)
	began := time.Now()
	h.onTerminal(80, 24, "version").Over(0)
	if took := time.Since(began); took > time.Second {
		t.Errorf("version took %s", took)
	}
	best := time.Hour
	for range 5 { // the machine may be busy: what counts is what it can do
		s := h.onTerminal(80, 24, "rehearse")
		s.Wait("▸ Enter")
		best = min(best, s.FirstFrame())
		s.Press("q")
		s.Over(0)
		if out := s.Output(); strings.Contains(out, "\x1b]11;?") || strings.Contains(out, "\x1b[6n") {
			t.Errorf("the terminal was asked: %q", out)
		}
	}
	t.Logf("first frame after %s", best)
	if best > 400*time.Millisecond {
		t.Errorf("first frame after %s", best)
	}
}

// TestLeftAtOnce: opening the wizard and leaving it writes nothing into the folder, and makes none.
func TestLeftAtOnce(t *testing.T) {
	h := newHome(t)
	dir := filepath.Join(h.dir, "project")
	for how, key := range map[string]string{"q": "q", "Ctrl-C": "\x03"} {
		for name, args := range map[string][]string{"real": {"--dir", dir}, "rehearsal": {"rehearse", "--dir", dir}} {
			s := h.onTerminal(80, 24, args...)
			s.Wait("How much should flwrup ask?")
			s.Press(key)
			s.End()
			if left, err := os.ReadDir(dir); !os.IsNotExist(err) {
				t.Errorf("%s, left by %s: the folder is there, with %v", name, how, left)
			}
		}
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	s := h.onTerminal(80, 24, "--dir", dir)
	s.Wait("How much should flwrup ask?")
	s.Press("q")
	s.Over(0)
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("an empty folder holds %v, %v", left, err)
	}
}

// TestComeBack: whoever leaves half-way reads how to come back.
func TestComeBack(t *testing.T) {
	h := newHome(t)
	dir := filepath.Join(h.dir, "project")
	s := h.onTerminal(80, 24, "--dir", dir)
	s.Wait("How much should flwrup ask?")
	s.Press("\r")
	s.Wait("Do you have a Flower account?")
	s.Wait("enter take it") // not as soon as the question appears: an Enter then may be meant for the page before
	s.Press("\r")
	s.Wait("choose it after the login")
	time.Sleep(time.Second) // the key line is the same: nothing on the screen says that this question takes keys
	s.Press("\x1b")
	s.Wait("Enter asks again")
	s.Press("q")
	s.Over(0)
	if want := "to come back: flwrup --dir " + dir; !strings.Contains(s.Output(), want) {
		t.Errorf("%q lacks %q", s.Output(), want)
	}
}
