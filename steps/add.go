package steps

import (
	"cmp"
	"context"

	"flwrup/internal/fleet"
	"flwrup/internal/front"
	"flwrup/internal/site"
)

// Add makes n more SuperNodes: the steps from the keys on, which leave alone what is done. Those of an
// earlier Add that was interrupted count: asking again does not make more than were asked for.
func Add(ctx context.Context, s *site.Site, n int, to front.Sink) error {
	defer s.Forget()
	return site.InTurn(ctx, s, front.AddNode.Doing(make([]string, n)), to, func(to front.Sink) error {
		if err := fleet.Enlarge(ctx, s, n, to, again(ctx, s, to)); err != nil {
			return err
		}
		return walkFromKeys(ctx, s, to)
	})
}

// BringBack adds SuperNodes again that were removed and not unregistered, and brings them online.
func BringBack(ctx context.Context, s *site.Site, nodes []string, to front.Sink) error {
	defer s.Forget()
	return site.InTurn(ctx, s, front.AddNode.Doing(nodes), to, func(to front.Sink) error {
		if err := fleet.BringBack(ctx, s, nodes, to, again(ctx, s, to)); err != nil {
			return err
		}
		return walkFromKeys(ctx, s, to)
	})
}

// walkFromKeys does what is to be done from the keys to all online, and leaves alone what is done.
func walkFromKeys(ctx context.Context, s *site.Site, to front.Sink) error {
	for _, st := range way(s.Folder()) {
		if !st.ID().PerSuperNode() {
			continue
		}
		if err := walkOne(ctx, s, st, to); err != nil {
			return err
		}
	}
	return nil
}

// addOne adds the named SuperNode, which was removed before. Without a name it asks: which, where there are such, else
// whether to register a new one.
func addOne(ctx context.Context, s *site.Site, nodes []string, to front.Sink) error {
	gone := fleet.Removed(s)
	if len(nodes) > 0 {
		return BringBack(ctx, s, nodes, to)
	}
	if len(gone) == 0 {
		if answer, err := to.Ask(ctx, front.Question{ID: "add", Kind: front.AskConfirm, Ask: "Register one more SuperNode?", Help: "It gets a new key and " +
			"a node ID. This cannot be undone: a registered key stays registered, or is spent for good."}); err != nil || answer != "yes" {
			return err
		}
		return Add(ctx, s, 1, to)
	}
	q := front.Question{ID: "add", Kind: front.AskChoice, Default: "a new one", Ask: "Which SuperNode do you want to add?",
		Help:    "One that was removed without being unregistered keeps its key, its name and its node ID.",
		Choices: []front.Choice{{Value: "a new one", Label: "a new one", Note: "with a new key; registering it cannot be undone"}}}
	for _, n := range gone {
		q.Choices = append(q.Choices, front.Choice{Value: n.Name, Label: n.Name, Note: "was removed; " + cmp.Or(n.NodeID, "not registered")})
	}
	answer, err := to.Ask(ctx, q)
	if err != nil {
		return err
	}
	if answer == q.Default {
		return Add(ctx, s, 1, to)
	}
	return BringBack(ctx, s, []string{answer}, to)
}
