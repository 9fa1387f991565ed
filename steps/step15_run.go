package steps

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"flwrup/flwrexec"
	"flwrup/internal/ledger"
	"flwrup/internal/problem"
)

// runTask is step 15: a federated run over the SuperNodes.
type runTask struct{}

func (runTask) Number() int   { return 15 }
func (runTask) Name() string  { return "Run" }
func (runTask) Title() string { return "Run the federated task" }
func (runTask) Why() string {
	return "Your app is sent to the grid: its ServerApp runs there, its ClientApp on every SuperNode, on that node's own data. " +
		"Results are collected, put together, and sent round again for as many rounds as the app wants."
}

// runLost marks a run whose grid ended under it; it will never say how it ended.
const runLost = "lost"

func ended(status string) bool { return strings.HasPrefix(status, "finished") || status == runLost }

// lastRun is the newest run that this site started on its connection.
func (s *Site) lastRun() (ledger.Run, bool) {
	runs := s.Ledger.Runs()
	for _, r := range slices.Backward(runs) {
		if r.Connection == s.Choices.Grid.Connection {
			return r, true
		}
	}
	return ledger.Run{}, false
}

// appIn tells whether folder dir holds a Flower app.
func appIn(dir string) bool {
	text, err := os.ReadFile(filepath.Join(dir, "pyproject.toml"))
	return err == nil && strings.Contains(string(text), "[tool.flwr.app")
}

func (runTask) Inspect(ctx context.Context, s *Site) (Status, error) {
	if r, ok := s.lastRun(); ok && r.Status != runLost && !strings.HasPrefix(r.Status, "finished:failed") {
		return Status{State: Done, Short: r.ID, Evidence: []string{"run " + r.ID + " of " + s.rel(r.App) + ": " + r.Status}}, nil
	}
	if s.runsElsewhere() {
		return Status{State: NotNeeded, Why: "runs are started elsewhere, as you said"}, nil
	}
	before, err := (online{}).Inspect(ctx, s)
	if err != nil {
		return before, err
	}
	if before.State != Done {
		return Status{State: Blocked, By: 14, Why: "a run waits, without a word, until enough SuperNodes are online"}, nil
	}
	st := Status{State: Ready}
	if r, ok := s.lastRun(); ok {
		st.Evidence = append(st.Evidence, "run "+r.ID+": "+r.Status)
	}
	if appIn(s.appDir()) {
		st.Evidence = append(st.Evidence, "a Flower app in "+s.appDir())
	} else {
		st.Evidence = append(st.Evidence, "no Flower app in "+s.appDir())
		st.Hints = []string{"`flwr new @flwrlabs/quickstart-numpy` makes one (it is fetched from Flower's platform)"}
	}
	return st, nil
}

func (runTask) Plan(ctx context.Context, s *Site) ([]Action, error) {
	f, err := s.session(ctx)
	if err != nil {
		return nil, err
	}
	return []Action{s.command("run the app over all SuperNodes that are online, and follow it",
		f.Dialect().RunArgv(s.connection(), s.shellDir(s.appDir()), s.Choices.Federation, s.runConfig(), true))}, nil
}

// shellDir writes a folder for a command that is typed in the project's folder.
func (s *Site) shellDir(dir string) string {
	if r := s.rel(dir); r != "" {
		return r
	}
	return "."
}

// runConfig is what a rehearsal's app has to know: how many nodes to wait for.
func (s *Site) runConfig() string {
	if s.Rehearsal() {
		return fmt.Sprintf("min-nodes=%d", s.Choices.Nodes)
	}
	return ""
}

func (r runTask) Apply(ctx context.Context, s *Site, to Sink) error {
	if done, err := r.adopt(ctx, s); err != nil || done {
		return err
	}
	for !s.runsElsewhere() && !appIn(s.appDir()) {
		if err := r.chooseApp(ctx, s, to); err != nil {
			return err
		}
	}
	if s.runsElsewhere() {
		return nil
	}
	f, err := s.session(ctx)
	if err != nil {
		return err
	}
	intent := ledger.Intent{Op: "run", Connection: s.Choices.Grid.Connection, Federation: s.Choices.Federation}
	list, err := s.runs(ctx, 0)
	if err != nil {
		return err
	}
	for _, have := range list {
		intent.Before = append(intent.Before, have.ID)
	}
	key, err := s.Ledger.Begin(intent)
	if err != nil {
		return err
	}
	to.Event(Says{"sending the app to the grid"})
	id, err := f.StartRun(ctx, s.connection(), s.appDir(), s.Choices.Federation, s.runConfig())
	if err != nil {
		if ctx.Err() == nil && !flwrexec.MayHaveHappened(err) {
			return join([]error{err, s.Ledger.Abandon(key, problem.Of(err).Error())})
		}
		return err // it may have been started: the next look tells
	}
	to.Event(RunBegan{id})
	return s.Ledger.Finish(key, func(d *ledger.Data) error {
		d.PutRun(ledger.Run{ID: id, Connection: s.Choices.Grid.Connection, Federation: s.Choices.Federation,
			App: s.rel(s.appDir()), Started: time.Now(), Status: "pending"})
		return nil
	})
}

// adopt settles a run whose start was never answered: the one that is new on the grid since then is it.
func (runTask) adopt(ctx context.Context, s *Site) (bool, error) {
	for _, i := range s.Ledger.Intents() {
		if i.Op != "run" || i.Connection != s.Choices.Grid.Connection {
			continue
		}
		list, err := s.runs(ctx, 0)
		if err != nil {
			return false, err
		}
		var fresh []flwrexec.Run
		for _, r := range list {
			if !slices.Contains(i.Before, r.ID) && (r.Federation == "" || r.Federation == i.Federation) {
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
			d.PutRun(ledger.Run{ID: r.ID, Connection: i.Connection, Federation: i.Federation, App: s.rel(s.appDir()), Started: i.At, Status: r.StatusText()})
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

func (runTask) chooseApp(ctx context.Context, s *Site, to Sink) error {
	answer, err := to.Ask(ctx, Question{ID: "app", Kind: AskText,
		Ask:  "Where is the Flower app to run?",
		Help: "A folder with a pyproject.toml of a Flower app; \"none\" if somebody else starts the runs.",
		Validate: func(text string) error {
			if text == "" {
				return fmt.Errorf("a folder, or \"none\"")
			}
			return nil
		}})
	if err != nil {
		return err
	}
	if answer != noApp && !appIn(s.path(answer)) {
		to.Event(Says{"no Flower app in " + s.path(answer)})
		return nil
	}
	s.Choices.App = answer
	return s.save()
}

// Change starts another run.
func (r runTask) Change(ctx context.Context, s *Site, to Sink) error {
	if last, ok := s.lastRun(); ok && !ended(last.Status) {
		return problem.New(problem.BadInput, "run "+last.ID+" is still going on", "", "wait for it, or stop it")
	}
	return r.Apply(ctx, s, to)
}
