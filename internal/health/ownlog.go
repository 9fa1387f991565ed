package health

import (
	"context"
	"time"

	"flwrup/flwrexec"
	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/site"
	"flwrup/internal/supernode"
)

// stateInLog returns how the grid lists a SuperNode, as far as its own log tells. A site without an account cannot ask
// the grid.
func stateInLog(ctx context.Context, s *site.Site, p *site.Snapshot, v front.NodeView) front.GridState {
	if v.Runtime.State == supernode.Absent {
		return front.GridOffline
	}
	lines := site.SaidLately(ctx, s, v.Name)
	trouble := flwrexec.DiagnoseNodeLog(lines, Hints(p, v))
	switch {
	case trouble != nil && trouble.Code == problem.NodeRefused && refusedForGood(site.LastLines(ctx, s, v.Name, site.LookBack)):
		return front.GridUnregistered
	case trouble != nil, v.Runtime.State != supernode.Running:
		return front.GridOffline
	case idSaid(ctx, s, v.Name, v.Runtime) != "", // said once a start; later lines may have pushed it out of sight
		flwrexec.CameOnline(lines):
		return front.GridOnline
	}
	return front.GridRegistered
}

// refusedForGood reports, from its log (oldest line first), whether the grid has refused a SuperNode at each start for
// longer than it holds one that was killed. A SuperNode that is unregistered while it runs ends, and logs the same at
// each start from then on: "[code: 2004] Failed to activate SuperNode." (seen with 1.42.0).
func refusedForGood(lines []supernode.Line) bool {
	var first, last time.Time
	for _, l := range lines {
		switch kind, _ := flwrexec.Landmark(l.Text); kind {
		case flwrexec.MarkOnline, flwrexec.MarkConnected, flwrexec.MarkReceived, flwrexec.MarkSent:
			first, last = time.Time{}, time.Time{}
		case flwrexec.MarkRefused:
			if last = l.Time; first.IsZero() {
				first = l.Time
			}
		}
	}
	return last.Sub(first) > site.GridLetsGo
}
