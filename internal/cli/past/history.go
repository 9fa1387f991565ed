// Package past is the part of flwrup's command line that tells what was: the history, the runs that are over, the report.
package past

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"flwrup/internal/front"
	"flwrup/internal/history"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/sheet"
	"flwrup/internal/site"
	"flwrup/internal/termsafe"
	"flwrup/internal/wording"
)

// Host is what the commands need of the program that they are part of.
type Host struct {
	Dir       func() string              // the project's folder
	Look      func() (*site.Site, error) // opens it for reading only
	Say       func(string, ...any)       // writes a line for a person; nothing with --json
	WriteJSON func(data any)             // writes the one object
	JSONFlag  func(*cobra.Command)       // adds --json
	JSON      func() bool                // it was given
	Out       io.Writer
	NoArgs    cobra.PositionalArgs
	Ask       func(context.Context, front.Question) (string, error)
	Version   string               // flwrup's own
	OneRun    cobra.PositionalArgs // at most the ID of one run
	// LookAt opens the project for a look at the run of args, else the last one started here.
	LookAt func(args []string, do func(s *site.Site, id string) error) error
}

// HistoryData is what `flwrup history --json` carries.
type HistoryData struct {
	Since   time.Time   `json:"since"`
	Until   time.Time   `json:"until"`
	Begins  time.Time   `json:"begins,omitzero"` // the oldest thing that is still known
	Nodes   []ShareData `json:"nodes"`
	Events  []EventData `json:"events"`            // oldest first
	Damaged int         `json:"damaged,omitempty"` // lines of the file that could not be read
}

// ShareData is how a SuperNode stood.
type ShareData struct {
	Name         string   `json:"name"`
	Availability *float64 `json:"availability"` // part of the time looked at in which it was online, 0 to 1; null where nobody looked
	LookedAt     float64  `json:"looked_at"`    // part of all the time, 0 to 1
	Online       int64    `json:"online_seconds"`
	Down         int64    `json:"down_seconds"`
	Stopped      int64    `json:"stopped_seconds"` // by a person, or not started yet
	Unknown      int64    `json:"unknown_seconds"` // the grid did not answer
}

// EventData is something that happened.
type EventData struct {
	At     time.Time    `json:"at"`
	Kind   history.Kind `json:"kind"` // node, started, image, gone, grid, runtime, run, act, note, gap
	Node   string       `json:"node,omitempty"`
	Run    string       `json:"run,omitempty"`
	State  string       `json:"state,omitempty"`  // of a SuperNode: online, down, stopped, not known
	Status string       `json:"status,omitempty"` // of a run
	Code   string       `json:"code,omitempty"`
	Says   string       `json:"says"`
}

