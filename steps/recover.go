package steps

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"flwrup/flwrexec"
	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/procctl"
	"flwrup/internal/safego"
	"flwrup/internal/supernode"
)

// recoverIDs finds the node IDs of keys that were registered before flwrup kept a ledger: the list of
// nodes shows no keys. By name where the grid tells names, else from the SuperNode itself, which logs its
// ID when it comes online; by elimination where that one key and one node are left that the grid lets
// nobody in for yet.
func (s *Site) recoverIDs(ctx context.Context, unknown []member, to front.Sink) error {
	free, err := s.freeNodes(ctx, to)
	if err != nil {
		return err
	}
	named := map[string][]string{}
	for _, n := range free {
		named[n.Name] = append(named[n.Name], n.ID.String())
	}
	var left []member
	for _, m := range unknown {
		if ids := named[m.Name]; len(ids) == 1 { // two machines of one account may use the same names
			if err := s.recovered(m, ids[0], "recovered by name", to); err != nil {
				return err
			}
			continue
		}
		left = append(left, m)
	}
	if len(left) == 0 {
		return nil
	}
	if free, err = s.freeNodes(ctx, to); err != nil {
		return err
	}
	if len(free) == 0 {
		return burnt(left)
	}
	refused, err := s.idsFromLogs(ctx, left, free, to)
	if err != nil || len(refused) == 0 {
		return err
	}
	return s.idsOfRefused(ctx, refused, to)
}

// freeNodes are the account's nodes on the grid whose keys the ledger does not know.
func (s *Site) freeNodes(ctx context.Context, to front.Sink) ([]flwrexec.Node, error) {
	nodes, err := s.nodesNow(ctx, to)
	taken := s.takenIDs()
	return slices.DeleteFunc(slices.Clone(nodes), func(n flwrexec.Node) bool { return taken[n.ID.String()] }), err
}

// idsFromLogs starts the SuperNodes, a few at a time, and reads their node IDs from their logs. It gives
// those that the grid refused.
func (s *Site) idsFromLogs(ctx context.Context, list []member, free []flwrexec.Node, to front.Sink) (refused []member, err error) {
	ids := map[string]bool{}
	for _, n := range free {
		ids[n.ID.String()] = true
	}
	byName := map[string]member{}
	var names []string
	for _, m := range list {
		byName[m.Name] = m
		names = append(names, m.Name)
	}
	var mu sync.Mutex
	err = s.each(ctx, names, func(ctx context.Context, name string) error {
		m := byName[name]
		id, err := s.idFromLog(ctx, m, ids, to)
		switch {
		case problem.Is(err, problem.NodeRefused):
			mu.Lock()
			refused = append(refused, m)
			mu.Unlock()
			return nil
		case err != nil:
			to.Event(front.ItemChanged{Item: front.Item{Name: name, State: front.ItemFailed, Text: problem.Of(err).Error()}})
			return err
		}
		return s.recovered(m, id, "from its log", to)
	})
	return refused, err
}

// idsOfRefused is the end of the search for keys that the grid knows and does not let in. A node that was
// never online may be one that awaits its confirmation; which one can be told only where one is left.
func (s *Site) idsOfRefused(ctx context.Context, refused []member, to front.Sink) error {
	free, err := s.freeNodes(ctx, to)
	if err != nil {
		return err
	}
	var waiting []string
	for _, n := range free {
		if n.Status == flwrexec.StatusRegistered {
			waiting = append(waiting, n.ID.String())
		}
	}
	switch {
	case len(waiting) == 0:
		return burnt(refused)
	case len(waiting) == 1 && len(refused) == 1:
		return s.recovered(refused[0], waiting[0], "by elimination", to)
	}
	for _, m := range refused {
		to.Event(front.ItemChanged{Item: front.Item{Name: m.Name, State: front.ItemWaiting, Text: "registered before; the grid does not let it in yet"}})
	}
	return problem.New(problem.NeedsGrid, fmt.Sprintf("%d keys were registered before, and which node ID is whose cannot be told yet", len(refused)),
		"the grid lists "+strings.Join(waiting, ", ")+" for this account, and does not let their SuperNodes in: they are not confirmed yet, or the keys were unregistered",
		"send these node IDs to Flower Labs; once they are confirmed run the same command again, and each SuperNode's own log tells its ID")
}

