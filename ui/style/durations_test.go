package style

import (
	"testing"
	"time"

	"flwrup/internal/front"
)

// TestDurations: the same time as an age in a column, as an uptime that stands still, as a time that something took, and
// as a running clock.
func TestDurations(t *testing.T) {
	for d, want := range map[time.Duration][4]string{
		-time.Second:                          {"0s", "0s", "0.0s", "0:00"},
		400 * time.Millisecond:                {"0s", "0s", "0.4s", "0:00"},
		52 * time.Second:                      {"52s", "52s", "52s", "0:52"},
		8*time.Minute + 5*time.Second:         {"8m", "8m", "8m 05s", "8:05"},
		time.Hour + 7*time.Minute:             {"1h", "1h 07m", "1h 07m", "1:07:00"},
		3*24*time.Hour + 4*time.Hour:          {"3d", "3d 04h", "3d 04h", "76:00:00"},
		time.Hour + 7*time.Minute + time.Hour: {"2h", "2h 07m", "2h 07m", "2:07:00"},
	} {
		if got := [4]string{Age(d), Uptime(d), Took(d), Clock(d)}; got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
	now := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	over := front.RunView{Status: front.RunCompleted, Elapsed: 133 * time.Second}
	going := front.RunView{Status: front.RunRunning, Running: now.Add(-133 * time.Second)}
	if a, b := RunClock(over, now), RunClock(going, now); a != "2m 13s" || b != "2:13" {
		t.Errorf("a run that is over took %q, one that goes on %q", a, b)
	}
}
