package ui

import (
	"cmp"
	"context"
	"slices"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/wording"
)

// wizard is the page of the open step, with the list of steps next to it.
type wizard struct {
	text
	list *stepList
	desk *desk
}

func (w *wizard) step() front.StepID { return w.list.here().number }

// aside: a login does not go with the list of steps, because its link needs whole lines.
func (w *wizard) aside() bool { return w.desk.login() == nil }

func (w *wizard) update(msg tea.KeyMsg) tea.Cmd {
	if key.Matches(msg, keys.enter) && w.m.flow.early() {
		return nil
	}
	if cmd, taken := w.desk.answer(msg); taken {
		return cmd
	}
	if !key.Matches(msg, keys.enter) && !w.m.flow.due.IsZero() {
		w.m.flow.hold()
	}
	if key.Matches(msg, keys.logs) {
		return w.m.showLogs(w.nodes())
	}
	if cmd, taken := w.m.everywhere(msg); taken {
		return cmd
	}
	st := w.list.here()
	switch {
	case key.Matches(msg, keys.up):
		return w.byHand(w.list.at - 1)
	case key.Matches(msg, keys.down):
		return w.byHand(w.list.at + 1)
	case key.Matches(msg, keys.home):
		return w.byHand(0)
	case key.Matches(msg, keys.end):
		return w.byHand(len(w.list.steps) - 1)
	case key.Matches(msg, keys.enter):
		w.m.flow.lead()
		return w.enter()
	case key.Matches(msg, keys.goOn):
		w.m.flow.toggle()
	case key.Matches(msg, keys.cancel):
		w.m.flow.hold()
		return w.desk.stop()
	case key.Matches(msg, keys.qr) && w.desk.login() != nil && len(w.desk.job.qr) > 0:
		w.m.push(&qrPage{text{w.m}})
	case key.Matches(msg, keys.flags) && hasCommands(st.plan):
		w.m.push(&flagsPage{text{w.m}})
	case key.Matches(msg, keys.save) && w.hasRun():
		return w.saveMetrics()
	case key.Matches(msg, keys.look) && !w.desk.working():
		st.stale = true
	case key.Matches(msg, keys.undo) && !w.desk.working() && w.m.work.CanUndo(st.number):
		return w.undo()
	case key.Matches(msg, keys.change) && !w.desk.working() && w.m.work.CanChange(st.number):
		return w.change()
	case key.Matches(msg, keys.admit) && w.admits():
		return w.m.verb.admit()
	case key.Matches(msg, keys.back) && w.desk.working() && w.desk.job.step == st.number:
		w.m.say("still at work: x stops it")
	}
	return nil
}

// admits reports whether the SuperNodes of other sites can be admitted from the open step: the registration and those
// after it, on the own account.
func (w *wizard) admits() bool {
	return !w.desk.working() && w.m.title.Site == "" && w.m.title.LoggedIn && w.step() >= front.StepRegister && w.step() <= front.StepOnline
}

// byHand opens a step that the user chose: it stays open, whatever its state.
func (w *wizard) byHand(i int) tea.Cmd {
	w.m.flow.hold()
	return w.list.open(i)
}

// enter performs the action of the open step.
func (w *wizard) enter() tea.Cmd {
	st := w.list.here()
	if w.desk.working() {
		if w.desk.job.step != st.number && w.desk.job.step > 0 {
			return w.list.goTo(w.desk.job.step)
		}
		return nil
	}
	if p := w.failure(); p != nil {
		if r, ok := remedy(p, st.number); ok && !w.desk.last[st.number].sent() {
			w.desk.last[st.number].remedied = true
			if r.Now {
				return tea.Batch(w.list.goTo(r.Step), w.apply())
			}
			return w.list.goTo(r.Step)
		}
		if w.desk.last[st.number] == nil || w.desk.last[st.number].err == nil { // the inspection failed, not the work
			st.stale = true
			return nil
		}
		return w.apply()
	}
	if !st.fresh() {
		return nil
	}
	switch st.status.State {
	case front.Done, front.NotNeeded:
		return w.goOn()
	case front.Blocked:
		if by := st.status.By; by > 0 {
			return w.list.goTo(by)
		}
		st.stale = true
		return nil
	}
	if !st.planned { // the plan is shown before the work
		return nil
	}
	return w.apply()
}

// goOn opens the next step with work left, or the dashboard when there is none.
func (w *wizard) goOn() tea.Cmd {
	if n := w.list.next(w.list.at); n >= 0 {
		return w.list.open(n)
	}
	return w.m.showDash()
}

