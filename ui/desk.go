package ui

import (
	"context"
	"errors"
	"strings"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"flwrup/internal/front"
	"flwrup/internal/safego"
	"flwrup/ui/dash"
)

// eventsMsg is a batch of a job's events; over comes with the last one.
type eventsMsg struct {
	job     int
	list    []any
	dropped int
	over    bool
}

var errStopped = errors.New("stopped by the person")

// desk does the work: one job at a time.
type desk struct {
	m    *Model
	list *stepList
	job  *job                  // at work now, or the last one
	last map[front.StepID]*job // the last one of each step; 0: of the verbs
	jobs int
}

// working reports whether something is being changed now.
func (dk *desk) working() bool { return dk.job != nil && !dk.job.over }

// start runs do as a job. Inspections end first.
func (dk *desk) start(step front.StepID, what string, do func(context.Context, front.Sink) error) tea.Cmd {
	if dk.working() {
		return nil
	}
	dk.jobs++
	ctx, cancel := context.WithCancelCause(dk.m.ctx)
	j := &job{id: dk.jobs, step: step, what: what, sink: newSink(), cancel: cancel, began: dk.m.now()}
	dk.job, dk.last[step] = j, j
	dk.m.window = window{}
	dk.list.looks.cancel()
	before := dk.list.looks.wg
	dk.list.looks.renew()
	for i := range dk.list.steps {
		if st := &dk.list.steps[i]; st.looking {
			st.looking, st.stale = false, true
		}
	}
	to := j.sink
	run := func() tea.Msg {
		defer cancel(nil)
		defer close(to.done)
		before.Wait()
		to.err = safego.Call(what, func() error { return do(ctx, to) }) // a bug ends only the job
		return nil
	}
	return tea.Batch(run, dk.listen(j))
}

// listen waits for the job's next events.
func (dk *desk) listen(j *job) tea.Cmd {
	ctx, to, id := dk.m.ctx, j.sink, j.id
	return func() tea.Msg {
		list, dropped, ok := to.next(ctx)
		return eventsMsg{id, list, dropped, !ok}
	}
}

// events handles a batch; after the last one the steps are inspected again.
func (dk *desk) events(msg eventsMsg) tea.Cmd {
	j := dk.job
	if j == nil || j.id != msg.job || j.over {
		return nil
	}
	j.take(dk.m, msg.list, msg.dropped)
	if j.step == 0 && j.form != nil && dk.m.top() == dk.m.dash {
		dk.m.push(dk.m.verb) // it has a question
	}
	if !msg.over {
		return dk.listen(j)
	}
	if dk.m.ctx.Err() != nil {
		return nil
	}
	return dk.ended(j)
}

// ended continues after a job: its step is inspected at once, all others after it.
func (dk *desk) ended(j *job) tea.Cmd {
	err := j.sink.err
	j.end(dk.m.now(), err)
	dk.m.window.pinned = false
	dk.m.title = cleanTitle(dk.m.work.Title())
	dk.list.word(dk.m.work.Steps())
	dk.list.staleAll(-1)
	for i := range dk.list.steps {
		dk.list.steps[i].planned = false
		switch n := dk.list.steps[i].number; { // findings from before the work are out of date
		case j.run != "" && (n == j.step || n == j.step+1):
			dk.list.steps[i].status = front.Status{} // it was about another run
			fallthrough
		case n == j.step:
			dk.list.steps[i].known = false
		}
	}
	if j.step > 0 {
		if err != nil && cancelled(err) && j.declined {
			delete(dk.last, j.step) // the page comes back as it was before the question
			dk.m.say("left open: Enter asks again")
		}
		if err != nil {
			return nil
		}
		dk.forgetFailures(j.step)
		if j.run != "" && dk.m.top().step() == front.StepRun && j.step == front.StepRun { // a run that was started becomes visible
			return tea.Batch(dk.list.goTo(front.StepMonitor), dk.m.wizard.apply())
		}
		return nil
	}
	if dk.m.top() == dk.m.verb && (err == nil && len(j.output)+len(j.letters) == 0 || cancelled(err)) {
		if dk.m.say(j.summary()); err != nil {
			dk.m.say("stopped: " + j.what + "; what was done stays done")
		}
		return tea.Batch(dk.m.pop(), dk.m.dash.Update(dash.Ran{Run: j.verb}))
	}
	if dk.m.dash != nil {
		return dk.m.dash.Update(dash.Ran{Run: j.verb, Err: err})
	}
	return nil
}

// forgetFailures drops the failures of the steps after n: they concern a state that n has just replaced, as a
// new run replaces the failed one.
func (dk *desk) forgetFailures(n front.StepID) {
	for step, j := range dk.last {
		if step > n && j.over && j.err != nil {
			delete(dk.last, step)
		}
	}
}

// stop ends the running job.
func (dk *desk) stop() tea.Cmd {
	if dk.working() && !dk.job.stopping {
		dk.job.stopping = true
		dk.job.form = nil
		dk.job.waiting = nil
		dk.job.waits(dk.m.now())
		dk.job.cancel(errStopped)
	}
	return nil
}

// form returns the question on the screen, if any.
func (dk *desk) form() *form {
	if !dk.working() || dk.job.form == nil || dk.job.step != dk.m.top().step() {
		return nil
	}
	return dk.job.form
}

// login returns the login that waits for the user on the open step.
func (dk *desk) login() *front.LoginOpen {
	if dk.working() && dk.job.step == dk.m.top().step() {
		return dk.job.login
	}
	return nil
}

// answer passes a key to the question on the screen; taken is false for a key that means nothing there.
func (dk *desk) answer(msg tea.KeyMsg) (cmd tea.Cmd, taken bool) {
	f := dk.form()
	if f == nil {
		return nil, false
	}
	if key.Matches(msg, keys.back) {
		dk.m.flow.hold()
		dk.job.declined = true
		return dk.stop(), true
	}
	answered, taken := f.update(msg)
	if answered {
		dk.job.form = nil
		dk.job.nextForm(dk.m)
		dk.job.waits(dk.m.now())
	}
	if answered || taken {
		dk.m.window.pinned = false
	}
	return nil, taken || f.typing() && !scrolls(msg)
}

// output returns the output of a step's running work, to copy.
func (dk *desk) output(step front.StepID) []entry {
	if j := dk.last[step]; j != nil && len(j.output) > 0 && !j.over {
		return []entry{{"the output", strings.Join(j.output, "\n") + "\n"}}
	}
	return nil
}

func scrolls(msg tea.KeyMsg) bool {
	return msg.Type == tea.KeyPgUp || msg.Type == tea.KeyPgDown
}
