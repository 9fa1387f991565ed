// Package tally counts the errors in the logs of SuperNodes, for a screen that shows none of their lines.
package tally

import (
	"cmp"
	"context"
	"sync"
	"time"

	"flwrup/internal/safego"
	"flwrup/internal/supernode"
	"flwrup/ui/logs"
)

// Count is what the log of one SuperNode says since it began.
type Count struct {
	Errors    int
	More      bool          // there were more before what was read
	LastError time.Time     // zero without one
	Run       string        // the run that it heard of last
	Asked     time.Time     // when that run's last message came: to train, to evaluate
	Longest   time.Duration // between two of them
}

// Tally counts in the logs of SuperNodes, without keeping their lines: a follower each, which sleeps while
// nothing is logged. It is safe for use from any goroutine.
type Tally struct {
	src    logs.Source
	ctx    context.Context
	cancel context.CancelFunc
	broken func(error)

	mu     sync.Mutex
	counts map[string]*Count
	ends   map[string]context.CancelFunc
}

// New follows no log yet. A panic of a follower goes to broken.
func New(src logs.Source, broken func(error)) *Tally {
	ctx, cancel := context.WithCancel(context.Background())
	return &Tally{src: src, ctx: ctx, cancel: cancel, broken: broken, counts: map[string]*Count{}, ends: map[string]context.CancelFunc{}}
}

const (
	tallyLines = 20000 // read of what was logged before, of all SuperNodes
	tallyLeast = 500   // of one
	retryFirst = 2 * time.Second
	retryLast  = 15 * time.Second
)

// Follow reads the logs of these SuperNodes from now on, and no others.
func (t *Tally) Follow(nodes []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	wanted := map[string]bool{}
	tail := max(tallyLeast, tallyLines/max(1, len(nodes)))
	for _, name := range nodes {
		wanted[name] = true
		if t.ends[name] != nil || t.ctx.Err() != nil {
			continue
		}
		ctx, cancel := context.WithCancel(t.ctx)
		t.ends[name] = cancel
		if t.counts[name] == nil {
			t.counts[name] = &Count{}
		}
		safego.Go("errors of "+name, t.broken, func() { t.follow(ctx, name, tail) })
	}
	for name, end := range t.ends {
		if !wanted[name] {
			end()
			delete(t.ends, name)
		}
	}
}

// Close ends all followers. It does not wait for them.
func (t *Tally) Close() { t.cancel() }

// Of returns the count of a SuperNode.
func (t *Tally) Of(node string) Count {
	t.mu.Lock()
	defer t.mu.Unlock()
	if c := t.counts[node]; c != nil {
		return *c
	}
	return Count{}
}

// follow counts one log until ctx ends, and tries again when it ends before.
func (t *Tally) follow(ctx context.Context, node string, tail int) {
	var (
		r     logs.Counter
		pause = retryFirst
		newer int64 // lines up to here were counted before
		last  int64
		lines int
		began bool
	)
	for {
		_ = t.src.Logs(ctx, node, supernode.LogOptions{Follow: true, Tail: tail}, func(line supernode.Line) error {
			if !line.Time.IsZero() {
				at := line.Time.UnixNano()
				if at <= newer {
					return ctx.Err()
				}
				last = at
			}
			pause = retryFirst
			run, asked, failed, starts := r.Read(line)
			lines++
			t.mu.Lock()
			defer t.mu.Unlock()
			c := t.counts[node]
			if starts {
				began = true
				*c = Count{Run: c.Run, Asked: c.Asked, Longest: c.Longest}
			}
			c.take(cmp.Or(line.Time, time.Now()), run, asked, failed)
			c.More = c.Errors > 0 && !began && lines >= tail
			return ctx.Err()
		})
		newer = last
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		if newer == 0 && lines > 0 {
			tail = 0 // a source without times: what it keeps has been read
		}
		pause = min(pause*2, retryLast)
	}
}

// take adds one line.
func (c *Count) take(at time.Time, run string, asked, failed bool) {
	if failed {
		c.Errors++
		c.LastError = at
	}
	if run != "" && run != c.Run {
		c.Run, c.Asked, c.Longest = run, time.Time{}, 0
	}
	if c.Run == "" || !asked {
		return
	}
	if !c.Asked.IsZero() {
		c.Longest = max(c.Longest, at.Sub(c.Asked))
	}
	c.Asked = at
}
