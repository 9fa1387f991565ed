package program

import (
	"context"

	"flwrup/internal/problem"
	"flwrup/internal/runs"
	"flwrup/internal/site"
)

// ComeBack is the command that shows a run again.
func (p *Program) ComeBack(id string) string { return p.Command([]string{"runs", "log", id, "-f"}) }

// GoesOn says that the person has left a run, and how to come back to it.
func (p *Program) GoesOn(id string) error {
	return problem.Stopped(nil, "left; run "+id+" goes on",
		p.Command([]string{"runs", "stop", id})+" ends it; to come back to it: "+p.ComeBack(id))
}

// Left is err, or word of the run that goes on when the person has left while one did.
func (p *Program) Left(ctx context.Context, s *site.Site, err error) error {
	if id, going := runs.GoingRun(s); going && err != nil && ctx.Err() != nil {
		return p.GoesOn(id)
	}
	return err
}
