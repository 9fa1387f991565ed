// Package doctor is `flwrup doctor`: all that can be wrong with a set-up, and whether flwrup knows a flwr.
package doctor

import (
	"context"

	"github.com/spf13/cobra"

	"flwrup/flwrexec/install"
	"flwrup/internal/cli/program"
	"flwrup/internal/cli/shown"
	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/steps"
)

// CheckFlag is the name of the check of --flwr's value, which is CheckFlwr.
const CheckFlag = "doctor --flwr"

// CheckFlwr says why --flwr cannot take a value; "" where it can.
func CheckFlwr(v string) string { return install.Names(v) }

// Command is `flwrup doctor`.
func Command(p *program.Program) *cobra.Command {
	version := ""
	cmd := &cobra.Command{
		Use: "doctor", Short: "Look at all that can be wrong: tools, addresses, keys, login, each SuperNode", Args: program.NoArgs,
		Long: `Goes through the 16 steps and every SuperNode and says how each stands, changing nothing.
Each trouble comes with its cause and what to do about it. Exit code 1 where something is
wrong; a step that has not been done yet is not.

With --flwr it compares one flwr with what flwrup uses of it: each command, option and number of
arguments with what its --help says. It needs no project. A version that is not on this machine is
installed into a folder that is removed at the end. Exit code 1 where something is missing.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if version != "" {
				return compare(cmd.Context(), p, version)
			}
			return look(cmd.Context(), p)
		},
	}
	cmd.Flags().StringVar(&version, "flwr", "", "compare this `VERSION` with what flwrup uses; or newest, nightly, a wheel, an environment")
	_ = cmd.Flags().SetAnnotation("flwr", program.OwnCheck, []string{CheckFlag}) // the flag is there
	p.JSONFlag(cmd)
	return cmd
}

// Finding is one finding of `flwrup doctor --json`.
type Finding struct {
	What     string               `json:"what"`
	State    string               `json:"state"`
	Severity string               `json:"severity"`
	Says     []string             `json:"says"`
	Problem  *program.ProblemData `json:"problem,omitempty"`
	Remedy   *shown.RemedyData    `json:"remedy,omitempty"`
}

// look is doctor for a project.
func look(ctx context.Context, p *program.Program) error {
	s, err := p.OpenToLook()
	if err != nil {
		return err
	}
	defer s.Close()
	all := []Finding{}
	var first error
	warned := false
	steps.Doctor(ctx, s, func(f steps.Finding) {
		d := Finding{What: f.What, State: f.State.String(), Severity: f.Stands.String(), Says: append([]string{}, f.Says...), Remedy: shown.Remedy(p, f.Remedy)}
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
func showFinding(p *program.Program, f steps.Finding, d Finding) {
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
