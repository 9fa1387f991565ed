package cli

import (
	"context"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"flwrup/internal/cli/program"
	"flwrup/internal/site"
	"flwrup/internal/trust"
)

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

func trustCommand(p *program.Program) *cobra.Command {
	var yes, revoke bool
	cmd := &cobra.Command{
		Use: "trust", Short: "Show and accept what the folder asks for", Args: program.NoArgs,
		Long: `Lists the values of flwrup.toml, and the environments in the folder, that run code, or read
or expose something outside the folder, and asks whether you accept those that are new.
Values that you chose in flwrup are accepted already. Nothing in the folder is changed.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return doTrust(cmd.Context(), p, yes || p.TrustAll, revoke)
		},
	}
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "accept without a question")
	cmd.Flags().BoolVar(&revoke, "revoke", false, "take back all that was accepted in this folder")
	p.JSONFlag(cmd)
	return cmd
}

func doTrust(ctx context.Context, p *program.Program, yes, revoke bool) error {
	dir, err := filepath.Abs(p.FindDir())
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
	case ask && !p.JSON && p.Attended():
		if err := program.AskTrust(ctx, p, left); err != nil {
			return err
		}
		t, err = site.Trust(dir, t.Open)
	case ask:
		refused := trust.Refused(dir, t.Open)
		refused.Fix = "accept it with `flwrup trust --yes`, or take it out of flwrup.toml"
		if !p.JSON { // the list already exists
			refused.Why = ""
		}
		err = refused
	}
	if p.JSON {
		program.WriteJSON(p.Out, trustData{trustValues(t.Accepted), trustValues(t.Open)}, err)
		if err != nil {
			return program.AlreadySaid(err)
		}
		return nil
	}
	listTrust(p, "accepted", t.Accepted)
	listTrust(p, "not accepted", t.Open)
	if len(t.Accepted)+len(t.Open) == 0 {
		p.Say("nothing here needs to be accepted")
	}
	return err
}

func listTrust(p *program.Program, head string, values []trust.Value) {
	if len(values) == 0 {
		return
	}
	p.Say("%s:\n  %s", head, strings.Join(trust.Lines(values), "\n  "))
}
