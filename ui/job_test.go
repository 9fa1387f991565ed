package ui

import (
	"strings"
	"testing"
	"time"

	"flwrup/internal/front"
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

// TestWorkWithoutCount: work that counts nothing is drawn by its label alone, and not as 0 bytes of it.
func TestWorkWithoutCount(t *testing.T) {
	for _, c := range []struct {
		p    front.Progress
		want string
	}{
		{front.Progress{Label: "checking that flower-supernode runs", Bytes: true}, " checking that flower-supernode runs"},
		{front.Progress{Label: "pulled", Done: 2_000_000, Bytes: true}, " 2M pulled"},
		{front.Progress{Label: "started", Total: 2}, "  0 of 2 started"},
	} {
		f := world(13)
		m := still(f, 13, 80, 24, Options{NoColor: true})
		m.desk.pretend(13, c.p)
		view := m.View()
		if !strings.Contains(view, c.want) || strings.Contains(view, "0B") {
			t.Errorf("%+v is drawn without %q:\n%s", c.p, c.want, view)
		}
	}
}
