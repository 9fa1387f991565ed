package ui

import (
	"context"
	"sync"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"flwrup/internal/safego"
	"flwrup/ui/style"
)

// tasks counts the commands that are running, so that Run can wait for them.
type tasks struct {
	mu sync.Mutex
	n  int
	c  chan struct{} // replaced and closed when n falls to 0
}

func newTasks() *tasks { return &tasks{c: make(chan struct{})} }

func (t *tasks) add() {
	t.mu.Lock()
	t.n++
	t.mu.Unlock()
}

func (t *tasks) done() {
	t.mu.Lock()
	if t.n--; t.n == 0 {
		close(t.c)
		t.c = make(chan struct{})
	}
	t.mu.Unlock()
}

// wait waits until nothing runs, at most for d, and reports whether that was so.
func (t *tasks) wait(d time.Duration) bool {
	t.mu.Lock()
	n, c := t.n, t.c
	t.mu.Unlock()
	if n == 0 {
		return true
	}
	select {
	case <-c:
		return true
	case <-time.After(d):
		return false
	}
}

// guard counts a command as running and turns a panic in it into a sentence on the screen.
func (t *tasks) guard(cmd tea.Cmd) tea.Cmd {
	if cmd == nil {
		return nil
	}
	return func() (msg tea.Msg) {
		t.add()
		defer t.done()
		defer func() {
			if v := recover(); v != nil {
				msg = *safego.Recovered("a task of the screen", v)
			}
		}()
		msg = cmd()
		if batch, ok := msg.(tea.BatchMsg); ok {
			for i := range batch {
				batch[i] = t.guard(batch[i])
			}
		}
		return msg
	}
}

// clock moves the spinner and the ages on the screen.
type clock struct {
	ticking bool
	frame   int // of the spinner
}

func (c *clock) spin(s *style.Set) string { return s.Signs.Spinner[c.frame%len(s.Signs.Spinner)] }

// tick starts the next tick after d; never when d is 0.
func (c *clock) tick(ctx context.Context, d time.Duration) tea.Cmd {
	if c.ticking || d == 0 {
		return nil
	}
	c.ticking = true
	return func() tea.Msg {
		t := time.NewTimer(d)
		defer t.Stop()
		select {
		case <-t.C:
			return tickMsg{}
		case <-ctx.Done():
			return nil
		}
	}
}
