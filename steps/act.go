package steps

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/procctl"
	"flwrup/internal/project"
	"flwrup/keys"
)

// Act does verb to the named SuperNodes; no names means all of them, for verbs that take nothing away.
func (s *Site) Act(ctx context.Context, verb front.Verb, nodes []string, to front.Sink) error {
	defer s.forget()
	err := s.act(ctx, verb, nodes, to)
	if cause := context.Cause(ctx); cause != nil && err != nil {
		return problem.Stopped(cause, "stopped", "the same again goes on from here")
	}
	return err
}

// runsAsBefore are the verbs that go on with the values before an edit of flwrup.toml that nobody accepted.
var runsAsBefore = []front.Verb{front.StartNodes, front.RestartNodes, front.ReplaceNodes}

func (s *Site) act(ctx context.Context, verb front.Verb, nodes []string, to front.Sink) error {
	if err := s.takeEdits(); err != nil {
		stops := verb == front.StopNodes || verb == front.StopRun
		if !stops && (!problem.Is(err, problem.NotAccepted) || !slices.Contains(runsAsBefore, verb)) {
			return err
		}
		to.Event(front.Says{Text: "goes on with the values before: " + err.Error()})
	}
	switch verb {
	case front.AddNode:
		return s.addOne(ctx, nodes, to)
	case front.StartGrid:
		return s.bringGridUp(ctx, to)
	case front.RemoveNodes, front.UnregisterNodes:
		return s.remove(ctx, nodes, verb == front.UnregisterNodes, to)
	case front.ChangeSettings:
		return s.changeSettings(ctx, nodes, to)
	case front.TakeOutNodes:
		return s.takeOut(ctx, nodes, to)
	case front.RestoreKey:
		return s.restoreKeys(ctx, nodes, to)
	case front.StopRun:
		return s.stopRuns(ctx, nodes, to)
	}
	list, keyless, folder, err := s.chosen(nodes)
	if err != nil {
		return err
	}
	if verb == front.StopNodes {
		list = append(list, keyless...) // what runs needs no key to be stopped
		if err := s.want(namesOf(list), wantedDown); err != nil {
			return err
		}
		return s.stop(ctx, list, to)
	}
	if s.Rehearsal() {
		if err := s.bringGridUp(ctx, to); err != nil {
			return err
		}
	}
	unfit := s.keysGone(keyless, folder, to)
	if len(list) == 0 {
		return unfit
	}
	switch verb {
	case front.StartNodes:
		return errors.Join(unfit, (start{}).bringUp(ctx, s, list, to))
	case front.OwnImage:
		if image := s.Choices().Image; image != "" {
			to.Event(front.Says{Text: "flwrup.toml no longer asks for the image " + image})
			if err := s.Choose(func(c *project.Choices) error { c.Image = ""; return nil }); err != nil {
				return err
			}
		}
		return errors.Join(unfit, s.restart(ctx, list, to))
	case front.RestartNodes:
		return errors.Join(unfit, s.restart(ctx, list, to))
	case front.ReplaceNodes:
		return errors.Join(unfit, s.restart(ctx, list, replaces{to}))
	}
	return fmt.Errorf("no action %q", verb)
}

// chosen gives the named SuperNodes, all of them without a name. keyless are those whose registered key is
// not in its place, in folder: they can be stopped, not started.
func (s *Site) chosen(nodes []string) (list, keyless []member, folder keys.Folder, err error) {
	all, folder, err := s.members()
	if err != nil {
		return nil, nil, folder, err
	}
	known := map[string]bool{}
	for _, m := range s.lost(all, folder) {
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
			return nil, nil, folder, noSuperNode(name)
		}
	}
	if len(list)+len(keyless) == 0 {
		return nil, nil, folder, problem.New(problem.NeedsPerson, "there are no SuperNodes here yet", "", "`flwrup` or `flwrup up` sets them up")
	}
	return list, keyless, folder, nil
}

// keysGone says why SuperNodes without their key are not started; nil when there are none.
func (s *Site) keysGone(keyless []member, folder keys.Folder, to front.Sink) error {
	var all []error
	for _, m := range keyless {
		p, r := s.keyProblem(m, folder)
		if r != nil {
			p.Fix += ": flwrup restore-key " + m.Name
		}
		to.Event(front.ItemChanged{Item: front.Item{Name: m.Name, State: front.ItemFailed, Text: p.Error()}})
		all = append(all, p)
	}
	return problem.Join(all...)
}

// restart stops SuperNodes and starts them anew. What would keep one from starting is found before it is
// stopped: a SuperNode that is online stays so.
func (s *Site) restart(ctx context.Context, list []member, to front.Sink) error {
	if err := s.fleetFits(ctx); err != nil {
		return err
	}
	found, err := s.preflight(ctx, list) // they run: name and port, which they hold themselves, are remarks only
	if err != nil {
		return err
	}
	if own, err := s.ownImage(ctx, found, to); err != nil {
		return err
	} else if own {
		return s.restart(ctx, list, to)
	}
	list, unfit, err := sift(list, found, to)
	if err != nil {
		return err
	}
	states, err := s.states(ctx)
	if err != nil {
		return err
	}
	var ours []member
	for _, m := range list {
		if states[m.Name].ByHand == "" { // what becomes of the others is asked
			ours = append(ours, m)
		}
	}
	if err := s.stop(ctx, ours, to); err != nil {
		return err
	}
	return errors.Join(unfit, (start{}).bringUp(ctx, s, list, to))
}

