package steps

import (
	"context"
	"fmt"
	"time"

	"flwrup/flwrexec"
	"flwrup/internal/ledger"
	"flwrup/internal/problem"
	"flwrup/internal/supernode"
)

// Title gives what every screen's first line says. It asks nobody.
func (s *Site) Title() Title {
	t := Title{Project: s.Choices.Name, Federation: s.Choices.Federation, Connection: s.Choices.Grid.Connection,
		Account: s.Ledger.Account(s.Choices.Grid.Connection), Flwr: s.Choices.Flwr.Version, Rehearsal: s.Rehearsal()}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.flwr != nil {
		t.Flwr = s.flwr.Version().String()
	}
	return t
}

// Overview gives the dashboard's data; the grid is asked again only when its answer is older than
// maxAge. What cannot be had is left empty, and GridErr or RuntimeErr say why.
func (s *Site) Overview(ctx context.Context, maxAge time.Duration) Overview {
	o := s.overview(ctx, maxAge, true)
	if o.GridErr == nil {
		runs, err := s.runs(ctx, maxAge)
		if err != nil {
			o.GridErr = err
		}
		for _, r := range runs {
			o.Runs = append(o.Runs, s.runView(r))
		}
	}
	return o
}

// overview is Overview without the runs; diagnose reads the logs of nodes that are not as they should be.
func (s *Site) overview(ctx context.Context, maxAge time.Duration, diagnose bool) Overview {
	var o Overview
	list, _, err := s.members()
	if err != nil {
		o.RuntimeErr = err
		return o
	}
	var states map[string]supernode.Status
	if s.runtimeKind() != "" {
		states, o.RuntimeErr = s.states(ctx)
	}
	nodes, at, err := s.gridNodes(ctx, maxAge)
	o.GridAt, o.GridErr = at, err
	byID := map[string]flwrexec.Node{}
	for _, n := range nodes {
		byID[n.ID.String()] = n
	}
	for _, m := range list {
		v := NodeView{Name: m.Name, NodeID: m.Record.NodeID, KeyFile: s.rel(m.Pair.Private), Fingerprint: m.Pair.Fingerprint,
			Runtime: states[m.Name]}
		if v.Runtime.State == "" {
			v.Runtime.State = supernode.Absent
		}
		if n, ok := byID[v.NodeID]; ok && v.NodeID != "" {
			v.Grid = n.Status
			if v.GridSince = n.Online; n.Status == flwrexec.StatusOffline {
				v.GridSince = n.Offline
			}
		}
		if v.Grid == flwrexec.StatusOnline {
			o.Online++
		}
		if diagnose {
			v.Diagnosis = s.diagnose(ctx, m, v, o)
		}
		o.Nodes = append(o.Nodes, v)
	}
	return o
}

// diagnose says why a SuperNode is not as it should be: what the grid says, held against what the
// runtime and the log say. nil when all is well, or when it was never started.
func (s *Site) diagnose(ctx context.Context, m member, v NodeView, o Overview) *problem.Problem {
	switch {
	case m.Record.State == ledger.Refused:
		return problem.New(problem.NodeRefused, m.Name+" was refused at its registration", m.Record.How, "")
	case v.Runtime.State == supernode.Absent:
		return nil
	case v.Grid == flwrexec.StatusOnline && v.Runtime.State == supernode.Running:
		return nil
	case v.Grid == flwrexec.StatusOnline && v.Runtime.State == supernode.Stopped:
		return problem.New(problem.NodeNotOnline, m.Name+" has stopped",
			"the grid calls it online for about a minute more, until it misses its heartbeat", "start it again")
	}
	if v.Runtime.State == supernode.Running && time.Since(v.Runtime.Since) < 8*time.Second {
		return nil // it is still starting
	}
	if o.GridErr != nil && v.Runtime.State == supernode.Running {
		return nil // nothing can be said of it
	}
	var lines []string
	for _, l := range s.lastLines(ctx, m.Name, 60) {
		lines = append(lines, l.Text)
	}
	version, _ := flwrexec.ParseVersion(s.Title().Flwr)
	hints := flwrexec.NodeHints{Node: version, Grid: version, Status: v.Grid, Fleet: s.Choices.Grid.Fleet}
	if p := flwrexec.DiagnoseNodeLog(lines, hints); p != nil {
		if p.Code == problem.NodeNotOnline || p.Code == problem.Untrusted {
			s.whyNot(ctx, p)
		}
		return p
	}
	if v.Runtime.State == supernode.Stopped {
		why := fmt.Sprintf("it ended with exit code %d", v.Runtime.ExitCode)
		if v.Runtime.Reason != "" {
			why = v.Runtime.Reason
		}
		return problem.New(problem.NodeNotOnline, m.Name+" has stopped", why, "look at its log, then start it again")
	}
	return problem.New(problem.NodeNotOnline, m.Name+" runs and is not online", "", "look at its log: flwrup logs "+m.Name)
}

