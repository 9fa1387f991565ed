//go:build linux

package ui

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"flwrup/internal/ptytest"
)

// startDemo starts the demo as a process on a terminal of its own.
func startDemo(t *testing.T, kind string, w, h int) *ptytest.Terminal {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "FLWRUP_UI_DEMO="+kind)
	return ptytest.Start(t, cmd, w, h)
}

// TestFirstFrame: a terminal that answers no question has its first frame at once, and flwrup asks none.
func TestFirstFrame(t *testing.T) {
	best := time.Hour
	for range 3 { // the machine may be busy: the best time counts
		s := startDemo(t, "1", 80, 24)
		s.Wait("Account")
		best = min(best, s.FirstFrame())
		if out := s.Output(); strings.Contains(out, "\x1b]11;?") || strings.Contains(out, "\x1b[6n") {
			t.Errorf("the terminal was asked: %q", out)
		}
		s.Press("q")
		s.Over(0)
	}
	t.Logf("first frame after %v", best)
	if best > 400*time.Millisecond {
		t.Errorf("first frame after %v", best)
	}
}

func TestTerminalSane(t *testing.T) {
	for name, c := range map[string]struct {
		kind string
		end  func(*ptytest.Terminal)
		code int
	}{
		"q":        {"1", func(s *ptytest.Terminal) { s.Press("q") }, 0},
		"ctrl+c":   {"1", func(s *ptytest.Terminal) { s.Press("\x03") }, 130},
		"TERM":     {"1", func(s *ptytest.Terminal) { s.Signal(syscall.SIGTERM) }, 0},
		"HUP":      {"1", func(s *ptytest.Terminal) { s.Signal(syscall.SIGHUP) }, 0},
		"INT":      {"1", func(s *ptytest.Terminal) { s.Signal(os.Interrupt) }, 130},
		"mouse, q": {"1", func(s *ptytest.Terminal) { s.Press("M"); s.Wait("mouse on"); s.Press("q") }, 0},
		"panic of a job": {"panic-key", func(s *ptytest.Terminal) {
			s.Wait("enter take it")
			s.Press("\r")
			s.Wait("applying broke")
			s.Wait("SuperNodes go on")
			s.Press("q")
		}, 0},
		"panic of a look":     {"panic-inspect", func(s *ptytest.Terminal) { s.Wait("✗  2 Federation"); s.Press("q") }, 0},
		"panic of the screen": {"panic-screen", func(s *ptytest.Terminal) { s.Wait("enter take it"); s.Press("\r"); s.Wait("How many?"); s.Press("3") }, 1},
	} {
		t.Run(name, func(t *testing.T) {
			s := startDemo(t, c.kind, 80, 24)
			if c.kind == "1" {
				s.Wait("Enter")
			}
			c.end(s)
			s.Over(c.code)
		})
	}
}

// TestTerminalCloses: when the terminal goes away, so does flwrup.
func TestTerminalCloses(t *testing.T) {
	s := startDemo(t, "1", 80, 24)
	s.Wait("Enter")
	s.Close()
	s.End()
}

// TestOnScreen walks through some of it as a user would see it, and makes the window smaller and larger.
func TestOnScreen(t *testing.T) {
	s := startDemo(t, "1", 80, 24)
	s.Wait("How much should flwrup ask?")
	s.Press("\r")
	s.Wait("Do you have a Flower account?")
	s.Wait("enter take it") // not as soon as the question appears: an Enter then may be meant for the page before
	s.Press("\r")
	s.Wait("continuing to Federation")
	s.Press("\x1b") // any key holds it
	s.Wait("Enter  continue to Federation")
	s.Resize(40, 15)
	s.Wait("step 1 of 16")
	s.Resize(30, 8)
	s.Wait("needs a little more")
	s.Resize(120, 40)
	s.Wait("continue to Federation")
	s.Press("?")
	s.Wait("Keys that work here")
	s.Press("\x1b")
	s.Wait("Flower account")
	s.Press("q")
	s.Over(0)
}
