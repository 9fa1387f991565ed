package cli

import (
	"context"

	"github.com/spf13/cobra"

	"flwrup/internal/cli/past"
	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/runs"
	"flwrup/internal/site"
	"flwrup/steps"
	"flwrup/ui/style"
)

func runsCommand(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use: "runs", Short: "List the runs; show the log, the metrics or the SuperNodes of one, stop one", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.looking(func(s *site.Site) error {
				list, err := runs.Runs(cmd.Context(), s, 0)
				if err != nil {
					return err
				}
				if p.json {
					data := []runData{}
					for _, r := range list {
						data = append(data, dataOf(r))
					}
					writeJSON(p.Out, data, nil)
					return nil
				}
				for _, r := range list {
					p.say("%-20s  %-18s  %6s  %s", r.ID, r.Status, style.Age(r.Elapsed), r.App)
				}
				return nil
			})
		},
	}
	p.jsonFlag(cmd)
	follow, yes := false, false
	log := &cobra.Command{
		Use: "log [ID]", Short: "Show a run's log (the last one's)", Args: oneRun,
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.lookingAt(args, func(s *site.Site, id string) error {
				if !follow {
					return runs.RunLog(cmd.Context(), s, id, func(l string) { p.say("%s", l) })
				}
				front := p.front(true)
				err := runs.FollowRun(cmd.Context(), s, id, front)
				if cmd.Context().Err() != nil {
					return p.goesOn(id)
				}
				front.Table()
				return err
			})
		},
	}
	log.Flags().BoolVarP(&follow, "follow", "f", false, "go on until the run has ended, or Ctrl-C, which leaves it going")
	stop := &cobra.Command{
		Use: "stop ID…", Short: "Stop runs; asks first", Args: cobra.MatchAll(oneOrMore("run", "`flwrup runs` lists them"), runIDs),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := p.open(cmd.Context(), site.Options{Dir: p.findDir(), Attended: p.attended()}, yes)
			if err != nil {
				return err
			}
			defer s.Close()
			var to front.Sink = p.front(false)
			if yes {
				to = agreeing{to}
			}
			return steps.Act(cmd.Context(), s, front.StopRun, args, to)
		},
	}
	stop.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	cmd.AddCommand(log, stop)
	cmd.AddCommand(past.Runs(p.host())...)
	return cmd
}

// agreeing answers yes to every question.
type agreeing struct{ front.Sink }

func (agreeing) Ask(context.Context, front.Question) (string, error) { return "yes", nil }

func oneRun(cmd *cobra.Command, args []string) error {
	if len(args) > 1 {
		return problem.New(problem.Usage, "cannot show more than one run", "", "give one ID; `flwrup runs` lists them")
	}
	return runIDs(cmd, args)
}

func runIDs(_ *cobra.Command, args []string) error {
	for _, id := range args {
		if err := runs.CheckID(id); err != nil {
			return err
		}
	}
	return nil
}

// lookingAt looks at one run: that of args, else the last one started here.
func (p *program) lookingAt(args []string, do func(s *site.Site, id string) error) error {
	return p.looking(func(s *site.Site) error {
		id, _ := runs.GoingRun(s)
		if len(args) > 0 {
			id = args[0]
		}
		if id == "" {
			return problem.New(problem.RunNotFound, "no run was started here yet", "", "flwrup run starts one; flwrup runs lists those of the account")
		}
		return do(s, id)
	})
}

// looking opens the site for reading only and hands it to do.
func (p *program) looking(do func(*site.Site) error) error {
	s, err := p.openToLook()
	if err != nil {
		return err
	}
	defer s.Close()
	return do(s)
}

// comeBack is the command that shows a run again.
func (p *program) comeBack(id string) string { return p.command([]string{"runs", "log", id, "-f"}) }

// goesOn says that the person has left a run, and how to come back to it.
func (p *program) goesOn(id string) error {
	return problem.Stopped(nil, "left; run "+id+" goes on",
		p.command([]string{"runs", "stop", id})+" ends it; to come back to it: "+p.comeBack(id))
}

// left is err, or word of the run that goes on when the person has left while one did.
func (p *program) left(ctx context.Context, s *site.Site, err error) error {
	if id, going := runs.GoingRun(s); going && err != nil && ctx.Err() != nil {
		return p.goesOn(id)
	}
	return err
}
