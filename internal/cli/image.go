package cli

import (
	"github.com/spf13/cobra"

	"flwrup/internal/cli/program"
	"flwrup/internal/fleet"
	"flwrup/internal/front"
	"flwrup/internal/site"
)

func imageCommand(p *program.Program) *cobra.Command {
	cmd := &cobra.Command{
		Use: "image", Short: "Build a SuperNode image with the packages of the app", Args: program.NoArgs,
		Long: `Builds an image on top of the official SuperNode image, with what the app's
pyproject.toml asks for, and notes its name in flwrup.toml. SuperNodes have it from
their next start on: flwrup restart. PIP_CERT names the certificates of a package
index of your own.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := p.Open(cmd.Context(), site.Options{Dir: p.FindDir()}, false)
			if err != nil {
				return err
			}
			defer s.Close()
			tag := ""
			err = site.InTurn(cmd.Context(), s, "building an image", p.Front(true), func(to front.Sink) error {
				tag, err = fleet.BuildImage(cmd.Context(), s, to)
				return err
			})
			if err != nil {
				return err
			}
			p.Say("image = %q in flwrup.toml; flwrup restart takes it", tag)
			return nil
		},
	}
	return cmd
}
