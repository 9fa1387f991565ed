package setup

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"flwrup/internal/cli/program"
	"flwrup/internal/cli/shown"
	"flwrup/internal/fleet"
	"flwrup/internal/front"
	"flwrup/internal/health"
	"flwrup/internal/plain"
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

// Rehearse is `flwrup rehearse`.
func Rehearse(p *program.Program) *cobra.Command {
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
		Args: program.NoArgs,
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
	p.JSONFlag(cmd)
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

func doRehearse(ctx context.Context, p *program.Program, cmd *cobra.Command, o rehearseOptions) error {
	if o.sites > 0 {
		if !cmd.Flags().Changed("nodes") {
			o.nodes = 1
		}
		o.yes = o.yes || p.JSON
		return doRehearseSites(ctx, p, o)
	}
	if o.nodes == 0 {
		return problem.New(problem.Usage, "cannot rehearse with no SuperNode", "without --sites all of them are here", "flwrup rehearse --sites 2 --nodes 0")
	}
	dir := p.Dir
	if dir == "" {
		dir = "flwrup-rehearsal"
	}
	if c, err := project.Load(dir); err == nil && !c.Grid.Rehearsal {
		abs, _ := filepath.Abs(dir)
		return problem.New(problem.BadInput, abs+" is set up for a real grid", "a rehearsal needs a folder of its own",
			"leave --dir out, or name another folder")
	}
	o.yes = o.yes || p.JSON
	open := site.Options{Dir: dir, Create: true, Rehearsal: true, Trap: o.trap, Crowded: o.crowded, Mend: o.trap, Attended: !o.yes, Choose: o.choose(cmd)}
	if !o.yes && p.Screen() {
		return Wizard(ctx, p, WizardOptions{Options: open, keep: o.keep})
	}
	began := time.Now()
	s, err := p.Open(ctx, open, o.yes)
	if err != nil {
		return err
	}
	defer s.Close()
	front := p.Front(o.yes)
	if !p.JSON {
		p.Say("rehearsal in %s", s.Dir)
		if !o.yes {
			p.Say("%s", site.RehearsalIs)
		}
	}
	err = steps.Walk(ctx, s, front)
	if err == nil {
		// The shown state must still hold at the very end: an overview before the curtain falls.
		err = showRehearsal(ctx, p, s, front, time.Since(began)-front.Waited())
	}
	return curtain(ctx, p, s, front, err, o.keep)
}

// curtain ends a rehearsal that stopped with err, nil when it ended well. What was kept before stays, whatever this
// call's flags are; so does what runs when a bug of ours ends the call. A run goes on only as long as its grid does:
// with keep a person may leave it, without it ends now, and that is said.
func curtain(ctx context.Context, p *program.Program, s *site.Site, to front.Sink, err error, keep bool) error {
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
		return p.GoesOn(id)
	}
	if stays && err != nil {
		p.Say("\nthe grid and the SuperNodes go on running: flwrup down --dir %s ends them", s.Dir)
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
func endRehearsal(p *program.Program, s *site.Site, to front.Sink, why error, keep bool) error {
	if keep && why == nil {
		p.Say("\nthe grid and the SuperNodes go on running: flwrup down --dir %s ends them", s.Dir)
		return site.KeepGrid(context.Background(), s)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 90*time.Second)
	defer cancel()
	err := fleet.TearDown(ctx, s, to, why == nil && mayRemove(context.Background(), p, s, to))
	if why != nil {
		p.Say("\nthe folder %s is kept: the same command goes on from there, flwrup down ends it", s.Dir)
	}
	if err != nil {
		return errors.Join(errors.New("tidy up"), err)
	}
	return nil
}

// RehearsalData is what `flwrup rehearse --json` carries.
type RehearsalData struct {
	shown.StatusData
	Seconds float64           `json:"seconds"`
	Metrics shown.MetricsData `json:"metrics"`
}

// showRehearsal looks at the whole once more, while all of it runs, and shows what was reached.
func showRehearsal(ctx context.Context, p *program.Program, s *site.Site, front *plain.Front, took time.Duration) error {
	o := health.Overview(ctx, s, 0)
	if o.GridErr != nil {
		return o.GridErr
	}
	if o.RuntimeErr != nil {
		return o.RuntimeErr
	}
	if p.JSON {
		d := RehearsalData{shown.StatusOf(p, s.Title(), o, time.Time{}), took.Seconds(), shown.MetricsOf(front)}
		program.WriteJSON(p.Out, d, nil)
		return nil
	}
	p.Say("")
	shown.ShowStatus(p, s.Title(), o, time.Time{})
	p.Say("\nall 16 steps, for real, in %d s", int(took.Seconds()))
	return nil
}
