package runs

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"flwrup/flwrexec"
	"flwrup/flwrexec/flwr"
	"flwrup/internal/front"
	"flwrup/internal/health"
	"flwrup/internal/problem"
	"flwrup/internal/safego"
	"flwrup/internal/site"
	"flwrup/internal/supernode"
	"flwrup/internal/wording"
)

// Runs returns the account's runs as the grid lists them; the grid is asked again only when its answer is
// older than maxAge.
func Runs(ctx context.Context, s *site.Site, maxAge time.Duration) ([]front.RunView, error) {
	list, err := s.GridRuns(flwrexec.OneLook(ctx), maxAge)
	views := make([]front.RunView, 0, len(list))
	for _, r := range list {
		views = append(views, health.RunView(s.Ledger.Data(), r))
	}
	return views, err
}

// CheckID says why id cannot be the ID of a run; nil when it can.
func CheckID(id string) error {
	_, err := flwr.ParseRunID(id)
	return err
}

// GoingRun is the run that was started here last, "" when none was; going when it was not over when it was
// last looked at.
func GoingRun(s *site.Site) (id string, going bool) {
	r, ok := s.LastRun()
	return r.ID, ok && !front.RunStatus(r.Status).Ended()
}

// statePause is how long a run's state is left alone between two looks, while its log is followed.
const statePause = 2 * time.Second

// FollowRun tells all that a run's log says, from its beginning, with its state and its metrics, until it
// has ended; nil means that it completed. Ending ctx leaves the run going. It may follow any run of the
// account.
func FollowRun(ctx context.Context, s *site.Site, run string, to front.Sink) error {
	f, id, err := sessionFor(ctx, s, run)
	if err != nil {
		return err
	}
	to.Event(front.RunBegan{ID: id.String()})
	watched, stop := context.WithCancel(ctx)
	defer stop()
	var watching sync.WaitGroup
	defer watching.Wait()
	defer stop()
	watching.Add(1)
	safego.Go("watch a run's state", func(error) { watching.Done() }, func() {
		watchRun(watched, s, f, id, to)
		watching.Done()
	})
	reader := runReader{to: to}
	for try := 1; ; try++ {
		reader.again()
		err := f.FollowLog(ctx, s.Connection(), id, reader.line)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil && !problem.Is(err, problem.Unreachable, problem.ServerError) {
			return err
		}
		// The log ends with the run, or with the connection: the list says which. Its word may lag
		// behind the log by a moment.
		run, err := f.Run(ctx, s.Connection(), id)
		if err != nil && (!problem.Is(err, problem.Unreachable, problem.ServerError) || try > 20) {
			return err
		}
		if err == nil && run.Status != "" {
			if err := noteRun(s, run); err != nil {
				return err
			}
			if run.Ended() {
				to.Event(front.RunState{Run: health.RunView(s.Ledger.Data(), run)})
				keepPage(ctx, s, run, reader.tail)
				health.RememberRun(s, health.RunView(s.Ledger.Data(), run))
				return outcome(ctx, s, run, &reader)
			}
		}
		if err := safego.Sleep(ctx, time.Second); err != nil {
			return err
		}
	}
}

// watchRun tells the run's state whenever it changes, until ctx ends or the run is over.
func watchRun(ctx context.Context, s *site.Site, f site.Flwr, id flwr.RunID, to front.Sink) {
	last, told := front.RunUnknown, map[string]bool{}
	for {
		run, err := f.Run(ctx, s.Connection(), id)
		view := health.RunView(s.Ledger.Data(), run)
		if err == nil && view.Status != last {
			last = view.Status
			to.Event(front.RunState{Run: view})
			_ = noteRun(s, run) // FollowRun notes the end, with its error
		}
		pause := statePause
		if view.Status == front.RunRunning {
			pause *= 5 // what comes next is the end, which the log tells
			tellSlow(ctx, s, told, to)
		}
		if run.Ended() || safego.Sleep(ctx, pause) != nil {
			return
		}
	}
}

