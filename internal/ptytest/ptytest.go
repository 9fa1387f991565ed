//go:build linux

// Package ptytest runs a program on a terminal of its own, as a test's eyes and hands: what can be seen,
// what is typed, and whether the terminal is as it was when the program has ended.
package ptytest

import (
	"bytes"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/hinshun/vt10x"
	"golang.org/x/sys/unix"
)

// Limit is how long Wait and End wait: the machine may be busy.
const Limit = 90 * time.Second

// Terminal shows everything that the program writes and answers nothing.
type Terminal struct {
	t     *testing.T
	cmd   *exec.Cmd
	pty   *os.File
	tty   *os.File // kept open, so that its settings can be read after the program has gone
	state unix.Termios
	ended chan struct{}

	mu    sync.Mutex // guards what follows
	vt    vt10x.Terminal
	raw   bytes.Buffer
	came  []Moment
	first time.Duration
}

// Start starts cmd on a terminal of w columns and h rows, in colour and UTF-8. What still runs at the
// end of the test is killed.
func Start(t *testing.T, cmd *exec.Cmd, w, h int) *Terminal {
	t.Helper()
	p, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	s := &Terminal{t: t, cmd: cmd, pty: p, tty: tty, vt: vt10x.New(vt10x.WithSize(w, h)), ended: make(chan struct{})}
	s.Resize(w, h)
	s.state = s.settings()
	if cmd.Env == nil {
		cmd.Env = os.Environ()
	}
	cmd.Env = append(cmd.Env, "TERM=xterm-256color", "LC_ALL=C.UTF-8", "NO_COLOR=", "COLORFGBG=", "ACCESSIBLE=")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, tty, tty
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _ = cmd.Wait(); close(s.ended) }()
	go s.read(began)
	t.Cleanup(func() { _ = cmd.Process.Kill(); <-s.ended; s.Close() })
	return s
}

func (s *Terminal) read(began time.Time) {
	buf := make([]byte, 8192)
	for {
		n, err := s.pty.Read(buf)
		if n > 0 {
			s.mu.Lock()
			s.raw.Write(buf[:n])
			s.came = append(s.came, Moment{time.Since(began), s.raw.Len()})
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

func (s *Terminal) settings() unix.Termios {
	s.t.Helper()
	v, err := unix.IoctlGetTermios(int(s.tty.Fd()), unix.TCGETS)
	if err != nil {
		s.t.Fatal(err)
	}
	return *v
}

// Resize makes the terminal w columns wide and h rows high.
func (s *Terminal) Resize(w, h int) {
	s.t.Helper()
	s.mu.Lock()
	s.vt.Resize(w, h)
	s.mu.Unlock()
	if err := pty.Setsize(s.pty, &pty.Winsize{Rows: uint16(h), Cols: uint16(w)}); err != nil {
		s.t.Fatal(err)
	}
}

// Screen is what can be seen now.
func (s *Terminal) Screen() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.vt.String()
}

// Output is all that was written to the terminal so far.
func (s *Terminal) Output() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.raw.String()
}

// Moment says how much was written to the terminal by a time after the start.
type Moment struct {
	After time.Duration
	Bytes int
}

// Moments are when what Output returns was written.
func (s *Terminal) Moments() []Moment {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.came)
}

// Marks are other things than the screen that a program could change: the window's title, and whether the cursor is
// shown.
func (s *Terminal) Marks() (title string, cursor bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.vt.Title(), s.vt.CursorVisible()
}

// FirstFrame is the time from the start to the first output with flwrup's name; 0 before that.
func (s *Terminal) FirstFrame() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.first
}

// Wait waits until text can be seen.
func (s *Terminal) Wait(text string) {
	s.t.Helper()
	for limit := time.Now().Add(Limit); !strings.Contains(s.Screen(), text); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(limit) {
			s.t.Fatalf("%q does not come:\n%s", text, s.Screen())
		}
	}
}

// Press types keys.
func (s *Terminal) Press(keys string) {
	s.t.Helper()
	if _, err := s.pty.WriteString(keys); err != nil {
		s.t.Fatal(err)
	}
}

// EnterUntil is a person who knows one key: Enter, wherever the screen stands still and offers it, until
// text can be seen.
func (s *Terminal) EnterUntil(text string, within time.Duration) (presses int) {
	s.t.Helper()
	answered, limit := "", time.Now().Add(within)
	for {
		before := s.Screen()
		time.Sleep(250 * time.Millisecond)
		now := s.Screen()
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
		s.Press("\r")
	}
}

// Signal sends the program a signal.
func (s *Terminal) Signal(sig os.Signal) {
	s.t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.t.Fatal(err)
	}
}

// Close closes the terminal, as a window that is closed does.
func (s *Terminal) Close() {
	s.tty.Close()
	s.pty.Close()
}

// End waits for the program's end.
func (s *Terminal) End() {
	s.t.Helper()
	select {
	case <-s.ended:
	case <-time.After(Limit):
		s.t.Fatalf("it does not end:\n%s", s.Screen())
	}
}

// Over waits for the end, and compares the exit code with code and the terminal with its state before.
func (s *Terminal) Over(code int) {
	s.t.Helper()
	s.End()
	if got := s.cmd.ProcessState.ExitCode(); got != code {
		s.t.Errorf("exit code %d, %d wanted\n%s", got, code, s.Screen())
	}
	if got := s.settings(); got != s.state {
		s.t.Errorf("the terminal's settings are %+v, before %+v", got, s.state)
	}
	time.Sleep(50 * time.Millisecond) // for what is still on its way through the terminal
	out := s.Output()
	for on, off := range map[string]string{"\x1b[?1049h": "\x1b[?1049l", "\x1b[?25l": "\x1b[?25h", "\x1b[?2004h": "\x1b[?2004l", "\x1b[?1002h": "\x1b[?1002l"} {
		if strings.LastIndex(out, on) > strings.LastIndex(out, off) {
			s.t.Errorf("%q was not taken back", on)
		}
	}
}
