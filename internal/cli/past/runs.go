package past

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/runs"
	"flwrup/internal/site"
	"flwrup/ui/chart"
	"flwrup/ui/style"
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
	show := &cobra.Command{
		Use: "show [ID]", Short: "Show a run (the last one): when, who took part, who failed and what its log said then", Args: h.OneRun,
		Long: `Shows what is known of a run. flwrup keeps it when a run that it follows ends: which SuperNodes
of this folder took part, and the log around the first failure of each. Of other runs it shows
what the logs still have.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return h.LookAt(args, func(s *site.Site, id string) error {
				p, err := runs.ReadPage(cmd.Context(), s, id)
				if err != nil {
					return err
				}
				if h.JSON() {
					h.WriteJSON(p)
				} else {
					showPage(h, p)
				}
				return nil
			})
		},
	}
	h.JSONFlag(show)
	return []*cobra.Command{metrics, nodes, show, compare(h)}
}

func showPage(h Host, p runs.Page) {
	status := front.RunStatus(p.Status)
	h.Say("run %s  %s  %s", p.ID, p.App, status.Outcome())
	for _, t := range []struct {
		what string
		at   time.Time
	}{{"pending", p.Pending}, {"began", p.Running}, {"ended", p.Over}} {
		if !t.at.IsZero() {
			h.Say("  %-8s %s", t.what, day(t.at))
		}
	}
	if p.Details != "" {
		h.Say("  %s", p.Details)
	}
	if len(p.Nodes) == 0 {
		h.Say("  no log of a SuperNode here speaks of it")
	}
	for _, n := range p.Nodes {
		if n.Failed == "" {
			h.Say("  %s %s took part", front.OK.Sign(false), n.Name)
			continue
		}
		h.Say("  %s %s failed: %s", front.Failing.Sign(false), n.Name, n.Failed)
		for _, l := range n.Log {
			h.Say("      %s", l)
		}
	}
	if len(p.Log) > 0 {
		h.Say("  the end of the run's own log:")
		for _, l := range p.Log {
			h.Say("      %s", l)
		}
	}
}

// mostCompared is how many runs a comparison takes: each has a letter.
const mostCompared = 8

// ComparedData is a run in `flwrup runs compare --json`.
type ComparedData struct {
	ID      string             `json:"id"`
	App     string             `json:"app"`
	Status  string             `json:"status"`
	Seconds float64            `json:"seconds"`
	Last    map[string]float64 `json:"last"` // the newest value of each metric
}

func compare(h Host) *cobra.Command {
	asCSV := false
	cmd := &cobra.Command{
		Use: "compare ID ID…", Short: "Compare the metrics of runs: charts over each other, a table, or CSV",
		Args: func(cmd *cobra.Command, args []string) error {
			for i, id := range args {
				if err := runs.CheckID(id); err != nil {
					return err
				}
				if slices.Contains(args[:i], id) {
					return problem.New(problem.Usage, "run "+id+" is named twice", "", "name each run once")
				}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) < 2 || len(args) > mostCompared {
				return problem.New(problem.Usage, "cannot compare "+strconv.Itoa(len(args))+" runs", "it takes 2 to "+strconv.Itoa(mostCompared), "flwrup runs lists them")
			}
			if asCSV && h.JSON() {
				return problem.New(problem.Usage, "cannot use --csv with --json", "", "give one of them")
			}
			return h.LookAt(args[:1], func(s *site.Site, _ string) error {
				list, err := runs.Compare(cmd.Context(), s, args)
				if err != nil {
					return err
				}
				switch {
				case h.JSON():
					h.WriteJSON(comparedData(list))
				case asCSV:
					fmt.Fprint(h.Out, comparedCSV(list))
				default:
					showCompared(h, list)
				}
				return nil
			})
		},
	}
	h.JSONFlag(cmd)
	cmd.Flags().BoolVar(&asCSV, "csv", false, "a row a round, a column for each metric of each run")
	return cmd
}

// seriesOf returns the metrics of a run as series.
func seriesOf(c runs.Compared) (list []chart.Series) {
	for _, m := range c.Metrics {
		list = chart.Add(list, m)
	}
	return list
}

// metricNames returns the metrics that any of the runs has, in the order of the first one that has it.
func metricNames(list []runs.Compared) (names []string) {
	for _, c := range list {
		for _, x := range seriesOf(c) {
			if !slices.Contains(names, x.Name) {
				names = append(names, x.Name)
			}
		}
	}
	return names
}

func comparedData(list []runs.Compared) []ComparedData {
	data := []ComparedData{}
	for _, c := range list {
		d := ComparedData{ID: c.Run.ID, App: c.Run.App, Status: string(c.Run.Status), Seconds: c.Run.Elapsed.Seconds(), Last: map[string]float64{}}
		for _, x := range seriesOf(c) {
			d.Last[x.Name] = x.Last()
		}
		data = append(data, d)
	}
	return data
}

func comparedCSV(list []runs.Compared) string {
	var all []front.Metric
	for _, c := range list {
		for _, m := range c.Metrics {
			m.Name = c.Run.ID + " " + m.Name
			all = append(all, m)
		}
	}
	return runs.MetricsCSV(all)
}

func showCompared(h Host, list []runs.Compared) {
	st := style.New(style.Options{NoColor: true})
	for i, c := range list {
		h.Say("%s  run %s  %s  %s  %s", chart.Letter(i), c.Run.ID, c.Run.App, c.Run.Status.Outcome(), style.Age(c.Run.Elapsed))
	}
	names := metricNames(list)
	if len(names) == 0 {
		h.Say("\nnone of them has metrics")
		return
	}
	width := len("metric")
	for _, name := range names {
		width = max(width, style.Width(name))
	}
	head := fmt.Sprintf("\n%s", st.Pad("newest value", max(width, len("newest value"))))
	width = max(width, len("newest value"))
	for i := range list {
		head += fmt.Sprintf("  %12s", chart.Letter(i))
	}
	h.Say("%s", head)
	for _, name := range names {
		row := st.Pad(name, width)
		for _, c := range list {
			cell := "–"
			if i := slices.IndexFunc(seriesOf(c), func(x chart.Series) bool { return x.Name == name }); i >= 0 {
				cell = strconv.FormatFloat(seriesOf(c)[i].Last(), 'g', 6, 64)
			}
			row += fmt.Sprintf("  %12s", cell)
		}
		h.Say("%s", row)
	}
	for _, name := range names {
		var lines []chart.Series
		for _, c := range list {
			x := chart.Series{Name: name}
			if all := seriesOf(c); slices.ContainsFunc(all, func(x chart.Series) bool { return x.Name == name }) {
				x = all[slices.IndexFunc(all, func(x chart.Series) bool { return x.Name == name })]
			}
			lines = append(lines, x)
		}
		if drawn := chart.Overlay(st, lines, 76, 14); drawn != nil {
			h.Say("\n%s by round", name)
			for _, l := range drawn {
				h.Say("%s", l)
			}
		}
	}
}
