package fleet

import (
	"context"

	"flwrup/flwrexec/flwr"
	"flwrup/internal/front"
	"flwrup/internal/project"
	"flwrup/internal/shell"
	"flwrup/internal/site"
)

// Reference returns the guide's quick reference in the dialect of the flwr at hand, for this project as it stands: a
// command that could not work yet is left out. It asks nobody.
func Reference(s *site.Site) []front.Action {
	p := s.Look(context.Background(), site.Want{Parts: site.ReadFlwrAtHand | site.ReadKeys})
	d, c := p.Dialect, p.Connection()
	actions := []front.Action{p.Command("log in", d.LoginArgv(c))}
	if len(p.SuperNodes) > 0 {
		actions = append(actions, p.Command("register a SuperNode", d.RegisterArgv(c, flwr.Registration{PublicKey: p.Rel(p.SuperNodes[0].Pair.Public)})))
	}
	actions = append(actions, p.Command("list your SuperNodes", d.NodesArgv(c)))
	if d.FederationShow || p.Choices.Federation != "" {
		actions = append(actions, p.Command("show the federation", d.FederationDetailsArgv(c, p.Choices.Federation)))
	} else {
		actions = append(actions, p.Command("list your federations", d.FederationsArgv(c)))
	}
	if p.Choices.App != "" && !p.RunsElsewhere() {
		actions = append(actions, p.Command("run the app and follow it", d.RunArgv(c, p.ShellDir(p.AppDir()), p.Choices.Federation, "", true)))
	}
	actions = append(actions, p.Command("list the runs", d.RunsArgv(c)))
	for _, n := range p.SuperNodes {
		if p.Kind == project.RuntimeDocker && n.Wanted != front.WantedNone {
			name := shell.Word(p.Choices.ContainerName(n.Number))
			return append(actions, front.Action{Says: "follow the log of " + n.Name, Command: "docker logs -f " + name},
				front.Action{Says: "stop " + n.Name, Command: "docker stop " + name})
		}
	}
	return actions
}
