package cli

import (
	"context"

	"github.com/spf13/cobra"

	"flwrup/internal/cli/program"
	"flwrup/internal/cli/shown"
	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/steps"
)

func doctorCommand(p *program.Program) *cobra.Command {
	cmd := &cobra.Command{
		Use: "doctor", Short: "Look at all that can be wrong: tools, addresses, keys, login, each SuperNode", Args: program.NoArgs,
		Long: `Goes through the 16 steps and every SuperNode and says how each stands, changing nothing.
Each trouble comes with its cause and what to do about it. Exit code 1 where something is
wrong; a step that has not been done yet is not.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return doDoctor(cmd.Context(), p) },
	}
	p.JSONFlag(cmd)
	return cmd
}

// findingData is one finding of `flwrup doctor --json`.
type findingData struct {
	What     string               `json:"what"`
	State    string               `json:"state"`
	Severity string               `json:"severity"`
	Says     []string             `json:"says"`
	Problem  *program.ProblemData `json:"problem,omitempty"`
	Remedy   *shown.RemedyData    `json:"remedy,omitempty"`
}

func doDoctor(ctx context.Context, p *program.Program) error {
	s, err := p.OpenToLook()
	if err != nil {
		return err
	}
	defer s.Close()
	all := []findingData{}
	var first error
	warned := false
	steps.Doctor(ctx, s, func(f steps.Finding) {
		d := findingData{What: f.What, State: f.State.String(), Severity: f.Stands.String(), Says: append([]string{}, f.Says...), Remedy: shown.Remedy(p, f.Remedy)}
		if f.Problem != nil {
			d.Problem = program.Shape(f.Problem)
			if first == nil {
				first = f.Problem
			}
		}
		all = append(all, d)
		warned = warned || f.Stands == front.Warning
		showFinding(p, f, d)
	})
	if ctx.Err() != nil {
		return problem.Stopped(nil, "stopped", "")
	}
	if p.JSON {
		program.WriteJSON(p.Out, all, first)
	} else if first == nil && warned {
		p.Say("\nnothing has failed; what needs attention is marked with !")
	} else if first == nil {
		p.Say("\nnothing is wrong")
	}
	if first != nil {
		return program.AlreadySaid(first)
	}
	return nil
}

// showFinding writes a finding as lines: a sign and a word for its state, then the facts.
func showFinding(p *program.Program, f steps.Finding, d findingData) {
	word := d.State
	switch {
	case f.Problem != nil || f.Step == 0:
		word = f.Stands.String()
	case f.Stands == front.Warning:
		word = "needs attention"
	case f.State == front.Ready:
		word = "to do"
	}
	if program.Spoken() { // the word says it all
		p.Say("%s: %s", f.What, word)
	} else {
		p.Say("%s %s: %s", f.Stands.Sign(false), f.What, word)
	}
	for _, says := range d.Says {
		p.Say("%s", program.Folded("    "+says))
	}
	if f.Problem == nil {
		return
	}
	p.Say("%s", program.Folded("    ! "+d.Problem.Message))
	if d.Problem.Fix != "" {
		p.Say("%s", program.Folded("      "+d.Problem.Fix))
	}
	if d.Remedy != nil && d.Remedy.Command != "" {
		p.Say("      > %s", d.Remedy.Command)
	}
}
