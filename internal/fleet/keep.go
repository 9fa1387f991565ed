package fleet

import (
	"context"
	"fmt"
	"strings"

	"flwrup/internal/byhand"
	"flwrup/internal/front"
	"flwrup/internal/site"
	"flwrup/internal/wording"
)

// askByHand is the question of keepOrReplace.
const askByHand = "by-hand"

// keepOrReplace asks what is to become of SuperNodes of list that run already, started by hand. Kept ones are left out of what it gives; replaced ones are stopped here.
func keepOrReplace(ctx context.Context, s *site.Site, list []site.Member, to front.Sink) ([]site.Member, error) {
	states, err := site.States(ctx, s)
	if err != nil {
		return nil, err
	}
	var ours, theirs []site.Member
	var says []string
	for _, m := range list {
		if other := states[m.Name].ByHand; other != "" {
			theirs = append(theirs, m)
			says = append(says, fmt.Sprintf("%s (%s)", m.Name, other))
		} else {
			ours = append(ours, m)
		}
	}
	if len(theirs) == 0 {
		return list, nil
	}
	what := "Keep the " + wording.Plural(len(theirs), "SuperNode") + " started by hand: " + strings.Join(says, ", ") + "?"
	answer, err := to.Ask(ctx, front.Question{ID: askByHand, Kind: front.AskChoice, Default: "keep", Ask: what,
		Help: "They use keys of this project, and the grid accepts one SuperNode a key. flwrup shows their state and logs either way.",
		Choices: []front.Choice{
			{Value: "keep", Label: "keep", Note: "flwrup starts no others"},
			{Value: "replace", Label: "replace with flwrup's own", Note: "stops them first; a container made with --rm loses its log"},
		}})
	if err != nil {
		return nil, err
	}
	if answer != "replace" {
		for _, m := range theirs {
			to.Event(front.ItemChanged{Item: front.Item{Name: m.Name, State: front.ItemDone, Text: "already running, started by hand as " + states[m.Name].ByHand + ": kept"}})
		}
		return ours, nil
	}
	rt, err := s.NodesRuntime(ctx)
	if err != nil {
		return nil, err
	}
	every, ok := rt.(*byhand.EveryNode)
	if !ok {
		return nil, fmt.Errorf("the runtime %s cannot stop a SuperNode that was started by hand", rt.Kind())
	}
	return list, site.Each(ctx, namesOf(theirs), func(ctx context.Context, name string) error {
		to.Event(front.ItemChanged{Item: front.Item{Name: name, State: front.ItemWorking, Text: "stopping " + states[name].ByHand}})
		return every.End(ctx, name)
	})
}
