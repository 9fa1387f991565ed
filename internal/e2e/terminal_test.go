//go:build linux

package e2e

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/hinshun/vt10x"
	"golang.org/x/sys/unix"
)

// terminal is flwrup on a terminal of its own, which shows everything and answers nothing.
type terminal struct {
	t     *testing.T
	cmd   *exec.Cmd
	pty   *os.File
	tty   *os.File // kept open, so that its settings can be read after flwrup has gone
	vt    vt10x.Terminal
	mu    sync.Mutex
	raw   bytes.Buffer
	first time.Duration // from the start to the first frame
	state unix.Termios
	ended chan struct{}
}

// onTerminal starts flwrup on a terminal of w columns and h rows.
func (h *home) onTerminal(w, rows int, args ...string) *terminal {
	t := h.t
	t.Helper()
	p, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	if err := pty.Setsize(p, &pty.Winsize{Rows: uint16(rows), Cols: uint16(w)}); err != nil {
		t.Fatal(err)
	}
	s := &terminal{t: t, pty: p, tty: tty, vt: vt10x.New(vt10x.WithSize(w, rows)), ended: make(chan struct{})}
	s.state = s.settings()
	s.cmd = h.command(context.Background(), args...)
	s.cmd.Env = append(s.cmd.Env, "TERM=xterm-256color", "LC_ALL=C.UTF-8", "NO_COLOR=", "COLORFGBG=", "ACCESSIBLE=")
	s.cmd.Stdin, s.cmd.Stdout, s.cmd.Stderr = tty, tty, tty
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	began := time.Now()
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _ = s.cmd.Wait(); close(s.ended) }()
	go s.read(began)
	t.Cleanup(func() { _ = s.cmd.Process.Kill(); <-s.ended; p.Close(); tty.Close() })
	return s
}

func (s *terminal) read(began time.Time) {
	buf := make([]byte, 8192)
	for {
		n, err := s.pty.Read(buf)
		if n > 0 {
			s.mu.Lock()
			s.raw.Write(buf[:n])
			_, _ = s.vt.Write(buf[:n])
			if s.first == 0 && bytes.Contains(s.raw.Bytes(), []byte("flwrup")) {
				s.first = time.Since(began)
			}
			s.mu.Unlock()
		}
		if err != nil { // the last end of the terminal is closed
			return
		}
	}
}

func (s *terminal) settings() unix.Termios {
	s.t.Helper()
	v, err := unix.IoctlGetTermios(int(s.tty.Fd()), unix.TCGETS)
	if err != nil {
		s.t.Fatal(err)
	}
	return *v
}

// screen is what can be seen now.
func (s *terminal) screen() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.vt.String()
}

// output is all that was written to the terminal so far.
func (s *terminal) output() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.raw.String()
}

// wait waits until text can be seen.
func (s *terminal) wait(text string) {
	s.t.Helper()
	for limit := time.Now().Add(90 * time.Second); !strings.Contains(s.screen(), text); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(limit) {
			s.t.Fatalf("%q does not come:\n%s", text, s.screen())
		}
	}
}

func (s *terminal) press(keys string) {
	s.t.Helper()
	if _, err := s.pty.WriteString(keys); err != nil {
		s.t.Fatal(err)
	}
}

// enterUntil is a person who knows one key: Enter, wherever the screen stands still and offers it, until
// text can be seen.
func (s *terminal) enterUntil(text string, within time.Duration) (presses int) {
	s.t.Helper()
	answered, limit := "", time.Now().Add(within)
	for {
		before := s.screen()
		time.Sleep(250 * time.Millisecond)
		now := s.screen()
		switch {
		case strings.Contains(now, text):
			return presses
		case time.Now().After(limit):
			s.t.Fatalf("%q does not come within %s; %d times Enter:\n%s", text, within, presses, now)
		case now != before || now == answered || !strings.Contains(now[strings.LastIndex(strings.TrimRight(now, "\n"), "\n")+1:], " enter "):
			continue // the last line tells the keys
		}
		answered = now
		presses++
		s.press("\r")
	}
}

// over waits for the end, and holds the terminal against how it was.
func (s *terminal) over(code int) {
	s.t.Helper()
	s.end()
	if got := s.cmd.ProcessState.ExitCode(); got != code {
		s.t.Errorf("exit code %d, %d wanted\n%s", got, code, s.screen())
	}
	if got := s.settings(); got != s.state {
		s.t.Errorf("the terminal's settings are %+v, before %+v", got, s.state)
	}
	time.Sleep(50 * time.Millisecond) // for what is still on its way through the terminal
	out := s.output()
	for on, off := range map[string]string{"\x1b[?1049h": "\x1b[?1049l", "\x1b[?25l": "\x1b[?25h", "\x1b[?2004h": "\x1b[?2004l", "\x1b[?1002h": "\x1b[?1002l"} {
		if strings.LastIndex(out, on) > strings.LastIndex(out, off) {
			s.t.Errorf("%q was not taken back", on)
		}
	}
}

func (s *terminal) end() {
	s.t.Helper()
	select {
	case <-s.ended:
	case <-time.After(90 * time.Second):
		s.t.Fatalf("it does not end:\n%s", s.screen())
	}
}

// TestSilentTerminal: version, and the wizard's first frame, come at once on a terminal that answers
// nothing, where Bubble Tea alone would wait five seconds for its colours.
func TestSilentTerminal(t *testing.T) {
	h := newHome(t)
	began := time.Now()
	h.onTerminal(80, 24, "version").over(0)
	if took := time.Since(began); took > time.Second {
		t.Errorf("version took %s", took)
	}
	best := time.Hour
	for range 5 { // the machine may be busy: what counts is what it can do
		s := h.onTerminal(80, 24, "rehearse")
		s.wait("▸ Enter")
		best = min(best, s.first)
		s.press("q")
		s.over(0)
		if out := s.output(); strings.Contains(out, "\x1b]11;?") || strings.Contains(out, "\x1b[6n") {
			t.Errorf("the terminal was asked: %q", out)
		}
	}
	t.Logf("first frame after %s", best)
	if best > 400*time.Millisecond {
		t.Errorf("first frame after %s", best)
	}
}
