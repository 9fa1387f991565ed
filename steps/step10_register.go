package steps

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

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

func (register) Apply(ctx context.Context, s *site.Site, to front.Sink) error {
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
	r := fleet.Registrar{Site: s, Flwr: f, To: to}
	for _, m := range list {
		if m.Known() {
			done++
			continue
		}
		to.Event(front.ItemChanged{Item: front.Item{Name: m.Name, State: front.ItemWorking, Text: "registering"}})
		id, err := r.Register(ctx, ownKey(s, m))
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

// registration returns the call that registers m; publicKey is its file as the command needs it.
func registration(c *project.Choices, m site.Member, publicKey string) flwr.Registration {
	return flwr.Registration{PublicKey: publicKey, Name: m.Name, Location: c.ForNode(m.Number).Location}
}

// ownKey returns how m is registered and recorded.
func ownKey(s *site.Site, m site.Member) fleet.NewKey {
	node := site.Record(s, m, "", "")
	return fleet.NewKey{Fingerprint: m.Pair.Fingerprint, Registration: registration(s.Choices(), m, m.Pair.Public),
		Put: func(d *ledger.Data, id, how string) error {
			node.NodeID, node.How, node.Registered = id, how, time.Now()
			return d.PutNode(node)
		}}
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
