package steps

import (
	"context"
	"fmt"

	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/site"
)

// configure is step 8: flwr's own configuration names the grid.
type configure struct{ free }

func (configure) ID() front.StepID { return front.StepConfigure }
func (configure) Name() string     { return "Configuration" }
func (configure) Title() string    { return "Project configuration" }
func (configure) Why() string {
	return "flwr has to know where the grid is. Up to flwr 1.25, the app's pyproject.toml says so; " +
		"from 1.26 on, Flower's own config.toml. flwrup changes only the keys it needs: comments and order stay, and you can undo the edit."
}

// Wants returns flwr and its configuration.
func (configure) Wants() Wants {
	return Wants{Status: site.ReadFlwr | site.ReadConfig, Plan: site.ReadConfig}
}

func (configure) Inspect(p Snapshot) (front.Status, error) {
	if p.Tool.Err != nil {
		return blockedByFlwr(p.Tool.Err)
	}
	c := p.Choices
	if p.Rehearsal() && c.Grid.Control == "" {
		return front.Status{State: front.Blocked, By: front.StepTools, Why: "the rehearsal grid has not been started yet"}, nil
	}
	if p.Dialect.ConfigInPyproject && c.Federation == "" && !p.Rehearsal() {
		return front.Status{State: front.Blocked, By: front.StepFederation, Why: "flwr " + p.Flwr + " needs the federation's name in its configuration before you log in"}, nil
	}
	if p.Config.Err != nil {
		return front.Status{}, p.Config.Err
	}
	if due := p.Config.Value.Due; len(due) > 0 {
		st := front.Status{State: front.Ready}
		for _, e := range due {
			st.Evidence = append(st.Evidence, p.Rel(e.File)+" needs a change: "+e.Why)
		}
		return st, nil
	}
	return front.Status{State: front.Done, Evidence: []string{fmt.Sprintf("%s has the connection %s: %s", p.Rel(p.Config.Value.File), c.Grid.Connection,
		p.ControlAddress(p.Dialect))}}, nil
}

// blockedByFlwr makes of a missing flwr what a step says that needs one.
func blockedByFlwr(err error) (front.Status, error) {
	if problem.Is(err, noFlwr...) {
		return front.Status{State: front.Blocked, By: front.StepTools, Why: err.Error()}, nil
	}
	return front.Status{}, err
}

func (configure) Plan(p Snapshot) ([]front.Action, error) {
	if p.Rehearsal() && p.Choices.Grid.Control == "" {
		return []front.Action{{Says: "write the rehearsal grid's address into flwr's configuration"}}, nil
	}
	if p.Config.Err != nil {
		return nil, p.Config.Err
	}
	var actions []front.Action
	for _, e := range p.Config.Value.Due {
		actions = append(actions, front.Action{Says: e.Why, Diff: e.Diff()})
	}
	return actions, nil
}

func (c configure) Apply(ctx context.Context, s *site.Site, to front.Sink) error {
	if err := c.fixFederation(ctx, s); err != nil {
		return err
	}
	found, err := site.ReadConfiguration(ctx, s)
	if err != nil {
		return err
	}
	for _, e := range found.Due {
		done, err := site.Edit(ctx, s, to, c.ID(), e, front.Question{ID: "configuration", Default: "yes", Ask: "Change " + s.Rel(e.File) + " like this?", Help: e.Why})
		if err != nil || !done {
			return err
		}
	}
	return site.AcceptConnections(s)
}

// fixFederation chooses the rehearsal grid's federation where flwr's configuration has to name it.
func (configure) fixFederation(ctx context.Context, s *site.Site) error {
	g, ok := site.GridRunning(s)
	if !s.Rehearsal() || !ok || s.Choices().Federation != "" || g.Ready.Managed || len(g.Ready.Federations) == 0 {
		return nil
	}
	return s.Change(func(c *project.Choices) error { c.Federation = g.Ready.Federations[0]; return nil })
}
