package site

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"flwrup/internal/problem"
	"flwrup/internal/safego"
	"flwrup/internal/supernode"
)

// StopGrace is how long a SuperNode gets to tell the grid that it goes: flwr needs under a second;
// more when it is in the middle of something.
const StopGrace = 20 * time.Second

// startAtOnce limits how many start at the same time: each costs seconds of processor time.
const startAtOnce = 4

// GridLetsGo is how long the grid still calls a killed SuperNode online. Seen: 52 to 53 s.
const GridLetsGo = time.Minute

// States returns the runtime's view of this site's SuperNodes by name.
func States(ctx context.Context, s *Site) (map[string]supernode.Status, error) {
	rt, err := s.NodesRuntime(ctx)
	if err != nil {
		return nil, err
	}
	list, err := rt.List(ctx)
	if err != nil {
		return nil, err
	}
	states := make(map[string]supernode.Status, len(list))
	for _, st := range list {
		states[st.Name] = st
	}
	return states, nil
}

// Running returns the names of the SuperNodes that run now.
func Running(ctx context.Context, s *Site) ([]string, error) {
	states, err := States(ctx, s)
	var names []string
	for name, st := range states {
		if st.State == supernode.Running || st.State == supernode.Restarting || st.State == supernode.Starting {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, err
}

// Each calls do for every name, a few at a time, and joins what went wrong, each with its name.
func Each(ctx context.Context, names []string, do func(context.Context, string) error) error {
	var (
		wg    sync.WaitGroup
		mu    sync.Mutex
		errs  = map[string]error{}
		slots = make(chan struct{}, startAtOnce)
	)
	for _, name := range names {
		wg.Add(1)
		report := func(err error) {
			mu.Lock()
			errs[name] = err
			mu.Unlock()
		}
		slots <- struct{}{}
		var once sync.Once
		leave := func() { once.Do(func() { <-slots; wg.Done() }) }
		safego.Go(name, func(err error) { report(err); leave() }, func() {
			defer leave()
			if err := do(ctx, name); err != nil {
				report(fmt.Errorf("%s: %w", name, err))
			}
		})
	}
	wg.Wait()
	var all []error
	for _, name := range names {
		if errs[name] != nil {
			all = append(all, errs[name])
		}
	}
	return problem.Join(all...)
}

// PollPause is how long to leave the grid alone between two looks: a second here, longer on a grid
// that many share.
func PollPause(s *Site, try int) time.Duration {
	if s.Rehearsal() {
		return 400 * time.Millisecond
	}
	return min(time.Duration(1+try/8)*time.Second, 10*time.Second)
}

// OnlineWithin is how long to wait: a SuperNode takes 3 to 6 seconds, and one that was killed before
// is refused for about a minute until the grid has missed its heartbeat (seen: 52 to 53 s).
const OnlineWithin = 100 * time.Second

// Names returns the site's SuperNodes by name, in order.
func Names(s *Site) ([]string, error) {
	list, _, err := Members(s)
	names := make([]string, 0, len(list))
	for _, m := range list {
		names = append(names, m.Name)
	}
	return names, err
}

// Usage reads what a running SuperNode takes now.
func Usage(ctx context.Context, s *Site, node string) (supernode.Usage, error) {
	rt, err := s.NodesRuntime(ctx)
	if err != nil {
		return supernode.Usage{}, err
	}
	return rt.Usage(ctx, node)
}

// Logs sends a SuperNode's lines to each; see supernode.Runtime.
func Logs(ctx context.Context, s *Site, node string, o supernode.LogOptions, each func(supernode.Line) error) error {
	rt, err := s.NodesRuntime(ctx)
	if err != nil {
		return err
	}
	return rt.Logs(ctx, node, o, each)
}

// Watch calls changed after any SuperNode's state may have changed, until ctx ends.
func Watch(ctx context.Context, s *Site, changed func()) error {
	rt, err := s.NodesRuntime(ctx)
	if err != nil {
		return err
	}
	return rt.Watch(ctx, changed)
}
