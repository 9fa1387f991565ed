package steps

import (
	"context"
	"slices"

	"flwrup/internal/custody"
	"flwrup/internal/fleet"
	"flwrup/internal/front"
	"flwrup/internal/health"
	"flwrup/internal/problem"
	"flwrup/internal/runs"
	"flwrup/internal/site"
	"flwrup/internal/sites"
	"flwrup/internal/upgrade"
)

// Act does verb to the named SuperNodes; no names means all of them, for verbs that take nothing away.
func Act(ctx context.Context, s *site.Site, verb front.Verb, nodes []string, to front.Sink) error {
	if verb == front.Upgrade {
		_, err := Upgrade(ctx, s, upgrade.Options{}, to)
		return err
	}
	defer s.Forget()
	err := site.InTurn(ctx, s, verb.Doing(nodes), to, func(to front.Sink) error {
		err := act(ctx, s, verb, nodes, to)
		if verb != front.StopRun { // a run's end gets into the history by looks at it
			health.Did(s, verb, nodes, err)
		}
		return err
	})
	if cause := context.Cause(ctx); cause != nil && err != nil {
		return problem.Stopped(cause, "stopped", "run the same again to continue from here")
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
	case front.AdmitSite:
		return sites.AdmitAsked(ctx, s, to, again(ctx, s, to))
	case front.RemoveSite:
		return sites.RemoveAsked(ctx, s, nodes, to, again(ctx, s, to))
	case front.RestoreKey:
		return fleet.RestoreKeys(ctx, s, nodes, to)
	case front.RotateKeys, front.GiveUpRotation:
		return custody.Rotate(ctx, s, nodes, verb == front.GiveUpRotation, to, again(ctx, s, to))
	case front.StopRun:
		return runs.StopRuns(ctx, s, nodes, to)
	}
	return fleet.Operate(ctx, s, verb, nodes, to)
}

// Upgrade moves to another release of flwr; see upgrade.Do.
func Upgrade(ctx context.Context, s *site.Site, o upgrade.Options, to front.Sink) (upgrade.Plan, error) {
	defer s.Forget()
	p, err := upgrade.Do(ctx, s, o, to, again(ctx, s, to))
	health.Did(s, front.Upgrade, nil, err)
	if cause := context.Cause(ctx); cause != nil && err != nil {
		return p, problem.Stopped(cause, "the upgrade was stopped", "flwrup upgrade continues")
	}
	return p, err
}

// BringUp starts or restarts the named SuperNodes, which were lost. Another flwrup, or a person, may have acted since that
// was seen: those that are up again, or that are to stay down, are left as they are. tried is called with each of the others.
func BringUp(ctx context.Context, s *site.Site, names []string, to front.Sink, tried func(name string)) error {
	return site.InTurn(ctx, s, front.RestartNodes.Doing(names), to, func(to front.Sink) error {
		for _, r := range health.Restarts(health.States(ctx, s), names) {
			for _, name := range r.Nodes {
				tried(name)
			}
			if err := Act(ctx, s, r.Verb, r.Nodes, front.Unattended(to)); err != nil {
				return err
			}
		}
		return nil
	})
}
