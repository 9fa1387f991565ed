package health

import (
	"context"

	"flwrup/flwrexec"
	"flwrup/internal/front"
	"flwrup/internal/site"
	"flwrup/internal/supernode"
)

// stateInLog returns how the grid lists a SuperNode, as far as its own log tells. A site without an account cannot ask
// the grid.
func stateInLog(ctx context.Context, s *site.Site, p *site.Snapshot, v front.NodeView) front.GridState {
	if v.Runtime.State != supernode.Running {
		return front.GridOffline
	}
	came := idSaid(ctx, s, v.Name, v.Runtime) != "" // said once a start; later lines may have pushed it out of sight
	lines := site.SaidLately(ctx, s, v.Name)
	switch {
	case flwrexec.DiagnoseNodeLog(lines, Hints(p, v)) != nil:
		return front.GridOffline
	case came || flwrexec.CameOnline(lines):
		return front.GridOnline
	}
	return front.GridRegistered
}
