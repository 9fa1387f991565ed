package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"flwrup/internal/fleet"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/site"
)

func downCommand(p *program) *cobra.Command {
	var remove, yes bool
	cmd := &cobra.Command{
		Use: "down", Short: "Stop the SuperNodes; end a rehearsal", Args: noArgs,
		Long: `Stops this folder's SuperNodes; their logs stay. With --remove their containers go, too:
keys, configuration and the registration on the grid stay. In a rehearsal it ends all
that the rehearsal started and removes its folder; files of yours in it are asked about,
and stay where nobody can be asked.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return doDown(cmd.Context(), p, remove, yes) },
	}
	cmd.Flags().BoolVar(&remove, "remove", false, "remove the containers, their logs and their copies of the keys, too")
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "remove a rehearsal's folder without asking, whatever it holds")
	p.jsonFlag(cmd)
	return cmd
}

func doDown(ctx context.Context, p *program, remove, yes bool) error {
	dir := p.findDir()
	if _, err := project.Load(dir); err != nil {
		if project.Marked(dir, "rehearsal") {
			return project.RemoveMarked(dir) // left before anything was chosen
		}
		return notSetUp(dir, err)
	}
	s, err := p.open(ctx, site.Options{Dir: dir, Ending: true}, p.json)
	if err != nil {
		return err
	}
	defer s.Close()
	switch {
	case fleet.OfRehearsal(s):
		remove = yes || p.mayRemove(ctx, s, p.front(!p.attended()))
	case remove:
		p.say("this removes the containers of %s with their logs; keys, configuration and registrations stay", s.Dir)
	default:
		p.say("this stops the SuperNodes of %s; keys, logs and registrations stay", s.Dir)
	}
	if err := fleet.TearDown(ctx, s, p.front(true), remove); err != nil {
		return err
	}
	if p.json {
		writeJSON(p.Out, map[string]string{"dir": s.Dir}, nil)
		return nil
	}
	p.say("down: %s", s.Dir)
	return nil
}

func notSetUp(dir string, err error) error {
	if problem.Is(err, problem.BadInput) {
		return err
	}
	return problem.New(problem.BadInput, "nothing is set up in "+dir, problem.Of(err).Error(), "name the folder with --dir")
}

// comment makes a shell comment of text.
func comment(text string) string {
	return "#   " + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n#   ")
}
