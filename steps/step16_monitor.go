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
type monitor struct{}

func (monitor) ID() front.StepID { return front.StepMonitor }
func (monitor) Name() string     { return "Monitor" }
func (monitor) Title() string    { return "Monitor results and logs" }
func (monitor) Why() string {
	return "The run's own log shows each round as it ends. Leaving does not stop a run: flwrup finds it again. " +
		"A grid keeps no logs of SuperNodes: those are only here, on this machine."
}

func (monitor) Inspect(ctx context.Context, s *site.Site) (front.Status, error) {
	r, ok := runs.RefreshRun(ctx, s)
	if !ok {
		if s.RunsElsewhere() {
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

func (monitor) Plan(ctx context.Context, s *site.Site) ([]front.Action, error) {
	r, ok := s.LastRun()
	f, err := s.Session(ctx)
	if err != nil || !ok {
		return nil, err
	}
	id, err := flwr.ParseRunID(r.ID)
	if err != nil {
		return nil, err
	}
	return []front.Action{
		site.Command(s, "follow the run's log", f.Dialect().LogArgv(s.Connection(), id)),
		site.Command(s, "see how it ended", f.Dialect().RunStatusArgv(s.Connection(), id)),
	}, nil
}

func (monitor) Apply(ctx context.Context, s *site.Site, to front.Sink) error {
	r, ok := s.LastRun()
	if !ok {
		return problem.New(problem.RunNotFound, "no run to follow", "", "start one in step 15")
	}
	return runs.FollowRun(ctx, s, r.ID, to)
}
