package steps

import (
	"context"

	"flwrup/flwrexec/flwr"
	"flwrup/flwrexec/install"
	"flwrup/internal/front"
	"flwrup/internal/project"
	"flwrup/internal/shell"
	"flwrup/internal/site"
)

// Reference returns the guide's quick reference in the dialect of the flwr at hand. It asks nobody.
func Reference(s *site.Site) []front.Action {
	p := s.Look(context.Background(), site.Want{Parts: site.ReadFlwrAtHand})
	d, c := p.Dialect, p.Connection()
	actions := []front.Action{
		p.Command("log in", d.LoginArgv(c)),
		p.Command("register a SuperNode", d.RegisterArgv(c, flwr.Registration{PublicKey: p.Rel(p.KeysDir()) + "/client_credentials_1.pub"})),
		p.Command("list your SuperNodes", d.NodesArgv(c)),
		p.Command("show the federation", d.FederationDetailsArgv(c, p.Choices.Federation)),
		p.Command("run the app and follow it", d.RunArgv(c, p.ShellDir(p.AppDir()), p.Choices.Federation, "", true)),
		p.Command("list the runs", d.RunsArgv(c)),
	}
	if p.Kind == project.RuntimeDocker {
		actions = append(actions,
			front.Action{Says: "follow a SuperNode's log", Command: "docker logs -f supernode_1"},
			front.Action{Says: "stop a SuperNode", Command: "docker stop supernode_1"})
	}
	return actions
}

// Answers returns the questions of a new user, with answers for this folder. It asks nobody.
func Answers(s *site.Site) []front.Answer {
	p := s.Look(context.Background(), site.Want{Parts: site.ReadKeys})
	at := front.Place{Dir: shell.Path(p.Dir), Keys: p.Rel(p.KeysDir()), Containers: p.Kind == project.RuntimeDocker, Rehearsal: p.Rehearsal()}
	if n := len(p.Ledger.Backups); n > 0 {
		at.Backup = p.Ledger.Backups[n-1].File
	}
	at.Cache, _ = install.OwnRoot()
	for _, n := range p.SuperNodes {
		at.Nodes = append(at.Nodes, n.Name)
	}
	return front.Answers(at)
}

// Places returns the pages where a person finds help.
func Places() []front.Link {
	return []front.Link{
		{Label: "Documentation", URL: "https://flower.ai/docs/"},
		{Label: "Authentication example", URL: "https://github.com/adap/flower/tree/main/examples/flower-authentication"},
		site.Dashboard,
		{Label: "Community Slack", URL: "https://flower.ai/join-slack"},
		{Label: "Flower Labs", URL: "mailto:hello@flower.ai"},
	}
}
