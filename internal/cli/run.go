package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"flwrup/internal/plain"
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

func runCommand(p *program) *cobra.Command {
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
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return doRun(cmd.Context(), p, cmd, o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.app, "app", "", "`folder` of the Flower app, from here, or @publisher/name to fetch it from Flower's hub; kept in flwrup.toml (default: the app in this folder)")
	f.StringArrayVarP(&o.config, "run-config", "c", nil, "`values` for this run in place of the app's own: 'key=value …', repeatable; or a TOML file in this folder")
	f.BoolVarP(&o.detach, "detach", "d", false, "do not follow it: flwrup runs log ID -f does")
	f.BoolVarP(&o.yes, "yes", "y", false, "answer every question with its default")
	f.BoolVar(&o.mend, "mend", false, mendHelp)
	f.BoolVar(&o.sendAll, "send-all", false, sendAllHelp)
	p.jsonFlag(cmd)
	return cmd
}

// Flags of every command that starts runs.
const (
	mendHelp    = "comment out what writes files in the app's ServerApp; a copy is kept"
	sendAllHelp = "send the app even with files of the SuperNodes' data among it; keys never"
)

// finishedRun is what `flwrup run --json` carries: the run, and what it measured.
type finishedRun struct {
	Run     runData     `json:"run"`
	Metrics metricsData `json:"metrics"`
}

// metricsData is the metrics of a run: name → round → value.
type metricsData map[string]map[string]float64

func metricsOf(front *plain.Front) metricsData {
	d := metricsData{}
	rounds, names := front.Metrics()
	for _, name := range names {
		d[name] = map[string]float64{}
		for round, values := range rounds {
			if v, ok := values[name]; ok {
				d[name][fmt.Sprint(round)] = v
			}
		}
	}
	return d
}

func doRun(ctx context.Context, p *program, cmd *cobra.Command, o runOptions) error {
	if o.app == site.NoApp {
		return badValue(cmd, "app", o.app, "a run needs an app")
	}
	config, err := runs.ParseConfig(o.config)
	if err != nil {
		return badValue(cmd, "run-config", strings.Join(o.config, " "), err.Error())
	}
	yes, dir := o.yes || p.json || !p.attended(), p.findDir()
	s, err := p.open(ctx, site.Options{Dir: dir, Attended: !yes, Mend: o.mend, SendAll: o.sendAll, Choose: func(c *project.Choices) {
		if cmd.Flags().Changed("app") {
			c.App = appFrom(dir, o.app)
		}
	}}, yes)
	if err != nil {
		return err
	}
	defer s.Close()
	front := p.front(yes)
	id, err := steps.StartRun(ctx, s, config, front)
	if err != nil {
		return p.left(ctx, s, err)
	}
	if o.detach {
		p.say("\nto follow it: %s", p.comeBack(id))
	} else {
		err = runs.FollowRun(ctx, s, id, front)
		if ctx.Err() != nil {
			return p.goesOn(id)
		}
		front.Table()
	}
	if !p.json {
		return err
	}
	d := finishedRun{runData{ID: id}, metricsOf(front)}
	list, lerr := runs.Runs(ctx, s, 0)
	for _, r := range list {
		if r.ID == id {
			d.Run = dataOf(r)
		}
	}
	if err == nil {
		err = lerr
	}
	writeJSON(p.Out, d, err)
	if err != nil {
		return alreadySaid(err)
	}
	return nil
}
