package upgrade

import (
	"context"
	"fmt"
	"slices"

	"flwrup/flwrexec/flwr"
	"flwrup/internal/fit"
	"flwrup/internal/fleet"
	"flwrup/internal/front"
	"flwrup/internal/ledger"
	"flwrup/internal/problem"
	"flwrup/internal/site"
)

// takeBack goes back to the release before, with the SuperNodes that have moved, and returns the Problem that says so. tried is
// the SuperNode that did not work; "" where it did not come to one. A release that the grid does not take any more is not gone back to.
func (w work) takeBack(ctx context.Context, intent ledger.Intent, tried string, moved []string, cause error) error {
	bad := problem.Of(cause)
	p := &problem.Problem{Code: Failed, What: "flwr " + intent.To + " does not work here", Why: bad.Error(), Fix: bad.Fix, Raw: bad.Raw, Err: cause}
	from, err := flwr.ParseVersion(intent.From)
	if err != nil || !w.takes(ctx, from) {
		p.What += ", and the grid does not take the release before"
		return p // the intent stays: the same command goes on
	}
	w.to.Event(front.Says{Text: fmt.Sprintf("%s: going back to flwr %s", bad.Error(), from)})
	if err := w.goBack(ctx, from, names{intent.Image, intent.Fleet}, moved); err != nil {
		back := problem.Of(err)
		p.What += ", and the way back to " + intent.From + " failed: " + back.Error()
		p.Fix = "flwrup upgrade " + intent.From + " goes back" + site.Fix(back)
		return p
	}
	if err := w.s.Ledger.Abandon(intent.ID, bad.Error()); err != nil {
		return err
	}
	p.What += "; back on " + intent.From
	if tried != "" {
		p.What = tried + " did not work with flwr " + intent.To + "; all is back on " + intent.From
	}
	if err := w.forgetImage(intent.To); err != nil {
		return err
	}
	return p
}

// goBack makes the release before the set-up's own again, and restarts the SuperNodes that have moved.
func (w work) goBack(ctx context.Context, from flwr.Version, to names, moved []string) error {
	if err := w.move(ctx, from, to); err != nil || len(moved) == 0 {
		return err
	}
	return w.with(ctx).restart(ctx, moved, 0)
}

// forgetImage has flwrup take whatever image a release's name leads to next time. The image that it led to did not work.
func (w work) forgetImage(version string) error {
	d := w.s.Ledger.Data()
	if slices.ContainsFunc(d.Kept, func(k ledger.Kept) bool { return k.From == version }) {
		return nil // it worked once
	}
	for _, host := range site.Hosts(w.s) {
		if _, known := site.KnownImage(d, host, site.OfficialImage(version)); known {
			if err := site.ForgetImage(w.s, host, site.OfficialImage(version)); err != nil {
				return err
			}
		}
	}
	return nil
}

// with returns the work with the flwr that is at hand now.
func (w work) with(ctx context.Context) work {
	if f, err := w.s.Session(ctx); err == nil {
		w.found = f.Found()
	}
	return w
}

// takes reports whether the grid speaks to a release, as far as that is known. A rehearsal's grid moves along.
func (w work) takes(ctx context.Context, v flwr.Version) bool {
	if w.s.Rehearsal() {
		return true
	}
	look := w.s.Look(ctx, site.Want{Parts: fit.Reads | site.ReadNetwork})
	f := fit.Judge(&look)
	return f.Takes(v)
}

// leaveBehind puts one SuperNode back on the release before, where the others have moved on and the grid takes both.
func (w work) leaveBehind(ctx context.Context, name string, from, to flwr.Version, cause error) error {
	bad := problem.Of(cause)
	p := &problem.Problem{Code: Failed, What: name + " did not work with flwr " + to.String(), Why: bad.Error(), Fix: "flwrup upgrade tries it again" + site.Fix(bad), Raw: bad.Raw, Err: cause}
	if w.s.Rehearsal() || !w.takes(ctx, from) {
		return p
	}
	now := names{w.s.Choices().Image, w.s.Choices().Grid.Fleet}
	err := choose(w.s, from, now)
	if err == nil {
		err = fleet.Operate(ctx, w.s, front.RestartNodes, []string{name}, w.to)
	}
	if cerr := choose(w.s, to, now); cerr != nil {
		return cerr
	}
	if err == nil {
		p.What += "; it runs " + from.String() + " again"
	}
	return p
}
