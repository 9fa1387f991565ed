package steps

import (
	"context"

	"flwrup/flwrexec/flwr"
	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/runs"
	"flwrup/internal/site"
)

// monitor is step 16: the run's log and numbers, to its end.
type monitor struct{ free }

func (monitor) ID() front.StepID { return front.StepMonitor }
func (monitor) Name() string     { return "Monitor" }
func (monitor) Title() string    { return "Monitor results and logs" }
func (monitor) Why() string {
	return "The run's own log shows each round as it ends. A run continues when you leave: flwrup finds it again. A grid keeps no logs of SuperNodes: those are only on this machine."
}

// Wants returns the last run; to plan, as the ledger has it.
func (monitor) Wants() Wants {
	return Wants{Status: site.ReadLastRun, Plan: site.ReadFlwr}
}

func (monitor) Inspect(p Snapshot) (front.Status, error) {
	r := p.LastRun
	if !p.Ran {
		if p.RunsElsewhere() {
			return front.Status{State: front.NotNeeded, Why: "runs are started elsewhere; the dashboard has the SuperNodes' logs"}, nil
		}
		return front.Status{State: front.Blocked, By: front.StepRun, Why: "no run was started yet"}, nil
	}
	st := front.Status{State: front.Ready, Short: r.Status, Evidence: []string{"run " + r.ID + ": " + r.Status}}
	switch status := front.RunStatus(r.Status); {
	case status.Failed():
		return front.Status{State: front.Blocked, By: front.StepRun, Why: "run " + r.ID + " " + r.Status + ": start it again", Short: r.Status}, nil
	case status.Ended():
		st.State = front.Done
	}
	return st, nil
}

func (monitor) Plan(p Snapshot) ([]front.Action, error) {
	if p.Tool.Err != nil || !p.Ran {
		return nil, p.Tool.Err
	}
	id, err := flwr.ParseRunID(p.LastRun.ID)
	if err != nil {
		return nil, err
	}
	return []front.Action{
		p.Command("follow the run's log", p.Dialect.LogArgv(p.Connection(), id)),
		p.Command("see how it ended", p.Dialect.RunStatusArgv(p.Connection(), id)),
	}, nil
}

func (monitor) Apply(ctx context.Context, s *site.Site, to front.Sink) error {
	r, ok := s.LastRun()
	if !ok {
		return problem.New(problem.RunNotFound, "no run to follow", "", "start one in step 15")
	}
	return runs.FollowRun(ctx, s, r.ID, to)
}
