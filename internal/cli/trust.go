package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/site"
	"flwrup/internal/trust"
)

// open opens a site to act in. Where the folder asks for something that nobody accepted, a person at the
// terminal is asked once; --trust accepts it, and without either it is an error.
func (p *program) open(ctx context.Context, o site.Options, yes bool) (*site.Site, error) {
	o.Trust, o.Ctx, o.To = p.trustAll, ctx, p.front(yes)
	s, err := site.Open(o)
	var left *site.Unaccepted
	if !errors.As(err, &left) || yes || p.json || !p.attended() {
		return s, err
	}
	if err := askTrust(ctx, p, left); err != nil {
		return nil, err
	}
	o.Accept = left.Values
	return site.Open(o)
}

// askTrust shows what a folder asks for, and asks whether the person accepts it.
func askTrust(ctx context.Context, p *program, left *site.Unaccepted) error {
	to := p.front(false)
	answer, err := to.Ask(ctx, front.Question{ID: "trust", Kind: front.AskConfirm, Default: "no",
		Ask:  "Accept this for " + left.Dir + "?",
		Help: "This came with the folder, or was written into flwrup.toml by hand:\n  " + strings.Join(trust.Lines(left.Values), "\n  ")})
	if err == nil && answer != "yes" {
		return problem.New(problem.NotAccepted, "nothing was done", "you did not accept what "+left.Dir+" asks for",
			"take it out of flwrup.toml, or accept it with `flwrup trust`")
	}
	return err
}

// gate is open's question for commands that open sites themselves.
func gate(ctx context.Context, p *program, dir string) error {
	t, err := site.Trust(dir, nil)
	if err != nil || len(t.Open) == 0 {
		return err
	}
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	left := &site.Unaccepted{Dir: dir, Values: t.Open}
	switch {
	case p.trustAll:
	case p.json || !p.attended():
		return left
	default:
		if err := askTrust(ctx, p, left); err != nil {
			return err
		}
	}
	_, err = site.Trust(dir, t.Open)
	return err
}

// acceptAll accepts what the folder asks for, for commands that only look: --trust.
func acceptAll(dir string) error {
	t, err := site.Trust(dir, nil)
	if err == nil && len(t.Open) > 0 {
		_, err = site.Trust(dir, t.Open)
	}
	return err
}

// trustData is what `flwrup trust --json` carries.
type trustData struct {
	Accepted []trustValue `json:"accepted"`
	Open     []trustValue `json:"open"`
}

type trustValue struct {
	Key  string `json:"key"`
	Does string `json:"does"`
}

func trustValues(list []trust.Value) []trustValue {
	out := []trustValue{}
	for _, v := range list {
		out = append(out, trustValue{v.Key, v.Says})
	}
	return out
}

func trustCommand(p *program) *cobra.Command {
	var yes, revoke bool
	cmd := &cobra.Command{
		Use: "trust", Short: "Show and accept what the folder asks for", Args: noArgs,
		Long: `Lists the values of flwrup.toml, and the environments in the folder, that run code, or read
or expose something outside the folder, and asks whether you accept those that are new.
Values that you chose in flwrup are accepted already. Nothing in the folder is changed.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return doTrust(cmd.Context(), p, yes || p.trustAll, revoke)
		},
	}
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "accept without a question")
	cmd.Flags().BoolVar(&revoke, "revoke", false, "take back all that was accepted in this folder")
	p.jsonFlag(cmd)
	return cmd
}

func doTrust(ctx context.Context, p *program, yes, revoke bool) error {
	dir, err := filepath.Abs(p.findDir())
	if err != nil {
		return err
	}
	if revoke {
		if err := site.Distrust(dir); err != nil {
			return err
		}
	}
	t, err := site.Trust(dir, nil)
	if err != nil {
		return err
	}
	left := &site.Unaccepted{Dir: dir, Values: t.Open}
	ask := len(t.Open) > 0 && !revoke
	switch {
	case ask && yes:
		t, err = site.Trust(dir, t.Open)
	case ask && !p.json && p.attended():
		if err := askTrust(ctx, p, left); err != nil {
			return err
		}
		t, err = site.Trust(dir, t.Open)
	case ask:
		refused := trust.Refused(dir, t.Open)
		refused.Fix = "accept it with `flwrup trust --yes`, or take it out of flwrup.toml"
		if !p.json { // the list already exists
			refused.Why = ""
		}
		err = refused
	}
	if p.json {
		writeJSON(p.Out, trustData{trustValues(t.Accepted), trustValues(t.Open)}, err)
		if err != nil {
			return alreadySaid(err)
		}
		return nil
	}
	listTrust(p, "accepted", t.Accepted)
	listTrust(p, "not accepted", t.Open)
	if len(t.Accepted)+len(t.Open) == 0 {
		p.say("nothing here needs to be accepted")
	}
	return err
}

func listTrust(p *program, head string, values []trust.Value) {
	if len(values) == 0 {
		return
	}
	p.say("%s:\n  %s", head, strings.Join(trust.Lines(values), "\n  "))
}

// tellWithheld says on the standard error what a command that only looks leaves out.
func tellWithheld(p *program, s *site.Site) {
	left := site.LeftOut(s)
	if len(left) == 0 {
		return
	}
	fmt.Fprintf(p.Err, "flwrup leaves out what you have not accepted:\n  %s\n  what to do: %s\n",
		strings.Join(trust.Lines(left), "\n  "), trust.Refused(s.Dir, left).Fix)
}
