package ui

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/term"

	"flwrup/internal/background" // settles the background's colour before Bubble Tea's init would ask the terminal
	"flwrup/internal/front"
	"flwrup/internal/safego"
	"flwrup/ui/style"
)

// Options are what Run needs. The caller decides that there is a terminal fit for a screen at all.
type Options struct {
	Work Work
	In   io.Reader // nil: os.Stdin
	Out  io.Writer // nil: os.Stdout
	// Start names the first page: "dashboard", "step:7", "logs", "logs:supernode_1,supernode_2", or "" for the
	// first step that is not done, or the dashboard when 1 to 14 are.
	Start   string
	NoColor bool // no colour at all
	ASCII   bool // no character beyond ASCII; see UTF8
	Basic   bool // 16 colours
	Light   bool // the background is light
	// ExitAfter is how long Run waits at the end for stopped work; 0 means 15 seconds.
	ExitAfter time.Duration

	now  func() time.Time
	env  func(string) string
	open func(url string) error
	size [2]int
}

// FromEnv fills NoColor, ASCII, Basic and Light from the environment: NO_COLOR, LC_ALL, LC_CTYPE, LANG,
// COLORFGBG, TERM, COLORTERM.
func (o Options) FromEnv(env func(string) string) Options {
	o.NoColor = o.NoColor || env("NO_COLOR") != ""
	o.ASCII = o.ASCII || !UTF8(env)
	o.Light = o.Light || !background.Dark(env("COLORFGBG"))
	if env("COLORTERM") == "" && !strings.Contains(env("TERM"), "256") && !knownColours(env("TERM")) {
		o.Basic = true
	}
	return o
}

// knownColours lists terminals with 256 colours whose names do not say so.
func knownColours(term string) bool {
	for _, name := range []string{"kitty", "alacritty", "ghostty", "foot", "wezterm", "iterm", "konsole"} {
		if strings.Contains(term, name) {
			return true
		}
	}
	return false
}

// Result says how the wizard ended.
type Result struct {
	Interrupted bool         // Ctrl-C
	Signal      os.Signal    // the signal that ended it, if one did
	Step        front.StepID // the step that was open, 1 to 16
	Dashboard   bool         // the dashboard was open
}

func (o Options) start() (kind string, n int) {
	kind, rest, _ := strings.Cut(o.Start, ":")
	n, _ = strconv.Atoi(rest)
	return kind, n
}

func (o Options) startNodes() []string {
	_, rest, _ := strings.Cut(o.Start, ":")
	if rest == "" {
		return nil
	}
	return strings.Split(rest, ",")
}

func (o Options) filled() Options {
	if o.In == nil {
		o.In = os.Stdin
	}
	if o.Out == nil {
		o.Out = os.Stdout
	}
	if o.ExitAfter == 0 {
		o.ExitAfter = 15 * time.Second
	}
	if o.env == nil {
		o.env = os.Getenv
	}
	if o.open == nil {
		o.open = openBrowser
	}
	return o
}

// Run shows the wizard until the user leaves, ctx ends, a signal (INT, TERM, HUP) comes or flwrup has a bug;
// only the last returns an error. When Run returns the terminal is as before, and all work has ended.
func Run(ctx context.Context, o Options) (Result, error) {
	o = o.filled()
	var keep io.Writer
	out := &lockedOutput{to: o.Out}
	keep = out
	if f, ok := o.Out.(*os.File); ok {
		keep = &lockedFile{File: f, lockedOutput: out}
		if w, h, err := term.GetSize(f.Fd()); err == nil {
			o.size = [2]int{w, h}
		}
	}
	m := newModel(ctx, o, out)
	m.resize(o.size[0], o.size[1])
	p := tea.NewProgram(m, tea.WithInput(o.In), tea.WithOutput(keep), tea.WithAltScreen(), tea.WithoutSignalHandler(),
		tea.WithFPS(style.FramesPerSecond))

	signals := make(chan os.Signal, 1)
	signal.Notify(signals, endSignals...)
	defer signal.Stop(signals)
	over := make(chan struct{})
	watching := make(chan struct{})
	safego.Go("wait for signals", func(err error) { p.Send(endMsg{err: err}) }, func() {
		defer close(watching)
		watch(ctx, m, p, signals, over)
	})
	others := make(chan struct{})
	safego.Go("look at other flwrups", func(err error) { p.Send(endMsg{err: err}) }, func() {
		defer close(others)
		watchOthers(m.ctx, m.work, p.Send)
	})
	_, err := p.Run()
	close(over)
	<-watching
	m.cancel(errLeft)
	<-others
	m.close() // the panes read logs and watch states until they are closed
	if sig := m.signalled.Load(); sig != nil {
		m.result.Signal = *sig
	}
	if !m.tasks.wait(o.ExitAfter) && m.err == nil {
		m.err = errors.New("work did not stop in time")
	}
	switch {
	case m.err != nil:
		return m.result, m.broken()
	case err != nil && m.leaving: // the terminal went away while leaving
		return m.result, nil
	case err != nil && ctx.Err() == nil:
		return m.result, fmt.Errorf("terminal: %w", err)
	}
	return m.result, nil
}

// watch ends the program when ctx ends or a signal comes, and kills it when it does not end in time.
func watch(ctx context.Context, m *Model, p *tea.Program, signals <-chan os.Signal, over <-chan struct{}) {
	var end endMsg
	select {
	case <-over:
		return
	case <-ctx.Done():
	case sig := <-signals:
		m.signalled.Store(&sig)
		end.interrupted = sig == os.Interrupt
	}
	sent := make(chan struct{})
	safego.Go("send the end", func(error) {}, func() { p.Send(end); close(sent) })
	select {
	case <-over:
	case <-time.After(2 * time.Second):
		p.Kill()
	}
	<-sent
}

// broken returns the error that ended the program, with the stack of a panic for the report of a bug.
func (m *Model) broken() error {
	var p *safego.Panic
	if errors.As(m.err, &p) {
		return fmt.Errorf("%w\n%s", m.err, bytes.TrimSpace(p.Stack))
	}
	return m.err
}

// close ends everything that the components have running.
func (m *Model) close() {
	m.cancel(errLeft)
	if m.dash != nil {
		m.dash.Close()
	}
	if m.logs != nil {
		m.logs.Close()
	}
}

// lockedOutput keeps other output to the terminal out of the middle of a frame.
type lockedOutput struct {
	mu sync.Mutex
	to io.Writer
}

func (o *lockedOutput) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.to.Write(p)
}

// lockedFile is a lockedOutput that Bubble Tea still recognises as a terminal.
type lockedFile struct {
	*os.File
	*lockedOutput
}

func (f *lockedFile) Write(p []byte) (int, error)       { return f.lockedOutput.Write(p) }
func (f *lockedFile) WriteString(s string) (int, error) { return f.lockedOutput.Write([]byte(s)) }
