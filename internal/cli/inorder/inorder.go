// Package inorder puts the lines of several SuperNodes' logs in the order of their times.
package inorder

import (
	"context"
	"fmt"
	"time"

	"flwrup/internal/safego"
	"flwrup/internal/supernode"
)

const (
	// inTransit is how long a followed line waits for earlier lines of other SuperNodes.
	inTransit = 400 * time.Millisecond
	// firstLine is how long the first lines wait for those of a SuperNode that has sent none.
	firstLine = 3 * time.Second
	// readAhead is how many lines of a SuperNode wait for those of others.
	readAhead = 4096
)

// Line is a line with its place among the lines of other SuperNodes: its own time, or, where the source keeps
// none, the last one before it.
type Line struct {
	supernode.Line
	At   time.Time
	came time.Time
}

// stream is the log of one SuperNode on its way into the order.
type stream struct {
	node  string
	lines chan Line // closed at the log's end
	head  *Line     // the next line; nil when none is there
	last  time.Time // when a line came last, or when the reading began
	spoke bool      // a line has come
	ended bool
}

// Read reads the logs of nodes at the same time and passes their lines to each in the order of their times, one
// after the other. Of logs that go on (follow), a line waits a moment for earlier ones. It returns the errors by
// which logs ended while ctx had not.
func Read(ctx context.Context, nodes []string, follow bool,
	read func(ctx context.Context, node string, each func(supernode.Line) error) error, each func(Line)) []error {
	wake := make(chan struct{}, 1)
	failed := make(chan error, len(nodes))
	streams := make([]*stream, len(nodes))
	for i, node := range nodes {
		s := &stream{node: node, lines: make(chan Line, readAhead), last: time.Now()}
		streams[i] = s
		fail := func(err error) { failed <- fmt.Errorf("%s: %w", node, err) }
		safego.Go("logs of "+node, fail, func() {
			defer rouse(wake)
			defer close(s.lines)
			if err := s.read(ctx, wake, read); err != nil && ctx.Err() == nil {
				fail(err)
			}
		})
	}
	for {
		first, wait := next(streams, follow && ctx.Err() == nil)
		switch {
		case first == nil && wait == 0:
			var errs []error
			for len(failed) > 0 {
				errs = append(errs, <-failed)
			}
			return errs
		case first != nil && wait == 0:
			each(*first.head)
			first.head = nil
		default:
			await(ctx, wake, first != nil, wait)
		}
	}
}

func (s *stream) read(ctx context.Context, wake chan struct{}, read func(context.Context, string, func(supernode.Line) error) error) error {
	var at time.Time
	return read(ctx, s.node, func(l supernode.Line) error {
		if !l.Time.IsZero() {
			at = l.Time
		}
		select {
		case s.lines <- Line{l, at, time.Now()}:
			rouse(wake)
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
}

// next returns the stream with the earliest line, and how long that line has to wait: 0 when it is the next one.
// Without a line it returns nil, and 0 when all logs have ended.
func next(streams []*stream, follow bool) (first *stream, wait time.Duration) {
	live := false
	for _, s := range streams {
		if s.head == nil && !s.ended {
			s.take()
		}
		live = live || !s.ended
		if s.head != nil && (first == nil || s.head.At.Before(first.head.At)) {
			first = s
		}
	}
	if first == nil {
		if live {
			wait = time.Hour
		}
		return nil, wait
	}
	now := time.Now()
	for _, s := range streams {
		if s.head != nil || s.ended {
			continue
		}
		if !follow {
			return first, time.Hour
		}
		due := first.head.came
		if first.head.At.Before(due) {
			due = first.head.At
		}
		due = later(due, s.last).Add(inTransit)
		if !s.spoke {
			due = later(due, s.last.Add(firstLine))
		}
		wait = max(wait, due.Sub(now))
	}
	return first, wait
}

func (s *stream) take() {
	select {
	case l, ok := <-s.lines:
		if !ok {
			s.ended = true
			return
		}
		s.head, s.last, s.spoke = &l, l.came, true
	default:
	}
}

func await(ctx context.Context, wake chan struct{}, timed bool, wait time.Duration) {
	var due <-chan time.Time
	if timed {
		t := time.NewTimer(wait)
		defer t.Stop()
		due = t.C
	}
	done := ctx.Done()
	if ctx.Err() != nil {
		done = nil // the logs are about to end
	}
	select {
	case <-wake:
	case <-due:
	case <-done:
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func rouse(wake chan struct{}) {
	select {
	case wake <- struct{}{}:
	default:
	}
}