// replaces is a front end whose person has chosen already to replace containers started by hand.
type replaces struct{ front.Sink }

func (r replaces) Ask(ctx context.Context, q front.Question) (string, error) {
	if q.ID == askByHand {
		return "replace", nil
	}
	return r.Sink.Ask(ctx, q)
}

func namesOf(list []member) []string {
	out := make([]string, 0, len(list))
	for _, m := range list {
		out = append(out, m.Name)
	}
	return out
}

// bringGridUp starts the rehearsal's grid where it does not run, and lets it go on without flwrup.
func (s *Site) bringGridUp(ctx context.Context, to front.Sink) error {
	if _, running := s.gridRunning(); running || !s.Rehearsal() {
		return s.resumeGrid(to)
	}
	f, err := s.session(ctx)
	if err != nil {
		return err
	}
	if err := s.startGrid(ctx, f.Found(), to); err != nil {
		return err
	}
	return s.KeepGrid(ctx)
}

func (s *Site) stop(ctx context.Context, list []member, to front.Sink) error {
	rt, err := s.nodesRuntime(ctx)
	if err != nil {
		return err
	}
	states, err := s.states(ctx)
	if err != nil {
		return err
	}
	return s.each(ctx, namesOf(list), func(ctx context.Context, name string) error {
		if other := states[name].ByHand; other != "" {
			to.Event(front.ItemChanged{Item: front.Item{Name: name, State: front.ItemDone, Text: "left alone: started by hand as " + other + " (" + states[name].EndWith + " ends it)"}})
			return nil
		}
		to.Event(front.ItemChanged{Item: front.Item{Name: name, State: front.ItemWorking, Text: "stopping"}})
		err := rt.Stop(ctx, name, stopGrace)
		if problem.Is(err, procctl.Killed) {
			to.Event(front.Says{Text: err.Error() + fix(problem.Of(err))}) // it is down all the same
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

// restoreKeys takes the keys of lost SuperNodes from the backup. What lies in their place is set aside,
// never overwritten.
func (s *Site) restoreKeys(ctx context.Context, nodes []string, to front.Sink) error {
	list, folder, err := s.members()
	if err != nil {
		return err
	}
	for _, name := range nodes {
		var found *member
		for _, m := range s.lost(list, folder) {
			if m.Name == name {
				found = &m
			}
		}
		if found == nil {
			return problem.New(problem.Usage, "the key of "+name+" is where it belongs", "", "`flwrup status` shows what is wrong")
		}
		if err := s.restoreKey(ctx, *found, to); err != nil {
			return err
		}
		m, err := s.member(name)
		if err != nil {
			return err
		}
		if err := s.stop(ctx, []member{m}, to); err != nil {
			return err
		}
		if err := (start{}).bringUp(ctx, s, []member{m}, to); err != nil {
			return err
		}
	}
	return nil
}

func (s *Site) restoreKey(ctx context.Context, m member, to front.Sink) error {
	backup := s.backupOf(m.Record.Key)
	if backup == "" {
		return problem.New(problem.BadInput, "no backup holds the key of "+m.Name, "flwrup made none that is still there and unchanged",
			"put the key back yourself, or give the SuperNode up: flwrup remove "+m.Name+" --unregister")
	}
	tmp, err := s.scratch(scratchRestore)
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	pairs, err := s.openBackup(ctx, backup, tmp, to)
	if err != nil {
		return err
	}
	for _, p := range pairs {
		if p.Fingerprint != m.Record.Key {
			continue
		}
		aside := filepath.Join(s.keysDir(), "set-aside-"+time.Now().Format("20060102-150405"))
		for from, name := range map[string]string{p.Private: m.keyName(), p.Public: m.keyName() + ".pub"} {
			there := filepath.Join(s.keysDir(), name)
			if _, err := os.Lstat(there); err == nil {
				if err := os.MkdirAll(aside, 0o700); err != nil {
					return err
				}
				if err := os.Rename(there, filepath.Join(aside, name)); err != nil {
					return err
				}
				to.Event(front.Says{Text: "set aside: " + s.rel(filepath.Join(aside, name))})
			}
			if err := os.Link(from, there); err != nil { // fails where a file is: nothing is replaced
				return err
			}
		}
		to.Event(front.Says{Text: "the key of " + m.Name + " is back in " + m.Record.KeyFile})
		return nil
	}
	return problem.New(keys.BackupBad, "the backup does not hold the key of "+m.Name, "", "put the key back yourself")
}
