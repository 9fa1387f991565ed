package steps

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"flwrup/flwrexec"
	"flwrup/internal/ledger"
	"flwrup/internal/problem"
	"flwrup/internal/procctl"
)

// Act does verb to the named SuperNodes; no names means all of them (not for UnregisterNodes).
func (s *Site) Act(ctx context.Context, verb Verb, nodes []string, to Sink) error {
	defer s.forget()
	if verb == AddNode {
		return s.addNode(ctx, to)
	}
	if verb == StopRun {
		return s.stopRuns(ctx, nodes, to)
	}
	var list []member
	all, _, err := s.members()
	if err != nil {
		return err
	}
	for _, name := range nodes {
		m, err := s.member(name)
		if err != nil {
			return err
		}
		list = append(list, m)
	}
	if len(nodes) == 0 && verb != UnregisterNodes {
		list = all
	}
	switch verb {
	case StartNodes:
		return (start{}).bringUp(ctx, s, list, to)
	case StopNodes:
		return s.stop(ctx, list, to)
	case RestartNodes:
		if err := s.stop(ctx, list, to); err != nil {
			return err
		}
		return (start{}).bringUp(ctx, s, list, to)
	case UnregisterNodes:
		return s.unregister(ctx, list, to)
	}
	return fmt.Errorf("no action %q", verb)
}

func (s *Site) stop(ctx context.Context, list []member, to Sink) error {
	rt, err := s.nodesRuntime(ctx)
	if err != nil {
		return err
	}
	var names []string
	for _, m := range list {
		names = append(names, m.Name)
	}
	return s.each(ctx, names, func(ctx context.Context, name string) error {
		to.Event(ItemChanged{Item{name, ItemWorking, "stopping"}})
		err := rt.Stop(ctx, name, stopGrace)
		if problem.Is(err, procctl.Killed) {
			to.Event(Says{err.Error() + fix(problem.Of(err))}) // it is down all the same
			err = nil
		}
		if err != nil {
			to.Event(ItemChanged{Item{name, ItemFailed, problem.Of(err).Error()}})
			return err
		}
		to.Event(ItemChanged{Item{name, ItemDone, "stopped"}})
		return nil
	})
}

// addNode makes one more SuperNode: the steps from the keys on, which leave alone what is done.
func (s *Site) addNode(ctx context.Context, to Sink) error {
	s.Choices.Nodes++
	if err := s.save(); err != nil {
		s.Choices.Nodes--
		return err
	}
	for _, st := range checklist[5:14] {
		if err := s.walkOne(ctx, st, to); err != nil {
			return err
		}
	}
	return nil
}

// unregister takes SuperNodes off the grid for good, after asking: a key that was unregistered can
// never be registered again, by anyone.
func (s *Site) unregister(ctx context.Context, list []member, to Sink) error {
	f, err := s.session(ctx)
	if err != nil {
		return err
	}
	var names []string
	for _, m := range list {
		names = append(names, m.Name)
	}
	if len(list) == 0 {
		return problem.New(problem.Usage, "no SuperNode named", "", "name the SuperNodes to unregister")
	}
	answer, err := to.Ask(ctx, Question{ID: "unregister", Kind: AskConfirm, Default: "no",
		Ask:  "Unregister " + strings.Join(names, ", ") + "?",
		Help: "The grid forgets the node and burns its key: it can never be registered again. The key files stay where they are."})
	if err != nil || answer != "yes" {
		return err
	}
	if err := s.stop(ctx, list, to); err != nil && !problem.Is(err, problem.DockerDown) {
		return err
	}
	for _, m := range list {
		err := s.loggedIn(ctx, to, func() error {
			return s.patiently(ctx, to, func() error { return s.unregisterOne(ctx, f, m) })
		})
		if err != nil {
			to.Event(ItemChanged{Item{m.Name, ItemFailed, problem.Of(err).Error()}})
			return fmt.Errorf("unregister %s: %w", m.Name, err)
		}
		to.Event(ItemChanged{Item{m.Name, ItemDone, "unregistered"}})
	}
	return nil
}

// unregisterOne takes one node off the grid. Done twice it is harmless: a node that is not there is gone.
func (s *Site) unregisterOne(ctx context.Context, f Flwr, m member) error {
	if !m.Known() {
		return s.letGo(ctx, m.Name)
	}
	id, err := flwrexec.ParseNodeID(m.Record.NodeID)
	if err != nil {
		return err
	}
	intent := ledger.Intent{Op: "unregister", Key: m.Pair.Fingerprint, Name: m.Name, NodeID: m.Record.NodeID,
		Connection: s.Choices.Grid.Connection}
	for _, open := range s.openUnregistrations() {
		if open.Key == intent.Key {
			intent = open
		}
	}
	if intent.ID, err = s.Ledger.Begin(intent); err != nil {
		return err
	}
	err = f.Unregister(ctx, s.connection(), id)
	if err != nil && !problem.Is(err, problem.NodeNotFound) {
		if lost(err) || ctx.Err() != nil {
			return err // it may have been done: the intent stays
		}
		return errors.Join(err, s.Ledger.Abandon(intent.ID, problem.Of(err).Error()))
	}
	return s.unregistered(ctx, intent)
}

// unregistered notes that a node is gone from the grid, and lets go of what it was here.
func (s *Site) unregistered(ctx context.Context, i ledger.Intent) error {
	err := s.Ledger.Finish(i.ID, func(d *ledger.Data) error {
		for _, n := range d.Nodes {
			if n.Key == i.Key && n.Connection == i.Connection {
				n.State = ledger.Unregistered
				return d.PutNode(n)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return s.letGo(ctx, i.Name)
}

// letGo removes what the runtime keeps of a node that is not to be any more, and counts one less.
func (s *Site) letGo(ctx context.Context, name string) error {
	rt, err := s.nodesRuntime(ctx)
	if err != nil {
		return err
	}
	if err := rt.Remove(ctx, name); err != nil {
		return err
	}
	s.Choices.Nodes = max(s.Choices.Nodes-1, 0)
	return s.save()
}
