package fleet

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"flwrup/internal/export"
	"flwrup/internal/front"
	"flwrup/internal/health"
	"flwrup/internal/problem"
	"flwrup/internal/procctl"
	"flwrup/internal/project"
	"flwrup/internal/site"
	"flwrup/keys"
)

// chosen returns the named SuperNodes, all of them without a name. keyless are those whose registered key is
// not in its place, in folder: they can be stopped, not started.
func chosen(s *site.Site, nodes []string) (list, keyless []site.Member, folder keys.Folder, err error) {
	all, folder, err := site.Members(s)
	if err != nil {
		return nil, nil, folder, err
	}
	known := map[string]bool{}
	for _, m := range site.WithoutKey(s, all, folder) {
		known[m.Name] = true
		if len(nodes) == 0 || slices.Contains(nodes, m.Name) {
			keyless = append(keyless, m)
		}
	}
	for _, m := range all {
		if known[m.Name] { // another key in its place
			continue
		}
		known[m.Name] = true
		if len(nodes) == 0 || slices.Contains(nodes, m.Name) {
			list = append(list, m)
		}
	}
	for _, name := range nodes {
		if !known[name] {
			return nil, nil, folder, site.NoSuperNode(name)
		}
	}
	if len(list)+len(keyless) == 0 {
		return nil, nil, folder, problem.New(problem.NeedsPerson, "there are no SuperNodes here yet", "", "`flwrup` or `flwrup up` sets them up")
	}
	return list, keyless, folder, nil
}

// keysGone says why SuperNodes without their key are not started; nil when there are none.
func keysGone(s *site.Site, keyless []site.Member, folder keys.Folder, to front.Sink) error {
	var all []error
	for _, m := range keyless {
		p, r := health.KeyProblem(s, m, folder)
		if r != nil {
			p.Fix += ": flwrup restore-key " + m.Name
		}
		to.Event(front.ItemChanged{Item: front.Item{Name: m.Name, State: front.ItemFailed, Text: p.Error()}})
		all = append(all, p)
	}
	return problem.Join(all...)
}

// registered returns the SuperNodes of list that have a node ID, and says why the others are not started.
func registered(list []site.Member, to front.Sink) (has []site.Member, unfit error) {
	var without []string
	for _, m := range list {
		if m.Known() {
			has = append(has, m)
			continue
		}
		without = append(without, m.Name)
		to.Event(front.ItemChanged{Item: front.Item{Name: m.Name, State: front.ItemFailed, Text: "not registered yet"}})
	}
	if len(without) > 0 {
		unfit = problem.New(problem.NeedsPerson, "cannot start "+strings.Join(without, ", "), "not registered on the grid yet", "flwrup up registers and starts them")
	}
	return has, unfit
}

// restart stops SuperNodes and starts them again. What would keep one from starting is found before it is
// stopped: a SuperNode that is online stays so.
func restart(ctx context.Context, s *site.Site, list []site.Member, to front.Sink) error {
	if err := site.FleetFits(ctx, s); err != nil {
		return err
	}
	found, err := Preflight(ctx, s, list) // they run: name and port, which they hold themselves, are remarks only
	if err != nil {
		return err
	}
	if own, err := ownImage(ctx, s, found, to); err != nil {
		return err
	} else if own {
		return restart(ctx, s, list, to)
	}
	list, unfit, err := sift(list, found, to)
	if err != nil {
		return err
	}
	states, err := site.States(ctx, s)
	if err != nil {
		return err
	}
	var ours []site.Member
	for _, m := range list {
		if states[m.Name].ByHand == "" { // what becomes of the others is asked
			ours = append(ours, m)
		}
	}
	if err := stop(ctx, s, ours, to); err != nil {
		return err
	}
	return errors.Join(unfit, BringUp(ctx, s, list, to))
}

// replaces is a front end whose person has chosen already to replace containers started by hand.
type replaces struct{ front.Sink }

func (r replaces) Ask(ctx context.Context, q front.Question) (string, error) {
	if q.ID == askByHand {
		return "replace", nil
	}
	return r.Sink.Ask(ctx, q)
}

// CheckNames returns the Problem about the first of names that no SuperNode of this folder has, or had.
func CheckNames(s *site.Site, names []string) error {
	all := allNames(s)
	for _, name := range names {
		if !slices.Contains(all, name) {
			return site.NoSuperNode(name)
		}
	}
	return nil
}

// allNames returns the names of all SuperNodes that this folder knows: those of Members, those without a key, and those
// that were removed.
func allNames(s *site.Site) []string {
	list, folder, _ := site.Members(s) // what cannot be read has no name
	var names []string
	for _, m := range append(site.WithoutKey(s, list, folder), list...) {
		names = append(names, m.Name)
	}
	for _, n := range s.Ledger.Nodes() {
		if n.Connection == s.Choices().Grid.Connection {
			names = append(names, n.Name)
		}
	}
	for _, i := range site.Leaving(s) {
		names = append(names, i.Name)
	}
	return names
}

