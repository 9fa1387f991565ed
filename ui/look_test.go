package ui

import (
	"testing"
	"testing/synctest"
	"time"

	"flwrup/internal/front"
)

// looker counts the looks that were begun.
type looker struct {
	Work
	begun int
}

func (l *looker) Look() front.Look {
	l.begun++
	return &struct{ front.Look }{}
}

// TestRounds: the steps in the background share one look, for each step once and for some seconds; the open step waits
// for no other one.
func TestRounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &looker{}
		l := newLookout(t.Context())
		begun := func(when string, want int) {
			t.Helper()
			if w.begun != want {
				t.Errorf("%s: %d looks, %d wanted", when, w.begun, want)
			}
			w.begun = 0
		}
		for id := front.StepAccount; id <= front.StepMonitor; id++ {
			l.lookFor(w, id, false)
		}
		begun("all steps", 1)
		l.lookFor(w, front.StepKeys, true)
		l.lookFor(w, front.StepKeys, true)
		begun("the open step, twice", 2)
		l.lookFor(w, front.StepKeys, false)
		l.lookFor(w, front.StepBackup, false)
		begun("a step again, and another one", 1)
		time.Sleep(fresh + time.Second)
		l.lookFor(w, front.StepLogin, false)
		begun("later", 1)
		l.renew()
		l.lookFor(w, front.StepRegister, false)
		begun("after work", 1)
		(&stepList{looks: l}).staleAll(-1) // what step 10 waited for in that look may be done
		l.lookFor(w, front.StepHandover, false)
		begun("after news", 1)
	})
}
