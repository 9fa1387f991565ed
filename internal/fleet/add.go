package fleet

import (
	"context"
	"fmt"
	"slices"

	"flwrup/flwrexec"
	"flwrup/internal/front"
	"flwrup/internal/health"
	"flwrup/internal/ledger"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/site"
	"flwrup/internal/termsafe"
	"flwrup/keys"
)

// Enlarge makes room for n more SuperNodes, which the steps from the keys on then make. Those of an
// earlier Enlarge that was interrupted count: asking again does not make more than were asked for.
func Enlarge(ctx context.Context, s *site.Site, n int, to front.Sink, again Again) error {
	defer s.Forget()
	if err := settleLeaving(ctx, s, to, again); err != nil {
		return err
	}
	if err := BringGridUp(ctx, s, to); err != nil {
		return err
	}
	list, _, err := site.Members(s)
	if err != nil {
		return err
	}
	known := 0
	for _, m := range list {
		if m.Known() {
			known++
		}
	}
	return s.Change(func(c *project.Choices) error {
		if c.Nodes = max(c.Nodes, known+n); c.Nodes > site.MaxNodes {
			return problem.New(problem.BadInput, fmt.Sprintf("at most %d SuperNodes", site.MaxNodes), "", "")
		}
		return nil
	})
}

// Removed returns the SuperNodes that were removed here and whose keys are good.
func Removed(s *site.Site) []ledger.Node {
	return slices.DeleteFunc(s.Ledger.Nodes(), func(n ledger.Node) bool {
		return n.State != ledger.Removed || n.Connection != s.Choices().Grid.Connection
	})
}

// BringBack adds SuperNodes again that were removed and not unregistered: with the key, the name and the
// node ID that they had.
func BringBack(ctx context.Context, s *site.Site, nodes []string, to front.Sink, again Again) error {
	defer s.Forget()
	if err := settleLeaving(ctx, s, to, again); err != nil {
		return err
	}
	folder, err := keys.Scan(s.Folder().KeysDir())
	if err != nil {
		return err
	}
	list, _, err := site.Members(s)
	if err != nil {
		return err
	}
	var back []ledger.Node
	for _, name := range nodes {
		n, err := canComeBack(s, name, folder)
		switch {
		case err == nil:
			back = append(back, n)
		case slices.ContainsFunc(list, func(m site.Member) bool { return m.Name == name }):
			to.Event(front.Says{Text: name + " is already here"})
		default:
			return err
		}
	}
	if err := BringGridUp(ctx, s, to); err != nil {
		return err
	}
	if err := s.Change(func(c *project.Choices) error {
		c.Nodes = max(c.Nodes, len(list)+len(back)) // the same when it is asked for again after a crash
		return nil
	}); err != nil {
		return err
	}
	return s.Ledger.Change(func(d *ledger.Data) error {
		for _, n := range back {
			d.Nodes = slices.DeleteFunc(d.Nodes, func(o ledger.Node) bool { return o.Key == n.Key && o.Connection == n.Connection })
			if n.NodeID == "" { // it never was registered: its key is like a new one
				continue
			}
			n.State = ledger.Registered
			if err := d.PutNode(n); err != nil {
				return err
			}
		}
		return nil
	})
}

// canComeBack finds a removed SuperNode by name, or says why it cannot be added again.
func canComeBack(s *site.Site, name string, folder keys.Folder) (ledger.Node, error) {
	for _, n := range Removed(s) {
		if n.Name != name {
			continue
		}
		if !slices.ContainsFunc(folder.Pairs, func(p keys.Pair) bool { return p.Fingerprint == n.Key }) {
			return n, problem.New(health.KeyLost, "the key of "+name+" is not in "+s.Rel(folder.Dir), "it was registered with the key "+n.Key,
				"put "+n.KeyFile+" and its .pub back, or restore them: flwrup restore-key NODE")
		}
		return n, nil
	}
	for _, n := range s.Ledger.Nodes() {
		if n.Name == name && n.State == ledger.Unregistered && n.Connection == s.Choices().Grid.Connection {
			return n, problem.New(flwrexec.NodeUnregistered, name+" was unregistered", "its key can never be registered again, by any account",
				"flwrup add makes a new SuperNode, with a new key")
		}
	}
	return ledger.Node{}, problem.New(problem.Usage, "cannot bring back "+termsafe.Quote(name), "no SuperNode of that name was removed here", "flwrup add makes a new one; flwrup status lists the others")
}