// History is `flwrup history`.
func History(h Host) *cobra.Command {
	since, asCSV := "7d", false
	cmd := &cobra.Command{
		Use: "history [NODE]", Short: "Show what happened, and how long each SuperNode was online",
		Long: `Shows what changed when, and for each SuperNode which part of the time it was online. Only time in
which a flwrup looked counts: the dashboard and flwrup watch look all the time, flwrup status for a
moment. The rest is not known, and "looked at" says how much that leaves.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return problem.New(problem.Usage, "cannot show more than one SuperNode", "", "name one, or none for all")
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			now := time.Now().Truncate(time.Second)
			from, err := front.ParseMoment(since, now)
			if err != nil {
				return err
			}
			node := ""
			if len(args) > 0 {
				node = args[0]
			}
			if asCSV && h.JSON() {
				return problem.New(problem.Usage, "cannot use --csv with --json", "", "give one of them")
			}
			return showHistory(h, from, now, node, asCSV)
		},
	}
	h.JSONFlag(cmd)
	cmd.Flags().StringVar(&since, "since", since, "from this `TIME` on: 7d, 12h, 14:00, yesterday, \"2026-11-23 14:00\"")
	cmd.Flags().BoolVar(&asCSV, "csv", false, "what happened as CSV, times in UTC")
	return cmd
}

func showHistory(h Host, from, to time.Time, node string, asCSV bool) error {
	dir := h.Dir()
	if _, err := os.Stat(project.File(dir)); err != nil {
		return problem.New(problem.BadInput, "no flwrup.toml in "+dir, "nothing was set up here yet", "start with `flwrup`, or name the folder with --dir")
	}
	l, err := history.Read(project.StateDir(dir))
	if err != nil {
		return &problem.Problem{Code: problem.BadInput, What: "cannot read the history", Why: problem.Cause(err),
			Fix: "move " + history.File(project.StateDir(dir)) + " away; flwrup begins a new one", Err: err}
	}
	if node != "" && !slices.ContainsFunc(l.Entries, func(e history.Entry) bool { return e.Kind == history.Node && e.Name == node }) {
		return problem.New(problem.NodeNotFound, "the history knows no SuperNode "+termsafe.Quote(node), "", "`flwrup history` lists those that it knows")
	}
	d := dataOf(l, from, to, node)
	switch {
	case h.JSON():
		h.WriteJSON(d)
	case asCSV:
		fmt.Fprint(h.Out, eventsCSV(d.Events))
	default:
		tell(h, d)
	}
	return nil
}

func dataOf(l history.Log, from, to time.Time, node string) HistoryData {
	d := HistoryData{Since: from.UTC(), Until: to.UTC(), Nodes: []ShareData{}, Events: []EventData{}, Damaged: l.Damaged}
	if len(l.Entries) > 0 {
		d.Begins = l.Entries[0].At.Add(-l.Entries[0].For)
	}
	line := l.Between(from, to, node)
	for _, name := range line.Names() {
		s := line.Share(name)
		n := ShareData{Name: name, LookedAt: s.Seen(), Online: seconds(s[history.Online]), Down: seconds(s[history.Down]),
			Stopped: seconds(s[history.Stopped]), Unknown: seconds(s[history.Unknown])}
		if part, known := s.Of(history.Online); known {
			n.Availability = &part
		}
		d.Nodes = append(d.Nodes, n)
	}
	for _, e := range l.Events(from, to, node) {
		d.Events = append(d.Events, EventData{At: e.At.UTC(), Kind: e.Kind, Node: e.Node, Run: e.Run, State: e.Stand, Status: e.Status, Code: e.Code, Says: e.Says})
	}
	return d
}

func seconds(d time.Duration) int64 { return int64(d / time.Second) }

// tell writes the history as lines.
func tell(h Host, d HistoryData) {
	if d.Begins.IsZero() {
		h.Say("nothing is known yet: the dashboard, flwrup watch and flwrup status write the history when they look")
		return
	}
	head := "since " + day(d.Since)
	if d.Begins.After(d.Since) {
		head += "; the history begins " + day(d.Begins)
	}
	h.Say("%s", head)
	width := len("name")
	for _, n := range d.Nodes {
		width = max(width, len(n.Name))
	}
	if len(d.Nodes) > 0 {
		h.Say("  %-*s  %8s  %8s  %8s  %9s  %9s", width, "name", "online", "down", "stopped", "not known", "looked at")
	}
	for _, n := range d.Nodes {
		looked := n.Online + n.Down + n.Stopped + n.Unknown
		h.Say("  %-*s  %8s  %8s  %8s  %9s  %9s", width, n.Name, share(n.Online, looked), share(n.Down, looked), share(n.Stopped, looked), share(n.Unknown, looked),
			share(looked, seconds(d.Until.Sub(d.Since))))
	}
	if len(d.Nodes) > 0 {
		h.Say("    of the time that was looked at; \"looked at\" is of all the time")
	}
	if len(d.Events) > 0 {
		h.Say("")
	}
	for _, e := range d.Events {
		who := e.Node
		if who != "" {
			who += "  "
		}
		h.Say("%s  %s%s", day(e.At), who, e.Says)
	}
	if d.Damaged > 0 {
		h.Say("\n%s of the history could not be read", wording.Count(d.Damaged, "line"))
	}
}

func day(t time.Time) string { return t.Local().Format("2006-01-02 15:04:05") }

// share writes a part in percent: never 100 where something is missing, never 0 where something is there.
func share(part, all int64) string {
	if all <= 0 {
		return "–"
	}
	p := float64(part) / float64(all) * 100
	switch {
	case part > 0 && p < 0.1:
		return "<0.1 %"
	case part < all && p > 99.9:
		return ">99.9 %"
	}
	return strconv.FormatFloat(p, 'f', 1, 64) + " %"
}

func eventsCSV(list []EventData) string {
	rows := [][]string{{"time", "kind", "node", "run", "state", "status", "code", "says"}}
	for _, e := range list {
		rows = append(rows, []string{e.At.Format(time.RFC3339), string(e.Kind), e.Node, e.Run, e.State, e.Status, e.Code, e.Says})
	}
	return sheet.CSV(rows)
}
