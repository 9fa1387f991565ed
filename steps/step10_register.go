package steps

import (
	"context"
	"errors"
	"fmt"
	"time"

	"flwrup/flwrexec"
	"flwrup/internal/ledger"
	"flwrup/internal/problem"
)

// register is step 10: every public key is given to the grid, and the node ID that it gets is noted.
type register struct{}

func (register) Number() int   { return 10 }
func (register) Name() string  { return "Register" }
func (register) Title() string { return "Register each SuperNode" }
func (register) Why() string {
	return "Each SuperNode proves who it is with its own key. This gives every public key to the grid and notes the node ID that it gets. " +
		"A key can be registered once in its life: flwrup writes down what it is about to do before it does it, so that no answer is lost."
}

func (register) Inspect(ctx context.Context, s *Site) (Status, error) {
	list, _, err := s.members()
	if err != nil {
		return Status{}, err
	}
	if len(list) == 0 || len(list) < s.Choices.Nodes {
		return Status{State: Blocked, By: 6, Why: "the keys come first"}, nil
	}
	st := Status{State: Ready, Of: len(list)}
	for _, m := range list {
		item := Item{Name: m.Name, Text: "not registered"}
		switch {
		case m.Known():
			item.State, item.Text = ItemDone, m.Record.NodeID
			st.Done++
		case m.Record.State == ledger.Refused:
			item.State, item.Text = ItemFailed, "refused: "+m.Record.How
		case m.Record.State == ledger.Registered:
			item.Text = "registered, node ID not known yet"
		}
		st.Items = append(st.Items, item)
	}
	st.Short = fmt.Sprintf("%d/%d", st.Done, st.Of)
	st.Evidence = []string{fmt.Sprintf("%d of %d registered, by the ledger", st.Done, st.Of)}
	if st.Done == st.Of {
		st.State = Done
		return st, nil
	}
	if before, err := (login{}).Inspect(ctx, s); err != nil {
		return before, err
	} else if before.State != Done {
		return Status{State: Blocked, By: 9, Why: "the grid has to know you first: log in", Items: st.Items, Short: st.Short}, nil
	}
	return st, nil
}

func (register) Plan(ctx context.Context, s *Site) ([]Action, error) {
	f, err := s.session(ctx)
	if err != nil {
		return nil, err
	}
	list, _, err := s.members()
	if err != nil {
		return nil, err
	}
	var actions []Action
	for _, m := range list {
		if m.Known() {
			continue
		}
		a := s.command("register "+m.Name, f.Dialect().RegisterArgv(s.connection(), s.rel(m.Pair.Public), m.Name))
		a.Irreversible = true
		actions = append(actions, a)
	}
	return actions, nil
}

// registerTries is how often an answer that was lost on the way is asked for again.
const registerTries = 4

func (r register) Apply(ctx context.Context, s *Site, to Sink) error {
	f, err := s.session(ctx)
	if err != nil {
		return err
	}
	if err := s.settleRegistrations(ctx, to); err != nil {
		return err
	}
	list, _, err := s.members()
	if err != nil {
		return err
	}
	done, failed := 0, []error(nil)
	var unknown []member // registered before, node ID lost
	for _, m := range list {
		if m.Known() {
			done++
			continue
		}
		to.Event(ItemChanged{Item{m.Name, ItemWorking, "registering"}})
		id, err := r.one(ctx, s, f, m)
		switch {
		case problem.Is(err, problem.KeyInUse):
			unknown = append(unknown, m)
			to.Event(ItemChanged{Item{m.Name, ItemWorking, "registered before; looking for its node ID"}})
			continue
		case problem.Is(err, problem.BadKey):
			failed = append(failed, fmt.Errorf("%s: %w", m.Name, err))
			to.Event(ItemChanged{Item{m.Name, ItemFailed, err.Error()}})
			continue
		case err != nil:
			to.Event(ItemChanged{Item{m.Name, ItemFailed, problem.Of(err).Error()}})
			return fmt.Errorf("register %s: %w", s.rel(m.Pair.Public), err)
		}
		done++
		to.Event(ItemChanged{Item{m.Name, ItemDone, id}})
		to.Event(Progress{Label: "registered", Done: int64(done), Total: int64(len(list))})
	}
	if len(unknown) > 0 {
		if err := s.recoverIDs(ctx, unknown, to); err != nil {
			failed = append(failed, err)
		}
	}
	return join(failed)
}

