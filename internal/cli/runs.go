package cli

import (
	"github.com/spf13/cobra"

	"flwrup/internal/cli/past"
	"flwrup/internal/cli/program"
	"flwrup/internal/cli/shown"
	"flwrup/internal/front"
	"flwrup/internal/runs"
	"flwrup/internal/site"
	"flwrup/steps"
	"flwrup/ui/style"
)

func runsCommand(p *program.Program) *cobra.Command {
	cmd := &cobra.Command{
		Use: "runs", Short: "List the runs; show the log, the metrics or the SuperNodes of one, stop one", Args: program.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.Looking(func(s *site.Site) error {
				list, err := runs.Runs(cmd.Context(), s, 0)
				if err != nil {
					return err
				}
				if p.JSON {
					data := []shown.RunData{}
					for _, r := range list {
						data = append(data, shown.DataOf(r))
					}
					program.WriteJSON(p.Out, data, nil)
					return nil
				}
				for _, r := range list {
					p.Say("%-20s  %-18s  %6s  %s", r.ID, r.Status, style.Age(r.Elapsed), r.App)
				}
				return nil
			})
		},
	}
	p.JSONFlag(cmd)
	follow, yes := false, false
	log := &cobra.Command{
		Use: "log [ID]", Short: "Show a run's log (the last one's)", Args: program.OneRun,
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.LookingAt(args, func(s *site.Site, id string) error {
				if !follow {
					return runs.RunLog(cmd.Context(), s, id, func(l string) { p.Say("%s", l) })
				}
				front := p.Front(true)
				err := runs.FollowRun(cmd.Context(), s, id, front)
				if cmd.Context().Err() != nil {
					return p.GoesOn(id)
				}
				front.Table()
				return err
			})
		},
	}
	log.Flags().BoolVarP(&follow, "follow", "f", false, "go on until the run has ended, or Ctrl-C, which leaves it going")
	stop := &cobra.Command{
		Use: "stop ID…", Short: "Stop runs; asks first", Args: cobra.MatchAll(program.OneOrMore("run", "`flwrup runs` lists them"), program.RunIDs),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := p.Open(cmd.Context(), site.Options{Dir: p.FindDir(), Attended: p.Attended()}, yes)
			if err != nil {
				return err
			}
			defer s.Close()
			var to front.Sink = p.Front(false)
			if yes {
				to = front.Agreeing{Sink: to}
			}
			return steps.Act(cmd.Context(), s, front.StopRun, args, to)
		},
	}
	stop.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	cmd.AddCommand(log, stop)
	cmd.AddCommand(past.Runs(host(p))...)
	return cmd
}
