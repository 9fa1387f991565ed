package steps

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"flwrup/dockerctl"
	"flwrup/internal/supernode"
)

// containers is the Docker runtime of a site. It also sees containers that somebody else started with
// one of the site's keys, as the guide does by hand: such a SuperNode counts as running, its log is
// read, and none is started beside it, for the grid would refuse the second one.
type containers struct {
	*dockerctl.Runtime
	s *Site
}

// byHand gives such containers by SuperNode.
func (c containers) byHand(ctx context.Context) (map[string]supernode.Status, error) {
	list, _, err := c.s.members()
	if err != nil {
		return nil, err
	}
	keys, names := map[string]string{}, map[string]string{}
	for _, m := range list {
		keys[m.Pair.Fingerprint], names[m.Pair.Fingerprint] = m.Pair.Private, m.Name
	}
	found, err := c.Runtime.ByHand(ctx, keys)
	if err != nil {
		return nil, err
	}
	out := map[string]supernode.Status{}
	for fingerprint, st := range found {
		st.Name = names[fingerprint]
		out[st.Name] = st
	}
	return out, nil
}

// List gives the project's own containers, and in the place of those that do not run, or are not there,
// the ones started by hand.
func (c containers) List(ctx context.Context) ([]supernode.Status, error) {
	own, err := c.Runtime.List(ctx)
	if err != nil {
		return nil, err
	}
	others, err := c.byHand(ctx)
	if err != nil {
		return nil, err
	}
	list := make([]supernode.Status, 0, len(own)+len(others))
	for _, st := range own {
		_, taken := others[st.Name]
		if st.State == supernode.Running {
			delete(others, st.Name)
			taken = false
		}
		if !taken {
			list = append(list, st)
		}
	}
	for _, st := range others {
		list = append(list, st)
	}
	slices.SortFunc(list, func(a, b supernode.Status) int { return naturally(a.Name, b.Name) })
	return list, nil
}

// Start leaves a SuperNode alone that runs already, whoever started it.
func (c containers) Start(ctx context.Context, spec supernode.Spec) error {
	others, err := c.byHand(ctx)
	if err != nil {
		return err
	}
	if _, ok := others[spec.Name]; ok {
		return nil
	}
	return c.Runtime.Start(ctx, spec)
}

// place is the name by which the runtime finds node's container.
func (c containers) place(ctx context.Context, node string) string {
	if list, err := c.List(ctx); err == nil {
		for _, st := range list {
			if st.Name == node && st.ByHand != "" {
				return st.ByHand
			}
		}
	}
	return node
}

// Logs gives the node's lines, also of a container started by hand.
func (c containers) Logs(ctx context.Context, node string, o supernode.LogOptions, each func(supernode.Line) error) error {
	place := c.place(ctx, node)
	if place == node {
		return c.Runtime.Logs(ctx, node, o, each)
	}
	return c.Runtime.Logs(ctx, place, o, func(l supernode.Line) error {
		l.Node = node
		return each(l)
	})
}

// Usage reads what the node takes, also as a container started by hand.
func (c containers) Usage(ctx context.Context, node string) (supernode.Usage, error) {
	return c.Runtime.Usage(ctx, c.place(ctx, node))
}

// keepOrReplace asks what is to become of SuperNodes of list that run already in containers started by
// hand. Kept ones are left out of what it gives; replaced ones are stopped here.
func (s *Site) keepOrReplace(ctx context.Context, list []member, to Sink) ([]member, error) {
	states, err := s.states(ctx)
	if err != nil {
		return nil, err
	}
	var ours, theirs []member
	var says []string
	for _, m := range list {
		if other := states[m.Name].ByHand; other != "" {
			theirs = append(theirs, m)
			says = append(says, fmt.Sprintf("%s (container %s)", m.Name, other))
		} else {
			ours = append(ours, m)
		}
	}
	if len(theirs) == 0 {
		return list, nil
	}
	what := "Keep the " + plural(len(theirs), "container") + " started by hand: " + strings.Join(says, ", ") + "?"
	answer, err := to.Ask(ctx, Question{ID: "by-hand", Kind: AskChoice, Default: "keep", Ask: what,
		Help: "They run with keys of this project, and the grid lets in only one SuperNode with a key. flwrup sees their state and their logs either way.",
		Choices: []Choice{
			{Value: "keep", Label: "keep", Note: "nothing is started beside them"},
			{Value: "replace", Label: "replace by flwrup's own", Note: "stops them first; a container made with --rm is gone with its log then"},
		}})
	if err != nil {
		return nil, err
	}
	if answer != "replace" {
		for _, m := range theirs {
			to.Event(ItemChanged{Item{m.Name, ItemDone, "runs already, started by hand as container " + states[m.Name].ByHand + ": kept"}})
		}
		return ours, nil
	}
	rt, err := s.nodesRuntime(ctx)
	if err != nil {
		return nil, err
	}
	docker, ok := rt.(interface {
		StopByHand(ctx context.Context, id string, grace time.Duration) error
	})
	if !ok {
		return nil, fmt.Errorf("the runtime %s cannot stop what was started by hand", rt.Kind())
	}
	return list, s.each(ctx, namesOf(theirs), func(ctx context.Context, name string) error {
		to.Event(ItemChanged{Item{name, ItemWorking, "stopping container " + states[name].ByHand}})
		return docker.StopByHand(ctx, states[name].ID, stopGrace)
	})
}
