package steps

import (
	"context"
	"slices"

	"flwrup/internal/fleet"
	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/runs"
	"flwrup/internal/site"
)

// Act does verb to the named SuperNodes; no names means all of them, for verbs that take nothing away.
func Act(ctx context.Context, s *site.Site, verb front.Verb, nodes []string, to front.Sink) error {
	defer s.Forget()
	err := act(ctx, s, verb, nodes, to)
	if cause := context.Cause(ctx); cause != nil && err != nil {
		return problem.Stopped(cause, "stopped", "the same again goes on from here")
	}
	return err
}

// runsAsBefore are the verbs that go on with the values before an edit of flwrup.toml that nobody accepted.
var runsAsBefore = []front.Verb{front.StartNodes, front.RestartNodes, front.ReplaceNodes}

func act(ctx context.Context, s *site.Site, verb front.Verb, nodes []string, to front.Sink) error {
	if err := s.TakeEdits(); err != nil {
		stops := verb == front.StopNodes || verb == front.StopRun
		if !stops && (!problem.Is(err, problem.NotAccepted) || !slices.Contains(runsAsBefore, verb)) {
			return err
		}
		to.Event(front.Says{Text: "keeping the previous values: " + err.Error()})
	}
	switch verb {
	case front.AddNode:
		return addOne(ctx, s, nodes, to)
	case front.StartGrid:
		return fleet.BringGridUp(ctx, s, to)
	case front.RemoveNodes, front.UnregisterNodes:
		return fleet.Remove(ctx, s, nodes, verb == front.UnregisterNodes, to, again(ctx, s, to))
	case front.ChangeSettings:
		return fleet.ChangeSettings(ctx, s, nodes, to)
	case front.TakeOutNodes:
		return fleet.TakeOut(ctx, s, nodes, to, again(ctx, s, to))
	case front.RestoreKey:
		return fleet.RestoreKeys(ctx, s, nodes, to)
	case front.StopRun:
		return runs.StopRuns(ctx, s, nodes, to)
	}
	return fleet.Operate(ctx, s, verb, nodes, to)
}
