package setup

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"flwrup/internal/admission"
	"flwrup/internal/cli/program"
	"flwrup/internal/fleet"
	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/site"
	"flwrup/steps"
)

// rehearsalOfSites is a rehearsal with a coordinator and sites without an account, in folders of their own.
type rehearsalOfSites struct {
	p           *program.Program
	base        string // the folder above theirs
	coordinator *site.Site
	sites       []*site.Site
}

// doRehearseSites goes the way of several institutions on this machine: requests, admission, replies, and a run over
// all of them. What travels between the folders are the letters; the telephone is flwrup's.
func doRehearseSites(ctx context.Context, p *program.Program, o rehearseOptions) (err error) {
	if !o.yes {
		return problem.New(problem.Usage, "cannot ask in a rehearsal of sites", "it goes all of the way on its own", "flwrup rehearse --sites "+fmt.Sprint(o.sites)+" --yes")
	}
	base := p.Dir
	if base == "" {
		base = "flwrup-rehearsal-sites"
	}
	if base, err = filepath.Abs(base); err != nil {
		return err
	}
	began := time.Now()
	r := &rehearsalOfSites{p: p, base: base}
	p.Say("rehearsal of a coordinator and %d sites in %s", o.sites, base)
	to := p.Front(true)
	err = r.goThrough(ctx, o, to)
	if err == nil {
		p.Say("")
		err = showRehearsal(ctx, p, r.coordinator, to, time.Since(began))
	}
	if o.keep && err == nil {
		err = site.KeepGrid(ctx, r.coordinator)
		p.Say("\nall goes on running; flwrup down ends each, the sites first:")
		for _, s := range append(r.sites, r.coordinator) {
			p.Say("  flwrup down --yes --dir %s", s.Dir)
		}
		return errors.Join(err, r.close())
	}
	return errors.Join(err, r.end(to, err == nil))
}

func (r *rehearsalOfSites) goThrough(ctx context.Context, o rehearseOptions, to front.Sink) (err error) {
	r.p.Say("\nthe coordinator, in %s", filepath.Join(r.base, "coordinator"))
	r.coordinator, err = r.p.Open(ctx, site.Options{Dir: filepath.Join(r.base, "coordinator"), Create: true, Rehearsal: true, Crowded: o.crowded, Choose: func(c *project.Choices) {
		c.Nodes, c.Flwr.Version, c.Runtime = o.nodes, o.flwr, o.runtime
		c.SitesOnly = o.nodes == 0
		c.ContainerPrefix = rehearsalPrefix(c)
	}}, true)
	if err != nil {
		return err
	}
	if err := steps.WalkTo(ctx, r.coordinator, to, front.StepConfirmation); err != nil {
		return err
	}
	for i := range o.sites {
		if err := r.join(ctx, i+1, to); err != nil {
			return err
		}
	}
	r.p.Say("\nthe coordinator goes on")
	return steps.Walk(ctx, r.coordinator, to)
}

// join is the way of one site: its request, the admission, the reply, its SuperNode online.
func (r *rehearsalOfSites) join(ctx context.Context, number int, to front.Sink) error {
	dir := filepath.Join(r.base, fmt.Sprintf("site-%d", number))
	r.p.Say("\nsite %d, in %s", number, dir)
	kind := cmp.Or(r.coordinator.RuntimeKind(), r.coordinator.Choices().Runtime) // a coordinator without SuperNodes has none
	s, err := r.p.Open(ctx, site.Options{Dir: dir, Create: true, Rehearsed: true, Choose: func(c *project.Choices) {
		c.Nodes, c.Runtime = 1, kind
		c.Site = project.SiteChoice{Name: fmt.Sprintf("Site %d", number), Contact: fmt.Sprintf("it@site-%d.example", number)}
		c.HostNetwork = kind != project.RuntimeProcess // the grid is on this machine's loopback
		c.ContainerPrefix = rehearsalPrefix(c)
		c.BackupPassphrase = ".flwrup/rehearsal-passphrase"
	}}, true)
	if err != nil {
		return err
	}
	r.sites = append(r.sites, s)
	if _, err := site.RehearsalPassphrase(s); err != nil {
		return err
	}
	request, err := steps.Request(ctx, s, to)
	if err != nil {
		return err
	}
	opened, err := admission.OpenRequests(request.Text)
	if err != nil {
		return err
	}
	reply, err := steps.Admit(ctx, r.coordinator, opened[0], request.Words, to)
	if err != nil {
		return err
	}
	if err := steps.Join(ctx, s, reply.Text, reply.Words, to); err != nil {
		return err
	}
	return steps.Walk(ctx, s, to)
}

// end stops all that the rehearsal started. It has its own time limit: the person's Ctrl-C has ended the rehearsal, not
// the tidying.
func (r *rehearsalOfSites) end(to front.Sink, remove bool) error {
	ctx, cancel := context.WithTimeout(context.Background(), 90*time.Second)
	defer cancel()
	var errs []error
	for _, s := range r.sites {
		errs = append(errs, fleet.TearDown(ctx, s, to, remove))
	}
	if r.coordinator != nil {
		errs = append(errs, fleet.TearDown(ctx, r.coordinator, to, remove))
	}
	if remove && errors.Join(errs...) == nil {
		_ = os.Remove(r.base) // stays where something else is in it
	} else {
		r.p.Say("\nthe folders in %s are kept", r.base)
	}
	return errors.Join(append(errs, r.close())...)
}

func (r *rehearsalOfSites) close() error {
	var errs []error
	for _, s := range append(r.sites, r.coordinator) {
		if s != nil {
			errs = append(errs, s.Close())
		}
	}
	return errors.Join(errs...)
}
