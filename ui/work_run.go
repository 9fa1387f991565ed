package ui

import (
	"context"
	"errors"

	tea "github.com/charmbracelet/bubbletea"

	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/safego"
	"flwrup/internal/wording"
	"flwrup/ui/dash"
)

// eventsMsg is a batch of what happened in a job; over comes with the last one.
type eventsMsg struct {
	job     int
	list    []any
	dropped int
	over    bool
}

var errStopped = errors.New("stopped by the person")

// working tells that something is being changed now.
func (m *Model) working() bool { return m.job != nil && !m.job.over }

// start runs do as a job. Inspections end first.
func (m *Model) start(step front.StepID, what string, do func(context.Context, front.Sink) error) tea.Cmd {
	if m.working() {
		return nil
	}
	m.jobs++
	ctx, cancel := context.WithCancelCause(m.ctx)
	j := &job{id: m.jobs, step: step, what: what, sink: newSink(), cancel: cancel, began: m.now()}
	m.job, m.last[step] = j, j
	m.offset, m.pinned = 0, false
	m.looks.cancel()
	before := m.looks.wg
	m.looks.renew()
	for i := range m.steps {
		if st := &m.steps[i]; st.looking {
			st.looking, st.stale = false, true
		}
	}
	to := j.sink
	run := func() tea.Msg {
		defer cancel(nil)
		defer close(to.done)
		before.Wait()
		to.err = safego.Call(what, func() error { return do(ctx, to) }) // a bug ends the job, not what runs
		return nil
	}
	return tea.Batch(run, m.listen(j))
}

// listen waits for the job's next events.
func (m *Model) listen(j *job) tea.Cmd {
	ctx, to, id := m.ctx, j.sink, j.id
	return func() tea.Msg {
		list, dropped, ok := to.next(ctx)
		return eventsMsg{id, list, dropped, !ok}
	}
}

// events takes a batch; after the last one the steps are looked at again.
func (m *Model) events(msg eventsMsg) tea.Cmd {
	j := m.job
	if j == nil || j.id != msg.job || j.over {
		return nil
	}
	j.take(m, msg.list, msg.dropped)
	if j.step == 0 && j.form != nil && m.top() == pageDash {
		m.push(pageWork) // it has a question
	}
	if !msg.over {
		return m.listen(j)
	}
	if m.ctx.Err() != nil {
		return nil
	}
	return m.ended(j)
}

// ended goes on after a job: its step is looked at at once, all others after it.
func (m *Model) ended(j *job) tea.Cmd {
	err := j.sink.err
	j.end(m.now(), err)
	m.follow()
	m.title = cleanTitle(m.work.Title())
	m.staleAll(-1)
	for i := range m.steps {
		m.steps[i].planned = false
		switch n := m.steps[i].number; { // what was found before the work says nothing any more
		case j.run != "" && (n == j.step || n == j.step+1):
			m.steps[i].status = front.Status{} // it was about another run
			fallthrough
		case n == j.step:
			m.steps[i].known = false
		}
	}
	if j.step > 0 {
		if err != nil {
			return nil
		}
		m.forgetFailures(j.step)
		if j.run != "" && m.shownStep() == front.StepRun && j.step == front.StepRun { // a run that was started is to be seen
			return tea.Batch(m.openStep(front.StepMonitor), m.apply())
		}
		return nil
	}
	if m.top() == pageWork && err == nil && len(j.output) == 0 {
		m.message, m.bad = j.summary(), false
		return tea.Batch(m.pop(), m.dash.Update(dash.Ran{Run: j.verb}))
	}
	if m.dash != nil {
		return m.dash.Update(dash.Ran{Run: j.verb, Err: err})
	}
	return nil
}

// forgetFailures drops what went wrong in the steps behind n: it was about what n has made anew, as the
// failed run that a new one follows.
func (m *Model) forgetFailures(n front.StepID) {
	for step, j := range m.last {
		if step > n && j.over && j.err != nil {
			delete(m.last, step)
		}
	}
}

// summary says in one line what a finished job was.
func (j *job) summary() string {
	if j.says != "" {
		return j.what + ": " + j.says
	}
	return j.what + ": done"
}

// newRun goes to the step that starts runs, and starts one.
func (m *Model) newRun() tea.Cmd {
	if m.working() {
		m.message, m.bad = "still at work: "+m.job.what, true
		return nil
	}
	m.base(pageStep)
	return tea.Batch(m.shown(), m.openStep(front.StepRun), m.change())
}

// apply does what the open step offers.
func (m *Model) apply() tea.Cmd {
	st := &m.steps[m.at]
	n, work := st.number, m.work
	return m.start(n, st.title, func(ctx context.Context, to front.Sink) error { return work.Apply(ctx, n, to) })
}

