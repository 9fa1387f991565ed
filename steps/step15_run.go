package steps

import (
	"context"
	"fmt"

	"flwrup/internal/fleet"
	"flwrup/internal/front"
	"flwrup/internal/invites"
	"flwrup/internal/problem"
	"flwrup/internal/runs"
	"flwrup/internal/site"
	"flwrup/internal/wording"
)

// runTask is step 15: a federated run over the SuperNodes.
type runTask struct{ config runs.Config } // config: the person's, for one run

func (runTask) ID() front.StepID { return front.StepRun }
func (runTask) Name() string     { return "Run" }
func (runTask) Title() string    { return "Run the federated task" }
func (runTask) Why() string {
	return "flwr sends your app to the grid: its ServerApp runs there, its ClientApp on every SuperNode, on that node's own data. In each round, the grid collects the results, combines them, and sends the model out again."
}

// Needs returns the SuperNodes online: a run waits, without a word, until enough of them are.
func (runTask) Needs() []Need {
	return []Need{{Step: front.StepOnline, Why: "a run waits, silently, until enough SuperNodes are online", UnlessDone: true}}
}

// Wants returns the last run, and the app to run.
func (runTask) Wants() Wants {
	return Wants{Status: site.ReadLastRun, Ready: readApp | readMembers, Plan: site.ReadFlwr | readApp | readSending}
}

func (runTask) Inspect(p Snapshot) (front.Status, error) {
	last := p.LastRun
	if p.Ran && !front.RunStatus(last.Status).Failed() {
		of := ""
		if last.App != "" && last.App != "." {
			of = " of " + last.App
		}
		return front.Status{State: front.Done, Short: last.ID, Evidence: []string{"run " + last.ID + of + ": " + last.Status}}, nil
	}
	if p.RunsElsewhere() {
		return front.Status{State: front.NotNeeded, Why: "runs are started elsewhere, as you said"}, nil
	}
	st := front.Status{State: front.Ready}
	if p.Ran {
		st.Evidence = append(st.Evidence, "run "+last.ID+": "+last.Status)
	}
	for _, other := range p.Ledger.SitesOn(p.Choices.Grid.Connection) {
		st.Evidence = append(st.Evidence, "it reaches "+wording.Count(len(other.Nodes), "SuperNode")+" of "+other.Title+wording.Around(" (", other.Contact, ")"))
	}
	st.Evidence = append(st.Evidence, invites.Reach(p.Membership.Value, p.Ledger.Account(p.Choices.Grid.Connection))...)
	where := p.ShellDir(p.AppDir())
	switch r, err := p.App.Value, p.App.Err; {
	case p.NoApp:
		st.Evidence = append(st.Evidence, fmt.Sprintf("%d %s in this folder and one level below", p.AppsNear, wording.Plural(p.AppsNear, "Flower app")))
	case err != nil:
		st.Evidence = append(st.Evidence, "the app in "+where+": "+problem.Of(err).Error())
	default:
		st.Evidence = append(st.Evidence, "the app "+r.App.Title()+" in "+where)
		if w := r.App.Wants(r.Found, nil); w.Want > 0 && !p.Rehearsal() {
			st.Evidence = append(st.Evidence, fmt.Sprintf("it needs %d nodes; %d are online here", w.Want, p.Overview.Online))
		}
		st.Hints = runs.TrapHints(p.Folder, r)
	}
	return st, nil
}

func (runTask) Plan(p Snapshot) ([]front.Action, error) {
	if p.Tool.Err != nil {
		return nil, p.Tool.Err
	}
	if p.NoApp {
		return []front.Action{{Says: "choose the app to run, or make one"}}, nil
	}
	r := p.App.Value
	var actions []front.Action
	if p.App.Err == nil {
		for _, t := range r.Found.Mendable() {
			actions = append(actions, front.Action{Says: "comment out, if you agree, " + runs.Place(p.Folder, r, t)})
		}
	}
	actions = append(actions, p.Sending...)
	return append(actions, p.Command("run the app on all online SuperNodes, and follow it",
		p.Dialect.RunArgv(p.Connection(), p.ShellDir(p.AppDir()), p.Choices.Federation, plannedConfig(p, r), true))), nil
}

