package fleet

import (
	"context"
	"errors"
	"fmt"

	"flwrup/flwrexec/flwr"
	"flwrup/internal/front"
	"flwrup/internal/ledger"
	"flwrup/internal/problem"
	"flwrup/internal/site"
)

// NewKey is a public key that the grid is to get.
type NewKey struct {
	Fingerprint string
	flwr.Registration

	// Put writes its node ID into the ledger's data, "" while nobody knows it. how says where the node ID comes from.
	// It is called while the ledger is locked.
	Put func(d *ledger.Data, id, how string) error
}

// Registrar registers keys, one after the other. It asks for the grid's nodes once, since a list a key would double
// the time, and keeps that list up with the node IDs that the keys get.
type Registrar struct {
	Site *site.Site
	Flwr site.Flwr
	To   front.Sink

	listed bool
	ids    []string // of the grid's nodes
}

// Register registers one key and returns its node ID: intent on disk, the call, its result on disk. A call whose answer
// was lost is made again, now or at the next start: the grid takes a key once, so its second answer says what became of
// the first call. A Problem (KeyInUse) is about a key that was registered before, and whose node ID nobody knows.
func (r *Registrar) Register(ctx context.Context, k NewKey) (string, error) {
	intent, open, err := r.intend(ctx, k)
	if err != nil {
		return "", err
	}
	s := r.Site
	var id flwr.NodeID
	err = site.Surely(ctx, s, r.To, func() error {
		id, err = r.Flwr.Register(ctx, s.Connection(), k.Registration)
		open = open || err != nil && site.Lost(err)
		return err
	})
	switch {
	case err == nil:
		r.ids = append(r.ids, id.String())
		return id.String(), r.registered(intent, k, id.String(), "answer")
	case problem.Is(err, problem.KeyInUse):
		if open { // by an earlier call for this intent, it may be
			r.listed = false
			id, ok, lerr := r.newSince(ctx, intent)
			if lerr != nil {
				return "", lerr // the intent stays, with what it knows
			}
			if ok {
				return id, r.registered(intent, k, id, "by elimination")
			}
		}
		return "", errors.Join(err, s.Ledger.Finish(intent.ID, func(d *ledger.Data) error { return k.Put(d, "", "registered before") }))
	case open || ctx.Err() != nil:
		return "", err // the intent stays: the next start settles it
	}
	return "", errors.Join(err, s.Ledger.Abandon(intent.ID, problem.Of(err).Error()))
}

// intend returns the intent to register k: that of an earlier call, where it is open, else a new one with the nodes
// that the grid has before the call.
func (r *Registrar) intend(ctx context.Context, k NewKey) (i ledger.Intent, open bool, err error) {
	connection := r.Site.Choices().Grid.Connection
	for _, i := range r.Site.Ledger.Intents() {
		if i.Op == "register" && i.Key == k.Fingerprint && i.Connection == connection {
			return i, true, nil
		}
	}
	if !r.listed {
		nodes, err := site.NodesNow(ctx, r.Site, r.To)
		if err != nil {
			return i, false, err
		}
		r.listed, r.ids = true, nil
		for _, n := range nodes {
			r.ids = append(r.ids, n.ID.String())
		}
	}
	i = ledger.Intent{Op: "register", Key: k.Fingerprint, Name: k.Name, Connection: connection, Before: r.ids}
	i.ID, err = r.Site.Ledger.Begin(i)
	return i, false, err
}

// registered writes a node ID into the ledger and takes the intent out, in one step.
func (r *Registrar) registered(i ledger.Intent, k NewKey, id, how string) error {
	r.Site.Forget(site.ReadNodes)
	return r.Site.Ledger.Finish(i.ID, func(d *ledger.Data) error { return k.Put(d, id, how) })
}

// newSince finds the one node that the grid has now, that it had not before the intent, and that no other key of the
// ledger has. A name given at the registration decides where the grid tells it. It is asked only when the grid has said
// that it knows the key, so some node is the key's.
func (r *Registrar) newSince(ctx context.Context, i ledger.Intent) (string, bool, error) {
	nodes, err := site.NodesNow(ctx, r.Site, r.To)
	if err != nil {
		return "", false, err
	}
	known := TakenIDs(r.Site)
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

// NamedNode is a node of the grid with the name that a person knows it by.
type NamedNode struct{ Name, ID string }

// AddToFederation adds nodes to the chosen federation. One that is in it already counts as added.
func AddToFederation(ctx context.Context, s *site.Site, f site.Flwr, nodes []NamedNode, to front.Sink) error {
	federation := s.Choices().Federation
	for i, n := range nodes {
		id, err := flwr.ParseNodeID(n.ID)
		if err != nil {
			return err
		}
		to.Event(front.ItemChanged{Item: front.Item{Name: n.Name, State: front.ItemWorking, Text: "adding"}})
		err = site.Patiently(ctx, s, to, func() error { return f.AddToFederation(ctx, s.Connection(), id, federation) })
		if err != nil && !problem.Is(err, problem.AlreadyMember) {
			to.Event(front.ItemChanged{Item: front.Item{Name: n.Name, State: front.ItemFailed, Text: problem.Of(err).Error()}})
			return fmt.Errorf("add %s to %s: %w", n.Name, federation, err)
		}
		to.Event(front.ItemChanged{Item: front.Item{Name: n.Name, State: front.ItemDone, Text: n.ID}})
		to.Event(front.Progress{Label: "added", Done: int64(i + 1), Total: int64(len(nodes))})
	}
	return nil
}
