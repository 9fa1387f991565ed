package front

import (
	"testing"
	"time"
)

// A run that was lost with its grid lives on the next one where its ServerApp starts there. flwr says when in whole seconds.
func TestStartsSince(t *testing.T) {
	began := time.Date(2026, 11, 27, 2, 0, 0, 9e8, time.UTC)
	for _, c := range []struct {
		status  RunStatus
		running time.Time
		want    bool
	}{
		{RunPending, time.Time{}, true},
		{RunRunning, began.Add(2 * time.Second).Truncate(time.Second), true},
		{RunRunning, began.Truncate(time.Second), false}, // a moment before: its ServerApp is gone
		{RunRunning, time.Time{}, false},
		{RunStarting, time.Time{}, false},
	} {
		if got := c.status.StartsSince(began, c.running); got != c.want {
			t.Errorf("%s at %v: %v", c.status, c.running, got)
		}
	}
}
