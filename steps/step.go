// Package steps is the checklist: the 16 steps of Flower's registration guide, each with inspect, plan and apply,
// over one site.Site. It draws nothing: front ends follow its events and answer its questions.
package steps

import (
	"context"

	"flwrup/internal/front"
	"flwrup/internal/site"
)

// Step is one of the 16. Inspect and Plan decide by a Snapshot alone: they do no input or output. Apply looks again
// for itself. It may be stopped at any moment through its context and may be called again at any time: it never does
// a thing twice.
type Step interface {
	front.Step
	Needs() []Need
	Wants() Wants
	Inspect(Snapshot) (front.Status, error)
	Plan(Snapshot) ([]front.Action, error)
	Apply(ctx context.Context, s *site.Site, to front.Sink) error
}

// Need is a step that comes before another one.
type Need struct {
	Step       front.StepID
	Why        string // said while that step is not done
	Begun      bool   // it is enough that nothing blocks that step
	UnlessDone bool   // a step that is done does not need it any more
	Unseen     bool   // Why is said, too, while nobody can tell how that step stands
}

// Wants says which parts of a look a step decides by.
type Wants struct {
	Status site.Part // how it stands
	Ready  site.Part // the same, once it is ready and all that it needs is done
	Plan   site.Part // the actions that doing it would take
}

// Changer is a Step whose choice can be made again after it is done: number of nodes, federation.
type Changer interface {
	Change(ctx context.Context, s *site.Site, to front.Sink) error
}

// free is part of a step that needs no other one.
type free struct{}

// Needs returns none.
func (free) Needs() []Need { return nil }