// noteRun keeps the status of a run that was started here.
func noteRun(s *site.Site, run flwrexec.Run) error {
	if s.Options.ReadOnly {
		return nil
	}
	for _, have := range s.Ledger.Runs() {
		if have.ID == run.ID.String() && have.Status != run.StatusText() {
			have.Status = run.StatusText()
			return s.Ledger.PutRun(have)
		}
	}
	return nil
}

// runReader turns the lines of a run's log into events. A log that is followed again begins at its
// beginning: events from before are not repeated.
type runReader struct {
	to       front.Sink
	metrics  flwrexec.MetricsParser
	told, at int
	failed   int // SuperNodes, over all rounds
	tail     []string
}

func (r *runReader) again() { r.at = 0 }

var chosen = regexp.MustCompile(`configure_\w+: (?:Sampled|strategy sampled) (\d+) (?:nodes|clients) \(out of (\d+)\)`)

// line takes the next line of the log.
func (r *runReader) line(text string) {
	if r.at++; r.at <= r.told {
		return
	}
	r.told = r.at
	r.to.Event(front.Output{Text: text})
	r.failed += failedIn(text)
	if r.tail = append(r.tail, text); len(r.tail) > 200 {
		r.tail = r.tail[100:]
	}
	if m := chosen.FindStringSubmatch(text); m != nil {
		n, _ := strconv.Atoi(m[1])
		of, _ := strconv.Atoi(m[2])
		r.to.Event(front.RunNodes{Chosen: n, Of: of})
	}
	for _, v := range r.metrics.Line(text) {
		r.to.Event(front.Metric{Round: v.Round, Phase: v.Phase, Name: metricName(v), Value: v.Value})
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
// is 0 for these, too. Where SuperNodes failed, their logs know more than the ServerApp's.
func outcome(ctx context.Context, s *site.Site, run flwrexec.Run, log *runReader) error {
	var here *problem.Problem
	if log.failed > 0 {
		here = nodesFailed(ctx, s, run.ID.String())
	}
	if run.Completed() {
		if log.failed > 0 {
			text := fmt.Sprintf("the run completed, but SuperNodes failed in it %d %s", log.failed, wording.Plural(log.failed, "time"))
			if here != nil {
				text += ": " + here.Error() + site.Fix(here)
			}
			log.to.Event(front.Says{Text: text})
		}
		return nil
	}
	p := flwrexec.DiagnoseRunLog(log.tail, run.Details)
	if p == nil {
		p = problem.New(problem.RunFailed, "", run.Details, "read its log, fix the app, run it again")
	}
	if here != nil && p.Code == problem.RunFailed {
		here.Code = problem.RunFailed
		p = here
	}
	p.What = strings.TrimSuffix(fmt.Sprintf("run %s %s: %s", run.ID, run.StatusText(), p.What), ": ")
	return p
}

// sessionFor returns the flwr that is asked about a run, and the run's ID.
func sessionFor(ctx context.Context, s *site.Site, run string) (site.Flwr, flwr.RunID, error) {
	id, err := flwr.ParseRunID(run)
	if err != nil {
		return nil, id, err
	}
	f, err := s.Session(ctx)
	return f, id, err
}

// RunLog returns the lines of a run's log so far. What flwr says about a run that does not exist is no log: the Problem
// has it.
func RunLog(ctx context.Context, s *site.Site, run string, line func(string)) error {
	f, id, err := sessionFor(ctx, s, run)
	if err != nil {
		return err
	}
	var lines []string
	err = f.ShowLog(ctx, s.Connection(), id, func(l string) { lines = append(lines, l) })
	if !problem.Is(err, problem.RunNotFound) {
		for _, l := range lines {
			line(l)
		}
	}
	return err
}

// RunMetrics reads the metrics of a run's log so far.
func RunMetrics(ctx context.Context, s *site.Site, id string) ([]front.Metric, error) {
	p, err := Progress(ctx, s, id)
	return p.Metrics, err
}

// Progress reads from a run's log how far it has come.
func Progress(ctx context.Context, s *site.Site, id string) (front.RunProgress, error) {
	var list metricList
	r := runReader{to: &list}
	err := RunLog(ctx, s, id, r.line)
	return front.RunProgress{Round: r.metrics.Round(), Rounds: r.metrics.Rounds, Metrics: list}, err
}

var waitsForNodes = regexp.MustCompile(`Waiting for nodes to connect: (\d+) connected \(minimum required: (\d+)\)`)

// Waiting reports whether a run waits for SuperNodes, as the end of its log says, and words it: "1 of 2 SuperNodes are
// connected".
func Waiting(ctx context.Context, s *site.Site, id string) (words string, waits bool, err error) {
	last := ""
	err = RunLog(ctx, s, id, func(line string) {
		if strings.TrimSpace(line) != "" {
			last = line
		}
	})
	m := waitsForNodes.FindStringSubmatch(last)
	if err != nil || m == nil {
		return "", false, err
	}
	return m[1] + " of " + m[2] + " SuperNodes that its app asks for are connected", true, nil
}

// metricList is a Sink that keeps metrics.
type metricList []front.Metric

func (l *metricList) Event(e front.Event) {
	if m, ok := e.(front.Metric); ok {
		*l = append(*l, m)
	}
}

func (l *metricList) Ask(context.Context, front.Question) (string, error) {
	return "", problem.New(problem.NeedsPerson, "nobody can answer here", "", "")
}

// StopRuns ends runs, after asking: what they have computed so far is lost.
func StopRuns(ctx context.Context, s *site.Site, ids []string, to front.Sink) error {
	runs := make([]flwr.RunID, len(ids))
	for i, id := range ids {
		var err error
		if runs[i], err = flwr.ParseRunID(id); err != nil {
			return err
		}
	}
	f, err := s.Session(ctx)
	if err != nil {
		return err
	}
	answer, err := to.Ask(ctx, front.Question{ID: "stop-run", Kind: front.AskConfirm, Default: "no",
		Ask: "Stop run " + strings.Join(ids, ", ") + "?", Help: "It ends on the grid and on all SuperNodes. You lose what it has learnt so far."})
	if err != nil || answer != "yes" {
		return err
	}
	for _, id := range runs {
		err := f.StopRun(ctx, s.Connection(), id)
		if problem.Is(err, flwrexec.RunOver) {
			to.Event(front.Says{Text: "run " + id.String() + " had already ended"})
			continue
		}
		if err != nil {
			return err
		}
		to.Event(front.Says{Text: "run " + id.String() + " is stopped"})
		if run, err := f.Run(ctx, s.Connection(), id); err == nil {
			if err := noteRun(s, run); err != nil {
				return err
			}
		}
	}
	return nil
}

// TookPart returns the names of this site's SuperNodes whose log speaks of the run.
func TookPart(ctx context.Context, s *site.Site, run string) ([]string, error) {
	id, err := flwr.ParseRunID(run)
	if err != nil {
		return nil, err
	}
	list, _, err := site.Members(s)
	if err != nil {
		return nil, err
	}
	rt, err := s.NodesRuntime(ctx)
	if err != nil {
		return nil, err
	}
	var mu sync.Mutex
	var all, found []string
	for _, m := range list {
		all = append(all, m.Name)
	}
	err = site.Each(ctx, all, func(ctx context.Context, name string) error {
		seen := false
		err := rt.Logs(ctx, name, supernode.LogOptions{Tail: site.LookBack}, func(l supernode.Line) error {
			kind, detail := flwrexec.Landmark(l.Text)
			seen = seen || kind == flwrexec.MarkRun && detail == id.String()
			return nil
		})
		mu.Lock()
		defer mu.Unlock()
		if seen {
			found = append(found, name)
		}
		return err
	})
	slices.SortFunc(found, func(a, b string) int { return slices.Index(all, a) - slices.Index(all, b) })
	return found, err
}
