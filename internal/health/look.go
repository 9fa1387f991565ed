package health

import (
	"context"
	"slices"
	"time"

	"github.com/fvbommel/sortorder"

	"flwrup/flwrexec"
	"flwrup/internal/front"
	"flwrup/internal/ledger"
	"flwrup/internal/problem"
	"flwrup/internal/site"
	"flwrup/internal/supernode"
)

// Overview gives the dashboard's data; the grid is asked again only when its answer is older than
// maxAge. What cannot be had is left empty, and GridErr or RuntimeErr say why.
func Overview(ctx context.Context, s *site.Site, maxAge time.Duration) front.Overview {
	ctx = flwrexec.OneLook(ctx)
	o := NodesOverview(ctx, s, maxAge, true)
	o.FileErr = site.FileProblem(s)
	if o.GridErr == nil && maxAge < Anytime && time.Since(o.GridAt) > pulseAge {
		if err := pulse(ctx, s); err != nil {
			s.World.Nodes.Forget()
			o.GridErr = err
			settleGridErr(s, &o)
		}
	}
	if o.GridErr == nil {
		runs, err := s.GridRuns(ctx, maxAge)
		if err != nil {
			o.GridErr = err
		}
		for _, r := range runs {
			o.Runs = append(o.Runs, RunView(s, r))
		}
	}
	return o
}

// NodesOverview is Overview without the runs; diagnose reads the logs of nodes that are not as they should be.
func NodesOverview(ctx context.Context, s *site.Site, maxAge time.Duration, diagnose bool) front.Overview {
	var o front.Overview
	ctx = flwrexec.OneLook(ctx)
	site.Kept[sleeper](s).look(time.Now())
	list, folder, err := site.Members(s)
	if err != nil {
		o.RuntimeErr = err
		return o
	}
	nodes, at, err := s.AllNodes(ctx, maxAge)
	o.GridAt, o.GridErr = at, GridProblem(s, err)
	// The grid may take seconds to answer: what runs here is looked at after it. The other way round all
	// SuperNodes that were stopped meanwhile would seem to run and be lost.
	var states map[string]supernode.Status
	if s.RuntimeKind() != "" || site.Holds(s, site.NeedRuntime...) {
		states, o.RuntimeErr = site.States(ctx, s)
	}
	byID := map[string]flwrexec.Node{}
	if err == nil { // an old answer is no answer: the grid may have changed its mind
		for _, n := range nodes {
			byID[n.ID.String()] = n
		}
	}
	lost := Lost(s, list, folder)
	gone := map[string]bool{}
	for _, m := range lost {
		gone[m.Name] = true
	}
	list = slices.DeleteFunc(list, func(m site.Member) bool { return gone[m.Name] })
	for _, m := range slices.Concat(list, lost) {
		v := front.NodeView{Name: m.Name, NodeID: m.Record.NodeID, KeyFile: s.Rel(m.Pair.Private), Fingerprint: m.Pair.Fingerprint,
			Runtime: states[m.Name], Digest: site.DigestOf(s, states[m.Name]), Wanted: site.Wanted(s, m.Name)}
		if gone[m.Name] {
			v.KeyFile, v.Fingerprint = m.Record.KeyFile, m.Record.Key
		}
		if v.Runtime.State == "" && o.RuntimeErr == nil {
			v.Runtime.State = supernode.Absent
		}
		if n, ok := byID[v.NodeID]; ok && v.NodeID != "" {
			v.Grid = front.GridState(n.Status)
			if v.GridSince = n.Online; n.Status == flwrexec.StatusOffline {
				v.GridSince = n.Offline
			}
		}
		ended := v.Runtime.State == supernode.Stopped || v.Runtime.State == supernode.Absent && v.Wanted == front.WantedUp || IsSuspended(v.Runtime)
		if v.Grid == flwrexec.StatusOnline && !ended { // else the grid has not noticed
			o.Online++
		}
		switch {
		case !diagnose:
		case gone[m.Name]:
			v.Diagnosis, v.Remedy = KeyProblem(s, m, folder)
		default:
			v.Diagnosis, v.Remedy = Diagnose(ctx, s, m, v, o)
		}
		o.Nodes = append(o.Nodes, v)
	}
	if diagnose {
		o.Nodes = append(o.Nodes, unfinished(s, states, byID)...)
	}
	if len(o.Nodes) > len(list) {
		slices.SortStableFunc(o.Nodes, func(a, b front.NodeView) int { return sortorder.NaturalCompare(a.Name, b.Name) })
	}
	settleGridErr(s, &o)
	return o
}

