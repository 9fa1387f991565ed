//go:build linux

package ui

import (
	"bytes"
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

// screen is the demo in a process and a terminal of its own.
type screen struct {
	t     *testing.T
	cmd   *exec.Cmd
	pty   *os.File
	tty   *os.File // kept open, so that its settings can be read after the process has gone
	term  vt10x.Terminal
	mu    sync.Mutex
	raw   bytes.Buffer
	first chan struct{}
	state unix.Termios
	began time.Time
}

func startScreen(t *testing.T, kind string, w, h int, env ...string) *screen {
	t.Helper()
	p, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	if err := pty.Setsize(p, &pty.Winsize{Rows: uint16(h), Cols: uint16(w)}); err != nil {
		t.Fatal(err)
	}
	s := &screen{t: t, pty: p, tty: tty, term: vt10x.New(vt10x.WithSize(w, h)), first: make(chan struct{})}
	s.state = s.termios()
	s.cmd = exec.Command(os.Args[0])
	s.cmd.Env = append(os.Environ(), append([]string{"FLWRUP_UI_DEMO=" + kind, "TERM=xterm-256color", "LC_ALL=C.UTF-8", "NO_COLOR=", "COLORFGBG="}, env...)...)
	s.cmd.Stdin, s.cmd.Stdout, s.cmd.Stderr = tty, tty, tty
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	s.began = time.Now()
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.cmd.Process.Kill(); p.Close(); tty.Close() })
	go s.read()
	return s
}

func (s *screen) read() {
	buf := make([]byte, 8192)
	seen := false
	for {
		n, err := s.pty.Read(buf)
		if n > 0 {
			s.mu.Lock()
			s.raw.Write(buf[:n])
			s.term.Write(buf[:n])
			if !seen && bytes.Contains(s.raw.Bytes(), []byte("flwrup")) {
				seen = true
				close(s.first)
			}
			s.mu.Unlock()
		}
		if err != nil {
			return
		}
	}
}

func (s *screen) termios() unix.Termios {
	s.t.Helper()
	v, err := unix.IoctlGetTermios(int(s.tty.Fd()), unix.TCGETS)
	if err != nil {
		s.t.Fatal(err)
	}
	return *v
}

func (s *screen) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.term.String()
}

func (s *screen) output() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.raw.String()
}

func (s *screen) wait(text string) {
	s.t.Helper()
	for end := time.Now().Add(40 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if strings.Contains(s.text(), text) {
			return
		}
	}
	s.t.Fatalf("%q does not come:\n%s", text, s.text())
}

func (s *screen) press(keys string) {
	s.t.Helper()
	if _, err := s.pty.WriteString(keys); err != nil {
		s.t.Fatal(err)
	}
}

// over waits for the process and looks whether the terminal is as it was.
func (s *screen) over(code int) {
	s.t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- s.cmd.Wait() }()
	select {
	case <-ended:
	case <-time.After(60 * time.Second):
		s.t.Fatalf("it does not end:\n%s", s.text())
	}
	if got := s.cmd.ProcessState.ExitCode(); got != code {
		s.t.Errorf("exit code %d, want %d\n%s", got, code, s.text())
	}
	if got := s.termios(); got != s.state {
		s.t.Errorf("the terminal's settings differ: %+v, before %+v", got, s.state)
	}
	time.Sleep(50 * time.Millisecond)
	out := s.output()
	for on, off := range map[string]string{"\x1b[?1049h": "\x1b[?1049l", "\x1b[?25l": "\x1b[?25h", "\x1b[?2004h": "\x1b[?2004l", "\x1b[?1002h": "\x1b[?1002l"} {
		if strings.LastIndex(out, on) > strings.LastIndex(out, off) {
			s.t.Errorf("%q was not taken back", on)
		}
	}
}

// TestFirstFrame: a terminal that answers no question has its first frame at once; and no question is put.
func TestFirstFrame(t *testing.T) {
	best := time.Hour
	for range 3 { // the machine may be busy: what counts is what it can do
		s := startScreen(t, "1", 80, 24)
		select {
		case <-s.first:
			best = min(best, time.Since(s.began))
		case <-time.After(4 * time.Second):
			t.Fatal("no frame: somebody waits for the terminal's answer")
		}
		if out := s.output(); strings.Contains(out, "\x1b]11;?") || strings.Contains(out, "\x1b[6n") {
			t.Errorf("the terminal was asked: %q", out)
		}
		s.wait("Flower account")
		s.press("q")
		s.over(0)
	}
	t.Logf("first frame after %v", best)
	if best > 400*time.Millisecond {
		t.Errorf("first frame after %v", best)
	}
}

func TestTerminalSane(t *testing.T) {
	for name, c := range map[string]struct {
		kind string
		end  func(*screen)
		code int
	}{
		"q":         {"1", func(s *screen) { s.press("q") }, 0},
		"ctrl+c":    {"1", func(s *screen) { s.press("\x03") }, 130},
		"TERM":      {"1", func(s *screen) { s.cmd.Process.Signal(syscall.SIGTERM) }, 0},
		"HUP":       {"1", func(s *screen) { s.cmd.Process.Signal(syscall.SIGHUP) }, 0},
		"INT":       {"1", func(s *screen) { s.cmd.Process.Signal(os.Interrupt) }, 130},
		"mouse, q":  {"1", func(s *screen) { s.press("M"); s.wait("mouse on"); s.press("q") }, 0},
		"panic":     {"panic-key", func(s *screen) { s.wait("do this"); s.press("\r") }, 1},
		"panic far": {"panic-inspect", func(s *screen) {}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			s := startScreen(t, c.kind, 80, 24)
			<-s.first
			if c.kind == "1" {
				s.wait("Enter")
			}
			c.end(s)
			s.over(c.code)
		})
	}
}

// TestTerminalCloses: when the terminal goes away, so does flwrup.
func TestTerminalCloses(t *testing.T) {
	s := startScreen(t, "1", 80, 24)
	s.wait("Enter")
	s.tty.Close()
	s.pty.Close()
	ended := make(chan error, 1)
	go func() { ended <- s.cmd.Wait() }()
	select {
	case <-ended:
	case <-time.After(40 * time.Second):
		t.Fatal("it goes on without a terminal")
	}
}

// TestOnScreen goes through some of it as a person would see it, and makes the window smaller and larger.
func TestOnScreen(t *testing.T) {
	s := startScreen(t, "1", 80, 24)
	s.wait("▸ Enter  do this")
	s.press("\r")
	s.wait("Do you have a Flower account?")
	s.press("\r")
	s.wait("go on to Federation")
	resize := func(w, h int) {
		s.mu.Lock()
		s.term.Resize(w, h)
		s.mu.Unlock()
		if err := pty.Setsize(s.pty, &pty.Winsize{Rows: uint16(h), Cols: uint16(w)}); err != nil {
			t.Fatal(err)
		}
	}
	resize(40, 15)
	s.wait("step 1 of 16")
	resize(30, 8)
	s.wait("needs a little more")
	resize(120, 40)
	s.wait("go on to Federation")
	s.press("?")
	s.wait("All keys")
	s.press("\x1b")
	s.wait("Flower account")
	s.press("q")
	s.over(0)
}
