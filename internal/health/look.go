package health

import (
	"context"
	"slices"
	"time"

	"github.com/fvbommel/sortorder"

	"flwrup/flwrexec"
	"flwrup/internal/fit"
	"flwrup/internal/front"
	"flwrup/internal/ledger"
	"flwrup/internal/problem"
	"flwrup/internal/site"
	"flwrup/internal/supernode"
)

// ReadOverview are the parts of a look that an overview of the SuperNodes shows.
const ReadOverview = site.ReadKeys | site.ReadFlwr | site.ReadNodes | site.ReadGrid | site.ReadStates | fit.Reads

// Overview looks at the site and returns the dashboard's data; the grid is asked again only when its answer is
// older than maxAge. A part that cannot be had stays empty, and GridErr or RuntimeErr say why. The history gets what is new.
func Overview(ctx context.Context, s *site.Site, maxAge time.Duration) front.Overview {
	o := overview(ctx, s, maxAge)
	if ctx.Err() == nil {
		Remember(s, o)
	}
	return o
}

func overview(ctx context.Context, s *site.Site, maxAge time.Duration) front.Overview {
	ctx = flwrexec.OneLook(ctx)
	p := lookAtNodes(ctx, s, maxAge)
	o := View(ctx, s, &p)
	o.FileErr = site.FileProblem(s)
	if p.Coordinated() {
		return o
	}
	if o.GridErr == nil && maxAge < Anytime && time.Since(o.GridAt) > pulseAge {
		if err := pulse(ctx, s); err != nil {
			s.Forget(site.ReadNodes)
			o.GridErr = err
			settleGridErr(&p, &o)
		}
	}
	if o.GridErr == nil {
		p = site.LookFurther(ctx, s, p, site.Want{Parts: site.ReadRuns, MaxAge: maxAge})
		o.GridErr = p.Runs.Err
		for _, r := range p.Runs.Value {
			o.Runs = append(o.Runs, RunView(p.Ledger, r))
		}
	}
	return o
}

// Looked is Overview for a watch, which itself decides when the history gets what is new (Remember).
func Looked(ctx context.Context, s *site.Site) front.Overview { return overview(ctx, s, 0) }

// States returns the overview of the SuperNodes as they are now, without diagnoses.
func States(ctx context.Context, s *site.Site) front.Overview {
	p := lookAtNodes(flwrexec.OneLook(ctx), s, 0)
	return inOrder(&p, view(ctx, s, &p))
}

// lookAtNodes reads ReadOverview; only the folder of keys where that cannot be read.
func lookAtNodes(ctx context.Context, s *site.Site, maxAge time.Duration) site.Snapshot {
	p := s.Look(ctx, site.Want{Parts: site.ReadKeys})
	if p.Keys.Err == nil {
		p = site.LookFurther(ctx, s, p, site.Want{Parts: ReadOverview, MaxAge: maxAge})
	}
	return p
}

// Diagnosed returns the overview of the SuperNodes with a diagnosis of each that is not as it should be.
func Diagnosed(ctx context.Context, s *site.Site, maxAge time.Duration) front.Overview {
	ctx = flwrexec.OneLook(ctx)
	p := lookAtNodes(ctx, s, maxAge)
	return View(ctx, s, &p)
}

// View returns the overview of the SuperNodes in a look that has read ReadOverview. It reads the logs of those that are
// not as they should be, for the diagnosis.
func View(ctx context.Context, s *site.Site, p *site.Snapshot) front.Overview {
	o := view(ctx, s, p)
	if p.Keys.Err != nil {
		return o
	}
	for i, n := range shown(p) {
		if v := &o.Nodes[i]; n.Lost {
			v.Diagnosis, v.Remedy = KeyProblem(s, n.Member, p.Keys.Value)
		} else {
			v.Diagnosis, v.Remedy = diagnose(ctx, s, p, n.Member, *v, o)
		}
	}
	showFit(ctx, s, *p, &o)
	o.Backup = BackupNow(p)
	for _, n := range o.Nodes {
		if _, open := p.Ledger.Rotation(p.Choices.Grid.Connection, n.Name); open {
			o.Rotating = append(o.Rotating, n.Name)
		}
	}
	o.Nodes = append(o.Nodes, unfinished(p)...)
	return inOrder(p, o)
}

// shown returns the SuperNodes that have their key, then those that lost it. A key in the place of another one that
// was registered is left out.
func shown(p *site.Snapshot) []site.SuperNode {
	present := slices.DeleteFunc(slices.Clone(p.SuperNodes), func(n site.SuperNode) bool {
		return slices.ContainsFunc(p.Lost, func(lost site.SuperNode) bool { return lost.Name == n.Name })
	})
	return append(present, p.Lost...)
}

