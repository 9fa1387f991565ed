package logs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"flwrup/internal/problem"
	"flwrup/internal/safego"
	"flwrup/internal/supernode"
)

// Source returns a SuperNode's log: steps.Work is one, and so is every supernode.Runtime.
type Source interface {
	// Logs sends the node's lines to each, oldest first, until the log or ctx ends or each fails.
	Logs(ctx context.Context, node string, o supernode.LogOptions, each func(supernode.Line) error) error
}

const (
	gather     = 50 * time.Millisecond  // between two deliveries to Update
	patience   = 200 * time.Millisecond // how long a source waits for room before lines are dropped
	retryFirst = 2 * time.Second        // when a log could not be read
	retryLast  = 15 * time.Second

	pendingLines = 8192    // of all nodes, between two deliveries
	pendingBytes = 4 << 20 // of all nodes
)

// feed runs one goroutine a node and gathers their lines until Update takes them. All reading, cleaning and
// recognising is done in those goroutines; Update only copies bytes.
type feed struct {
	ctx    context.Context
	cancel context.CancelFunc
	src    Source
	nodes  []string
	tail   int

	wake chan struct{} // there is something to take
	last time.Time     // of the last delivery; only next touches it

	mu       sync.Mutex
	pending  []*batch
	spare    []*batch
	room     chan struct{} // closed when pending was taken
	maxLines int           // of one node, pending
	maxBytes int
	failed   error // a panic
}

// batchMsg brings the new lines, one batch a node; nil where there are none.
type batchMsg struct {
	feed    *feed
	batches []*batch
	failed  error
}

func newFeed(src Source, nodes []string, tail int) *feed {
	ctx, cancel := context.WithCancel(context.Background())
	f := &feed{
		ctx: ctx, cancel: cancel, src: src, nodes: nodes, tail: tail,
		wake: make(chan struct{}, 1), room: make(chan struct{}),
		pending:  make([]*batch, len(nodes)),
		maxLines: min(4096, max(128, pendingLines/max(1, len(nodes)))),
		maxBytes: max(64<<10, pendingBytes/max(1, len(nodes))),
	}
	return f
}

func (f *feed) start() {
	for i := range f.nodes {
		safego.Go("log of "+f.nodes[i], f.fail, func() { f.follow(i) })
	}
}

func (f *feed) fail(err error) {
	f.mu.Lock()
	f.failed = err
	f.mu.Unlock()
	f.signal()
}

func (f *feed) signal() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// follow reads one node's log until the feed is closed, and tries again when it ends before.
func (f *feed) follow(i int) {
	var (
		r     reader
		pause = retryFirst
		newer int64 // lines up to here were read before
		tail  = f.tail
	)
	for {
		came := false
		err := f.src.Logs(f.ctx, f.nodes[i], supernode.LogOptions{Follow: true, Tail: tail}, func(line supernode.Line) error {
			if !line.Time.IsZero() {
				if t := line.Time.UnixNano(); t > newer {
					r.last = t
				} else {
					return f.ctx.Err()
				}
			}
			came = true
			return f.put(i, &r, line)
		})
		if f.ctx.Err() != nil {
			return
		}
		if came {
			pause = retryFirst
		}
		newer = r.last
		if newer == 0 && came {
			tail = 0 // a source without times: the kept lines have been read
		}
		f.say(i, ending(err))
		select {
		case <-f.ctx.Done():
			return
		case <-time.After(pause):
		}
		pause = min(pause*2, retryLast)
	}
}

// ending says in a few words why a log stopped.
func ending(err error) string {
	if err == nil || errors.Is(err, io.EOF) {
		return "the log ended"
	}
	return problem.Of(err).What
}

// put reads line into the node's pending batch. When that is full it waits a little, so that the history of a
// node comes in whole, and then drops lines that come too fast.
func (f *feed) put(i int, r *reader, line supernode.Line) error {
	var timeout <-chan time.Time
	for {
		f.mu.Lock()
		b := f.batchOf(i)
		full := len(b.entries) >= f.maxLines || len(b.buf) >= f.maxBytes
		if !full {
			if b.state != "" || !b.changed {
				b.state, b.changed = "", true
			}
			r.read(line, b)
			f.mu.Unlock()
			f.signal()
			return nil
		}
		if b.dropped > 0 {
			b.dropped++
			f.mu.Unlock()
			return f.ctx.Err()
		}
		room := f.room
		f.mu.Unlock()
		if timeout == nil {
			t := time.NewTimer(patience)
			defer t.Stop()
			timeout = t.C
		}
		select {
		case <-room:
		case <-f.ctx.Done():
			return f.ctx.Err()
		case <-timeout:
			f.mu.Lock()
			f.batchOf(i).dropped++
			f.mu.Unlock()
			return nil
		}
	}
}

// say notes why there is nothing to read.
func (f *feed) say(i int, state string) {
	f.mu.Lock()
	b := f.batchOf(i)
	b.state, b.changed = state, true
	f.mu.Unlock()
	f.signal()
}

// batchOf returns the node's pending batch; f.mu is held.
func (f *feed) batchOf(i int) *batch {
	if f.pending[i] == nil {
		if n := len(f.spare); n > 0 {
			f.pending[i], f.spare = f.spare[n-1], f.spare[:n-1]
		} else {
			f.pending[i] = new(batch)
		}
	}
	return f.pending[i]
}

// next is the command that waits for lines; at most one runs at a time.
func (f *feed) next() tea.Msg {
	select {
	case <-f.wake:
	case <-f.ctx.Done():
		return nil
	}
	if rest := gather - time.Since(f.last); rest > 0 {
		select {
		case <-time.After(rest):
		case <-f.ctx.Done():
			return nil
		}
	}
	f.last = time.Now()
	return f.take()
}

// take returns all that is pending.
func (f *feed) take() batchMsg {
	f.mu.Lock()
	defer f.mu.Unlock()
	msg := batchMsg{feed: f, batches: f.pending, failed: f.failed}
	f.failed = nil
	f.pending = make([]*batch, len(f.nodes))
	close(f.room)
	f.room = make(chan struct{})
	for _, b := range msg.batches {
		if b != nil && b.dropped > 0 {
			note(b, fmt.Sprintf("%s dropped here: they came faster than flwrup could take them", count(b.dropped, "line")))
		}
	}
	return msg
}

// note adds a remark of flwrup's own.
func note(b *batch, text string) {
	e := entry{time: time.Now().UnixNano(), kind: newKind(Info, markNote)}
	if n := len(b.entries); n > 0 {
		e.time = b.entries[n-1].time
	}
	b.add(text, e)
}

// give takes back the batches of a message once they were copied.
func (f *feed) give(batches []*batch) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, b := range batches {
		if b == nil || len(f.spare) == len(f.nodes) || cap(b.buf) > 2*f.maxBytes {
			continue
		}
		b.reset()
		f.spare = append(f.spare, b)
	}
}

func (f *feed) close() { f.cancel() }
