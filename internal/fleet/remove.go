package fleet

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"flwrup/flwrexec/flwr"
	"flwrup/internal/front"
	"flwrup/internal/health"
	"flwrup/internal/ledger"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/site"
	"flwrup/internal/supernode"
)

// subjects finds SuperNodes to remove by name: also those whose key is lost. Ones whose removal is not
// finished are settled already when it is called.
func subjects(s *site.Site, nodes []string) ([]site.Member, error) {
	list, folder, err := site.Members(s)
	if err != nil {
		return nil, err
	}
	all := append(site.WithoutKey(s, list, folder), list...)
	var out []site.Member
	for _, name := range nodes {
		found := false
		for _, m := range all {
			if m.Name == name && !found {
				out, found = append(out, m), true
			}
		}
		if !found {
			return nil, site.NoSuperNode(name)
		}
	}
	return out, nil
}

// Remove stops SuperNodes, takes them out of the federation and removes their containers. With burn they
// are unregistered, too, after asking: a key that was unregistered can never be registered again, by
// anyone. Without, the key stays registered and good.
func Remove(ctx context.Context, s *site.Site, nodes []string, burn bool, to front.Sink, again Again) error {
	if len(nodes) == 0 {
		return problem.New(problem.Usage, "no SuperNode named", "", "name the SuperNodes to remove")
	}
	settled := map[string]bool{}
	for _, i := range site.Leaving(s) {
		settled[i.Name] = true
	}
	if err := settleLeaving(ctx, s, to, again); err != nil {
		return err
	}
	var left []string
	for _, name := range nodes {
		if !settled[name] {
			left = append(left, name)
		}
	}
	if len(left) == 0 {
		return nil
	}
	list, err := subjects(s, left)
	if err != nil {
		return err
	}
	for _, name := range left {
		if _, open := s.Ledger.Data().Rotation(s.Choices().Grid.Connection, name); open { // it has two keys on the grid
			return problem.New(problem.Usage, "cannot remove "+name, "the rotation of its key is not finished", "finish it (flwrup rotate "+name+"), or give it up (flwrup rotate "+name+" --back)")
		}
	}
	if burn {
		gone := unregistered(ctx, s, left)
		if s.Folder().Coordinated() && !gone {
			return problem.New(problem.Usage, "cannot unregister "+strings.Join(left, ", "), "only the coordinator's account can", "leave --unregister out, and ask your coordinator to run: flwrup remove --site NAME")
		}
		q := front.Question{ID: "unregister", Kind: front.AskConfirm, Default: "no",
			Ask:  "Unregister " + strings.Join(left, ", ") + "?",
			Help: "The grid forgets the node, and its key can never be registered again. The key files stay where they are."}
		if gone {
			q.Ask, q.Default = "Remove "+strings.Join(left, ", ")+" from this machine?", "yes"
			q.Help = "The grid has unregistered it already. Its container and its log go; the key files stay where they are."
		}
		answer, err := to.Ask(ctx, q)
		if err != nil {
			return err
		}
		if answer != "yes" {
			return problem.New(problem.NeedsPerson, "not unregistered", "its key could never be registered again, so a person has to confirm", "confirm with --yes; without --unregister the key stays valid")
		}
	}
	if err := takeBack(ctx, s, left, to); err != nil { // an engine would start it again
		return err
	}
	op := "remove"
	if burn {
		op = "unregister"
	}
	for _, m := range list {
		c := s.Choices()
		wish := c.Nodes
		if m.Pair.Name != "" { // a lost one is not among those that are counted
			wish--
		}
		i := ledger.Intent{Op: op, Key: cmp.Or(m.Pair.Fingerprint, m.Record.Key), Name: m.Name, NodeID: m.Record.NodeID,
			Connection: c.Grid.Connection, Federation: c.Federation, Nodes: wish}
		if i.ID, err = s.Ledger.Begin(i); err != nil {
			return err
		}
		if err := Leave(ctx, s, i, to, again); err != nil {
			return err
		}
	}
	return nil
}

// unregistered reports whether the grid has unregistered all of the named SuperNodes.
func unregistered(ctx context.Context, s *site.Site, names []string) bool {
	gone := 0
	for _, n := range health.States(ctx, s).Nodes {
		if n.Grid == front.GridUnregistered && slices.Contains(names, n.Name) {
			gone++
		}
	}
	return gone == len(names)
}

// TakeOut asks how far the removal goes, and does it. Without an answer it does nothing.
func TakeOut(ctx context.Context, s *site.Site, nodes []string, to front.Sink, again Again) error {
	if len(nodes) == 0 {
		return problem.New(problem.Usage, "no SuperNode named", "", "name the SuperNodes to remove")
	}
	if unregistered(ctx, s, nodes) {
		return Remove(ctx, s, nodes, true, to, again)
	}
	q := front.Question{ID: "remove", Kind: front.AskChoice, Default: "no", Ask: "Remove " + strings.Join(nodes, ", ") + "?",
		Help: "flwrup stops it, removes its container and log, and takes it out of the federation (flwr 1.27 and later). The key files stay where they are.",
		Choices: []front.Choice{
			{Value: "no", Label: "keep it"},
			{Value: "remove", Label: "remove", Note: "its key stays registered: you can add it again"},
			{Value: "unregister", Label: "remove and unregister", Note: "its key can never be registered again; asks once more"},
		}}
	if s.Folder().Coordinated() {
		q.Choices = q.Choices[:2]
		q.Help = "flwrup stops it, and removes its container and log. Only your coordinator can take it out of the federation. The key files stay where they are."
	}
	answer, err := to.Ask(ctx, q)
	switch {
	case err != nil:
		return err
	case answer == "no":
		to.Event(front.Says{Text: "nothing was removed"})
		return nil
	}
	return Remove(ctx, s, nodes, answer == "unregister", to, again)
}

