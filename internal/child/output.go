package child

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"time"
)

// MaxOutput is the most bytes that a short command may print. A list of 20,000 SuperNodes needs less.
const MaxOutput = 8 << 20

// ErrTooLong says that a child printed more than MaxOutput.
var ErrTooLong = errors.New("its answer is too long")

// Bounded keeps the output of a child, up to MaxOutput bytes, and stops a child that prints more.
type Bounded struct {
	Stop func() // called once, when it is too much

	mu   sync.Mutex // stdout and stderr may share one
	b    bytes.Buffer
	over bool
}

func (w *Bounded) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.over {
		return 0, ErrTooLong
	}
	if w.b.Len()+len(p) > MaxOutput {
		w.over = true
		w.Stop()
		return 0, ErrTooLong
	}
	return w.b.Write(p)
}

func (w *Bounded) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.String()
}

// Over reports whether the child printed too much.
func (w *Bounded) Over() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.over
}

// Tail keeps the last bytes of a child's output.
type Tail struct {
	mu   sync.Mutex
	b    []byte
	size int
}

// NewTail returns a Tail that keeps size bytes.
func NewTail(size int) *Tail { return &Tail{size: size} }

func (t *Tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.b = append(t.b, p...)
	if over := len(t.b) - t.size; over > 0 {
		t.b = append(t.b[:0], t.b[over:]...)
	}
	return len(p), nil
}

func (t *Tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.b)
}

// LastLines returns the last n lines of text that are not empty, as one line.
func LastLines(text string, n int) string {
	var keep []string
	for _, l := range strings.Split(text, "\n") {
		if strings.TrimSpace(l) != "" {
			keep = append(keep, strings.TrimSpace(l))
		}
	}
	return strings.Join(keep[max(0, len(keep)-n):], "; ")
}

// Ask runs a program for a short answer and returns its output. A program that takes longer than limit is a
// context.DeadlineExceeded, one that prints too much ErrTooLong.
func Ask(ctx context.Context, limit time.Duration, program string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	cmd := Tool(ctx, program, args...)
	cmd.Env = append(cmd.Env, "FLWR_DISABLE_UPDATE_CHECK=1", "PYTHONUTF8=1", "PYTHONSAFEPATH=1", "NO_COLOR=1")
	out := Bounded{Stop: cancel}
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	switch {
	case out.Over():
		err = ErrTooLong
	case ctx.Err() != nil:
		err = ctx.Err()
	}
	return out.String(), err
}
