package cli

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"

	"flwrup/internal/fleet"
	"flwrup/internal/front"
	"flwrup/internal/health"
	"flwrup/internal/problem"
	"flwrup/internal/site"
	"flwrup/internal/watch/lastlook"
	"flwrup/steps"
)

// Version is what `flwrup version` says; a release sets it with -ldflags.
var Version = "0.1.0"

// versionLine is what `flwrup version` and `flwrup --version` print.
func versionLine() string { return "flwrup " + Version + " " + runtime.GOOS + "/" + runtime.GOARCH }

func versionCommand(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use: "version", Short: "Print flwrup's version", Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			revision := ""
			if info, ok := debug.ReadBuildInfo(); ok {
				for _, s := range info.Settings {
					if s.Key == "vcs.revision" && len(s.Value) >= 12 {
						revision = s.Value[:12]
					}
				}
			}
			if p.json {
				writeJSON(p.Out, map[string]string{"version": Version, "revision": revision, "go": runtime.Version(),
					"platform": runtime.GOOS + "/" + runtime.GOARCH}, nil)
				return nil
			}
			p.say("%s", versionLine())
			return nil
		},
	}
	p.jsonFlag(cmd)
	return cmd
}

// openToLook opens a site for reading only: another flwrup may be at work in it.
func (p *program) openToLook() (*site.Site, error) {
	if p.trustAll {
		if err := acceptAll(p.findDir()); err != nil {
			return nil, err
		}
	}
	s, err := site.Open(site.Options{Dir: p.findDir(), ReadOnly: true})
	if err == nil {
		tellWithheld(p, s)
	}
	return s, err
}

func statusCommand(p *program) *cobra.Command {
	fresh := false
	cmd := &cobra.Command{
		Use: "status", Short: "Show the SuperNodes: on the grid and here", Args: noArgs,
		Long: `While flwrup watch runs for the folder, its last look is shown, which is at most half a minute old,
and how old it is. With --fresh, and without a watch, the grid is asked.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := p.openToLook()
			if err != nil {
				return err
			}
			defer s.Close()
			l, kept := lastlook.Look{}, false
			if !fresh && len(site.LeftOut(s)) == 0 {
				l, kept = lastlook.Read(s.Dir, time.Now())
			}
			if !kept {
				l.Over = health.Overview(cmd.Context(), s, 0)
				l.Title = s.Title()
			}
			if p.json {
				writeJSON(p.Out, p.statusOf(l.Title, l.Over, l.At), l.Over.GridErr)
			} else {
				p.showStatus(l.Title, l.Over, l.At)
			}
			if l.Over.GridErr != nil {
				return alreadySaid(l.Over.GridErr)
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&fresh, "fresh", false, "ask the grid, also while a watch runs")
	p.jsonFlag(cmd)
	return cmd
}

func planCommand(p *program) *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use: "plan", Short: "Print the commands that would be run, as a person would type them", Args: noArgs,
		Long: `Prints, step by step, what flwrup would do now. The output is a shell script: sentences
are comments. A command that needs the answer of an earlier one (a node ID) appears
when that one has been done.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return doPlan(cmd.Context(), p, all) },
	}
	cmd.Flags().BoolVar(&all, "all", false, "also for the steps that are done")
	p.jsonFlag(cmd)
	return cmd
}

// planData is one step of `flwrup plan --json`.
type planData struct {
	Step     int          `json:"step"`
	Name     string       `json:"name"`
	State    string       `json:"state"`
	Why      string       `json:"why,omitempty"`
	Evidence []string     `json:"evidence,omitempty"`
	Actions  []actionData `json:"actions"`
}

type actionData struct {
	Says         string `json:"says"`
	Command      string `json:"command,omitempty"`
	Diff         string `json:"diff,omitempty"`
	Irreversible bool   `json:"irreversible,omitempty"`
}

func doPlan(ctx context.Context, p *program, all bool) error {
	s, err := p.openToLook()
	if err != nil {
		return err
	}
	defer s.Close()
	data := []planData{}
	look := steps.NewLook(s)
	for _, st := range steps.Steps() {
		status, err := look.Inspect(ctx, st.ID())
		if err != nil {
			status.Why = problem.Of(err).Error()
		}
		d := planData{Step: int(st.ID()), Name: st.Name(), State: status.State.String(), Why: status.Why, Evidence: status.Evidence, Actions: []actionData{}}
		if all || status.State == front.Ready || status.State == front.Blocked || status.State == front.Unknown {
			actions, err := look.Plan(ctx, st.ID())
			if err != nil && d.Why == "" {
				d.Why = problem.Of(err).Error()
			}
			for _, a := range actions {
				d.Actions = append(d.Actions, actionData{a.Says, a.Command, a.Diff, a.Irreversible})
			}
		}
		data = append(data, d)
	}
	if p.json {
		writeJSON(p.Out, data, nil)
		return nil
	}
	for _, d := range data {
		p.say("# %d. %s: %s", d.Step, d.Name, d.State)
		if d.Why != "" {
			p.say("#    %s", d.Why)
		}
		for _, a := range d.Actions {
			if a.Says != "" {
				p.say("# %s", a.Says)
			}
			if a.Diff != "" {
				p.say("%s", comment(a.Diff))
			}
			if a.Command != "" {
				p.say("%s", a.Command)
			}
		}
	}
	return nil
}

var handoverFormats = []string{"text", "markdown", "csv", "json"}

func handoverCommand(p *program) *cobra.Command {
	format := "text"
	cmd := &cobra.Command{
		Use: "handover", Short: "Print the node IDs as a message, Markdown, CSV or JSON", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := p.openToLook()
			if err != nil {
				return err
			}
			defer s.Close()
			h, err := fleet.NewHandover(s)
			if err != nil {
				return err
			}
			h.Look(cmd.Context(), s)
			if len(h.Nodes) == 0 {
				return problem.New(problem.NeedsPerson, "cannot hand over node IDs", "no SuperNode is registered yet", "flwrup up registers them")
			}
			write := map[string]func() string{"text": h.Text, "markdown": h.Markdown, "csv": h.CSV, "json": h.JSON}[format]
			fmt.Fprint(p.Out, write())
			return nil
		},
	}
	cmd.Flags().StringVar(&format, "format", format, "text, markdown, csv or json")
	return cmd
}
