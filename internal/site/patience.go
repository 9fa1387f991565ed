package site

import (
	"context"
	"fmt"
	"time"

	"flwrup/flwrexec"
	"flwrup/internal/front"
	"flwrup/internal/ledger"
	"flwrup/internal/problem"
	"flwrup/internal/safego"
)

// A grid that many share is away at times: sessions end, connections are cut, a SuperLink is started again. The
// functions here outlast that.

// gridTries is how often the grid is asked before a step leaves the rest for later: with the pauses
// between, 15 seconds and what the calls take, which spans the restart of a SuperLink.
const gridTries = 5

// pause is how long to wait after the try'th answer that did not come.
func pause(try int) time.Duration { return time.Duration(try*try) * 500 * time.Millisecond }

// MayPass reports whether err is of the kind that passes with time.
func MayPass(err error) bool { return problem.Is(err, problem.Unreachable, problem.ServerError) }

// Patiently calls do until it succeeds, fails for good, or the grid could not be reached gridTries times.
// do must be safe to call again.
func Patiently(ctx context.Context, s *Site, to front.Sink, do func() error) error {
	for try := 1; ; try++ {
		err := do()
		if !MayPass(err) || try == gridTries || ctx.Err() != nil {
			return err
		}
		if werr := HoldOn(ctx, s, to, try, err); werr != nil {
			return werr
		}
	}
}

// NodesNow lists the account's nodes as the grid has them now, and outlasts a grid that is away.
func NodesNow(ctx context.Context, s *Site, to front.Sink) (nodes []flwrexec.Node, err error) {
	err = Patiently(ctx, s, to, func() error {
		nodes, _, err = s.GridNodes(ctx, 0)
		return err
	})
	return nodes, err
}

// Surely is patiently for a call that changes something on the grid. flwr may also fall over its own
// answer, which is asked for once more: do's second answer says what became of the first.
func Surely(ctx context.Context, s *Site, to front.Sink, do func() error) error {
	err := Patiently(ctx, s, to, do)
	if err != nil && ctx.Err() == nil && Lost(err) && !MayPass(err) {
		err = Patiently(ctx, s, to, do)
	}
	return err
}

// HoldOn waits after the try'th call that got no answer. A rehearsal's grid that has ended is started
// again meanwhile: nobody else would do it.
func HoldOn(ctx context.Context, s *Site, to front.Sink, try int, why error) error {
	defer s.Forget()
	if s.Rehearsal() && !GridUp(s) {
		if f, err := s.Session(ctx); err == nil {
			to.Event(front.Says{Text: "the rehearsal's grid has ended: starting it again"})
			return StartGrid(ctx, s, f.Found(), to)
		}
	}
	to.Event(front.Says{Text: fmt.Sprintf("%s; trying again in %.3g s", problem.Of(why).What, pause(try).Seconds())})
	return safego.Sleep(ctx, pause(try))
}

// WorkedBefore reports whether this site's grid has answered it once: then an address that cannot be
// reached now is not likely to be a wrong one.
func WorkedBefore(s *Site) bool {
	connection := s.Choices().Grid.Connection
	if s.Ledger.Account(connection) != "" || s.LoggedInBefore() {
		return true
	}
	for _, n := range s.Ledger.Nodes() {
		if n.Connection == connection && n.State == ledger.Registered {
			return true
		}
	}
	return false
}

// Lost reports whether a call that gave err may all the same have done its work on the grid.
func Lost(err error) bool { return MayPass(err) || flwrexec.MayHaveHappened(err) }
