package ui

import (
	"testing"
	"time"
)

// TestClockCountsWork: the time in which a question waits for its answer is the person's, not the work's.
func TestClockCountsWork(t *testing.T) {
	at := func(s int) time.Time { return time.Unix(int64(s), 0) }
	j := &job{began: at(0)}
	want := func(now, seconds int) {
		t.Helper()
		if got := j.clock(at(now)); got != time.Duration(seconds)*time.Second {
			t.Errorf("after %d s: %v, want %d s", now, got, seconds)
		}
	}
	want(3, 3)
	j.form = &form{}
	j.waits(at(3))
	j.waits(at(40)) // events come while it waits
	want(60, 3)
	j.form = nil
	j.waits(at(100))
	want(105, 8)
	j.form = &form{}
	j.waits(at(105))
	j.end(at(200), nil)
	want(999, 8)
}
