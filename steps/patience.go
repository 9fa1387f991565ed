package steps

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

// What lies between a step and a grid that many share: sessions end, connections are cut, a SuperLink
// is started anew.

// gridTries is how often the grid is asked before a step leaves the rest for later: with the pauses
// between, 15 seconds and what the calls take, which spans the restart of a SuperLink.
const gridTries = 5

// pause is how long to wait after the try'th answer that did not come.
func pause(try int) time.Duration { return time.Duration(try*try) * 500 * time.Millisecond }

// mayPass tells whether err is of the kind that goes away by itself.
func mayPass(err error) bool { return problem.Is(err, problem.Unreachable, problem.ServerError) }

// patiently calls do until it succeeds, fails for good, or the grid could not be reached gridTries times.
// do must be safe to call again.
func (s *Site) patiently(ctx context.Context, to front.Sink, do func() error) error {
	for try := 1; ; try++ {
		err := do()
		if !mayPass(err) || try == gridTries || ctx.Err() != nil {
			return err
		}
		if werr := s.holdOn(ctx, to, try, err); werr != nil {
			return werr
		}
	}
}

// nodesNow lists the account's nodes as the grid has them now, and outlasts a grid that is away.
func (s *Site) nodesNow(ctx context.Context, to front.Sink) (nodes []flwrexec.Node, err error) {
	err = s.patiently(ctx, to, func() error {
		nodes, _, err = s.gridNodes(ctx, 0)
		return err
	})
	return nodes, err
}

// surely is patiently for a call that changes something on the grid. flwr may also fall over its own
// answer, which is asked for once more: do's second answer says what became of the first.
func (s *Site) surely(ctx context.Context, to front.Sink, do func() error) error {
	err := s.patiently(ctx, to, do)
	if err != nil && ctx.Err() == nil && lost(err) && !mayPass(err) {
		err = s.patiently(ctx, to, do)
	}
	return err
}

// holdOn waits after the try'th call that got no answer. A rehearsal's grid that has ended is started
// again meanwhile: nobody else would do it.
func (s *Site) holdOn(ctx context.Context, to front.Sink, try int, why error) error {
	defer s.forget()
	if s.Rehearsal() && !s.GridUp() {
		if f, err := s.session(ctx); err == nil {
			to.Event(front.Says{Text: "the rehearsal's grid has ended: starting it again"})
			return s.startGrid(ctx, f.Found(), to)
		}
	}
	to.Event(front.Says{Text: fmt.Sprintf("%s; trying again in %.3g s", problem.Of(why).What, pause(try).Seconds())})
	return safego.Sleep(ctx, pause(try))
}

// loginsInARow is how often one piece of work may bring the person back to the login.
const loginsInARow = 3

// loggedIn calls do, which must be safe to call again. Where the session is over it has the person log
// in, and calls do once more.
func (s *Site) loggedIn(ctx context.Context, to front.Sink, do func() error) error {
	err := do()
	for logins := 1; problem.Is(err, problem.NotLoggedIn) && logins <= loginsInARow; logins++ {
		to.Event(front.Says{Text: "the login is over: logging in again, then on with this step"})
		if err := s.attempt(ctx, login{}, to); err != nil {
			return err
		}
		err = do()
	}
	return err
}

// inspectPatiently is Inspect where nobody would press a key to look again: Walk. From the login on it
// outlasts a grid that is away for a moment, and a session that is over.
func (s *Site) inspectPatiently(ctx context.Context, st Step, to front.Sink) (status front.Status, err error) {
	look := func() error {
		status, err = s.Inspect(ctx, st.ID())
		return err
	}
	if !st.ID().CallsGrid() || !s.workedBefore() {
		return status, look()
	}
	for logins := 0; ; logins++ {
		if err := s.patiently(ctx, to, look); err != nil {
			return status, err
		}
		if st.ID() == front.StepLogin || status.State != front.Blocked || status.By != front.StepLogin || logins == loginsInARow {
			return status, nil
		}
		to.Event(front.Says{Text: "the login is over: logging in again, then on with this step"})
		if err := s.attempt(ctx, login{}, to); err != nil {
			return status, err
		}
	}
}

// workedBefore tells whether this site's grid has answered it once: then an address that cannot be
// reached now is not likely to be a wrong one.
func (s *Site) workedBefore() bool {
	connection := s.Choices().Grid.Connection
	if s.Ledger.Account(connection) != "" || s.loggedInBefore() {
		return true
	}
	for _, n := range s.Ledger.Nodes() {
		if n.Connection == connection && n.State == ledger.Registered {
			return true
		}
	}
	return false
}

// leftForLater makes of a grid that did not answer for all our patience what it is: somebody else's turn.
func (s *Site) leftForLater(st Step, err error) error {
	if !st.ID().CallsGrid() || !mayPass(err) || !s.workedBefore() {
		return err
	}
	p := *problem.Of(err)
	p.Why, p.What = p.Error(), "the grid does not answer now"
	p.Code, p.Err = problem.NeedsGrid, err
	p.Fix = "run the same command again later: it goes on from here, and nothing is done twice; if it stays so, check the network and the connection's address"
	return &p
}

// lost tells whether a call that gave err may all the same have done its work on the grid.
func lost(err error) bool { return mayPass(err) || flwrexec.MayHaveHappened(err) }