func namesOf(list []site.Member) []string {
	out := make([]string, 0, len(list))
	for _, m := range list {
		out = append(out, m.Name)
	}
	return out
}

// BringGridUp starts the rehearsal's grid where it does not run, and lets it go on without flwrup.
func BringGridUp(ctx context.Context, s *site.Site, to front.Sink) error {
	if _, running := site.GridRunning(s); running || !s.Rehearsal() {
		return site.ResumeGrid(s, to)
	}
	f, err := s.Session(ctx)
	if err != nil {
		return err
	}
	if err := site.StartGrid(ctx, s, f.Found(), to); err != nil {
		return err
	}
	return site.KeepGrid(ctx, s)
}

func stop(ctx context.Context, s *site.Site, list []site.Member, to front.Sink) error {
	rt, err := s.NodesRuntime(ctx)
	if err != nil {
		return err
	}
	states, err := site.States(ctx, s)
	if err != nil {
		return err
	}
	return site.Each(ctx, namesOf(list), func(ctx context.Context, name string) error {
		if other := states[name].ByHand; other != "" {
			to.Event(front.ItemChanged{Item: front.Item{Name: name, State: front.ItemDone, Text: "left alone: started by hand as " + other + " (" + states[name].EndWith + " ends it)"}})
			return nil
		}
		to.Event(front.ItemChanged{Item: front.Item{Name: name, State: front.ItemWorking, Text: "stopping"}})
		err := rt.Stop(ctx, name, site.StopGrace)
		if problem.Is(err, procctl.Killed) {
			to.Event(front.Says{Text: err.Error() + site.Fix(problem.Of(err))}) // it is down all the same
			err = nil
		}
		if err != nil {
			to.Event(front.ItemChanged{Item: front.Item{Name: name, State: front.ItemFailed, Text: problem.Of(err).Error()}})
			return err
		}
		to.Event(front.ItemChanged{Item: front.Item{Name: name, State: front.ItemDone, Text: "stopped"}})
		return nil
	})
}

// Halt stops SuperNodes that are to run again soon: what the person wants of them stays as it is.
func Halt(ctx context.Context, s *site.Site, nodes []string, to front.Sink) error {
	if len(nodes) == 0 {
		return nil
	}
	list, _, _, err := chosen(s, nodes)
	if err != nil {
		return err
	}
	return stop(ctx, s, list, to)
}

// Operate starts, stops, restarts or replaces the named SuperNodes; no names means all of them.
func Operate(ctx context.Context, s *site.Site, verb front.Verb, nodes []string, to front.Sink) error {
	list, keyless, folder, err := chosen(s, nodes)
	if err != nil {
		return err
	}
	if verb == front.StopNodes {
		list, left := leftToEngines(s, append(list, keyless...), nodes, export.Where.Stop, to) // what runs needs no key to be stopped
		if err := site.NoteWanted(s, namesOf(list), front.WantedDown); err != nil {
			return err
		}
		return errors.Join(left, stop(ctx, s, list, to))
	}
	list, unfit := registered(list, to)
	if len(list)+len(keyless) == 0 {
		return unfit
	}
	if s.Rehearsal() {
		if err := BringGridUp(ctx, s, to); err != nil {
			return err
		}
	}
	unfit = problem.Join(keysGone(s, keyless, folder, to), unfit)
	if len(list) == 0 {
		return unfit
	}
	if verb == front.StartNodes && len(nodes) > 0 {
		if err := takeBack(ctx, s, nodes, to); err != nil {
			return err
		}
	}
	list, left := leftToEngines(s, list, nodes, export.Where.Start, to)
	if unfit = problem.Join(left, unfit); len(list) == 0 {
		return unfit
	}
	switch verb {
	case front.StartNodes:
		return errors.Join(unfit, BringUp(ctx, s, list, to))
	case front.OwnImage:
		if image := s.Choices().Image; image != "" {
			to.Event(front.Says{Text: "flwrup.toml no longer names the image " + image})
			if err := s.Change(func(c *project.Choices) error { c.Image = ""; return nil }); err != nil {
				return err
			}
		}
		return errors.Join(unfit, restart(ctx, s, list, to))
	case front.RestartNodes:
		return errors.Join(unfit, restart(ctx, s, list, to))
	case front.ReplaceNodes:
		return errors.Join(unfit, restart(ctx, s, list, replaces{to}))
	}
	return fmt.Errorf("no action %q", verb)
}
