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
	rt, err := s.nodesRuntime(ctx)
	if err != nil {
		return err
	}
	for _, m := range list {
		if err := s.unregisterOne(ctx, f, m); err != nil {
			to.Event(ItemChanged{Item{m.Name, ItemFailed, problem.Of(err).Error()}})
			return fmt.Errorf("unregister %s: %w", m.Name, err)
		}
		to.Event(ItemChanged{Item{m.Name, ItemDone, "unregistered"}})
		if err := rt.Remove(ctx, m.Name); err != nil {
			return err
		}
		s.Choices.Nodes--
		if err := s.save(); err != nil {
			return err
		}
	}
	return nil
}

func (s *Site) unregisterOne(ctx context.Context, f Flwr, m member) error {
	if !m.Known() {
		return nil
	}
	id, err := flwrexec.ParseNodeID(m.Record.NodeID)
	if err != nil {
		return err
	}
	key, err := s.Ledger.Begin(ledger.Intent{Op: "unregister", Key: m.Pair.Fingerprint, Name: m.Name, NodeID: m.Record.NodeID,
		Connection: s.Choices.Grid.Connection})
	if err != nil {
		return err
	}
	err = f.Unregister(ctx, s.connection(), id)
	if err != nil && !problem.Is(err, problem.NodeNotFound) {
		if problem.Is(err, problem.Unreachable, problem.ServerError) || ctx.Err() != nil {
			return err // it may have been done; doing it again is harmless
		}
		return errors.Join(err, s.Ledger.Abandon(key, problem.Of(err).Error()))
	}
	return s.Ledger.Finish(key, func(d *ledger.Data) error {
		n := m.Record
		n.State = ledger.Unregistered
		return d.PutNode(n)
	})
}
