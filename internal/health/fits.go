package health

import (
	"context"
	"slices"

	"flwrup/flwrexec"
	"flwrup/internal/fit"
	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/site"
)

// showFit puts into an overview which flwr fits the grid. Where somebody is not understood, and nobody has looked at
// the grid's addresses lately, it looks.
func showFit(ctx context.Context, s *site.Site, p site.Snapshot, o *front.Overview) {
	lost := slices.ContainsFunc(o.Nodes, func(n front.NodeView) bool {
		return n.Diagnosis != nil && (n.Diagnosis.Code == flwrexec.NodeVersion || n.Diagnosis.Code == problem.NodeNotOnline)
	})
	if lost || problem.Is(o.GridErr, problem.Unreachable) && !flwrexec.Silent(o.GridErr) && !problem.Is(o.GridErr, GridEnded) {
		if n, err := site.LookAtNetwork(ctx, s, site.NetworkAge); err == nil {
			p.Network = site.Fact[site.Network]{Value: n, At: p.At}
		}
	}
	fit.Judge(&p).Show(o)
	offerUpgrade(o)
}

// offerUpgrade makes another release the remedy for what does not understand the grid. Where the flwr at hand is of that
// release, a restart gives it to a SuperNode.
func offerUpgrade(o *front.Overview) {
	if !o.Fit.Needed || o.Fit.Target == "" || o.Fit.Target == o.Fit.Flwr {
		return
	}
	r := &front.Remedy{Says: "move to flwr " + o.Fit.Target, Verb: front.Upgrade}
	for i := range o.Nodes {
		n := &o.Nodes[i]
		if d := n.Diagnosis; d != nil && n.Fits == string(fit.No) && (d.Code == flwrexec.NodeVersion || d.Code == problem.NodeNotOnline) {
			one := *d
			one.Code, one.Why, one.Fix = flwrexec.NodeVersion, o.Fit.Says, r.Says
			n.Diagnosis, n.Remedy = &one, r
		}
	}
	if o.GridErr != nil && o.Fit.FlwrFits == string(fit.No) {
		o.Remedy = r
	}
}
