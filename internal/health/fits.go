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
}
