package steps

import (
	"flwrup/internal/front"
	"flwrup/internal/site"
)

// Reference is the guide's quick reference in the dialect of the flwr at hand.
func Reference(s *site.Site) []front.Action {
	d, c := s.Dialect(), s.Connection()
	choices := s.Choices()
	actions := []front.Action{
		site.Command(s, "log in", d.LoginArgv(c)),
		site.Command(s, "register a SuperNode", d.RegisterArgv(c, s.Rel(s.Folder().KeysDir())+"/client_credentials_1.pub", "")),
		site.Command(s, "list your SuperNodes", d.NodesArgv(c)),
		site.Command(s, "show the federation", d.FederationDetailsArgv(c, choices.Federation)),
		site.Command(s, "run the app and follow it", d.RunArgv(c, s.ShellDir(s.AppDir()), choices.Federation, "", true)),
		site.Command(s, "list the runs", d.RunsArgv(c)),
	}
	if s.RuntimeKind() == "docker" {
		actions = append(actions,
			front.Action{Says: "follow a SuperNode's log", Command: "docker logs -f supernode_1"},
			front.Action{Says: "stop a SuperNode", Command: "docker stop supernode_1"})
	}
	return actions
}

// Places is where to turn.
func Places() []front.Link {
	return []front.Link{
		{Label: "Documentation", URL: "https://flower.ai/docs/"},
		{Label: "Authentication example", URL: "https://github.com/adap/flower/tree/main/examples/flower-authentication"},
		site.Dashboard,
		{Label: "Community Slack", URL: "https://flower.ai/join-slack"},
		{Label: "Flower Labs", URL: "mailto:hello@flower.ai"},
	}
}
