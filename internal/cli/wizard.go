package cli

import (
	"context"
	"errors"
	"os"

	"flwrup/internal/health"
	"flwrup/internal/problem"
	"flwrup/internal/runs"
	"flwrup/internal/site"
	"flwrup/steps"
	"flwrup/ui"
)

// wizardOptions say what the wizard opens.
type wizardOptions struct {
	site.Options
	keep bool // a rehearsal goes on when all is done
}

// wizard opens the site and goes through its steps: with a screen where there is one, else with plain
// questions and lines.
func (p *program) wizard(ctx context.Context, o wizardOptions) error {
	traces := before(o.Dir)
	s, err := p.open(ctx, o.Options, false)
	if err != nil {
		return err
	}
	if p.screen() {
		traces.opened()
		left, err := p.drawn(ctx, s, traces, o.keep)
		health.StopLooking(s)
		err = errors.Join(err, s.Close())
		if left {
			traces.clear()
		}
		return err
	}
	defer s.Close()
	front := p.front(false)
	if s.Rehearsal() {
		p.say("%s", site.RehearsalIs)
	}
	err = steps.Walk(ctx, s, front)
	if s.Rehearsal() {
		return curtain(ctx, p, s, front, err, o.keep)
	}
	return p.left(ctx, s, err)
}

// drawn runs the wizard on the screen. Left with q, everything that was started goes on, also a
// rehearsal's grid: the person comes back to it. Ended by Ctrl-C or a signal, a rehearsal that nobody kept
// stops and keeps its folder. A run goes on where its grid does.
// untouched is true when the person left without having done anything.
func (p *program) drawn(ctx context.Context, s *site.Site, traces *untouched, keep bool) (untouched bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	result, err := ui.Run(ctx, ui.Options{Work: steps.On(s), In: p.In, Out: p.terminal}.FromEnv(os.Getenv))
	if err == nil && (result.Interrupted || result.Signal != nil || ctx.Err() != nil) { // a signal also ends ctx, at times before the screen has seen it
		cancel() // for all that follows the person has left
		err = problem.Stopped(nil, "stopped", "start flwrup again to go on from here")
	}
	if traces.still() {
		return true, err
	}
	switch {
	case err != nil && s.Rehearsal():
		return false, curtain(ctx, p, s, p.front(true), err, keep)
	case err != nil:
		return false, p.left(ctx, s, err)
	case site.GridUp(s):
		p.say("the rehearsal's grid and SuperNodes go on running: %s goes back to them, %s ends them",
			p.command([]string{"rehearse"}), p.command([]string{"down"}))
		err = site.KeepGrid(context.Background(), s)
	case result.Dashboard:
		p.say("SuperNodes keep running; to come back: %s", p.command(nil))
	default:
		p.say("to come back: %s", p.command(nil))
	}
	if id, going := runs.GoingRun(s); going && (site.GridUp(s) || !s.Rehearsal()) {
		p.say("run %s goes on; to come back to it: %s", id, p.comeBack(id))
	}
	return false, err
}
