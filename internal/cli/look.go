package cli

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"flwrup/internal/cli/program"
	"flwrup/internal/cli/shown"
	"flwrup/internal/fleet"
	"flwrup/internal/front"
	"flwrup/internal/health"
	"flwrup/internal/problem"
	"flwrup/internal/site"
	"flwrup/internal/watch/lastlook"
	"flwrup/steps"
)

// comment makes a shell comment of text.
func comment(text string) string {
	return "#   " + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n#   ")
}

// Version is what `flwrup version` says; a release sets it with -ldflags.
var Version = "0.1.0"

// versionLine is what `flwrup version` and `flwrup --version` print.
func versionLine() string { return "flwrup " + Version + " " + runtime.GOOS + "/" + runtime.GOARCH }

func versionCommand(p *program.Program) *cobra.Command {
	cmd := &cobra.Command{
		Use: "version", Short: "Print flwrup's version", Args: program.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			revision := ""
			if info, ok := debug.ReadBuildInfo(); ok {
				for _, s := range info.Settings {
					if s.Key == "vcs.revision" && len(s.Value) >= 12 {
						revision = s.Value[:12]
					}
				}
			}
			if p.JSON {
				program.WriteJSON(p.Out, map[string]string{"version": Version, "revision": revision, "go": runtime.Version(),
					"platform": runtime.GOOS + "/" + runtime.GOARCH}, nil)
				return nil
			}
			p.Say("%s", versionLine())
			return nil
		},
	}
	p.JSONFlag(cmd)
	return cmd
}

func statusCommand(p *program.Program) *cobra.Command {
	fresh := false
	cmd := &cobra.Command{
		Use: "status", Short: "Show the SuperNodes: on the grid and here", Args: program.NoArgs,
		Long: `While flwrup watch runs for the folder, its last look is shown, which is at most half a minute old,
and how old it is. With --fresh, and without a watch, the grid is asked.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := p.OpenToLook()
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
			if p.JSON {
				program.WriteJSON(p.Out, shown.StatusOf(p, l.Title, l.Over, l.At), l.Over.GridErr)
			} else {
				shown.ShowStatus(p, l.Title, l.Over, l.At)
			}
			if l.Over.GridErr != nil {
				return program.AlreadySaid(l.Over.GridErr)
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&fresh, "fresh", false, "ask the grid, also while a watch runs")
	p.JSONFlag(cmd)
	return cmd
}

func planCommand(p *program.Program) *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use: "plan", Short: "Print the commands that would be run, as a person would type them", Args: program.NoArgs,
		Long: `Prints, step by step, what flwrup would do now. The output is a shell script: sentences
are comments. A command that needs the answer of an earlier one (a node ID) appears
when that one has been done.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return doPlan(cmd.Context(), p, all) },
	}
	cmd.Flags().BoolVar(&all, "all", false, "also for the steps that are done")
	p.JSONFlag(cmd)
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

func doPlan(ctx context.Context, p *program.Program, all bool) error {
	s, err := p.OpenToLook()
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
	if p.JSON {
		program.WriteJSON(p.Out, data, nil)
		return nil
	}
	for _, d := range data {
		p.Say("# %d. %s: %s", d.Step, d.Name, d.State)
		if d.Why != "" {
			p.Say("#    %s", d.Why)
		}
		for _, a := range d.Actions {
			if a.Says != "" {
				p.Say("# %s", a.Says)
			}
			if a.Diff != "" {
				p.Say("%s", comment(a.Diff))
			}
			if a.Command != "" {
				p.Say("%s", a.Command)
			}
		}
	}
	return nil
}

var handoverFormats = []string{"text", "markdown", "csv", "json"}

func handoverCommand(p *program.Program) *cobra.Command {
	format := "text"
	cmd := &cobra.Command{
		Use: "handover", Short: "Print the node IDs as a message, Markdown, CSV or JSON", Args: program.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := p.OpenToLook()
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
