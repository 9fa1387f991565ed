package cli

import (
	"context"
	"os"

	"flwrup/internal/problem"
	"flwrup/steps"
	"flwrup/ui"
)

// wizardOptions say what the wizard opens.
type wizardOptions struct {
	steps.Options
	keep bool // a rehearsal goes on when all is done
}

// wizard opens the site and goes through its steps: with a screen where there is one, else with plain
// questions and lines.
func (p *program) wizard(ctx context.Context, o wizardOptions) error {
	site, err := steps.Open(o.Options)
	if err != nil {
		return err
	}
	defer site.Close()
	if p.screen() {
		return p.drawn(ctx, site)
	}
	front := p.front(false)
	err = site.Walk(ctx, front)
	if site.Rehearsal() {
		if ended := p.endRehearsal(site, front, err, o.keep); err == nil {
			err = ended
		}
	}
	return err
}

// drawn runs the wizard on the screen. Left with q, everything that was started goes on, also a
// rehearsal's grid: the person comes back to it. Ended by Ctrl-C or a signal, a rehearsal stops and keeps
// its folder.
func (p *program) drawn(ctx context.Context, site *steps.Site) error {
	result, err := ui.Run(ctx, ui.Options{Work: site, In: p.In, Out: p.Out}.FromEnv(os.Getenv))
	interrupted := err == nil && (result.Interrupted || result.Signal != nil)
	if interrupted {
		err = problem.New(problem.Cancelled, "stopped", "", "start flwrup again to go on from here")
	}
	if !site.Rehearsal() {
		return err
	}
	if err != nil {
		if ended := p.endRehearsal(site, p.front(true), err, false); ended != nil && !interrupted {
			return ended
		}
		return err
	}
	if site.GridUp() {
		p.say("the rehearsal's grid and SuperNodes go on running: flwrup rehearse --dir %s goes back to them, flwrup down --dir %s ends them",
			site.Dir, site.Dir)
		return site.KeepGrid(context.Background())
	}
	return nil
}
