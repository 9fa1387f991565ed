package fleet

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
	"flwrup/internal/safego"
	"flwrup/internal/site"
	"flwrup/internal/supernode"
)

// RecoverIDs finds the node IDs of keys that were registered before flwrup kept a ledger: the list of
// nodes shows no keys. By name where the grid tells names, else from the SuperNode itself, which logs its
// ID when it comes online; by elimination where that one key and one node are left that the grid lets
// nobody in for yet.
func RecoverIDs(ctx context.Context, s *site.Site, unknown []site.Member, to front.Sink) error {
	free, err := freeNodes(ctx, s, to)
	if err != nil {
		return err
	}
	named := map[string][]string{}
	for _, n := range free {
		named[n.Name] = append(named[n.Name], n.ID.String())
	}
	var left []site.Member
	for _, m := range unknown {
		if ids := named[m.Name]; len(ids) == 1 { // two machines of one account may use the same names
			if err := recovered(s, m, ids[0], "recovered by name", to); err != nil {
				return err
			}
			continue
		}
		left = append(left, m)
	}
	if len(left) == 0 {
		return nil
	}
	if free, err = freeNodes(ctx, s, to); err != nil {
		return err
	}
	if len(free) == 0 {
		return unregisteredKeys(left)
	}
	refused, err := idsFromLogs(ctx, s, left, free, to)
	if err != nil || len(refused) == 0 {
		return err
	}
	return idsOfRefused(ctx, s, refused, to)
}

// freeNodes are the account's nodes on the grid whose keys the ledger does not know.
func freeNodes(ctx context.Context, s *site.Site, to front.Sink) ([]flwrexec.Node, error) {
	nodes, err := site.NodesNow(ctx, s, to)
	taken := TakenIDs(s)
	return slices.DeleteFunc(slices.Clone(nodes), func(n flwrexec.Node) bool { return taken[n.ID.String()] }), err
}

// idsFromLogs starts the SuperNodes, a few at a time, and reads their node IDs from their logs. It gives
// those that the grid refused.
func idsFromLogs(ctx context.Context, s *site.Site, list []site.Member, free []flwrexec.Node, to front.Sink) (refused []site.Member, err error) {
	ids := map[string]bool{}
	for _, n := range free {
		ids[n.ID.String()] = true
	}
	byName := map[string]site.Member{}
	var names []string
	for _, m := range list {
		byName[m.Name] = m
		names = append(names, m.Name)
	}
	var mu sync.Mutex
	err = site.Each(ctx, names, func(ctx context.Context, name string) error {
		m := byName[name]
		id, err := IDFromLog(ctx, s, m, ids, to)
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
		return recovered(s, m, id, "from its log", to)
	})
	return refused, err
}

// idsOfRefused is the end of the search for keys that the grid knows and does not let in. A node that was
// never online may be one that awaits its confirmation; which one is clear only when one is left.
func idsOfRefused(ctx context.Context, s *site.Site, refused []site.Member, to front.Sink) error {
	free, err := freeNodes(ctx, s, to)
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
		return unregisteredKeys(refused)
	case len(waiting) == 1 && len(refused) == 1:
		return recovered(s, refused[0], waiting[0], "by elimination", to)
	}
	for _, m := range refused {
		to.Event(front.ItemChanged{Item: front.Item{Name: m.Name, State: front.ItemWaiting, Text: "registered before; the grid does not accept it yet"}})
	}
	return problem.New(problem.NeedsGrid, fmt.Sprintf("%d keys were registered before, and flwrup cannot yet match them to node IDs", len(refused)),
		"the grid lists "+strings.Join(waiting, ", ")+" for this account, but does not accept their SuperNodes: they are not confirmed yet, or the keys were unregistered",
		"send these node IDs to Flower Labs; once they are confirmed, run the same command again: each SuperNode then logs its own node ID")
}

// unregisteredKeys is the problem of keys that the grid knows and this account has no node for.
func unregisteredKeys(list []site.Member) error {
	var errs []error
	for _, m := range list {
		errs = append(errs, problem.New(problem.KeyInUse, "the key of "+m.Name+" was registered before, but not as one of this account's nodes",
			"it was unregistered, after which a key can never be registered again, or it belongs to another account",
			"move "+m.Pair.Name+" and "+m.Pair.Name+".pub to another folder; flwrup then makes a new pair"))
	}
	return problem.Join(errs...)
}

func recovered(s *site.Site, m site.Member, id, how string, to front.Sink) error {
	if err := s.Ledger.PutNode(site.Record(s, m, id, how)); err != nil {
		return err
	}
	to.Event(front.ItemChanged{Item: front.Item{Name: m.Name, State: front.ItemDone, Text: id}})
	return nil
}

// idWithin is how long a SuperNode may take to say its node ID: one that was killed before is refused for
// about a minute, and Docker starts it again and again meanwhile.
const idWithin = 80 * time.Second

// IDFromLog starts the SuperNode and reads its node ID from its log. It goes on running: step 13 would start
// it anyway. One that the grid refuses is stopped again, and returns a Problem node-refused.
func IDFromLog(ctx context.Context, s *site.Site, m site.Member, free map[string]bool, to front.Sink) (string, error) {
	to.Event(front.ItemChanged{Item: front.Item{Name: m.Name, State: front.ItemWorking, Text: "starting it to learn its node ID, which it logs when it comes online"}})
	if err := BringUp(ctx, s, []site.Member{m}, quiet{to}); err != nil {
		return "", err
	}
	rt, err := s.NodesRuntime(ctx)
	if err != nil {
		return "", err
	}
	id, refused, err := idIn(ctx, s, rt, m.Name, free)
	if id != "" || ctx.Err() != nil {
		return id, err
	}
	if serr := end(ctx, rt, m.Name); serr != nil {
		return "", serr
	}
	if refused {
		return "", problem.New(problem.NodeRefused, "the grid did not accept "+m.Name, "", "")
	}
	if err != nil {
		return "", err
	}
	return "", problem.New(problem.KeyInUse, "the node ID of "+m.Name+" cannot be found again",
		"its key was registered before, and the SuperNode did not come online",
		"read its log; or move the key pair to another folder, then flwrup makes a new one")
}

// idIn reads a SuperNode's log until it says a node ID that is one of free (its log may tell of an earlier
// key), or the SuperNode has ended; refused reports whether the grid's no was the last that was heard of it.
func idIn(ctx context.Context, s *site.Site, rt supernode.Runtime, name string, free map[string]bool) (id string, refused bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, idWithin)
	defer cancel()
	safego.Go("look whether "+name+" runs", func(error) { cancel() }, func() {
		for down := 0; down < 2; { // twice: its last lines may still be on their way
			if safego.Sleep(ctx, time.Second) != nil {
				return
			}
			states, err := site.States(ctx, s)
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

// TakenIDs are the node IDs of this grid that the ledger gives to a key, of this folder or of another site.
func TakenIDs(s *site.Site) map[string]bool {
	connection, d := s.Choices().Grid.Connection, s.Ledger.Data()
	taken := map[string]bool{}
	for _, n := range d.Nodes {
		if n.NodeID != "" && n.Connection == connection {
			taken[n.NodeID] = true
		}
	}
	for _, other := range d.SitesOn(connection) {
		for _, n := range other.Nodes {
			if n.NodeID != "" {
				taken[n.NodeID] = true
			}
		}
	}
	return taken
}