// failure returns the failure of the open step, nil without one. Work that the user stopped has not failed.
func (w *wizard) failure() *problem.Problem {
	st := w.list.here()
	if j := w.desk.last[st.number]; j != nil && j.over && j.err != nil && !cancelled(j.err) {
		return problem.Of(j.err)
	}
	switch {
	case st.err != nil:
		return problem.Of(st.err)
	case st.planErr != nil:
		return problem.Of(st.planErr)
	}
	return nil
}

// apply performs the action of the open step.
func (w *wizard) apply() tea.Cmd {
	st := w.list.here()
	n, work := st.number, w.m.work
	cmd := w.desk.start(n, st.title, func(ctx context.Context, to front.Sink) error { return work.Apply(ctx, n, to) })
	if cmd != nil {
		w.desk.job.planned = true
	}
	return cmd
}

func (w *wizard) change() tea.Cmd {
	st := w.list.here()
	n, work := st.number, w.m.work
	return w.desk.start(n, st.title, func(ctx context.Context, to front.Sink) error { return work.Change(ctx, n, to) })
}

func (w *wizard) undo() tea.Cmd {
	st := w.list.here()
	n, work := st.number, w.m.work
	return w.desk.start(n, "Undo: "+st.title, func(ctx context.Context, to front.Sink) error {
		if err := work.Undo(ctx, n, to); err != nil {
			return err
		}
		to.Event(front.Says{Text: "the edit was taken back"})
		return nil
	})
}

// newRun goes to the step that starts runs, and starts one.
func (w *wizard) newRun() tea.Cmd {
	if w.desk.working() {
		w.m.warn("still at work: " + w.desk.job.what)
		return nil
	}
	w.m.base(w)
	return tea.Batch(w.m.shown(), w.list.goTo(front.StepRun), w.change())
}

// hasRun reports whether the open step is about a run that may have metrics.
func (w *wizard) hasRun() bool {
	st := w.list.here()
	if j := w.desk.last[st.number]; j != nil && j.run != "" {
		return true
	}
	return st.number == front.StepMonitor && st.known && st.status.State != front.Blocked && st.status.State != front.NotNeeded
}

// saveMetrics writes the metrics of the run on the screen to a file.
func (w *wizard) saveMetrics() tea.Cmd {
	id := ""
	if j := w.desk.last[w.list.here().number]; j != nil {
		id = j.run
	}
	w.m.say("saving the metrics")
	ctx, work := w.m.ctx, w.m.work
	return func() tea.Msg {
		file, err := work.SaveMetrics(ctx, id)
		if err != nil {
			return saidMsg{problem.Of(err).Error(), true}
		}
		return saidMsg{"metrics saved to " + file, false}
	}
}

var enterKey = tea.KeyMsg{Type: tea.KeyEnter}

// bindings end with "all keys", unless letters are an answer.
func (w *wizard) bindings() []key.Binding {
	list := w.ownBindings()
	if w.m.flow.early() { // it would not be taken
		list = slices.DeleteFunc(list, func(b key.Binding) bool { return key.Matches(enterKey, b) })
	}
	if f := w.desk.form(); f != nil && f.typing() {
		return list
	}
	return append(list, keys.help)
}

func (w *wizard) ownBindings() []key.Binding {
	st := w.list.here()
	here := w.desk.working() && w.desk.job.step == st.number
	var list []key.Binding
	f := w.desk.form()
	switch {
	case f != nil:
		list = append(list, f.bindings()...)
		list = append(list, as(keys.back, "stop this"))
		if f.typing() {
			return list
		}
	case here && !w.desk.job.stopping:
		list = append(list, keys.cancel)
	case here:
	case !w.m.flow.due.IsZero():
		list = append(list, as(keys.back, "stay here"))
	default:
		if words := w.enterWords(); words != "" {
			list = append(list, as(keys.enter, words))
		}
	}
	if w.desk.login() != nil {
		list = append([]key.Binding{as(keys.copy, "copy link"), as(keys.open, "open it")}, list...)
		if len(w.desk.job.qr) > 0 {
			list = append(list, keys.qr)
		}
	} else {
		if n := len(w.copies()); n > 0 {
			list = append(list, as(keys.copy, w.copyWords()))
		}
		if len(w.links()) > 0 {
			list = append(list, keys.open)
		}
	}
	if w.failure() != nil && rawText(w.m) != "" {
		list = append(list, keys.raw)
	}
	if !w.desk.working() {
		if hasCommands(st.plan) {
			list = append(list, keys.flags)
		}
		if w.m.work.CanUndo(st.number) {
			list = append(list, keys.undo)
		}
		if w.m.work.CanChange(st.number) && st.changeable() {
			list = append(list, as(keys.change, st.changeWords()))
		}
	}
	if w.failure() != nil {
		list = append(list, keys.places)
	}
	if w.admits() {
		list = append(list, keys.admit)
	}
	if st.number.HasLogs() {
		list = append(list, keys.logs)
	}
	if w.hasRun() {
		list = append(list, keys.save)
	}
	return append(list, keys.dash, keys.quit, as(keys.goOn, w.m.flow.words()))
}

