package steps

import (
	"context"
	"slices"
	"time"

	"github.com/fvbommel/sortorder"

	"flwrup/flwrexec"
	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/supernode"
)

// Title gives what every screen's first line says. It asks nobody.
func (s *Site) Title() front.Title {
	c := s.Choices()
	t := front.Title{Project: c.Name, Federation: c.Federation, Connection: c.Grid.Connection,
		Account: s.Ledger.Account(c.Grid.Connection), Flwr: c.Flwr.Version, Rehearsal: s.Rehearsal(), LoggedIn: s.loggedInBefore()}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.flwr != nil {
		t.Flwr = s.flwr.Version().String()
	}
	return t
}

// Overview gives the dashboard's data; the grid is asked again only when its answer is older than
// maxAge. What cannot be had is left empty, and GridErr or RuntimeErr say why.
func (s *Site) Overview(ctx context.Context, maxAge time.Duration) front.Overview {
	ctx = flwrexec.OneLook(ctx)
	o := s.overview(ctx, maxAge, true)
	o.FileErr = s.fileProblem()
	if o.GridErr == nil && maxAge < Anytime && time.Since(o.GridAt) > pulseAge {
		if err := s.pulse(ctx); err != nil {
			s.world.nodes.forget()
			o.GridErr = err
			s.settleGridErr(&o)
		}
	}
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
func (s *Site) overview(ctx context.Context, maxAge time.Duration, diagnose bool) front.Overview {
	var o front.Overview
	ctx = flwrexec.OneLook(ctx)
	s.asleep.look(time.Now())
	list, folder, err := s.members()
	if err != nil {
		o.RuntimeErr = err
		return o
	}
	nodes, at, err := s.allNodes(ctx, maxAge)
	o.GridAt, o.GridErr = at, s.gridProblem(err)
	// The grid may take seconds to answer: what runs here is looked at after it. The other way round all
	// SuperNodes that were stopped meanwhile would seem to run and be lost.
	var states map[string]supernode.Status
	if s.runtimeKind() != "" || s.holds(needRuntime...) {
		states, o.RuntimeErr = s.states(ctx)
	}
	byID := map[string]flwrexec.Node{}
	if err == nil { // an old answer is no answer: the grid may have changed its mind
		for _, n := range nodes {
			byID[n.ID.String()] = n
		}
	}
	lost := s.lost(list, folder)
	gone := map[string]bool{}
	for _, m := range lost {
		gone[m.Name] = true
	}
	list = slices.DeleteFunc(list, func(m member) bool { return gone[m.Name] })
	for _, m := range slices.Concat(list, lost) {
		v := front.NodeView{Name: m.Name, NodeID: m.Record.NodeID, KeyFile: s.rel(m.Pair.Private), Fingerprint: m.Pair.Fingerprint,
			Runtime: states[m.Name], Digest: s.digestOf(states[m.Name]), Wanted: s.wanted(m.Name)}
		if gone[m.Name] {
			v.KeyFile, v.Fingerprint = m.Record.KeyFile, m.Record.Key
		}
		if v.Runtime.State == "" && o.RuntimeErr == nil {
			v.Runtime.State = supernode.Absent
		}
		if n, ok := byID[v.NodeID]; ok && v.NodeID != "" {
			v.Grid = n.Status
			if v.GridSince = n.Online; n.Status == flwrexec.StatusOffline {
				v.GridSince = n.Offline
			}
		}
		ended := v.Runtime.State == supernode.Stopped || v.Runtime.State == supernode.Absent && v.Wanted == wantedUp || isSuspended(v.Runtime)
		if v.Grid == flwrexec.StatusOnline && !ended { // else the grid has not noticed
			o.Online++
		}
		switch {
		case !diagnose:
		case gone[m.Name]:
			v.Diagnosis, v.Remedy = s.keyProblem(m, folder)
		default:
			v.Diagnosis, v.Remedy = s.diagnose(ctx, m, v, o)
		}
		o.Nodes = append(o.Nodes, v)
	}
	if diagnose {
		o.Nodes = append(o.Nodes, s.unfinished(states, byID)...)
	}
	if len(o.Nodes) > len(list) {
		slices.SortStableFunc(o.Nodes, func(a, b front.NodeView) int { return sortorder.NaturalCompare(a.Name, b.Name) })
	}
	s.settleGridErr(&o)
	return o
}

// settleGridErr gives what puts GridErr right. Nobody counts as online while the grid does not say so.
func (s *Site) settleGridErr(o *front.Overview) {
	if o.GridErr != nil {
		o.Online = 0
	}
	switch {
	case o.GridErr == nil || !s.Rehearsal():
	case problem.Is(o.GridErr, GridEnded):
		o.Remedy = remedy(front.StartGrid, "start the rehearsal's grid again", "start", "--grid")
	case s.gridSuspended() != nil:
		o.Remedy = remedy(front.StartGrid, "let the rehearsal's grid go on", "start", "--grid")
	}
}

// Anytime is a maxAge for Overview: any answer of the grid's will do, and nobody is asked for another.
const Anytime = 365 * 24 * time.Hour

// pulseAge is how old an answer may be until a look asks whether the grid lives at all.
const pulseAge = 4 * time.Second

// pulse reports whether the grid is silent, without a question that it would have to work for.
func (s *Site) pulse(ctx context.Context) error {
	f, err := s.session(ctx)
	if err != nil {
		return nil
	}
	if p, ok := f.(interface{ Pulse(context.Context) error }); ok {
		return p.Pulse(ctx)
	}
	return nil
}

// GridEnded says that a rehearsal's grid does not run.
const GridEnded problem.Code = "rehearsal-grid-ended"

// gridProblem says of a rehearsal whose grid does not answer whether it runs at all.
func (s *Site) gridProblem(err error) error {
	if err == nil || !s.Rehearsal() || !problem.Is(err, problem.Unreachable) {
		return err
	}
	if _, ok := s.gridRunning(); ok {
		return err
	}
	return &problem.Problem{Code: GridEnded, What: "the rehearsal's grid does not run", Why: "it was stopped, or ended with the flwrup that started it",
		Fix: "start it again: flwrup start --grid; the SuperNodes come back to it by themselves", Err: err}
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
func (s *Site) Reference() []front.Action {
	d, c := s.dialect(), s.connection()
	choices := s.Choices()
	actions := []front.Action{
		s.command("log in", d.LoginArgv(c)),
		s.command("register a SuperNode", d.RegisterArgv(c, s.rel(s.keysDir())+"/client_credentials_1.pub", "")),
		s.command("list your SuperNodes", d.NodesArgv(c)),
		s.command("show the federation", d.FederationDetailsArgv(c, choices.Federation)),
		s.command("run the app and follow it", d.RunArgv(c, s.shellDir(s.appDir()), choices.Federation, "", true)),
		s.command("list the runs", d.RunsArgv(c)),
	}
	if s.runtimeKind() == "docker" {
		actions = append(actions,
			front.Action{Says: "follow a SuperNode's log", Command: "docker logs -f supernode_1"},
			front.Action{Says: "stop a SuperNode", Command: "docker stop supernode_1"})
	}
	return actions
}

// Places is where to turn.
func (s *Site) Places() []front.Link {
	return []front.Link{
		{Label: "Documentation", URL: "https://flower.ai/docs/"},
		{Label: "Authentication example", URL: "https://github.com/adap/flower/tree/main/examples/flower-authentication"},
		dashboard,
		{Label: "Community Slack", URL: "https://flower.ai/join-slack"},
		{Label: "Flower Labs", URL: "mailto:hello@flower.ai"},
	}
}
