package steps

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"flwrup/flwrexec"
	"flwrup/flwrexec/app"
	"flwrup/internal/front"
	"flwrup/internal/ledger"
	"flwrup/internal/problem"
	"flwrup/internal/wording"
)

// runTask is step 15: a federated run over the SuperNodes.
type runTask struct{}

func (runTask) ID() front.StepID { return front.StepRun }
func (runTask) Name() string     { return "Run" }
func (runTask) Title() string    { return "Run the federated task" }
func (runTask) Why() string {
	return "Your app is sent to the grid: its ServerApp runs there, its ClientApp on every SuperNode, on that node's own data. " +
		"Results are collected, put together, and sent round again for as many rounds as the app wants."
}

// lastRun is the newest run that this site started on its connection.
func (s *Site) lastRun() (ledger.Run, bool) {
	runs := s.Ledger.Runs()
	for _, r := range slices.Backward(runs) {
		if r.Connection == s.Choices().Grid.Connection {
			return r, true
		}
	}
	return ledger.Run{}, false
}

func (runTask) Inspect(ctx context.Context, s *Site) (front.Status, error) {
	last, ok := s.refreshRun(ctx)
	if ok && last.Status != front.RunLost && !strings.HasPrefix(last.Status, "finished:failed") {
		of := ""
		if last.App != "" && last.App != "." {
			of = " of " + last.App
		}
		return front.Status{State: front.Done, Short: last.ID, Evidence: []string{"run " + last.ID + of + ": " + last.Status}}, nil
	}
	if s.runsElsewhere() {
		return front.Status{State: front.NotNeeded, Why: "runs are started elsewhere, as you said"}, nil
	}
	before, err := (online{}).Inspect(ctx, s)
	if err != nil {
		return before, err
	}
	if before.State != front.Done {
		return front.Status{State: front.Blocked, By: front.StepOnline, Why: "a run waits, without a word, until enough SuperNodes are online"}, nil
	}
	st := front.Status{State: front.Ready}
	if ok {
		st.Evidence = append(st.Evidence, "run "+last.ID+": "+last.Status)
	}
	r, err := s.appReport(ctx, fresh)
	switch {
	case problem.Is(err, app.Broken) && !app.Exists(s.appDir()):
		apps := app.Find(s.Dir)
		st.Evidence = append(st.Evidence, fmt.Sprintf("%d %s in this folder and one level below", len(apps), wording.Plural(len(apps), "Flower app")))
	case err != nil:
		st.Evidence = append(st.Evidence, "the app in "+s.shellDir(s.appDir())+": "+problem.Of(err).Error())
	default:
		st.Evidence = append(st.Evidence, "the app "+r.App.Title()+" in "+s.shellDir(s.appDir()))
		if w := r.App.Wants(r.Found, nil); w.Want > 0 && !s.Rehearsal() {
			st.Evidence = append(st.Evidence, fmt.Sprintf("it wants %d nodes; %d are online here", w.Want, before.Done))
		}
		st.Hints = s.trapHints(r)
	}
	return st, nil
}

func (runTask) Plan(ctx context.Context, s *Site) ([]front.Action, error) {
	f, err := s.session(ctx)
	if err != nil {
		return nil, err
	}
	r, err := s.appReport(ctx, fresh)
	if problem.Is(err, app.Broken) && !app.Exists(s.appDir()) {
		return []front.Action{{Says: "choose the app to run, or make one"}}, nil
	}
	var actions []front.Action
	if err == nil {
		for _, t := range r.Found.Mendable() {
			actions = append(actions, front.Action{Says: "comment out, when you agree, " + s.place(r, t)})
		}
	}
	if keep, ok := s.keepOutAction(); ok {
		actions = append(actions, keep)
	}
	actions = append(actions, s.sentActions(ctx)...)
	return append(actions, s.command("run the app over all SuperNodes that are online, and follow it",
		f.Dialect().RunArgv(s.connection(), s.shellDir(s.appDir()), s.Choices().Federation, s.plannedConfig(r), true))), nil
}

// shellDir writes a folder for a command that is typed in the project's folder.
func (s *Site) shellDir(dir string) string {
	if r := s.rel(dir); r != "" {
		return r
	}
	return "."
}

// plannedConfig is the run configuration when as many nodes are online as there are: a rehearsal's app
// is told how many to wait for.
func (s *Site) plannedConfig(r appReport) string {
	if _, ok := r.App.Config["min-nodes"]; ok && s.Rehearsal() {
		return runConfig(map[string]int{"min-nodes": s.Choices().Nodes})
	}
	return ""
}

