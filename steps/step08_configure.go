package steps

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"flwrup/flwrexec/config"
	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/site"
)

// configure is step 8: flwr's own configuration names the grid.
type configure struct{}

func (configure) ID() front.StepID { return front.StepConfigure }
func (configure) Name() string     { return "Configuration" }
func (configure) Title() string    { return "Project configuration" }
func (configure) Why() string {
	return "flwr has to know where the grid is. Up to version 1.25 that stands in the app's pyproject.toml, " +
		"from 1.26 on in Flower's own config.toml. flwrup changes only the keys it needs: comments and order stay, and the edit can be undone."
}

// edits gives the file edits that are due, the most urgent first.
func (configure) edits(ctx context.Context, s *site.Site) ([]config.Edit, error) {
	f, err := s.Session(ctx)
	if err != nil {
		return nil, err
	}
	d := f.Dialect()
	c := s.Choices()
	want := config.Connection{Name: c.Grid.Connection, Address: s.Folder().ControlAddress(d), CA: s.Path(c.Grid.CA)}
	pyproject := filepath.Join(s.AppDir(), "pyproject.toml")
	var due []config.Edit
	add := func(e config.Edit, err error) error {
		if err == nil && e.Changed() {
			due = append(due, e)
		}
		return err
	}
	if d.ConfigInPyproject {
		want.Federation = c.Federation
		err := add(config.EditPyproject(pyproject, want))
		return due, err
	}
	var legacy []string
	for _, file := range []string{pyproject, filepath.Join(s.Dir, "pyproject.toml")} {
		has, _, err := config.LegacyBlock(file)
		if err != nil {
			return nil, err
		}
		if has && !slices.Contains(legacy, file) {
			legacy = append(legacy, file)
		}
	}
	// What a block holds is in Flower's configuration before the block goes.
	file, err := config.FlowerFile(s.FlwrHome())
	if err != nil {
		return nil, err
	}
	e, err := flowerConfig(s, file, want)
	if err != nil {
		return nil, err
	}
	if err := add(config.CarryLegacy(e, want.Name, legacy...)); err != nil {
		return nil, err
	}
	for _, file := range legacy {
		if err := add(config.RetireLegacyBlock(file)); err != nil {
			return nil, err
		}
	}
	return due, nil
}

// flowerConfig plans the connection in Flower's own file. Without an address of the site's own a connection that
// is there is the person's, but for values that flwr refuses.
func flowerConfig(s *site.Site, file string, want config.Connection) (config.Edit, error) {
	if !(s.Choices().Grid.Control != "") {
		mend := want
		mend.Federation = s.Choices().Federation
		if e, has, err := config.MendFlower(file, mend); has || err != nil {
			return e, err
		}
	}
	return config.EditFlower(file, want)
}

func (c configure) Inspect(ctx context.Context, s *site.Site) (front.Status, error) {
	f, err := s.Session(ctx)
	if err != nil {
		return blockedByFlwr(err)
	}
	choices := s.Choices()
	if s.Rehearsal() && choices.Grid.Control == "" {
		return front.Status{State: front.Blocked, By: front.StepTools, Why: "the rehearsal grid has not been started yet"}, nil
	}
	if f.Dialect().ConfigInPyproject && choices.Federation == "" && !s.Rehearsal() {
		return front.Status{State: front.Blocked, By: front.StepFederation, Why: "flwr " + f.Version().String() + " needs the federation's name in its configuration, before the login"}, nil
	}
	due, err := c.edits(ctx, s)
	if err != nil {
		return front.Status{}, err
	}
	if len(due) > 0 {
		st := front.Status{State: front.Ready}
		for _, e := range due {
			st.Evidence = append(st.Evidence, s.Rel(e.File)+" has to be changed: "+e.Why)
		}
		return st, nil
	}
	where := filepath.Join(s.AppDir(), "pyproject.toml")
	if !f.Dialect().ConfigInPyproject {
		if where, err = config.FlowerFile(s.FlwrHome()); err != nil {
			return front.Status{}, err
		}
	}
	return front.Status{State: front.Done, Evidence: []string{fmt.Sprintf("%s names the connection %s: %s", s.Rel(where), choices.Grid.Connection,
		s.Folder().ControlAddress(f.Dialect()))}}, nil
}

// blockedByFlwr makes of a missing flwr what a step says that needs one.
func blockedByFlwr(err error) (front.Status, error) {
	if problem.Is(err, noFlwr...) {
		return front.Status{State: front.Blocked, By: front.StepTools, Why: err.Error()}, nil
	}
	return front.Status{}, err
}

func (c configure) Plan(ctx context.Context, s *site.Site) ([]front.Action, error) {
	if s.Rehearsal() && s.Choices().Grid.Control == "" {
		return []front.Action{{Says: "write the rehearsal grid's address into flwr's configuration"}}, nil
	}
	due, err := c.edits(ctx, s)
	if err != nil {
		return nil, err
	}
	var actions []front.Action
	for _, e := range due {
		actions = append(actions, front.Action{Says: e.Why, Diff: e.Diff()})
	}
	return actions, nil
}

func (c configure) Apply(ctx context.Context, s *site.Site, to front.Sink) error {
	if err := c.fixFederation(ctx, s); err != nil {
		return err
	}
	due, err := c.edits(ctx, s)
	if err != nil {
		return err
	}
	for _, e := range due {
		done, err := site.Edit(ctx, s, to, c.ID(), e, front.Question{ID: "configuration", Default: "yes", Ask: "Change " + s.Rel(e.File) + " like this?", Help: e.Why})
		if err != nil || !done {
			return err
		}
	}
	return site.AcceptConnections(s)
}

// fixFederation settles, in a rehearsal on a flwr whose configuration names the federation, the one
// that the grid has.
func (configure) fixFederation(ctx context.Context, s *site.Site) error {
	g, ok := site.GridRunning(s)
	if !s.Rehearsal() || !ok || s.Choices().Federation != "" || g.Ready.Managed || len(g.Ready.Federations) == 0 {
		return nil
	}
	return s.Change(func(c *project.Choices) error { c.Federation = g.Ready.Federations[0]; return nil })
}
