package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"flwrup/internal/cli/program"
	"flwrup/internal/cli/setup"
	"flwrup/internal/cli/shown"
	"flwrup/internal/project"
	"flwrup/internal/runs"
	"flwrup/internal/site"
	"flwrup/steps"
)

// runOptions are the flags of `flwrup run`.
type runOptions struct {
	app               string
	config            []string
	detach, yes, mend bool
	sendAll           bool
}

func runCommand(p *program.Program) *cobra.Command {
	var o runOptions
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Start a run of the app, and follow it to its end",
		Long: `Looks at the app first (what it would save on the grid, packages that the SuperNodes
lack, how many nodes it waits for), waits until enough SuperNodes are online, sends it
to the grid and follows its log; at the end come the metrics, a row a round.

Unattended, the app's source is left as it is; --mend comments out what writes files.
Files of the SuperNodes' data, flwrup.toml and an app over the grid's limit stop the run
with exit code 3; --send-all accepts the files.

Ctrl-C leaves the run going and says how to come back to it.`,
		Args: program.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return doRun(cmd.Context(), p, cmd, o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.app, "app", "", "`folder` of the Flower app, from here, or @publisher/name to fetch it from Flower's hub; kept in flwrup.toml (default: the app in this folder)")
	f.StringArrayVarP(&o.config, "run-config", "c", nil, "`values` for this run in place of the app's own: 'key=value …', repeatable; or a TOML file in this folder")
	f.BoolVarP(&o.detach, "detach", "d", false, "do not follow it: flwrup runs log ID -f does")
	f.BoolVarP(&o.yes, "yes", "y", false, "answer every question with its default")
	f.BoolVar(&o.mend, "mend", false, setup.MendHelp)
	f.BoolVar(&o.sendAll, "send-all", false, setup.SendAllHelp)
	p.JSONFlag(cmd)
	return cmd
}

// finishedRun is what `flwrup run --json` carries: the run, and what it measured.
type finishedRun struct {
	Run     shown.RunData     `json:"run"`
	Metrics shown.MetricsData `json:"metrics"`
}

func doRun(ctx context.Context, p *program.Program, cmd *cobra.Command, o runOptions) error {
	if o.app == site.NoApp {
		return program.BadValue(cmd, "app", o.app, "a run needs an app")
	}
	config, err := runs.ParseConfig(o.config)
	if err != nil {
		return program.BadValue(cmd, "run-config", strings.Join(o.config, " "), err.Error())
	}
	yes, dir := o.yes || p.JSON || !p.Attended(), p.FindDir()
	s, err := p.Open(ctx, site.Options{Dir: dir, Attended: !yes, Mend: o.mend, SendAll: o.sendAll, Choose: func(c *project.Choices) {
		if cmd.Flags().Changed("app") {
			c.App = setup.AppFrom(dir, o.app)
		}
	}}, yes)
	if err != nil {
		return err
	}
	defer s.Close()
	front := p.Front(yes)
	id, err := steps.StartRun(ctx, s, config, front)
	if err != nil {
		return p.Left(ctx, s, err)
	}
	if o.detach {
		p.Say("\nto follow it: %s", p.ComeBack(id))
	} else {
		err = runs.FollowRun(ctx, s, id, front)
		if ctx.Err() != nil {
			return p.GoesOn(id)
		}
		front.Table()
	}
	if !p.JSON {
		return err
	}
	d := finishedRun{shown.RunData{ID: id}, shown.MetricsOf(front)}
	list, lerr := runs.Runs(ctx, s, 0)
	for _, r := range list {
		if r.ID == id {
			d.Run = shown.DataOf(r)
		}
	}
	if err == nil {
		err = lerr
	}
	program.WriteJSON(p.Out, d, err)
	if err != nil {
		return program.AlreadySaid(err)
	}
	return nil
}