// burnt is the problem of keys that the grid knows and this account has no node for.
func burnt(list []member) error {
	var errs []error
	for _, m := range list {
		errs = append(errs, problem.New(problem.KeyInUse, "the key of "+m.Name+" was registered before, and is none of this account's nodes",
			"it was unregistered, which burns a key for good, or it belongs to another account",
			"move "+m.Pair.Name+" and "+m.Pair.Name+".pub to another folder; flwrup then makes a new pair"))
	}
	return problem.Join(errs...)
}

func (s *Site) recovered(m member, id, how string, to front.Sink) error {
	if err := s.Ledger.PutNode(s.record(m, id, how)); err != nil {
		return err
	}
	to.Event(front.ItemChanged{Item: front.Item{Name: m.Name, State: front.ItemDone, Text: id}})
	return nil
}

// idWithin is how long a SuperNode may take to say its node ID: one that was killed before is refused for
// about a minute, and Docker starts it again and again meanwhile.
const idWithin = 80 * time.Second

// idFromLog starts the SuperNode and reads its node ID from its log. It goes on running: step 13 would
// start it anyway. One that the grid refuses is stopped again, and gives a Problem node-refused.
func (s *Site) idFromLog(ctx context.Context, m member, free map[string]bool, to front.Sink) (string, error) {
	to.Event(front.ItemChanged{Item: front.Item{Name: m.Name, State: front.ItemWorking, Text: "starting it: it logs its node ID when it comes online"}})
	if err := (start{}).bringUp(ctx, s, []member{m}, quiet{to}); err != nil {
		return "", err
	}
	rt, err := s.nodesRuntime(ctx)
	if err != nil {
		return "", err
	}
	id, refused, err := s.idIn(ctx, rt, m.Name, free)
	if id != "" || ctx.Err() != nil {
		return id, err
	}
	if serr := rt.Stop(ctx, m.Name, stopGrace); serr != nil && !problem.Is(serr, procctl.Killed) {
		return "", serr
	}
	if refused {
		return "", problem.New(problem.NodeRefused, "the grid did not let "+m.Name+" in", "", "")
	}
	if err != nil {
		return "", err
	}
	return "", problem.New(problem.KeyInUse, "the node ID of "+m.Name+" could not be found again",
		"its key was registered before, and the SuperNode did not come online",
		"look at its log; or move the key pair to another folder, then flwrup makes a new one")
}

// idIn reads a SuperNode's log until it says a node ID that is one of free (its log may tell of an earlier
// key), or the SuperNode has ended; refused tells whether the grid's no was the last that was heard of it.
func (s *Site) idIn(ctx context.Context, rt supernode.Runtime, name string, free map[string]bool) (id string, refused bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, idWithin)
	defer cancel()
	safego.Go("look whether "+name+" runs", func(error) { cancel() }, func() {
		for down := 0; down < 2; { // twice: its last lines may still be on their way
			if safego.Sleep(ctx, time.Second) != nil {
				return
			}
			states, err := s.states(ctx)
			if st := states[name].State; err == nil && (st == supernode.Stopped || st == supernode.Absent) {
				down++
			} else {
				down = 0
			}
		}
		cancel()
	})
	found := errors.New("found")
	err = rt.Logs(ctx, name, supernode.LogOptions{Follow: true, Tail: 200}, func(l supernode.Line) error {
		switch kind, detail := flwrexec.Landmark(l.Text); {
		case kind == flwrexec.MarkOnline && free[detail]:
			id = detail
			return found
		case kind == flwrexec.MarkStarting:
			refused = false
		case kind == flwrexec.MarkRefused:
			refused = true
		}
		return nil
	})
	if errors.Is(err, found) || ctx.Err() != nil {
		err = nil
	}
	return id, refused, err
}

// quiet leaves out what bringUp says about each node: it is not the start that the person waits for.
type quiet struct{ front.Sink }

func (q quiet) Event(e front.Event) {
	switch e := e.(type) {
	case front.ItemChanged:
		return
	case front.Progress:
		if !e.Bytes {
			return
		}
	}
	q.Sink.Event(e)
}
