package steps

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"flwrup/flwrexec"
	"flwrup/flwrexec/flwr"
	"flwrup/internal/fleet"
	"flwrup/internal/front"
	"flwrup/internal/ledger"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/site"
)

// register is step 10: every public key is given to the grid, and the node ID that it gets is noted.
type register struct{}

func (register) ID() front.StepID { return front.StepRegister }
func (register) Name() string     { return "Register" }
func (register) Title() string    { return "Register each SuperNode" }
func (register) Why() string {
	return "flwrup sends each public key to the grid, which answers with a node ID. " +
		"A key can be registered only once, so flwrup writes down each call before it makes it, and no answer gets lost."
}

// Needs returns the login, without which no key can be given to the grid.
func (register) Needs() []Need {
	return []Need{{Step: front.StepLogin, Why: "the grid takes keys only after a login", UnlessDone: true}}
}

// Wants returns the keys: the ledger knows which of them are registered.
func (register) Wants() Wants {
	return Wants{Status: site.ReadKeys, Plan: site.ReadKeys | site.ReadFlwr}
}

func (register) Inspect(p Snapshot) (front.Status, error) {
	if p.Keys.Err != nil {
		return front.Status{}, p.Keys.Err
	}
	if len(p.SuperNodes) == 0 || len(p.SuperNodes) < p.Choices.Nodes {
		return front.Status{State: front.Blocked, By: front.StepKeys, Why: "make the keys first"}, nil
	}
	st := front.Status{State: front.Ready, Of: len(p.SuperNodes)}
	for _, m := range p.SuperNodes {
		item := front.Item{Name: m.Name, Text: "not registered"}
		switch {
		case m.Known():
			item.State, item.Text = front.ItemDone, m.Record.NodeID
			st.Done++
		case m.Record.State == ledger.Refused:
			item.State, item.Text = front.ItemFailed, "refused: "+m.Record.How
		case m.Record.State == ledger.Registered:
			item.Text = "registered, node ID not known yet"
		}
		st.Items = append(st.Items, item)
	}
	st.Short = fmt.Sprintf("%d/%d", st.Done, st.Of)
	st.Evidence = []string{fmt.Sprintf("%d of %d registered, according to the ledger", st.Done, st.Of)}
	open := unregistrations(p.Leaving())
	if st.Done == st.Of && len(open) == 0 {
		st.State = front.Done
		return st, nil
	}
	for _, i := range open {
		st.Evidence = append(st.Evidence, i.Name+" was being unregistered, and the answer got lost")
	}
	return st, nil
}

func (register) Plan(p Snapshot) ([]front.Action, error) {
	if err := cmp.Or(p.Tool.Err, p.Keys.Err); err != nil {
		return nil, err
	}
	var actions []front.Action
	for _, m := range p.SuperNodes {
		if m.Known() {
			continue
		}
		a := p.Command("register "+m.Name, p.Dialect.RegisterArgv(p.Connection(), registration(p.Choices, m.Member, p.Rel(m.Pair.Public))))
		a.Irreversible = true
		actions = append(actions, a)
	}
	return actions, nil
}

func (r register) Apply(ctx context.Context, s *site.Site, to front.Sink) error {
	f, err := s.Session(ctx)
	if err != nil {
		return err
	}
	if err := settleUnregistrations(ctx, s, to); err != nil {
		return err
	}
	list, _, err := site.Members(s)
	if err != nil {
		return err
	}
	done, failed := 0, []error(nil)
	var unknown []site.Member // registered before, node ID lost
	var grid listed
	for _, m := range list {
		if m.Known() {
			done++
			continue
		}
		to.Event(front.ItemChanged{Item: front.Item{Name: m.Name, State: front.ItemWorking, Text: "registering"}})
		id, err := r.one(ctx, s, f, m, &grid, to)
		switch {
		case problem.Is(err, problem.KeyInUse):
			unknown = append(unknown, m)
			to.Event(front.ItemChanged{Item: front.Item{Name: m.Name, State: front.ItemWorking, Text: "registered before; looking for its node ID"}})
			continue
		case problem.Is(err, problem.BadKey):
			failed = append(failed, fmt.Errorf("%s: %w", m.Name, err))
			to.Event(front.ItemChanged{Item: front.Item{Name: m.Name, State: front.ItemFailed, Text: err.Error()}})
			continue
		case err != nil:
			to.Event(front.ItemChanged{Item: front.Item{Name: m.Name, State: front.ItemFailed, Text: problem.Of(err).Error()}})
			return fmt.Errorf("register %s: %w", s.Rel(m.Pair.Public), err)
		}
		done++
		to.Event(front.ItemChanged{Item: front.Item{Name: m.Name, State: front.ItemDone, Text: id}})
		to.Event(front.Progress{Label: "registered", Done: int64(done), Total: int64(len(list))})
	}
	if len(unknown) > 0 {
		if err := fleet.RecoverIDs(ctx, s, unknown, to); err != nil {
			failed = append(failed, err)
		}
	}
	return problem.Join(failed...)
}

// listed is what one Apply knows of the grid's nodes: asked for once, since a list a key would double the
// time, then kept up with the node IDs that the keys get.
type listed struct {
	known bool
	ids   []string
}

func (l *listed) add(id string) { l.ids = append(l.ids, id) }

