package steps

import (
	"context"
	"time"

	"flwrup/internal/front"
	"flwrup/internal/problem"
)

// Onlooker is a site in whose folder another flwrup is at work: a second terminal, a colleague. It shows
// what the site shows and follows what the other writes, and changes nothing.
type Onlooker struct {
	*Site
	busy error
}

// LookOn opens the site in dir to be looked at, as long as another flwrup holds its lock; busy is the
// Problem with which Open said so, and the answer to everything that would change something.
func LookOn(dir string, busy error) (*Onlooker, error) {
	s, err := Open(Options{Dir: dir, ReadOnly: true})
	if err != nil {
		return nil, err
	}
	p := *problem.Of(busy)
	p.What = "looking only: " + p.What
	p.Fix = "do it there, or leave the other one and start flwrup here again"
	return &Onlooker{s, &p}, nil
}

// Title is the site's, marked.
func (o *Onlooker) Title() front.Title {
	t := o.Site.Title()
	t.LookingOnly = true
	return t
}

// Inspect tells how step n stands after what the other flwrup wrote last.
func (o *Onlooker) Inspect(ctx context.Context, id front.StepID) (front.Status, error) {
	if err := o.Ledger.Reload(); err != nil {
		return front.Status{}, err
	}
	return o.Site.Inspect(ctx, id)
}

// Overview gives the dashboard's data after what the other flwrup wrote last.
func (o *Onlooker) Overview(ctx context.Context, maxAge time.Duration) front.Overview {
	if err := o.Ledger.Reload(); err != nil {
		return front.Overview{RuntimeErr: err}
	}
	return o.Site.Overview(ctx, maxAge)
}

// CanChange and CanUndo are false: nothing is changed from here.
func (*Onlooker) CanChange(front.StepID) bool { return false }
func (*Onlooker) CanUndo(front.StepID) bool   { return false }

// Apply, Change, Undo and Act give the Problem that says who is at work.
func (o *Onlooker) Apply(context.Context, front.StepID, front.Sink) error       { return o.busy }
func (o *Onlooker) Change(context.Context, front.StepID, front.Sink) error      { return o.busy }
func (o *Onlooker) Undo(context.Context, front.StepID) error                    { return o.busy }
func (o *Onlooker) Act(context.Context, front.Verb, []string, front.Sink) error { return o.busy }
