package runs

import (
	"context"
	"slices"
	"time"

	"flwrup/flwrexec"
	"flwrup/internal/front"
	"flwrup/internal/invites"
	"flwrup/internal/ledger"
	"flwrup/internal/problem"
	"flwrup/internal/site"
)

// Send starts a run of the app, with the runs that the grid listed before. Its intent is on disk before the call, so that a run whose answer was lost is found.
func Send(ctx context.Context, s *site.Site, before []flwrexec.Run, config Config, to front.Sink) error {
	f, err := s.Session(ctx)
	if err != nil {
		return err
	}
	c := s.Choices()
	intent := ledger.Intent{Op: "run", Connection: c.Grid.Connection, Federation: c.Federation}
	for _, have := range before {
		intent.Before = append(intent.Before, have.ID.String())
	}
	key, err := s.Ledger.Begin(intent)
	if err != nil {
		return err
	}
	invites.SayReach(ctx, s, f.Dialect(), to)
	to.Event(front.Says{Text: "sending the app to the grid"})
	id, err := f.StartRun(ctx, s.Connection(), s.AppDir(), c.Federation, config.String())
	if err != nil {
		if ctx.Err() == nil && !flwrexec.MayHaveHappened(err) {
			return problem.Join(err, s.Ledger.Abandon(key, problem.Of(err).Error()))
		}
		return err // it may have been started: the next look tells
	}
	to.Event(front.RunBegan{ID: id.String()})
	return s.Ledger.Finish(key, func(d *ledger.Data) error {
		d.PutRun(ledger.Run{ID: id.String(), Connection: c.Grid.Connection, Federation: c.Federation,
			App: s.Rel(s.AppDir()), Started: time.Now(), Status: string(front.RunPending)})
		return nil
	})
}

// EndLost ends the runs among list, the grid's, that were lost with an earlier grid of the rehearsal and are not over on
// this one: two ServerApps that start at once unpack the app into one folder (flwr 1.24).
func EndLost(ctx context.Context, s *site.Site, list []flwrexec.Run, to front.Sink) error {
	for _, r := range list {
		if r.Ended() || !slices.ContainsFunc(s.Ledger.Runs(), func(have ledger.Run) bool {
			return have.ID == r.ID.String() && have.Status == string(front.RunLost)
		}) {
			continue
		}
		f, err := s.Session(ctx)
		if err != nil {
			return err
		}
		to.Event(front.Says{Text: "stopping run " + r.ID.String() + ": it was lost with its grid, which has it again"})
		if err := f.StopRun(ctx, s.Connection(), r.ID); err != nil && !problem.Is(err, flwrexec.RunOver) {
			return err
		}
	}
	return nil
}

// Adopt settles a run whose start was never answered: it is the run that is new on the grid since then.
func Adopt(ctx context.Context, s *site.Site) (bool, error) {
	for _, i := range s.Ledger.Intents() {
		if i.Op != "run" || i.Connection != s.Choices().Grid.Connection {
			continue
		}
		list, err := s.GridRuns(ctx, 0)
		if err != nil {
			return false, err
		}
		var fresh []flwrexec.Run
		for _, r := range list {
			if !slices.Contains(i.Before, r.ID.String()) && (r.Federation == "" || r.Federation == i.Federation) {
				fresh = append(fresh, r)
			}
		}
		if len(fresh) != 1 {
			if err := s.Ledger.Abandon(i.ID, "no run of it on the grid"); err != nil {
				return false, err
			}
			continue
		}
		r := fresh[0]
		if err := s.Ledger.Finish(i.ID, func(d *ledger.Data) error {
			d.PutRun(ledger.Run{ID: r.ID.String(), Connection: i.Connection, Federation: i.Federation, App: s.Rel(s.AppDir()), Started: i.At, Status: r.StatusText()})
			return nil
		}); err != nil {
			return false, err
		}
		if !r.Ended() || r.Completed() {
			return true, nil
		}
	}
	return false, nil
}