// before returns the node IDs that the grid has now.
func (l *listed) before(ctx context.Context, s *site.Site, to front.Sink) ([]string, error) {
	if !l.known {
		nodes, err := site.NodesNow(ctx, s, to)
		if err != nil {
			return nil, err
		}
		l.known, l.ids = true, nil
		for _, n := range nodes {
			l.add(n.ID.String())
		}
	}
	return l.ids, nil
}

// registration is what the SuperNode m is registered with; publicKey is its file as the command needs it.
func registration(c *project.Choices, m site.Member, publicKey string) flwr.Registration {
	return flwr.Registration{PublicKey: publicKey, Name: m.Name, Location: c.ForNode(m.Number).Location}
}

// one registers one key: intent on disk, the call, its result on disk. A call whose answer was lost is
// simply made again, now or at the next start: the grid takes a key once, so its second answer says what
// became of the first call.
func (r register) one(ctx context.Context, s *site.Site, f site.Flwr, m site.Member, grid *listed, to front.Sink) (string, error) {
	intent, open, err := intend(ctx, s, m, grid, to)
	if err != nil {
		return "", err
	}
	var id flwr.NodeID
	err = site.Surely(ctx, s, to, func() error {
		id, err = f.Register(ctx, s.Connection(), registration(s.Choices(), m, m.Pair.Public))
		open = open || err != nil && site.Lost(err)
		return err
	})
	switch {
	case err == nil:
		grid.add(id.String())
		return id.String(), registered(s, intent.ID, m, id.String(), "answer")
	case problem.Is(err, problem.KeyInUse):
		if open { // by an earlier call for this intent, it may be
			grid.known = false
			id, ok, lerr := newSince(ctx, s, intent, to)
			if lerr != nil {
				return "", lerr // the intent stays, with what it knows
			}
			if ok {
				return id, registered(s, intent.ID, m, id, "by elimination")
			}
		}
		node := site.Record(s, m, "", "registered before")
		return "", errors.Join(err, s.Ledger.Finish(intent.ID, func(d *ledger.Data) error { return d.PutNode(node) }))
	case open || ctx.Err() != nil:
		return "", err // the intent stays: the next start settles it
	}
	return "", errors.Join(err, s.Ledger.Abandon(intent.ID, problem.Of(err).Error()))
}

// intend returns the intent to register m: that of an earlier call, where it is open, else a new one with the
// nodes that the grid has before the call.
func intend(ctx context.Context, s *site.Site, m site.Member, grid *listed, to front.Sink) (i ledger.Intent, open bool, err error) {
	c := s.Choices()
	for _, i := range s.Ledger.Intents() {
		if i.Op == "register" && i.Key == m.Pair.Fingerprint && i.Connection == c.Grid.Connection {
			return i, true, nil
		}
	}
	before, err := grid.before(ctx, s, to)
	if err != nil {
		return i, false, err
	}
	i = ledger.Intent{Op: "register", Key: m.Pair.Fingerprint, Name: m.Name, Connection: c.Grid.Connection, Before: before}
	i.ID, err = s.Ledger.Begin(i)
	return i, false, err
}

// registered writes a node ID into the ledger and takes the intent out, in one step.
func registered(s *site.Site, intent string, m site.Member, id, how string) error {
	s.Forget(site.ReadNodes)
	node := site.Record(s, m, id, how)
	return s.Ledger.Finish(intent, func(d *ledger.Data) error { return d.PutNode(node) })
}

// newSince finds the one node that the grid has now, that it had not before the intent, and that no
// other key of ours has. A name given at the registration decides where the grid tells it. It is asked
// only when the grid has said that it knows the key, so some node is the key's.
func newSince(ctx context.Context, s *site.Site, i ledger.Intent, to front.Sink) (string, bool, error) {
	nodes, err := site.NodesNow(ctx, s, to)
	if err != nil {
		return "", false, err
	}
	known := fleet.TakenIDs(s)
	for _, id := range i.Before {
		known[id] = true
	}
	var ours, nameless []string
	for _, n := range nodes {
		switch id := n.ID.String(); {
		case known[id]:
		case n.Name == i.Name:
			ours = append(ours, id)
		case n.Name == "":
			nameless = append(nameless, id)
		}
	}
	if len(ours) == 0 {
		ours = nameless
	}
	if len(ours) != 1 {
		return "", false, nil
	}
	return ours[0], true, nil
}

// unregistrations returns those of the removals that the grid was asked to make final: their answer never reached
// the ledger.
func unregistrations(removals []ledger.Intent) []ledger.Intent {
	return slices.DeleteFunc(removals, func(i ledger.Intent) bool { return i.Op != "unregister" })
}

// settleUnregistrations finds out what became of them: a node that the grid no longer lists is gone, and
// one that it lists stays, until the person says so again.
func settleUnregistrations(ctx context.Context, s *site.Site, to front.Sink) error {
	open := unregistrations(site.Leaving(s))
	if len(open) == 0 {
		return nil
	}
	nodes, err := site.NodesNow(ctx, s, to)
	if err != nil {
		return err
	}
	for _, i := range open {
		if slices.ContainsFunc(nodes, func(n flwrexec.Node) bool { return n.ID.String() == i.NodeID }) {
			if err := s.Ledger.Abandon(i.ID, "the grid still lists the node"); err != nil {
				return err
			}
			continue
		}
		to.Event(front.Says{Text: i.Name + " is unregistered"})
		if err := fleet.Leave(ctx, s, i, to, again(ctx, s, to)); err != nil {
			return err
		}
	}
	return nil
}
