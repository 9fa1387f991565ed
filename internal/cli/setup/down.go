package setup

import (
	"context"

	"github.com/spf13/cobra"

	"flwrup/internal/cli/program"
	"flwrup/internal/fleet"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/site"
)

// Down is `flwrup down`.
func Down(p *program.Program) *cobra.Command {
	var remove, yes bool
	cmd := &cobra.Command{
		Use: "down", Short: "Stop the SuperNodes; end a rehearsal", Args: program.NoArgs,
		Long: `Stops this folder's SuperNodes; their logs stay. With --remove their containers go, too:
keys, configuration and the registration on the grid stay. In a rehearsal it ends all
that the rehearsal started and removes its folder; files of yours in it are asked about,
and stay where nobody can be asked.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return doDown(cmd.Context(), p, remove, yes) },
	}
	cmd.Flags().BoolVar(&remove, "remove", false, "remove the containers, their logs and their copies of the keys, too")
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "remove a rehearsal's folder without asking, whatever it holds")
	p.JSONFlag(cmd)
	return cmd
}

func doDown(ctx context.Context, p *program.Program, remove, yes bool) error {
	dir := p.FindDir()
	if _, err := project.Load(dir); err != nil {
		if project.Marked(dir, "rehearsal") {
			return project.RemoveMarked(dir) // left before anything was chosen
		}
		return notSetUp(dir, err)
	}
	s, err := p.Open(ctx, site.Options{Dir: dir, Ending: true}, p.JSON)
	if err != nil {
		return err
	}
	defer s.Close()
	switch {
	case fleet.OfRehearsal(s):
		remove = yes || mayRemove(ctx, p, s, p.Front(!p.Attended()))
	case remove:
		p.Say("this removes the containers of %s with their logs; keys, configuration and registrations stay", s.Dir)
	default:
		p.Say("this stops the SuperNodes of %s; keys, logs and registrations stay", s.Dir)
	}
	if err := fleet.TearDown(ctx, s, p.Front(true), remove); err != nil {
		return err
	}
	if p.JSON {
		program.WriteJSON(p.Out, map[string]string{"dir": s.Dir}, nil)
		return nil
	}
	p.Say("down: %s", s.Dir)
	return nil
}

func notSetUp(dir string, err error) error {
	if problem.Is(err, problem.BadInput) {
		return err
	}
	return problem.New(problem.BadInput, "nothing is set up in "+dir, problem.Of(err).Error(), "name the folder with --dir")
}
