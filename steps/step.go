// Package steps is the checklist: the 16 steps of Flower's registration guide, each with inspect, plan
// and apply, over one site.Site. It draws nothing: front ends follow its events and answer its questions.
package steps

import (
	"context"

	"flwrup/internal/front"
	"flwrup/internal/site"
)

// Step is one of the 16. Inspect and Plan change nothing; Apply may be stopped at any moment through
// its context and may be called again at any time: it never does a thing twice.
type Step interface {
	front.Step
	Inspect(ctx context.Context, s *site.Site) (front.Status, error)
	Plan(ctx context.Context, s *site.Site) ([]front.Action, error)
	Apply(ctx context.Context, s *site.Site, to front.Sink) error
}

// Changer is a Step whose choice can be made again after it is done: number of nodes, federation.
type Changer interface {
	Change(ctx context.Context, s *site.Site, to front.Sink) error
}
