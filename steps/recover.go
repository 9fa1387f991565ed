package steps

import (
	"context"
	"errors"
	"fmt"
	"time"

	"flwrup/flwrexec"
	"flwrup/internal/problem"
	"flwrup/internal/supernode"
)

// recoverIDs finds the node IDs of keys that were registered before flwrup kept a ledger: the list of
// nodes shows no keys. By name where the grid tells names, by elimination where one key and one node
// are left, else from the SuperNode itself, which logs its ID when it comes online.
func (s *Site) recoverIDs(ctx context.Context, unknown []member, to Sink) error {
	nodes, _, err := s.gridNodes(ctx, 0)
	if err != nil {
		return err
	}
	taken := map[string]bool{}
	for _, n := range s.Ledger.Nodes() {
		taken[n.NodeID] = true
	}
	var free []flwrexec.Node
	byName := map[string]string{}
	for _, n := range nodes {
		if !taken[n.ID.String()] {
			free = append(free, n)
			byName[n.Name] = n.ID.String()
		}
	}
	var left []member
	for _, m := range unknown {
		if id := byName[m.Name]; id != "" && m.Name != "" {
			if err := s.recovered(m, id, "recovered by name", to); err != nil {
				return err
			}
			continue
		}
		left = append(left, m)
	}
	if len(left) == 0 {
		return nil
	}
	if len(free) == 0 {
		return burnt(left)
	}
	var errs []error
	for _, m := range left {
		id, err := s.idFromLog(ctx, m, to)
		if err != nil {
			if ctx.Err() != nil {
				return err
			}
			errs = append(errs, fmt.Errorf("%s: %w", m.Name, err))
			to.Event(ItemChanged{Item{m.Name, ItemFailed, problem.Of(err).Error()}})
			continue
		}
		if err := s.recovered(m, id, "from its log", to); err != nil {
			return err
		}
	}
	return join(errs)
}

// burnt is the problem of keys that the grid knows and this account has no node for.
func burnt(list []member) error {
	var errs []error
	for _, m := range list {
		errs = append(errs, problem.New(problem.KeyInUse, "the key of "+m.Name+" was registered before, and is none of this account's nodes",
			"it was unregistered, which burns a key for good, or it belongs to another account",
			"move "+m.Pair.Name+" and "+m.Pair.Name+".pub to another folder; flwrup then makes a new pair"))
	}
	return join(errs)
}

func (s *Site) recovered(m member, id, how string, to Sink) error {
	to.Event(ItemChanged{Item{m.Name, ItemDone, id}})
	return s.Ledger.PutNode(s.record(m, id, how))
}

// idFromLog starts the SuperNode and reads its node ID from its log. It goes on running: step 13 would
// start it anyway.
func (s *Site) idFromLog(ctx context.Context, m member, to Sink) (string, error) {
	to.Event(ItemChanged{Item{m.Name, ItemWorking, "starting it: it logs its node ID when it comes online"}})
	rt, err := s.nodesRuntime(ctx)
	if err != nil {
		return "", err
	}
	spec, err := s.spec(ctx, m)
	if err != nil {
		return "", err
	}
	if err := rt.Start(ctx, spec); err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	id := ""
	errFound := errors.New("found")
	err = rt.Logs(ctx, m.Name, supernode.LogOptions{Follow: true, Tail: 200}, func(l supernode.Line) error {
		switch kind, detail := flwrexec.Landmark(l.Text); kind {
		case flwrexec.MarkOnline:
			id = detail
			return errFound
		case flwrexec.MarkRefused:
			return burnt([]member{m})
		}
		return nil
	})
	if id != "" {
		return id, nil
	}
	if err == nil || errors.Is(err, context.DeadlineExceeded) {
		err = problem.New(problem.KeyInUse, "the node ID of "+m.Name+" could not be found again",
			"its key was registered before, and the SuperNode did not come online within a minute",
			"look at its log; or move the key pair to another folder, then flwrup makes a new one")
	}
	return "", err
}
