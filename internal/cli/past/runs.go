package past

import (
	"fmt"

	"github.com/spf13/cobra"

	"flwrup/internal/runs"
	"flwrup/internal/site"
)

// Runs are the commands below `flwrup runs` that tell of single runs.
func Runs(h Host) []*cobra.Command {
	metrics := &cobra.Command{
		Use: "metrics [ID]", Short: "Print a run's metrics (the last one's) as CSV, a row a round", Args: h.OneRun,
		RunE: func(cmd *cobra.Command, args []string) error {
			return h.LookAt(args, func(s *site.Site, id string) error {
				list, err := runs.RunMetrics(cmd.Context(), s, id)
				if err == nil {
					fmt.Fprint(h.Out, runs.MetricsCSV(list))
				}
				return err
			})
		},
	}
	nodes := &cobra.Command{
		Use: "nodes [ID]", Short: "Name the SuperNodes here that took part in a run (the last one), as their logs have it", Args: h.OneRun,
		RunE: func(cmd *cobra.Command, args []string) error {
			return h.LookAt(args, func(s *site.Site, id string) error {
				names, err := runs.TookPart(cmd.Context(), s, id)
				for _, n := range names {
					h.Say("%s", n)
				}
				return err
			})
		},
	}
	return []*cobra.Command{metrics, nodes}
}
