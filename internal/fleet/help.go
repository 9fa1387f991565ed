package fleet

import (
	"context"

	"flwrup/flwrexec/install"
	"flwrup/internal/front"
	"flwrup/internal/project"
	"flwrup/internal/shell"
	"flwrup/internal/site"
	"flwrup/internal/whichgrid"
)

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
		whichgrid.Dashboard,
		{Label: "Community Slack", URL: "https://flower.ai/join-slack"},
		{Label: "Flower Labs", URL: "mailto:hello@flower.ai"},
	}
}
