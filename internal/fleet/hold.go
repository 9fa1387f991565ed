package fleet

import (
	"context"
	"fmt"
	"slices"
	"time"

	"flwrup/flwrexec"
	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/safego"
	"flwrup/internal/site"
	"flwrup/internal/supernode"
)

// holdAtMost is how long to wait for the grid to call a killed SuperNode offline. Seen: 52 to 53 s.
const holdAtMost = 100 * time.Second

// heldBack splits off the SuperNodes that do not run here and that the grid calls online all the same: they
// were killed less than a minute ago, and would be refused ([code: 2004]) if they were started now.
// Where the grid cannot be asked all are free: Docker and step 14 try again.
func heldBack(ctx context.Context, s *site.Site, list []site.Member) (free, held []site.Member, states map[string]supernode.Status, err error) {
	if states, err = site.States(ctx, s); err != nil {
		return nil, nil, nil, err
	}
	var stopped []site.Member
	for _, m := range list {
		if m.Known() && states[m.Name].State != supernode.Running {
			stopped = append(stopped, m)
		}
	}
	held = stillOnline(ctx, s, stopped)
	for _, m := range list {
		if !slices.ContainsFunc(held, func(o site.Member) bool { return o.Name == m.Name }) {
			free = append(free, m)
		}
	}
	return free, held, states, nil
}

// stillOnline returns those of list that the grid calls online; none where it cannot be asked.
func stillOnline(ctx context.Context, s *site.Site, list []site.Member) (online []site.Member) {
	if len(list) == 0 || s.Folder().Coordinated() {
		return nil
	}
	nodes, _, err := s.GridNodes(ctx, 0)
	if err != nil {
		return nil
	}
	for _, m := range list {
		if slices.ContainsFunc(nodes, func(n flwrexec.Node) bool {
			return n.ID.String() == m.Record.NodeID && n.Status == flwrexec.StatusOnline
		}) {
			online = append(online, m)
		}
	}
	return online
}

// hold is what SuperNodes wait for that the grid still calls online.
type hold struct {
	still func([]site.Member) ([]site.Member, error) // those that go on waiting
	says  func(m site.Member, began time.Time) string
	free  func([]site.Member) error // what is done with those that need not wait any more
	fix   string                    // for a SuperNode that is online elsewhere
}

// waitOut waits until the grid lets go of the held SuperNodes and hands each on as soon as it does.
func waitOut(ctx context.Context, s *site.Site, held []site.Member, h hold, to front.Sink) error {
	began := time.Now()
	said := map[string]time.Time{}
	for try := 0; len(held) > 0; try++ {
		still, err := h.still(held)
		if err != nil {
			return err
		}
		var free []site.Member
		for _, m := range held {
			if slices.ContainsFunc(still, func(o site.Member) bool { return o.Name == m.Name }) {
				if time.Since(said[m.Name]) >= 5*time.Second {
					said[m.Name] = time.Now()
					to.Event(front.ItemChanged{Item: front.Item{Name: m.Name, State: front.ItemWorking, Text: h.says(m, began)}})
				}
			} else {
				free = append(free, m)
			}
		}
		if len(free) > 0 {
			if err := h.free(free); err != nil {
				return err
			}
		}
		if held = still; len(held) == 0 {
			return nil
		}
		if time.Since(began) > holdAtMost {
			return problem.New(problem.NodeRefused, "the grid still calls "+held[0].Name+" online",
				"a SuperNode with the same key runs elsewhere: on another machine, or outside flwrup", h.fix)
		}
		if err := safego.Sleep(ctx, max(time.Second, site.PollPause(s, try))); err != nil {
			return err
		}
	}
	return nil
}

// waitOffline waits until the grid calls none of list online, so that their keys are taken from elsewhere. A grid that
// cannot be asked keeps nobody waiting: the engine tries again.
func waitOffline(ctx context.Context, s *site.Site, list []site.Member, to front.Sink) error {
	return waitOut(ctx, s, list, hold{
		still: func(list []site.Member) ([]site.Member, error) { return stillOnline(ctx, s, list), ctx.Err() },
		says: func(site.Member, time.Time) string {
			return "waiting until the grid lets go of it, about a minute at most"
		},
		free: func([]site.Member) error { return nil },
		fix:  "stop it there, then try again",
	}, to)
}

// letsGoIn says how long it takes until a killed SuperNode may come back.
func letsGoIn(st supernode.Status, began time.Time) string {
	from := began
	if st.State == supernode.Stopped && time.Since(st.Since) < site.GridLetsGo {
		from = st.Since
	}
	if left := int((site.GridLetsGo - time.Since(from)).Seconds()); left > 0 {
		return fmt.Sprintf("it was killed: the grid accepts it again in about %d s", left)
	}
	return "it was killed: the grid should accept it again any moment"
}
