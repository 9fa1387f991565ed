package cli

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"flwrup/internal/fleet"
	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/runs"
	"flwrup/internal/safego"
	"flwrup/internal/site"
	"flwrup/steps"
)

// rehearseOptions are the flags of `flwrup rehearse`.
type rehearseOptions struct {
	nodes     int
	sites     int
	flwr      string
	runtime   string
	yes, keep bool
	crowded   bool
	trap      bool
}

func rehearseCommand(p *program) *cobra.Command {
	var o rehearseOptions
	cmd := &cobra.Command{
		Use:   "rehearse",
		Short: "Go the whole way on a SuperGrid on this machine, without an account",
		Long: `Starts a SuperGrid on this machine (the real open-source SuperLink: TLS, SuperNode
authentication, account login, federations), on loopback only, and goes through all
16 steps against it, for real.

A rehearsal that ended well stops and removes all that it made; --keep leaves it
running, and what was kept once stays until ` + "`flwrup down`" + `. One that was left or
failed keeps its folder: the same command continues it, and ` + "`flwrup down`" + ` ends it.
The environment with flwr is kept for the next time.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return doRehearse(cmd.Context(), p, cmd, o) },
	}
	f := cmd.Flags()
	f.IntVar(&o.nodes, "nodes", 3, "`number` of SuperNodes; with --sites those of the coordinator: 1, or 0 for none")
	f.IntVar(&o.sites, "sites", 0, "a coordinator and this `number` of sites without an account, in folders of their own")
	f.StringVar(&o.flwr, "flwr", "", "flwr `version` to rehearse with (default: the newest)")
	f.StringVar(&o.runtime, "runtime", project.RuntimeAuto, "auto, docker or process")
	f.BoolVarP(&o.yes, "yes", "y", false, "answer every question with its default; approve the login")
	f.BoolVar(&o.keep, "keep", false, "leave grid and SuperNodes running at the end")
	f.BoolVar(&o.crowded, "crowded", false, "allow more SuperNodes than fit into this machine's memory")
	f.BoolVar(&o.trap, "trap", false, "use an app that saves its model at the end, which a grid forbids: see flwrup find and fix it")
	p.jsonFlag(cmd)
	return cmd
}

// choose puts the flags into the choices: all of them in a new folder, else those that were given.
func (o rehearseOptions) choose(cmd *cobra.Command) func(*project.Choices) {
	return func(c *project.Choices) {
		given := func(name string) bool { return cmd.Flags().Changed(name) }
		if c.Nodes == 0 && o.yes || given("nodes") {
			c.Nodes = o.nodes
		}
		if given("flwr") {
			c.Flwr.Version = o.flwr
		}
		if given("runtime") {
			c.Runtime = o.runtime
		}
		if c.ContainerPrefix == "" {
			c.ContainerPrefix = rehearsalPrefix(c)
		}
	}
}

// rehearsalPrefix is what the names of a rehearsal's containers begin with, apart from those of others.
func rehearsalPrefix(c *project.Choices) string { return "rehearsal_" + c.ID + "_supernode_" }

func doRehearse(ctx context.Context, p *program, cmd *cobra.Command, o rehearseOptions) error {
	if o.sites > 0 {
		if !cmd.Flags().Changed("nodes") {
			o.nodes = 1
		}
		o.yes = o.yes || p.json
		return doRehearseSites(ctx, p, o)
	}
	if o.nodes == 0 {
		return problem.New(problem.Usage, "cannot rehearse with no SuperNode", "without --sites all of them are here", "flwrup rehearse --sites 2 --nodes 0")
	}
	dir := p.dir
	if dir == "" {
		dir = "flwrup-rehearsal"
	}
	if c, err := project.Load(dir); err == nil && !c.Grid.Rehearsal {
		abs, _ := filepath.Abs(dir)
		return problem.New(problem.BadInput, abs+" is set up for a real grid", "a rehearsal needs a folder of its own",
			"leave --dir out, or name another folder")
	}
	o.yes = o.yes || p.json
	open := site.Options{Dir: dir, Create: true, Rehearsal: true, Trap: o.trap, Crowded: o.crowded, Mend: o.trap, Attended: !o.yes, Choose: o.choose(cmd)}
	if !o.yes && p.screen() {
		return p.wizard(ctx, wizardOptions{Options: open, keep: o.keep})
	}
	began := time.Now()
	s, err := p.open(ctx, open, o.yes)
	if err != nil {
		return err
	}
	defer s.Close()
	front := p.front(o.yes)
	if !p.json {
		p.say("rehearsal in %s", s.Dir)
		if !o.yes {
			p.say("%s", site.RehearsalIs)
		}
	}
	err = steps.Walk(ctx, s, front)
	if err == nil {
		// The shown state must still hold at the very end: an overview before the curtain falls.
		err = p.showRehearsal(ctx, s, front, time.Since(began)-front.Waited())
	}
	return curtain(ctx, p, s, front, err, o.keep)
}

// curtain ends a rehearsal that stopped with err, nil when it ended well. What was kept before stays, whatever this
// call's flags are; so does what runs when a bug of ours ends the call. A run goes on only as long as its grid does:
// with keep a person may leave it, without it ends now, and that is said.
func curtain(ctx context.Context, p *program, s *site.Site, to front.Sink, err error, keep bool) error {
	if problem.Is(err, problem.Busy) { // the rehearsal is another flwrup's
		return err
	}
	id, going := runs.GoingRun(s)
	going = going && err != nil && ctx.Err() != nil
	var bug *safego.Panic
	stays := site.GridStays(context.Background(), s) || errors.As(err, &bug)
	if going && (keep || stays) {
		if kept := site.KeepGrid(context.Background(), s); kept != nil {
			return kept
		}
		return p.goesOn(id)
	}
	if stays && err != nil {
		p.say("\nthe grid and the SuperNodes go on running: flwrup down --dir %s ends them", s.Dir)
		return errors.Join(err, site.KeepGrid(context.Background(), s))
	}
	ended := endRehearsal(p, s, to, err, keep || stays)
	if going && ended == nil {
		return problem.Stopped(nil, "stopped; run "+id+" has ended, too: its grid was this rehearsal's",
			"the same command starts a new run; with --keep the grid and its run continue when you leave")
	}
	if err == nil {
		err = ended
	}
	return err
}

// endRehearsal takes down what a rehearsal started. It has its own time limit: the person's Ctrl-C has
// ended the rehearsal, not the tidying.
func endRehearsal(p *program, s *site.Site, to front.Sink, why error, keep bool) error {
	if keep && why == nil {
		p.say("\nthe grid and the SuperNodes go on running: flwrup down --dir %s ends them", s.Dir)
		return site.KeepGrid(context.Background(), s)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 90*time.Second)
	defer cancel()
	err := fleet.TearDown(ctx, s, to, why == nil && p.mayRemove(context.Background(), s, to))
	if why != nil {
		p.say("\nthe folder %s is kept: the same command goes on from there, flwrup down ends it", s.Dir)
	}
	if err != nil {
		return errors.Join(errors.New("tidy up"), err)
	}
	return nil
}