// view shows each SuperNode of a look in the order of shown, without a diagnosis. It asks nobody; at a site whose
// federation somebody else coordinates it reads the SuperNodes' logs.
func view(ctx context.Context, s *site.Site, p *site.Snapshot) front.Overview {
	site.Kept[sleeper](s).look(p.At)
	if p.Keys.Err != nil {
		return front.Overview{RuntimeErr: p.Keys.Err}
	}
	o := front.Overview{GridAt: p.Nodes.At, GridErr: gridProblem(p, p.Nodes.Err), RuntimeErr: p.States.Err}
	if o.FromLogs = p.Coordinated(); o.FromLogs {
		o.GridAt = p.At
	}
	for _, n := range shown(p) {
		v := front.NodeView{Name: n.Name, NodeID: n.Record.NodeID, KeyFile: p.Rel(n.Pair.Private), Fingerprint: n.Pair.Fingerprint,
			Runtime: n.Runtime, Digest: site.DigestOf(p.Ledger, n.Runtime), Wanted: n.Wanted, Engine: engineView(p, n.Name)}
		if n.Lost {
			v.KeyFile, v.Fingerprint = n.Record.KeyFile, n.Record.Key
		}
		if v.Runtime.State == "" && o.RuntimeErr == nil {
			v.Runtime.State = supernode.Absent
		}
		if n.Listed {
			v.Grid = front.GridState(n.Grid.Status)
			if v.GridSince = n.Grid.Online; n.Grid.Status == flwrexec.StatusOffline {
				v.GridSince = n.Grid.Offline
			}
		}
		if o.FromLogs && n.Known() {
			v.Grid = stateInLog(ctx, s, p, v)
		}
		ended := v.Runtime.State == supernode.Stopped || v.Runtime.State == supernode.Absent && v.Wanted == front.WantedUp || IsSuspended(v.Runtime)
		if v.Grid == flwrexec.StatusOnline && !ended { // else the grid has not noticed
			o.Online++
		}
		o.Nodes = append(o.Nodes, v)
	}
	o.Sites = sitesOf(p)
	settleGridErr(p, &o)
	return o
}

// inOrder sorts the SuperNodes by name where others than those with a key are among them.
func inOrder(p *site.Snapshot, o front.Overview) front.Overview {
	if len(p.Lost) > 0 || len(o.Nodes) > len(p.SuperNodes) {
		slices.SortStableFunc(o.Nodes, func(a, b front.NodeView) int { return sortorder.NaturalCompare(a.Name, b.Name) })
	}
	return o
}

// settleGridErr notes the remedy of GridErr. No SuperNode counts as online while the grid does not say so.
func settleGridErr(p *site.Snapshot, o *front.Overview) {
	if o.GridErr != nil {
		o.Online = 0
	}
	switch {
	case o.GridErr == nil || !p.Rehearsal():
	case problem.Is(o.GridErr, GridEnded):
		o.Remedy = remedy(front.StartGrid, "restart the rehearsal's grid")
	case p.Grid.Suspended != nil:
		o.Remedy = remedy(front.StartGrid, "resume the rehearsal's grid")
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

// GridProblem says of an error of the grid's side whether it comes from a rehearsal's grid that does not run.
func GridProblem(s *site.Site, err error) error {
	p := s.Look(context.Background(), site.Want{Parts: site.ReadGrid})
	return gridProblem(&p, err)
}

func gridProblem(p *site.Snapshot, err error) error {
	if err == nil || !p.Rehearsal() || p.Grid.Running || !problem.Is(err, problem.Unreachable) {
		return err
	}
	return &problem.Problem{Code: GridEnded, What: "the rehearsal's grid is not running", Why: "it was stopped, or it ended together with the flwrup that started it",
		Fix: "start it again: flwrup start --grid; the SuperNodes reconnect on their own", Err: err}
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
func unfinished(p *site.Snapshot) []front.NodeView {
	var list []front.NodeView
	for _, i := range p.Leaving() {
		v := front.NodeView{Name: i.Name, NodeID: i.NodeID, Fingerprint: i.Key, Runtime: p.States.Value[i.Name], Grid: front.GridState(onGrid(p, i.NodeID).Status), Wanted: front.WantedDown}
		if v.Runtime.State == "" {
			v.Runtime.State = supernode.Absent
		}
		verb := front.RemoveNodes
		if i.Op == "unregister" {
			verb = front.UnregisterNodes
		}
		v.Diagnosis = problem.New(Unfinished, "the removal of "+i.Name+" is not finished", "flwrup was stopped halfway, or the grid did not answer", "remove it again: flwrup continues where it stopped")
		v.Remedy = remedy(verb, "finish removing it", i.Name)
		list = append(list, v)
	}
	return list
}

// onGrid returns the node with an ID as the grid lists it; zero where it does not, or does not answer.
func onGrid(p *site.Snapshot, id string) flwrexec.Node {
	if p.Nodes.Err == nil {
		for _, n := range p.Nodes.Value {
			if n.ID.String() == id {
				return n
			}
		}
	}
	return flwrexec.Node{}
}

// RunView returns a run of the grid as front ends show it.
func RunView(d ledger.Data, r flwrexec.Run) front.RunView {
	v := front.RunView{ID: r.ID.String(), App: r.FabID, Status: front.RunStatus(r.StatusText()), Elapsed: r.Elapsed, Details: r.Details,
		Pending: r.Pending, Running: r.Running, Over: r.Finished}
	if r.FabVersion != "" {
		v.App += " " + r.FabVersion
	}
	v.Here = slices.ContainsFunc(d.Runs, func(have ledger.Run) bool { return have.ID == v.ID })
	return v
}