// Again calls do, and once more after a new login where the session is over.
type Again func(do func() error) error

// settleLeaving finishes what a crash has cut short. Each part may be done twice.
func settleLeaving(ctx context.Context, s *site.Site, to front.Sink, again Again) error {
	for _, i := range site.Leaving(s) {
		to.Event(front.Says{Text: "finishing the removal of " + i.Name})
		if err := Leave(ctx, s, i, to, again); err != nil {
			return err
		}
	}
	return nil
}

// Leave carries out one removal whose intent is on disk.
func Leave(ctx context.Context, s *site.Site, i ledger.Intent, to front.Sink, again Again) error {
	fail := func(err error) error {
		to.Event(front.ItemChanged{Item: front.Item{Name: i.Name, State: front.ItemFailed, Text: problem.Of(err).Error()}})
		return fmt.Errorf("%s %s: %w", i.Op, i.Name, err)
	}
	if err := site.NoteWanted(s, []string{i.Name}, front.WantedDown); err != nil {
		return fail(err)
	}
	if s.RuntimeKind() != "" {
		if err := stop(ctx, s, []site.Member{{Name: i.Name}}, to); err != nil {
			return fail(err)
		}
	}
	if i.NodeID != "" && !s.Folder().Coordinated() { // else only the coordinator asks the grid
		err := again(func() error {
			return site.Patiently(ctx, s, to, func() error { return LeaveGrid(ctx, s, i, to) })
		})
		if err != nil {
			if site.Lost(err) || problem.Is(err, problem.NotLoggedIn) || ctx.Err() != nil {
				return fail(err) // it may have been done; the intent stays, and doing it again is harmless
			}
			return errors.Join(fail(err), s.Ledger.Abandon(i.ID, problem.Of(err).Error()))
		}
	}
	if err := site.EachUsed(ctx, s, func(rt supernode.Runtime) error { return rt.Remove(ctx, i.Name) }); err != nil {
		return fail(err)
	}
	err := s.Change(func(c *project.Choices) error {
		left := i.Nodes
		if left == 0 { // the last one, or an intent of an earlier flwrup, which noted no number
			left = max(c.Nodes-1, 0)
		}
		c.Nodes = min(c.Nodes, left)
		return nil
	})
	if err != nil {
		return fail(err)
	}
	err = s.Ledger.Finish(i.ID, func(d *ledger.Data) error {
		for _, n := range d.Nodes {
			if n.Key == i.Key && n.Connection == i.Connection {
				if n.State = ledger.Removed; i.Op == "unregister" {
					n.State = ledger.Unregistered
				}
				return d.PutNode(n)
			}
		}
		return d.PutNode(ledger.Node{Key: i.Key, Name: i.Name, State: ledger.Removed, Connection: i.Connection})
	})
	if err != nil {
		return fail(err)
	}
	s.Forget()
	text := "removed; its key stays registered: flwrup add " + i.Name + " brings it back"
	if i.Op == "unregister" {
		text = "unregistered"
	}
	to.Event(front.ItemChanged{Item: front.Item{Name: i.Name, State: front.ItemDone, Text: text}})
	return nil
}

// LeaveGrid takes the node of a removal out of the federation, where flwr can do that, and off the grid if the removal
// unregisters. It may be done twice.
func LeaveGrid(ctx context.Context, s *site.Site, i ledger.Intent, to front.Sink) error {
	f, err := s.Session(ctx)
	if err != nil {
		return err
	}
	id, err := flwr.ParseNodeID(i.NodeID)
	if err != nil {
		return err
	}
	if f.Dialect().Managed && i.Federation != "" {
		d, err := f.FederationDetails(ctx, s.Connection(), i.Federation)
		if err != nil && !problem.Is(err, problem.FedNotFound, problem.NotSupported) {
			return err
		}
		for _, n := range d.Nodes {
			if n.ID != id {
				continue
			}
			to.Event(front.ItemChanged{Item: front.Item{Name: i.Name, State: front.ItemWorking, Text: "leaving " + i.Federation}})
			if err := f.RemoveFromFederation(ctx, s.Connection(), id, i.Federation); err != nil && !problem.Is(err, problem.NodeNotFound) {
				return err
			}
		}
	}
	if i.Op != "unregister" {
		return nil
	}
	to.Event(front.ItemChanged{Item: front.Item{Name: i.Name, State: front.ItemWorking, Text: "unregistering"}})
	if err := f.Unregister(ctx, s.Connection(), id); err != nil && !problem.Is(err, problem.NodeNotFound) {
		return err
	}
	return nil
}
