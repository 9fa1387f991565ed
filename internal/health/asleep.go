package health

import (
	"fmt"
	"sync"
	"time"

	"flwrup/internal/problem"
)

// MachineSlept says that the grid lost a SuperNode while this machine was asleep.
const MachineSlept problem.Code = "machine-slept"

const (
	sleepShows = 20 * time.Second // less is a busy machine, or a clock that was put right
	// A SuperNode is back within half a minute after the machine is (seen with one that was stopped for 97 s).
	sleepMatters = 2 * time.Minute
)

// sleeper notices that the machine was asleep: the wall clock has gone on, and the clock that Go measures
// with has stood still meanwhile (on Linux, macOS and Windows).
type sleeper struct {
	mu       sync.Mutex
	last     time.Time
	from, to time.Time // the last sleep; zero for none
}

// look is called again and again with the time of now.
func (a *sleeper) look(now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.last.IsZero() {
		a.note(a.last.Round(0), now.Round(0), now.Sub(a.last))
	}
	a.last = now
}

// note compares the time on the wall clock with the time that was measured.
func (a *sleeper) note(from, to time.Time, awake time.Duration) {
	if to.Sub(from)-awake >= sleepShows {
		a.from, a.to = from, to
	}
}

// recent returns the last sleep, as long as it explains anything.
func (a *sleeper) recent(now time.Time) (from, to time.Time, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.from, a.to, !a.to.IsZero() && now.Round(0).Sub(a.to) < sleepMatters
}

// sleptProblem says that the grid lost a SuperNode because the machine was asleep.
func sleptProblem(name string, from, to time.Time) *problem.Problem {
	return problem.New(MachineSlept, "the grid lost "+name+" while this machine was asleep",
		fmt.Sprintf("it slept from %s to %s; the grid drops a SuperNode about a minute after its last heartbeat", from.Local().Format("15:04"), to.Local().Format("15:04")),
		"wait half a minute, it comes back on its own; keep the machine awake while SuperNodes run (macOS: caffeinate -is, Linux: systemd-inhibit sleep infinity)")
}
