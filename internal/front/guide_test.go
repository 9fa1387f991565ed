package front

import "testing"

// TestGuide: every step is in one phase, and has its words.
func TestGuide(t *testing.T) {
	next := StepAccount
	for _, ph := range Phases {
		if ph.First != next || ph.Last < ph.First || ph.Name == "" {
			t.Errorf("%+v comes after step %d", ph, next-1)
		}
		next = ph.Last + 1
	}
	if int(next)-1 != StepTotal {
		t.Errorf("the phases end with step %d", next-1)
	}
	for id := StepAccount; id <= StepMonitor; id++ {
		if n := len(id.Guide()); n < 20 || n > 100 {
			t.Errorf("step %d: the guide's sentence has %d characters", id, n)
		}
		if n := len(id.Undo()); n < 10 || n > 100 {
			t.Errorf("step %d: %d characters about undoing", id, n)
		}
	}
}
