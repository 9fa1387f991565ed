package watch

import (
	"context"
	"path/filepath"
	"sync"
	"time"

	"flwrup/internal/health"
	"flwrup/internal/problem"
	"flwrup/internal/safego"
	"flwrup/internal/watch/metrics"
)

// again is how long the watch of a folder that could not begin, or ended, is left alone.
const again = time.Minute

// Options says how folders are watched.
type Options struct {
	// Patient: a folder that cannot be watched makes an event, and is tried again: another flwrup watches it, or its disk
	// is not there yet. Else the first error of one ends all.
	Patient bool
	Board   *metrics.Board                        // nil: nobody asks
	Each    func(dir string, e health.WatchEvent) // never called twice at the same time
}

// Folders watches several projects at the same time; see Nodes.
func Folders(ctx context.Context, dirs []string, o Options) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var mu sync.Mutex
	var first error
	var all sync.WaitGroup
	for _, dir := range dirs {
		hear := func(e health.WatchEvent) {
			mu.Lock()
			defer mu.Unlock()
			o.Each(dir, e)
		}
		all.Add(1)
		fail := func(err error) {
			mu.Lock()
			defer mu.Unlock()
			if first == nil || problem.Is(first, problem.Cancelled) {
				first = err
			}
			cancel()
		}
		safego.Go("watching "+filepath.Base(dir), func(err error) { fail(err); all.Done() }, func() {
			defer all.Done()
			if err := keepWatching(ctx, dir, o, hear); err != nil {
				fail(err)
			}
		})
	}
	all.Wait()
	return first
}

// keepWatching watches one folder until ctx ends.
func keepWatching(ctx context.Context, dir string, o Options, each func(health.WatchEvent)) error {
	said := problem.Code("")
	for {
		err := safego.Call("watching "+filepath.Base(dir), func() error {
			return Nodes(ctx, dir, o.Board, func(e health.WatchEvent) {
				said = ""
				each(e)
			})
		})
		if ctx.Err() != nil {
			return problem.Stopped(nil, "the watch has ended; the SuperNodes keep running", "")
		}
		if !o.Patient {
			return err
		}
		if p := problem.Of(err); p != nil && p.Code != said { // said once, as long as it stays the same
			said = p.Code
			each(health.WatchEvent{At: time.Now(), Kind: health.WatchNot, Text: "not watched, trying again each minute: " + p.Error(), Code: p.Code, Fix: p.Fix})
		}
		if o.Board != nil {
			o.Board.Away(dir, string(problem.Of(err).Code))
		}
		if safego.Sleep(ctx, again) != nil {
			return problem.Stopped(nil, "the watch has ended; the SuperNodes keep running", "")
		}
	}
}
