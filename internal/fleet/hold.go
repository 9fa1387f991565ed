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
	stopped := !s.Folder().Coordinated() && slices.ContainsFunc(list, func(m site.Member) bool { return m.Known() && states[m.Name].State != supernode.Running })
	online := map[string]bool{}
	if stopped {
		nodes, _, gridErr := s.GridNodes(ctx, 0)
		for _, n := range nodes {
			online[n.ID.String()] = gridErr == nil && n.Status == flwrexec.StatusOnline
		}
	}
	for _, m := range list {
		if online[m.Record.NodeID] && states[m.Name].State != supernode.Running {
			held = append(held, m)
		} else {
			free = append(free, m)
		}
	}
	return free, held, states, nil
}

// waitOut waits until the grid lets go of the held SuperNodes and hands each on as soon as it does.
func waitOut(ctx context.Context, s *site.Site, held []site.Member, states map[string]supernode.Status, to front.Sink, start func([]site.Member) error) error {
	began := time.Now()
	said := map[string]time.Time{}
	for try := 0; len(held) > 0; try++ {
		_, still, _, err := heldBack(ctx, s, held)
		if err != nil {
			return err
		}
		var free []site.Member
		for _, m := range held {
			if slices.ContainsFunc(still, func(o site.Member) bool { return o.Name == m.Name }) {
				if time.Since(said[m.Name]) >= 5*time.Second {
					said[m.Name] = time.Now()
					to.Event(front.ItemChanged{Item: front.Item{Name: m.Name, State: front.ItemWorking, Text: letsGoIn(states[m.Name], began)}})
				}
			} else {
				free = append(free, m)
			}
		}
		if len(free) > 0 {
			if err := start(free); err != nil {
				return err
			}
		}
		if held = still; len(held) == 0 {
			return nil
		}
		if time.Since(began) > holdAtMost {
			return problem.New(problem.NodeRefused, "the grid still calls "+held[0].Name+" online",
				"a SuperNode with the same key runs elsewhere: on another machine, or outside flwrup", "stop it there, then start it here")
		}
		if err := safego.Sleep(ctx, max(time.Second, site.PollPause(s, try))); err != nil {
			return err
		}
	}
	return nil
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