// one registers one key: intent on disk, the call, its result on disk.
func (r register) one(ctx context.Context, s *Site, f Flwr, m member) (string, error) {
	nodes, _, err := s.gridNodes(ctx, 0)
	if err != nil {
		return "", err
	}
	intent := ledger.Intent{Op: "register", Key: m.Pair.Fingerprint, Name: m.Name, Connection: s.Choices.Grid.Connection}
	for _, n := range nodes {
		intent.Before = append(intent.Before, n.ID.String())
	}
	key, err := s.Ledger.Begin(intent)
	if err != nil {
		return "", err
	}
	for try := 1; ; try++ {
		id, err := f.Register(ctx, s.connection(), m.Pair.Public, m.Name)
		if err == nil {
			return id.String(), s.registered(key, m, id.String(), "answer")
		}
		if ctx.Err() != nil {
			return "", err // the intent stays: the next start settles it
		}
		switch {
		case flwrexec.MayHaveHappened(err) || problem.Is(err, problem.Unreachable):
			// The answer may be lost and the work done: look before asking again.
			if id, ok, lerr := s.newSince(ctx, intent); lerr == nil && ok {
				return id, s.registered(key, m, id, "by elimination")
			}
			if try == registerTries {
				return "", err
			}
			if werr := wait(ctx, pause(try)); werr != nil {
				return "", werr
			}
		case problem.Is(err, problem.KeyInUse):
			if id, ok, lerr := s.newSince(ctx, intent); lerr == nil && ok {
				return id, s.registered(key, m, id, "by elimination")
			}
			node := s.record(m, "", "registered before")
			return "", errors.Join(err, s.Ledger.Finish(key, func(d *ledger.Data) error { return d.PutNode(node) }))
		default:
			return "", errors.Join(err, s.Ledger.Abandon(key, problem.Of(err).Error()))
		}
	}
}

func (s *Site) record(m member, id, how string) ledger.Node {
	return ledger.Node{Key: m.Pair.Fingerprint, KeyFile: s.rel(m.Pair.Private), Name: m.Name, NodeID: id,
		State: ledger.Registered, Registered: time.Now(), Account: s.Ledger.Account(s.Choices.Grid.Connection),
		Connection: s.Choices.Grid.Connection, How: how}
}

// registered writes a node ID into the ledger and takes the intent out, in one step.
func (s *Site) registered(intent string, m member, id, how string) error {
	s.world.nodes.forget()
	node := s.record(m, id, how)
	return s.Ledger.Finish(intent, func(d *ledger.Data) error { return d.PutNode(node) })
}

// newSince finds the one node that the grid has now, that it had not before the intent, and that no
// other key of ours has. A name given at the registration decides where the grid tells it.
func (s *Site) newSince(ctx context.Context, i ledger.Intent) (string, bool, error) {
	nodes, _, err := s.gridNodes(ctx, 0)
	if err != nil {
		return "", false, err
	}
	known := map[string]bool{}
	for _, id := range i.Before {
		known[id] = true
	}
	for _, n := range s.Ledger.Nodes() {
		known[n.NodeID] = true
	}
	var fresh []string
	for _, n := range nodes {
		if id := n.ID.String(); !known[id] {
			if n.Name != "" && n.Name == i.Name {
				return id, true, nil
			}
			fresh = append(fresh, id)
		}
	}
	if len(fresh) != 1 {
		return "", false, nil
	}
	return fresh[0], true, nil
}

// settleRegistrations finds out what became of registrations whose answer never reached the ledger.
func (s *Site) settleRegistrations(ctx context.Context, to Sink) error {
	for _, i := range s.Ledger.Intents() {
		if i.Op != "register" || i.Connection != s.Choices.Grid.Connection {
			continue
		}
		m, err := s.member(i.Name)
		if err != nil || m.Pair.Fingerprint != i.Key {
			continue // its key is not here now; the intent keeps
		}
		id, ok, err := s.newSince(ctx, i)
		switch {
		case err != nil:
			return err
		case ok:
			to.Event(ItemChanged{Item{m.Name, ItemDone, id}})
			if err := s.registered(i.ID, m, id, "by elimination"); err != nil {
				return err
			}
		default: // it never arrived, or cannot be told apart: registering again says which
			if err := s.Ledger.Abandon(i.ID, "no new node on the grid"); err != nil {
				return err
			}
		}
	}
	return nil
}

// pause is how long to wait after the try'th answer that did not come.
func pause(try int) time.Duration { return time.Duration(try*try) * 500 * time.Millisecond }

// wait sleeps, or returns early with ctx's error.
func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