func (m *Model) change() tea.Cmd {
	st := &m.steps[m.at]
	n, work := st.number, m.work
	return m.start(n, st.title, func(ctx context.Context, to front.Sink) error { return work.Change(ctx, n, to) })
}

func (m *Model) undo() tea.Cmd {
	st := &m.steps[m.at]
	n, work := st.number, m.work
	return m.start(n, "Undo: "+st.title, func(ctx context.Context, to front.Sink) error {
		if err := work.Undo(ctx, n); err != nil {
			return err
		}
		to.Event(front.Says{Text: "the edit was taken back"})
		return nil
	})
}

// hasRun tells whether the open step is about a run whose metrics there may be.
func (m *Model) hasRun() bool {
	st := &m.steps[m.at]
	if j := m.last[st.number]; j != nil && j.run != "" {
		return true
	}
	return st.number == front.StepMonitor && st.known && st.status.State != front.Blocked && st.status.State != front.NotNeeded
}

// saveMetrics writes the metrics of the run on the screen to a file.
func (m *Model) saveMetrics() tea.Cmd {
	id := ""
	if j := m.last[m.steps[m.at].number]; j != nil {
		id = j.run
	}
	m.message, m.bad = "saving the metrics", false
	ctx, work := m.ctx, m.work
	return func() tea.Msg {
		file, err := work.SaveMetrics(ctx, id)
		if err != nil {
			return saidMsg{problem.Of(err).Error(), true}
		}
		return saidMsg{"metrics saved to " + file, false}
	}
}

// act does a verb of the dashboard.
func (m *Model) act(run dash.Run) tea.Cmd {
	if m.working() {
		if run.ByItself {
			return m.dash.Update(dash.Ran{Run: run, Err: problem.New(problem.Busy, "flwrup is at work", m.job.what, "")})
		}
		if m.job.step == 0 {
			m.push(pageWork) // there it can be seen, and stopped
		}
		m.message, m.bad = "still at work: "+m.job.what, true
		return m.dash.Update(dash.Ran{Run: run, Err: problem.New(problem.Busy, "flwrup is at work", m.job.what, "wait until it is done")})
	}
	work := m.work
	cmd := m.start(0, actTitle(run), func(ctx context.Context, to front.Sink) error {
		if run.ByItself {
			to = front.Unattended(to)
		}
		return work.Act(ctx, run.Verb, run.Nodes, to)
	})
	m.job.verb = run
	if run.ByItself {
		return tea.Batch(cmd, m.dash.Update(dash.Began{Run: run}))
	}
	m.push(pageWork)
	return tea.Batch(cmd, m.shown())
}

func actTitle(run dash.Run) string {
	words := map[front.Verb]string{front.StartNodes: "Start", front.StopNodes: "Stop", front.RestartNodes: "Restart",
		front.UnregisterNodes: "Unregister", front.RemoveNodes: "Remove", front.TakeOutNodes: "Remove", front.ChangeSettings: "Settings of", front.AddNode: "Add a SuperNode",
		front.RestoreKey: "Take the key from the backup:", front.OwnImage: "Give up the other image:", front.ReplaceNodes: "Replace the container of",
		front.StartGrid: "Start the rehearsal's grid", front.StopRun: "Stop run"}
	text := words[run.Verb]
	switch len(run.Nodes) {
	case 0:
		return text
	case 1:
		return text + " " + run.Nodes[0]
	}
	return text + " " + wording.Count(len(run.Nodes), "SuperNode")
}

// stop ends the running job.
func (m *Model) stop() tea.Cmd {
	if m.working() && !m.job.stopping {
		m.job.stopping = true
		m.job.form = nil
		m.job.waiting = nil
		m.job.cancel(errStopped)
	}
	return nil
}

// remedy says what Enter does after a failure: words for it, and the step to go to, 0 for trying again.
func remedy(p *problem.Problem, here front.StepID) (words string, step front.StepID) {
	to := map[problem.Code]front.StepID{
		problem.NotLoggedIn: 9, problem.DockerMissing: 3, problem.DockerDown: 3, problem.DockerDenied: 3,
		problem.ImageMissing: 3, problem.FlwrMissing: 3, problem.FlwrBroken: 3, problem.FlwrDenied: 3, problem.PythonMissing: 3, problem.FedNotFound: 2,
		problem.NoConnection: 8, problem.LegacyConfig: 8, problem.RunReadOnly: 15,
	}[p.Code]
	if to == here {
		to = 0
	}
	switch {
	case to == 9:
		return "log in", to
	case p.Code == problem.RunReadOnly:
		return "comment it out and run again", to
	case to > 0:
		return "go to step " + to.String(), to
	case p.Code == problem.Cancelled:
		return "go on", 0
	}
	return "try again", 0
}
