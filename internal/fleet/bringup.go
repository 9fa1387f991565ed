package fleet

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"flwrup/internal/dockerhosts"
	"flwrup/internal/export"
	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/site"
	"flwrup/internal/supernode"
)

// BringUp starts the given SuperNodes, a few at a time; one that fails does not hold up the others.
func BringUp(ctx context.Context, s *site.Site, list []site.Member, to front.Sink) error {
	if list, _ = leftToEngines(s, list, nil, export.Where.Start, to); len(list) == 0 {
		return nil
	}
	rt, err := s.NodesRuntime(ctx)
	if err != nil {
		return err
	}
	if err := rt.Check(ctx); err != nil {
		return err
	}
	if err := site.FleetFits(ctx, s); err != nil {
		return err
	}
	if list, err = keepOrReplace(ctx, s, list, to); err != nil {
		return err
	}
	if err := fetchBack(ctx, s, list, to); err != nil {
		return err
	}
	list, unfit, err := CheckFirst(ctx, s, list, to)
	if err != nil {
		return err
	}
	if err := site.NoteWanted(s, namesOf(list), front.WantedUp); err != nil {
		return err
	}
	for _, h := range site.HostsOf(s, list) {
		i := slices.IndexFunc(list, func(m site.Member) bool { return s.Choices().ForNode(m.Number).Host == h })
		if err := getImage(ctx, s, rt, list[i], to); err != nil {
			return err
		}
	}
	free, held, states, err := heldBack(ctx, s, list)
	if err != nil {
		return err
	}
	var mu sync.Mutex
	done := 0
	launch := func(list []site.Member) error {
		byName := map[string]site.Member{}
		for _, m := range list {
			byName[m.Name] = m
		}
		return site.Each(ctx, namesOf(list), func(ctx context.Context, name string) error {
			to.Event(front.ItemChanged{Item: front.Item{Name: name, State: front.ItemWorking, Text: "starting"}})
			if err := StartOne(ctx, s, rt, byName[name], to); err != nil {
				to.Event(front.ItemChanged{Item: front.Item{Name: name, State: front.ItemFailed, Text: problem.Of(err).Error()}})
				return err
			}
			to.Event(front.ItemChanged{Item: front.Item{Name: name, State: front.ItemDone, Text: "running"}})
			mu.Lock()
			done++
			to.Event(front.Progress{Label: "started", Done: int64(done), Total: int64(len(free) + len(held))})
			mu.Unlock()
			return nil
		})
	}
	err = launch(free)
	if len(held) > 0 && ctx.Err() == nil {
		err = errors.Join(err, waitOut(ctx, s, held, hold{
			still: func(list []site.Member) ([]site.Member, error) {
				_, held, _, err := heldBack(ctx, s, list)
				return held, err
			},
			says: func(m site.Member, began time.Time) string { return letsGoIn(states[m.Name], began) },
			free: launch,
			fix:  "stop it there, then start it here",
		}, to))
	}
	if unfit != nil {
		err = errors.Join(unfit, err)
	}
	return err
}

// getImage provides the image on the Docker host of m, and the program of a plain process.
func getImage(ctx context.Context, s *site.Site, rt supernode.Runtime, m site.Member, to front.Sink) error {
	spec, err := site.Spec(ctx, s, m, "")
	if err != nil {
		return err
	}
	if err := rt.Prepare(ctx, spec, func(p supernode.Progress) {
		to.Event(front.Progress{Label: p.Text + on(spec.Host), Done: p.Done, Total: p.Total, Bytes: true})
	}); err != nil {
		return err
	}
	return settleImage(ctx, s, rt, spec.Host, spec.Image, to)
}

// fetchBack stops those of list that still run for a grid that the project has left: a SuperNode has one key,
// one name and one grid at a time.
func fetchBack(ctx context.Context, s *site.Site, list []site.Member, to front.Sink) error {
	f, err := s.Session(ctx)
	if err != nil {
		return err
	}
	states, err := site.States(ctx, s)
	if err != nil {
		return err
	}
	var away []site.Member
	for _, m := range list {
		if states[m.Name].ByHand == "" && site.Elsewhere(s.Choices().Grid, states[m.Name], f.Dialect()) != "" {
			away = append(away, m)
		}
	}
	if len(away) == 0 {
		return nil
	}
	return stop(ctx, s, away, to)
}

// StartOne starts one SuperNode. The plain name supernode_X is taken where it is free on this daemon;
// somebody else's container under that name is left alone, and ours gets the project's name before.
func StartOne(ctx context.Context, s *site.Site, rt supernode.Runtime, m site.Member, to front.Sink) error {
	spec, err := site.Spec(ctx, s, m, "")
	if err != nil {
		return err
	}
	err = rt.Start(ctx, spec)
	if problem.Is(err, supernode.ValueMissing) {
		if err := site.AskValues(ctx, s, spec, to); err != nil {
			return err
		}
		if spec, err = site.Spec(ctx, s, m, ""); err != nil {
			return err
		}
		err = rt.Start(ctx, spec)
	}
	if problem.Is(err, problem.PortTaken) && spec.Port > 0 { // another program has its port of last time
		if rerr := site.ForgetPort(s, m.Name); rerr != nil {
			return rerr
		}
		if spec, err = site.Spec(ctx, s, m, ""); err != nil {
			return err
		}
		err = rt.Start(ctx, spec)
	}
	if problem.Is(err, dockerhosts.MayRun) {
		answer, aerr := to.Ask(ctx, front.Question{ID: "leave-host", Kind: front.AskConfirm, Default: "no", Ask: "Is that host gone for good, so that " + m.Name + " can start elsewhere?",
			Help: problem.Of(err).Error() + ". The copy of its key stays there. Should the host come back with the container, the grid refuses the second of the two."})
		if aerr != nil || answer != "yes" {
			return errors.Join(err, aerr)
		}
		if err := site.LeaveHost(s, m.Name); err != nil {
			return err
		}
		err = rt.Start(ctx, spec)
	}
	c := s.Choices()
	if problem.Is(err, problem.NameTaken) && rt.Kind() == project.RuntimeDocker {
		spec.Container = site.SuggestName(c.Name) + "_" + c.ID + "_" + spec.Container
		err = rt.Start(ctx, spec)
	}
	return err
}
