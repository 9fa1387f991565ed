package steps

import (
	"context"
	"fmt"
	"strings"
	"time"

	"flwrup/flwrexec"
	"flwrup/internal/problem"
)

// monitor is step 16: the run's log and numbers, to its end.
type monitor struct{}

func (monitor) Number() int   { return 16 }
func (monitor) Name() string  { return "Monitor" }
func (monitor) Title() string { return "Monitor results and logs" }
func (monitor) Why() string {
	return "The run's own log shows each round as it ends. Leaving does not stop a run: flwrup finds it again. " +
		"A grid keeps no logs of SuperNodes: those are only here, on this machine."
}

func (monitor) Inspect(ctx context.Context, s *Site) (Status, error) {
	r, ok := s.lastRun()
	if !ok {
		if s.runsElsewhere() {
			return Status{State: NotNeeded, Why: "runs are started elsewhere; the dashboard has the SuperNodes' logs"}, nil
		}
		return Status{State: Blocked, By: 15, Why: "no run was started yet"}, nil
	}
	st := Status{State: Ready, Short: r.Status, Evidence: []string{"run " + r.ID + ": " + r.Status}}
	switch {
	case strings.HasPrefix(r.Status, "finished:failed"), r.Status == runLost:
		return Status{State: Blocked, By: 15, Why: "run " + r.ID + " " + r.Status + ": start it again", Short: r.Status}, nil
	case strings.HasPrefix(r.Status, "finished"):
		st.State = Done
	}
	return st, nil
}

func (monitor) Plan(ctx context.Context, s *Site) ([]Action, error) {
	r, ok := s.lastRun()
	f, err := s.session(ctx)
	if err != nil || !ok {
		return nil, err
	}
	return []Action{
		s.command("follow the run's log", f.Dialect().LogArgv(s.connection(), r.ID)),
		s.command("see how it ended", f.Dialect().RunStatusArgv(s.connection(), r.ID)),
	}, nil
}

func (m monitor) Apply(ctx context.Context, s *Site, to Sink) error {
	r, ok := s.lastRun()
	if !ok {
		return problem.New(problem.RunNotFound, "no run to follow", "", "start one in step 15")
	}
	f, err := s.session(ctx)
	if err != nil {
		return err
	}
	to.Event(RunBegan{r.ID})
	var metrics flwrexec.MetricsParser
	var tail []string
	line := func(text string) {
		to.Event(Output{text})
		if tail = append(tail, text); len(tail) > 200 {
			tail = tail[100:]
		}
		for _, v := range metrics.Line(text) {
			to.Event(Metric{Round: v.Round, Name: metricName(v), Value: v.Value})
		}
	}
	for try := 1; ; try++ {
		err := f.FollowLog(ctx, s.connection(), r.ID, line)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil && !problem.Is(err, problem.Unreachable, problem.ServerError) {
			return err
		}
		// The log ends with the run, or with the connection: the list says which. Its word may lag
		// behind the log by a moment.
		run, err := f.Run(ctx, s.connection(), r.ID)
		if err != nil && (!problem.Is(err, problem.Unreachable, problem.ServerError) || try > 20) {
			return err
		}
		if err == nil && run.Status != "" {
			r.Status = run.StatusText()
			if err := s.Ledger.PutRun(r); err != nil {
				return err
			}
			if run.Ended() {
				return m.outcome(run, tail)
			}
		}
		if err := wait(ctx, time.Second); err != nil {
			return err
		}
	}
}

// metricName is the metric's own name; the server's evaluation often has the same names as that of the
// ClientApps.
func metricName(m flwrexec.Metric) string {
	if m.Phase == flwrexec.PhaseServer {
		return "server " + m.Name
	}
	return m.Name
}

// outcome makes a problem of a run that did not complete: the exit code of `flwr run` and `flwr log`
// is 0 for these, too.
func (monitor) outcome(run flwrexec.Run, tail []string) error {
	if run.Completed() {
		return nil
	}
	p := flwrexec.DiagnoseRunLog(tail, run.Details)
	if p == nil {
		p = problem.New(problem.RunFailed, "", run.Details, "see its log, mend the app, run it again")
	}
	p.What = strings.TrimSuffix(fmt.Sprintf("run %s %s: %s", run.ID, run.StatusText(), p.What), ": ")
	return p
}
