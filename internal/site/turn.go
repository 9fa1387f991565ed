package site

import (
	"context"
	"reflect"
	"time"

	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/service"
	"flwrup/internal/turn"
)

// InTurn does do while no other flwrup acts in the folder; see turn.Do. What the others wrote is read first.
func InTurn(ctx context.Context, s *Site, doing string, to front.Sink, do func(front.Sink) error) error {
	return s.turn.Do(ctx, doing, to, func() error { return catchUp(s) }, do)
}

// InTurnOnceAsked is InTurn for what asks before it changes anything; see turn.DoOnceAsked.
func InTurnOnceAsked(ctx context.Context, s *Site, doing string, to front.Sink, do func(front.Sink) error) error {
	return s.turn.DoOnceAsked(ctx, doing, to, func() error { return catchUp(s) }, do)
}

func catchUp(s *Site) error {
	follow(s)
	s.Forget()
	return clearScratch(s)
}

// Others returns what other flwrups do in the folder, for every open one to show.
func Others(s *Site) (o front.Others) {
	h, acts, record := s.turn.Acting()
	o.Record = record
	if acts {
		o.PID, o.Doing = h.PID, h.Does()
	}
	if h, watched := turn.Watcher(s.Dir); watched {
		o.WatchedBy, o.Service = h.PID, h.Service
	}
	o.Installed = service.For(s.Dir)
	return o
}

// follow reads what other flwrups in the folder wrote: ledger and choices. A flwrup.toml that cannot be taken over is
// left to the next action, which says why; so is another grid that a person wrote into it.
func follow(s *Site) {
	_ = s.Ledger.Reload() // a damaged one is said by the next change
	if s.frozen() {
		return
	}
	before := s.Choices()
	_ = s.choose(func() error {
		now, err := s.edited()
		if err != nil || now == nil || now.Grid.Connection != before.Grid.Connection && !leftBehind(s, before) {
			return err
		}
		s.choices.Store(now)
		noteFile(s)
		return nil
	})
	now := s.Choices()
	if now.Runtime != before.Runtime {
		CloseRuntime(s)
	}
	if now.Flwr != before.Flwr {
		CloseFlwr(s)
	}
}

// leftBehind reports whether another flwrup has noted the grid of the choices since they were read; see
// leaveGridBehind.
func leftBehind(s *Site, before *project.Choices) bool {
	s.mu.Lock()
	since := s.read.Truncate(time.Second)
	s.mu.Unlock()
	for _, g := range s.Ledger.Data().Grids {
		if g.Connection == before.Grid.Connection && !g.Left.Before(since) {
			return true
		}
	}
	return false
}

// settles reports whether opening the site writes something.
func settles(s *Site, v survey) bool {
	if v.fresh || v.made || len(v.open)+len(s.proven) > 0 || !v.choices.Kept(s.Dir) {
		return true
	}
	if s.Options.Choose == nil {
		return false
	}
	flags := v.choices.Clone()
	s.Options.Choose(flags)
	return !reflect.DeepEqual(flags, v.choices)
}

// takeTurn takes the turn to open the site. It waits only where that writes something: another flwrup that acts
// keeps nobody from looking.
func takeTurn(s *Site, v survey) (done func(), err error) {
	ctx, within, waits := s.Options.Ctx, turn.Within, func(h turn.Holder) {
		if s.Options.To != nil {
			turn.Waiting(s.Options.To, h)
		}
	}
	if ctx == nil {
		ctx = context.Background()
	}
	must := settles(s, v)
	if !must {
		within = 0
	}
	done, _, err = s.turn.Take(ctx, "opening the folder", within, waits)
	switch {
	case err != nil && ctx.Err() != nil:
		err = problem.Stopped(err, "stopped", "nothing was done")
	case !must && problem.Is(err, problem.Busy):
		done, err = func() {}, nil
	}
	return done, err
}
