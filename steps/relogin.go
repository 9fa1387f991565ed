package steps

import (
	"context"

	"flwrup/internal/fleet"
	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/site"
)

// loginsInARow is how often one piece of work may bring the person back to the login.
const loginsInARow = 3

// again is loggedIn for one piece of work.
func again(ctx context.Context, s *site.Site, to front.Sink) fleet.Again {
	return func(do func() error) error { return loggedIn(ctx, s, to, do) }
}

// loggedIn calls do, which must be safe to call again. Where the session is over it has the person log
// in, and calls do once more.
func loggedIn(ctx context.Context, s *site.Site, to front.Sink, do func() error) error {
	err := do()
	for logins := 1; problem.Is(err, problem.NotLoggedIn) && logins <= loginsInARow; logins++ {
		to.Event(front.Says{Text: "the login expired: logging in again, then this step continues"})
		if err := attempt(ctx, s, login{}, to); err != nil {
			return err
		}
		err = do()
	}
	return err
}

// inspectPatiently is Inspect where nobody would press a key to look again: Walk. From the login on it
// outlasts a grid that is away for a moment, and a session that is over.
func inspectPatiently(ctx context.Context, s *site.Site, st Step, to front.Sink) (status front.Status, err error) {
	look := func() error {
		status, err = Inspect(ctx, s, st.ID())
		return err
	}
	if !st.ID().CallsGrid() || !site.WorkedBefore(s) {
		return status, look()
	}
	for logins := 0; ; logins++ {
		if err := site.Patiently(ctx, s, to, look); err != nil {
			return status, err
		}
		if st.ID() == front.StepLogin || status.State != front.Blocked || status.By != front.StepLogin || logins == loginsInARow {
			return status, nil
		}
		to.Event(front.Says{Text: "the login expired: logging in again, then this step continues"})
		if err := attempt(ctx, s, login{}, to); err != nil {
			return status, err
		}
	}
}

// leftForLater makes of a grid that did not answer for all our patience what it is: somebody else's turn.
func leftForLater(s *site.Site, st Step, err error) error {
	if !st.ID().CallsGrid() || !site.MayPass(err) || !site.WorkedBefore(s) {
		return err
	}
	p := *problem.Of(err)
	p.Why, p.What = p.Error(), "the grid does not answer right now"
	p.Code, p.Err = problem.NeedsGrid, err
	p.Fix = "run the same command again later: it continues from here, and nothing is done twice; if that does not help, check the network and the address"
	return &p
}
