package setup

import (
	"context"
	"errors"
	"os"

	"flwrup/internal/cli/program"
	"flwrup/internal/health"
	"flwrup/internal/problem"
	"flwrup/internal/runs"
	"flwrup/internal/site"
	"flwrup/steps"
	"flwrup/ui"
)

// WizardOptions say what the wizard opens.
type WizardOptions struct {
	site.Options
	keep bool // a rehearsal goes on when all is done
}

// Wizard opens the site and goes through its steps: with a screen where there is one, else with plain
// questions and lines.
func Wizard(ctx context.Context, p *program.Program, o WizardOptions) error {
	traces := before(o.Dir)
	s, err := p.Open(ctx, o.Options, false)
	if err != nil {
		return err
	}
	if p.Screen() {
		traces.opened()
		left, err := drawn(ctx, p, s, traces, o.keep)
		health.StopLooking(s)
		err = errors.Join(err, s.Close())
		if left {
			traces.clear()
		}
		return err
	}
	defer s.Close()
	front := p.Front(false)
	if s.Rehearsal() {
		p.Say("%s", site.RehearsalIs)
	}
	err = steps.Walk(ctx, s, front)
	if s.Rehearsal() {
		return curtain(ctx, p, s, front, err, o.keep)
	}
	return p.Left(ctx, s, err)
}

// drawn runs the wizard on the screen. Left with q, everything that was started goes on, also a
// rehearsal's grid: the person comes back to it. Ended by Ctrl-C or a signal, a rehearsal that nobody kept
// stops and keeps its folder. A run goes on where its grid does.
// untouched is true when the person left without having done anything.
func drawn(ctx context.Context, p *program.Program, s *site.Site, traces *untouched, keep bool) (untouched bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	result, err := ui.Run(ctx, ui.Options{Work: steps.On(s), In: p.In, Out: p.Terminal}.FromEnv(os.Getenv))
	if err == nil && (result.Interrupted || result.Signal != nil || ctx.Err() != nil) { // a signal also ends ctx, at times before the screen has seen it
		cancel() // for all that follows the person has left
		err = problem.Stopped(nil, "stopped", "start flwrup again to go on from here")
	}
	if traces.still() {
		return true, err
	}
	switch {
	case err != nil && s.Rehearsal():
		return false, curtain(ctx, p, s, p.Front(true), err, keep)
	case err != nil:
		return false, p.Left(ctx, s, err)
	case site.GridUp(s):
		p.Say("the rehearsal's grid and SuperNodes go on running: %s goes back to them, %s ends them",
			p.Command([]string{"rehearse"}), p.Command([]string{"down"}))
		err = site.KeepGrid(context.Background(), s)
	case result.Dashboard:
		p.Say("SuperNodes keep running; to come back: %s", p.Command(nil))
	default:
		p.Say("to come back: %s", p.Command(nil))
	}
	if id, going := runs.GoingRun(s); going && (site.GridUp(s) || !s.Rehearsal()) {
		p.Say("run %s goes on; to come back to it: %s", id, p.ComeBack(id))
	}
	return false, err
}