// settleGridErr gives what puts GridErr right. Nobody counts as online while the grid does not say so.
func settleGridErr(s *site.Site, o *front.Overview) {
	if o.GridErr != nil {
		o.Online = 0
	}
	switch {
	case o.GridErr == nil || !s.Rehearsal():
	case problem.Is(o.GridErr, GridEnded):
		o.Remedy = remedy(front.StartGrid, "start the rehearsal's grid again")
	case site.GridSuspended(s) != nil:
		o.Remedy = remedy(front.StartGrid, "let the rehearsal's grid go on")
	}
}

// Anytime is a maxAge for Overview: any answer of the grid's will do, and nobody is asked for another.
const Anytime = 365 * 24 * time.Hour

// pulseAge is how old an answer may be until a look asks whether the grid lives at all.
const pulseAge = 4 * time.Second

// pulse reports whether the grid is silent, without a question that it would have to work for.
func pulse(ctx context.Context, s *site.Site) error {
	f, err := s.Session(ctx)
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

// GridProblem says of a rehearsal whose grid does not answer whether it runs at all.
func GridProblem(s *site.Site, err error) error {
	if err == nil || !s.Rehearsal() || !problem.Is(err, problem.Unreachable) {
		return err
	}
	if _, ok := site.GridRunning(s); ok {
		return err
	}
	return &problem.Problem{Code: GridEnded, What: "the rehearsal's grid does not run", Why: "it was stopped, or ended with the flwrup that started it",
		Fix: "start it again: flwrup start --grid; the SuperNodes come back to it by themselves", Err: err}
}

// whyNot puts what is seen at the fleet's address into a diagnosis that only knows that a SuperNode
// tries for ever.
func whyNot(ctx context.Context, s *site.Site, p *problem.Problem) {
	f, err := s.Session(ctx)
	if err != nil {
		return
	}
	n, err := site.LookAtNetwork(ctx, s, site.NetworkAge/8)
	if err != nil {
		return
	}
	if _, fleet := n.Judge(f.Dialect()); fleet != nil {
		p.Why, p.Fix = fleet.Error(), fleet.Fix
	}
}

// unfinished are the SuperNodes whose removal was cut short.
func unfinished(s *site.Site, states map[string]supernode.Status, byID map[string]flwrexec.Node) []front.NodeView {
	var list []front.NodeView
	for _, i := range site.Leaving(s) {
		v := front.NodeView{Name: i.Name, NodeID: i.NodeID, Fingerprint: i.Key, Runtime: states[i.Name], Grid: front.GridState(byID[i.NodeID].Status), Wanted: front.WantedDown}
		if v.Runtime.State == "" {
			v.Runtime.State = supernode.Absent
		}
		verb := front.RemoveNodes
		if i.Op == "unregister" {
			verb = front.UnregisterNodes
		}
		v.Diagnosis = problem.New(Unfinished, "the removal of "+i.Name+" is not finished", "flwrup was ended in the middle, or the grid did not answer", "remove it again: flwrup goes on where it stopped")
		v.Remedy = remedy(verb, "finish removing it", i.Name)
		list = append(list, v)
	}
	return list
}

// RunView returns a run of the grid as front ends show it.
func RunView(s *site.Site, r flwrexec.Run) front.RunView {
	v := front.RunView{ID: r.ID.String(), App: r.FabID, Status: front.RunStatus(r.StatusText()), Elapsed: r.Elapsed, Details: r.Details,
		Pending: r.Pending, Running: r.Running, Over: r.Finished}
	if r.FabVersion != "" {
		v.App += " " + r.FabVersion
	}
	v.Here = slices.ContainsFunc(s.Ledger.Runs(), func(have ledger.Run) bool { return have.ID == v.ID })
	return v
}