// plannedConfig returns the run configuration when all SuperNodes are online: a rehearsal's app takes from it how
// many to wait for.
func plannedConfig(p Snapshot, r runs.AppReport) string {
	if _, ok := r.App.Config["min-nodes"]; ok && p.Rehearsal() {
		return runs.Config(nil).With("min-nodes", runs.Planned(p.Folder, p.Ledger)).String()
	}
	return ""
}

func (r runTask) Apply(ctx context.Context, s *site.Site, to front.Sink) error {
	if done, err := runs.Adopt(ctx, s); err != nil || done {
		return err
	}
	if err := runs.SettleApp(ctx, s, to); err != nil || s.RunsElsewhere() {
		return err
	}
	if err := reachFrom(ctx, s, to); err != nil {
		return err
	}
	list, err := s.GridRuns(ctx, 0) // fails, before anything is asked, when the login is over
	if err != nil {
		return err
	}
	if err := runs.EndLost(ctx, s, list, to); err != nil {
		return err
	}
	if err := runs.KeepOut(s, to); err != nil {
		return err
	}
	if err := runs.CheckSent(ctx, s, to); err != nil {
		return err
	}
	config, err := runs.CheckApp(ctx, s, r.config, to)
	if err != nil {
		return err
	}
	return runs.Send(ctx, s, list, config, to)
}

// StartRun starts another run of the app and gives its ID; it does not follow it. SuperNodes that are not
// set up yet and a run that is still going on are Problems. config replaces values of the app's own.
func StartRun(ctx context.Context, s *site.Site, config runs.Config, to front.Sink) (id string, err error) {
	defer s.Forget()
	err = site.InTurn(ctx, s, "starting a run", to, func(to front.Sink) error {
		if err := fleet.BringGridUp(ctx, s, to); err != nil {
			return err
		}
		if err := setUp(s); err != nil {
			return err
		}
		return changeBy(ctx, s, front.StepRun, runTask{config}, to)
	})
	if err != nil {
		return "", err
	}
	if s.RunsElsewhere() {
		return "", problem.New(problem.BadInput, "runs are started elsewhere, as you said", `flwrup.toml has app = "none"`, "name an app: flwrup run --app FOLDER")
	}
	r, _ := s.LastRun()
	return r.ID, nil
}

// setUp tells what is missing before there is anything to run on.
func setUp(s *site.Site) error {
	list, _, err := site.Members(s)
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
func (r runTask) Change(ctx context.Context, s *site.Site, to front.Sink) error {
	if last, ok := site.RefreshRun(ctx, s, site.Fresh); ok && !front.RunStatus(last.Status).Ended() {
		return problem.New(problem.BadInput, "run "+last.ID+" is still going", "", "follow it: `flwrup runs log "+last.ID+" -f`, or stop it: `flwrup runs stop "+last.ID+"`")
	}
	return r.Apply(ctx, s, to)
}

// reachFrom sees that flwr reaches the grid from the app's folder. Up to flwr 1.25 connection and login
// belong to that folder, so a new app needs both again; from 1.26 on a block that is left in its
// pyproject.toml would make flwr rewrite the file. A login that is missing is left to Apply.
func reachFrom(ctx context.Context, s *site.Site, to front.Sink) error {
	found, err := site.ReadConfiguration(ctx, s)
	if err != nil || len(found.Due) == 0 {
		return err
	}
	to.Event(front.Says{Text: "the app's folder needs the grid's connection"})
	if err := (configure{}).Apply(ctx, s, to); err != nil {
		return err
	}
	if found, err = site.ReadConfiguration(ctx, s); err == nil && len(found.Due) > 0 {
		due := found.Due[0]
		err = problem.New(problem.NoConnection, "flwr cannot reach the grid from "+s.AppDir(), due.Why, "let flwrup change "+s.Rel(due.File)+" (step 8)")
	}
	s.Forget()
	return err
}
