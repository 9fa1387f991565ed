package cli

import (
	"context"

	"flwrup/steps"
)

// wizardOptions say what the wizard opens.
type wizardOptions struct {
	steps.Options
	keep bool
}

// wizard opens the site and goes through its steps: with a screen where there is one, else with plain
// questions and lines.
func (p *program) wizard(ctx context.Context, o wizardOptions) error {
	site, err := steps.Open(o.Options)
	if err != nil {
		return err
	}
	defer site.Close()
	front := p.front(false)
	err = site.Walk(ctx, front)
	if site.Rehearsal() {
		if ended := p.endRehearsal(site, front, err, o.keep); err == nil {
			err = ended
		}
	}
	return err
}
