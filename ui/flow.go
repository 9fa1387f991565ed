package ui

import (
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"flwrup/internal/front"
)

const (
	goOnAfter = 1200 * time.Millisecond // a step that is done stays this long before the next one comes
	tooSoon   = 400 * time.Millisecond  // an Enter this soon after flwrup changed the page was meant for the page before
)

// flow goes from step to step without a key, as far as no person is needed. It begins with the first answer, ends
// when the user moves by hand, stops something or presses a key while it goes on, and begins again with Enter or G.
type flow struct {
	m    *Model
	each bool // the user wants to be asked at each step; else only where a person is needed
	led  bool // the open step was reached by going on, not by hand
	// due is when the next step is opened; zero while the open one is not done.
	due   time.Time
	moved time.Time    // when it last changed the page
	begun front.StepID // begun without a key since the step was opened: not a second time
	met   bool         // the first step with work left was found
}

// meet begins with the first step that has work left: with a welcome while there are no keys yet, else with that
// step's own question.
func (f *flow) meet(first front.StepID) {
	f.met = true
	switch {
	case f.m.others.PID > 0: // another flwrup acts
	case first <= front.StepKeys:
		f.m.push(newWelcome(f.m))
	default:
		f.lead()
	}
}

// hold stops going on.
func (f *flow) hold() { f.led, f.due = false, time.Time{} }

// lead goes on from the open step.
func (f *flow) lead() { f.led, f.begun = true, 0 }

// early reports whether an Enter now was meant for another page than the one on the screen.
func (f *flow) early() bool { return !f.moved.IsZero() && f.m.now().Sub(f.moved) < tooSoon }

// next goes on where nothing needs a person: it begins the open step, or opens the next one when that is done.
func (f *flow) next() tea.Cmd {
	m := f.m
	st := m.list.here()
	if !f.led || m.top() != m.wizard || m.desk.working() || !st.fresh() || st.stale || st.looking || m.wizard.failure() != nil {
		f.due = time.Time{}
		return nil
	}
	if !st.settled() {
		f.due = time.Time{}
		if by := st.status.By; st.status.State == front.Blocked && by > 0 && by < st.number { // the step before changed what an earlier one needs
			f.begun, f.moved = 0, m.now()
			return tea.Batch(m.list.goTo(by), f.next())
		}
		if st.status.State != front.Ready || !st.planned || f.begun == st.number || !f.begins(st) {
			return nil
		}
		f.begun, f.moved = st.number, m.now()
		cmd := m.wizard.apply()
		m.desk.job.alone = true
		return cmd
	}
	switch {
	case st.number.ShowsResult():
	case f.due.IsZero():
		f.due = m.now().Add(goOnAfter)
	case !m.now().Before(f.due):
		f.due, f.begun, f.moved = time.Time{}, 0, m.now()
		return tea.Batch(m.wizard.goOn(), f.next())
	}
	return nil
}

// begins reports whether a step begins without a key. One that cannot be taken back never does.
func (f *flow) begins(st *stepView) bool {
	switch {
	case irreversible(st.plan) > 0:
		return false
	case f.m.list.auto: // no key so far: a question is asked, once all is known, and nothing is done
		return st.number.AsksFirst() && f.m.list.allKnown()
	case st.number.AsksFirst(), st.number.OnlyLooks():
		return true
	}
	return !f.each && !st.number.NeedsWord()
}

// toggle is the key G: it goes on until a person is needed, or has the user asked at each step.
func (f *flow) toggle() {
	if f.led && !f.each {
		f.each = true
		f.m.say("asks at each step from here on")
		return
	}
	f.each = false
	f.lead()
	f.m.say("goes on until you are needed")
}

// words say what G does now.
func (f *flow) words() string {
	if f.led && !f.each {
		return "ask at each step"
	}
	return "go on until needed"
}