func (r runTask) Apply(ctx context.Context, s *Site, to front.Sink) error {
	if done, err := r.adopt(ctx, s); err != nil || done {
		return err
	}
	if err := s.settleApp(ctx, to); err != nil || s.runsElsewhere() {
		return err
	}
	if err := s.reachFrom(ctx, to); err != nil {
		return err
	}
	list, err := s.runs(ctx, 0) // also tells whether the login holds, before anything is asked
	if err != nil {
		return err
	}
	if err := s.keepOut(to); err != nil {
		return err
	}
	if err := s.checkSent(ctx, to); err != nil {
		return err
	}
	config, err := s.checkApp(ctx, to)
	if err != nil {
		return err
	}
	return r.send(ctx, s, list, config, to)
}

// send starts the run. Its intent is on disk before the call, so that a run whose answer was lost is found.
func (runTask) send(ctx context.Context, s *Site, before []flwrexec.Run, config string, to front.Sink) error {
	f, err := s.session(ctx)
	if err != nil {
		return err
	}
	c := s.Choices()
	intent := ledger.Intent{Op: "run", Connection: c.Grid.Connection, Federation: c.Federation}
	for _, have := range before {
		intent.Before = append(intent.Before, have.ID.String())
	}
	key, err := s.Ledger.Begin(intent)
	if err != nil {
		return err
	}
	to.Event(front.Says{Text: "sending the app to the grid"})
	id, err := f.StartRun(ctx, s.connection(), s.appDir(), c.Federation, config)
	if err != nil {
		if ctx.Err() == nil && !flwrexec.MayHaveHappened(err) {
			return problem.Join(err, s.Ledger.Abandon(key, problem.Of(err).Error()))
		}
		return err // it may have been started: the next look tells
	}
	to.Event(front.RunBegan{ID: id.String()})
	return s.Ledger.Finish(key, func(d *ledger.Data) error {
		d.PutRun(ledger.Run{ID: id.String(), Connection: c.Grid.Connection, Federation: c.Federation,
			App: s.rel(s.appDir()), Started: time.Now(), Status: "pending"})
		return nil
	})
}

// adopt settles a run whose start was never answered: the one that is new on the grid since then is it.
func (runTask) adopt(ctx context.Context, s *Site) (bool, error) {
	for _, i := range s.Ledger.Intents() {
		if i.Op != "run" || i.Connection != s.Choices().Grid.Connection {
			continue
		}
		list, err := s.runs(ctx, 0)
		if err != nil {
			return false, err
		}
		var fresh []flwrexec.Run
		for _, r := range list {
			if !slices.Contains(i.Before, r.ID.String()) && (r.Federation == "" || r.Federation == i.Federation) {
				fresh = append(fresh, r)
			}
		}
		if len(fresh) != 1 {
			if err := s.Ledger.Abandon(i.ID, "no run of it on the grid"); err != nil {
				return false, err
			}
			continue
		}
		r := fresh[0]
		if err := s.Ledger.Finish(i.ID, func(d *ledger.Data) error {
			d.PutRun(ledger.Run{ID: r.ID.String(), Connection: i.Connection, Federation: i.Federation, App: s.rel(s.appDir()), Started: i.At, Status: r.StatusText()})
			return nil
		}); err != nil {
			return false, err
		}
		if !r.Ended() || r.Completed() {
			return true, nil
		}
	}
	return false, nil
}

// StartRun starts another run of the app and gives its ID; it does not follow it. SuperNodes that are not
// set up yet and a run that is still going on are Problems.
func (s *Site) StartRun(ctx context.Context, to front.Sink) (id string, err error) {
	defer s.forget()
	if err := s.bringGridUp(ctx, to); err != nil {
		return "", err
	}
	if err := s.setUp(); err != nil {
		return "", err
	}
	if err := s.Change(ctx, runTask{}.ID(), to); err != nil {
		return "", err
	}
	if s.runsElsewhere() {
		return "", problem.New(problem.BadInput, "runs are started elsewhere, as you said", `app = "none" stands in flwrup.toml`, "name an app: flwrup run --app FOLDER")
	}
	r, _ := s.lastRun()
	return r.ID, nil
}

// setUp tells what is missing before there is anything to run on.
func (s *Site) setUp() error {
	list, _, err := s.members()
	if err != nil {
		return err
	}
	for _, m := range list {
		if m.Known() {
			return nil
		}
	}
	return problem.New(problem.NeedsPerson, "there are no SuperNodes to run on yet", "none is registered", "`flwrup` or `flwrup up` sets them up")
}

// Change starts another run.
func (r runTask) Change(ctx context.Context, s *Site, to front.Sink) error {
	if last, ok := s.refreshRun(ctx); ok && !front.RunEnded(last.Status) {
		return problem.New(problem.BadInput, "run "+last.ID+" is still going on", "", "follow it: `flwrup runs log "+last.ID+" -f`, or stop it: `flwrup runs stop "+last.ID+"`")
	}
	return r.Apply(ctx, s, to)
}
