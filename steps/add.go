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

// addOne adds the named SuperNode, which was removed before. Without a name it asks: a new one, one that was removed, or
// those of another site, whose request the person has.
func addOne(ctx context.Context, s *site.Site, nodes []string, to front.Sink) error {
	if len(nodes) > 0 {
		return BringBack(ctx, s, nodes, to)
	}
	const another, elsewhere, nothing = "a new one", "another site", "no"
	q := front.Question{ID: "add", Kind: front.AskChoice, Ask: "Which SuperNode do you want to add?",
		Choices: []front.Choice{{Value: another, Label: another, Note: "with a new key; registering it cannot be undone"}}}
	for _, n := range fleet.Removed(s) {
		q.Default, q.Help = another, "One that was removed without being unregistered keeps its key, its name and its node ID."
		q.Choices = append(q.Choices, front.Choice{Value: n.Name, Label: n.Name, Note: "was removed; " + cmp.Or(n.NodeID, "not registered")})
	}
	if !s.Folder().Coordinated() {
		q.Choices = append(q.Choices, front.Choice{Value: elsewhere, Label: "those of another site", Note: "it has sent you a request; its keys stay there"})
	}
	q.Choices = append(q.Choices, front.Choice{Value: nothing, Label: "none"})
	switch answer, err := to.Ask(ctx, q); {
	case err != nil || answer == nothing:
		return err
	case answer == another:
		return Add(ctx, s, 1, to)
	case answer == elsewhere:
		to.Event(front.Turned{Verb: front.AdmitSite})
		return act(ctx, s, front.AdmitSite, nil, to)
	default:
		return BringBack(ctx, s, []string{answer}, to)
	}
}