// whyNot puts what is seen at the fleet's address into a diagnosis that only knows that a SuperNode
// tries for ever.
func (s *Site) whyNot(ctx context.Context, p *problem.Problem) {
	f, err := s.session(ctx)
	if err != nil {
		return
	}
	n, err := s.network(ctx, networkAge/8)
	if err != nil {
		return
	}
	if _, fleet := n.judge(f.Dialect()); fleet != nil {
		p.Why, p.Fix = fleet.Error(), fleet.Fix
	}
}

// Usage reads what a running SuperNode takes now.
func (s *Site) Usage(ctx context.Context, node string) (supernode.Usage, error) {
	rt, err := s.nodesRuntime(ctx)
	if err != nil {
		return supernode.Usage{}, err
	}
	return rt.Usage(ctx, node)
}

// Logs sends a SuperNode's lines to each; see supernode.Runtime.
func (s *Site) Logs(ctx context.Context, node string, o supernode.LogOptions, each func(supernode.Line) error) error {
	rt, err := s.nodesRuntime(ctx)
	if err != nil {
		return err
	}
	return rt.Logs(ctx, node, o, each)
}

// Watch calls changed after any SuperNode's state may have changed, until ctx ends.
func (s *Site) Watch(ctx context.Context, changed func()) error {
	rt, err := s.nodesRuntime(ctx)
	if err != nil {
		return err
	}
	return rt.Watch(ctx, changed)
}

// Names gives the site's SuperNodes by name, in order.
func (s *Site) Names() ([]string, error) {
	list, _, err := s.members()
	names := make([]string, 0, len(list))
	for _, m := range list {
		names = append(names, m.Name)
	}
	return names, err
}

// Reference is the guide's quick reference in the dialect of the flwr at hand.
func (s *Site) Reference() []Action {
	s.mu.Lock()
	f := s.flwr
	s.mu.Unlock()
	version, _ := flwrexec.ParseVersion(s.Choices.Flwr.Version)
	d := flwrexec.DialectOf(version)
	if f != nil {
		d = f.Dialect()
	}
	c := s.connection()
	actions := []Action{
		s.command("log in", d.LoginArgv(c)),
		s.command("register a SuperNode", d.RegisterArgv(c, s.rel(s.keysDir())+"/client_credentials_1.pub", "")),
		s.command("list your SuperNodes", d.NodesArgv(c)),
		s.command("show the federation", d.FederationDetailsArgv(c, s.Choices.Federation)),
		s.command("run the app and follow it", d.RunArgv(c, s.shellDir(s.appDir()), s.Choices.Federation, "", true)),
		s.command("list the runs", d.RunsArgv(c)),
	}
	if s.runtimeKind() == "docker" {
		actions = append(actions,
			Action{Says: "follow a SuperNode's log", Command: "docker logs -f supernode_1"},
			Action{Says: "stop a SuperNode", Command: "docker stop supernode_1"})
	}
	return actions
}

// Places is where to turn.
func (s *Site) Places() []Link {
	return []Link{
		{"Documentation", "https://flower.ai/docs/"},
		{"Authentication example", "https://github.com/adap/flower/tree/main/examples/flower-authentication"},
		dashboard,
		{"Community Slack", "https://flower.ai/join-slack"},
		{"Flower Labs", "mailto:hello@flower.ai"},
	}
}
