package upgrade

import (
	"slices"
	"time"

	"flwrup/internal/front"
	"flwrup/internal/site"
	"flwrup/internal/supernode"
)

const (
	stays  = 30 * time.Second // how long the first SuperNode has to stay online
	atOnce = 5                // SuperNodes that restart at the same time

	mostRestarts = 3 // of a container by Docker, before it counts as one that cannot run
)

// trial follows SuperNodes from look to look, until they have come online and stayed so, or have not.
type trial struct {
	names []string
	stay  time.Duration

	began    time.Time
	looks    int
	since    time.Time      // all have been online; zero: not yet
	restarts map[string]int // by Docker, when they were first seen, then when they came online
}

// verdict is what a look says of a trial.
type verdict int

const (
	goesOn verdict = iota
	stayed
	lost  // was online, and did not stay so
	never // did not come online
)

// look takes what a look at now found.
func (t *trial) look(now time.Time, nodes []front.NodeView) verdict {
	if t.restarts == nil {
		t.began, t.restarts = now, map[string]int{}
	}
	t.looks++
	all, runs, heard, ended := true, true, true, false
	for _, n := range nodes {
		if !slices.Contains(t.names, n.Name) {
			continue
		}
		if _, seen := t.restarts[n.Name]; !seen {
			t.restarts[n.Name] = n.Runtime.Restarts
		}
		again, up := n.Runtime.Restarts-t.restarts[n.Name], n.Runtime.State == supernode.Running
		all = all && n.Up()
		runs = runs && up && again <= 0
		heard = heard && n.Grid != front.GridUnknown
		ended = ended || n.Runtime.State == supernode.Stopped || again >= mostRestarts
	}
	late := now.Sub(t.began) > site.OnlineWithin+t.stay
	switch {
	case t.since.IsZero() && all:
		t.since = now
		for _, n := range nodes {
			t.restarts[n.Name] = n.Runtime.Restarts
		}
	case t.since.IsZero():
		// The first look may come before the runtime has noticed the start.
		if late || ended && t.looks > 1 {
			return never
		}
		return goesOn
	case !runs || heard && !all || late:
		return lost
	case !heard: // a grid that is away for a moment says nothing about the release
		return goesOn
	}
	if now.Sub(t.since) >= t.stay {
		return stayed
	}
	return goesOn
}