// enterWords says what Enter does on the open step; "" when it does nothing.
func (w *wizard) enterWords() string {
	st := w.list.here()
	switch {
	case w.desk.working() && w.desk.job.step > 0:
		return "go to step " + w.desk.job.step.String()
	case w.desk.working():
		return ""
	}
	if p := w.failure(); p != nil {
		r, ok := remedy(p, st.number)
		j := w.desk.last[st.number]
		switch {
		case ok && (j == nil || !j.remedied) && (r.Now || r.Step == front.StepLogin):
			return r.Says
		case ok && (j == nil || !j.remedied):
			return "go to step " + r.Step.String()
		case j == nil || j.err == nil:
			return "look again"
		case r.Now && !ok: // trying again here does it
			return r.Says
		}
		return "try again"
	}
	if !st.fresh() {
		return ""
	}
	switch st.status.State {
	case front.Done, front.NotNeeded:
		if n := w.list.next(w.list.at); n >= 0 {
			return "continue to " + w.list.steps[n].name
		}
		return "dashboard"
	case front.Blocked:
		return "go to step " + st.status.By.String()
	case front.Waiting:
		return cmp.Or(st.status.Deed, "look closer")
	}
	if !st.planned {
		return ""
	}
	if n := irreversible(st.plan); n > 0 {
		return st.deed + " " + wording.Count(n, "SuperNode")
	}
	return st.deed
}

// irreversible counts the actions that cannot be undone.
func irreversible(plan []front.Action) (n int) {
	for _, a := range plan {
		if a.Irreversible {
			n++
		}
	}
	return n
}

func (w *wizard) copyWords() string {
	if w.list.here().status.Letter != nil {
		return "copy the letter"
	}
	if len(w.list.here().plan) > 0 || w.failure() != nil {
		for _, a := range w.list.here().plan {
			if a.Command != "" {
				return "copy command"
			}
		}
	}
	return "copy"
}

// copies are the texts that the step offers to copy.
func (w *wizard) copies() []entry {
	if l := w.desk.login(); l != nil {
		return []entry{{"the link", l.URL}}
	}
	var list []entry
	v := w.list.here()
	if p := w.failure(); p != nil {
		for _, c := range ticked(p.Fix) {
			list = append(list, entry{"to set it right", c})
		}
	}
	if v.status.Letter != nil && len(list) == 0 {
		return letterEntries([]front.Letter{*v.status.Letter})
	}
	list = append(list, v.hand...)
	list = append(list, withAll(commands(v.plan))...)
	for _, l := range v.status.Links {
		list = append(list, entry{l.Label, l.URL})
	}
	if text, ok := v.nodeIDs(); ok {
		list = append(list, entry{"all names and node IDs", text})
	}
	return append(list, w.desk.output(v.number)...)
}

// links returns the pages that belong to the step.
func (w *wizard) links() []entry {
	if l := w.desk.login(); l != nil {
		return []entry{{"the login", l.URL}}
	}
	var list []entry
	for _, l := range w.list.here().status.Links {
		list = append(list, entry{l.Label, l.URL})
	}
	return list
}

// nodes returns the SuperNodes whose logs belong to the screen; nil means all.
func (w *wizard) nodes() []string {
	if j := w.desk.last[w.list.here().number]; j != nil {
		if names := j.nodes(); len(names) > 0 && j.step.HasLogs() {
			return names
		}
	}
	return nil
}

// remedy returns the step that Enter leads to after a failure; ok is false when Enter tries again here.
func remedy(p *problem.Problem, here front.StepID) (r front.Remedy, ok bool) {
	r, ok = front.RemedyFor(p.Code)
	return r, ok && r.Step != here
}
