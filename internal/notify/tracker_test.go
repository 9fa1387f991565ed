package notify

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// looks plays looks to a Tracker, every ten seconds.
type looks struct {
	t   *testing.T
	of  *Tracker
	now time.Time
}

func newLooks(t *testing.T) *looks {
	return &looks{t, new(Tracker), time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)}
}

// look sees things such as "supernode_1=lost", "grid=well", "run 7=going", and returns the news.
func (l *looks) look(things ...string) string {
	l.t.Helper()
	s := Seen{At: l.now}
	for _, text := range things {
		name, stand, _ := strings.Cut(text, "=")
		switch {
		case text == "slept":
			s.Slept = true
		case name == "grid":
			s.Things = append(s.Things, Thing{What: Grid, Stand: Stand(stand)})
		case strings.HasPrefix(name, "run "):
			s.Runs = append(s.Runs, SeenRun{ID: name[4:], Status: stand, Going: stand == "going" || stand == "waits", Waits: stand == "waits", Failed: stand == "failed", Stopped: stand == "stopped"})
		default:
			s.Things = append(s.Things, Thing{What: Node, Name: name, Stand: Stand(stand), Code: "node-killed", Cause: "killed"})
		}
	}
	var said []string
	for _, e := range l.of.Look(s, time.Minute) {
		said = append(said, strings.TrimSpace(string(e.Kind)+" "+e.Name))
	}
	l.now = l.now.Add(10 * time.Second)
	return strings.Join(said, ", ")
}

// times looks n times, and fails unless the news are want in all.
func (l *looks) times(n int, want string, things ...string) {
	l.t.Helper()
	var said []string
	for range n {
		if text := l.look(things...); text != "" {
			said = append(said, text)
		}
	}
	if got := strings.Join(said, ", "); got != want {
		l.t.Fatalf("%v: told %q, want %q", things, got, want)
	}
}

func TestToldOnce(t *testing.T) {
	l := newLooks(t)
	l.times(3, "", "a=well", "b=well")
	l.times(6, "", "a=lost", "b=well") // 50 s
	l.times(1, "lost a", "a=lost", "b=well")
	l.times(500, "", "a=lost", "b=well")
	l.times(5, "back a", "a=well", "b=well")
	l.times(50, "", "a=well", "b=well")
}

// A loss that ends before it is unbearable is no news, and neither is one of a thing that is on its way.
func TestBearable(t *testing.T) {
	l := newLooks(t)
	for range 20 {
		l.times(5, "", "a=lost")
		l.times(2, "", "a=")
		l.times(3, "", "a=well")
	}
	l.times(60, "", "a=")
}

// Things that are lost at about the same time make one message, others a later one.
func TestManyAtOnce(t *testing.T) {
	l := newLooks(t)
	l.times(2, "", "a=lost", "b=well", "c=well", "d=well")
	l.times(4, "", "a=lost", "b=lost", "c=lost", "d=well")
	if got := l.look("a=lost", "b=lost", "c=lost", "d=lost"); got != "lost a, lost b, lost c" {
		t.Errorf("told %q", got)
	}
	l.times(6, "lost d", "a=lost", "b=lost", "c=lost", "d=lost")
}

// A thing that goes up and down makes ever fewer messages, and its return at the end makes one all the same.
func TestFlapping(t *testing.T) {
	l := newLooks(t)
	told := 0
	for range 24 * 60 / 5 { // a day of two and a half minutes lost, two and a half well
		for range 15 {
			told += strings.Count(l.look("a=lost"), "a")
		}
		for range 15 {
			told += strings.Count(l.look("a=well"), "a")
		}
	}
	if told < 2 || told > 12 {
		t.Errorf("told %d times in a day", told)
	}
	for n := 0; ; n++ {
		if got := l.look("a=well"); got == "back a" {
			break
		}
		if n > 400 {
			t.Fatal("its return is not told within an hour")
		}
	}
}

// SuperNodes that a grid lost on its way down get their time from when it is back, and so they do after a sleep.
func TestGridAndSleep(t *testing.T) {
	l := newLooks(t)
	l.times(2, "", "grid=well", "a=well")
	l.times(5, "", "grid=well", "a=lost")
	l.times(20, "lost", "grid=lost", "a=")
	l.times(4, "back", "grid=well", "a=lost")
	l.times(2, "", "grid=well", "a=lost")
	l.times(10, "", "grid=well", "a=well")

	l.times(5, "", "grid=well", "a=lost")
	if got := l.look("slept", "grid=well", "a=lost"); got != "" {
		t.Errorf("after a sleep: %q", got)
	}
	l.times(4, "", "grid=well", "a=lost")
	l.times(2, "", "grid=well", "a=well")
	l.times(5, "", "grid=well", "a=lost")
	l.now = l.now.Add(8 * time.Hour) // nobody watched
	l.times(5, "", "grid=well", "a=lost")
	l.times(6, "lost a", "grid=well", "a=lost")
}

// A grid that stumbles for a moment again and again does not hide a SuperNode that is lost.
func TestStumblingGrid(t *testing.T) {
	l := newLooks(t)
	told := ""
	for range 20 {
		told += l.look("grid=well", "a=lost") + l.look("grid=well", "a=lost") + l.look("grid=lost", "a=")
	}
	if told != "lost a" {
		t.Errorf("told %q", told)
	}
}

// A SuperNode that a person stops, or removes, is no loss any more, and its return is no news.
func TestStoppedByPerson(t *testing.T) {
	l := newLooks(t)
	l.times(7, "lost a", "a=lost", "b=well")
	l.times(3, "", "b=well")
	l.times(10, "", "a=well", "b=well")
}

func TestRuns(t *testing.T) {
	l := newLooks(t)
	l.times(2, "", "run 1=done", "run 2=going") // from before
	l.times(2, "run-finished 2", "run 1=done", "run 2=done")
	l.times(3, "run-started 3", "run 1=done", "run 2=done", "run 3=going")
	l.times(3, "run-failed 3", "run 3=failed")
	l.times(3, "run-finished 4", "run 4=done") // between two looks
	l.times(1, "run-started 5", "run 5=going")
	l.times(30, "", "run 5=waits") // 290 s
	l.times(60, "run-waits 5", "run 5=waits")
	l.times(10, "", "run 5=going")
	l.times(1, "run-finished 5", "run 5=stopped")
}

// Longer than usual depends on how long runs waited before.
func TestUsualWait(t *testing.T) {
	l := newLooks(t)
	l.times(1, "", "run 9=done")
	for n := range 5 {
		l.times(1, fmt.Sprintf("run-started %d", n+10), fmt.Sprintf("run %d=going", n+10))
		l.times(4, "", fmt.Sprintf("run %d=waits", n+10))
		l.times(1, fmt.Sprintf("run-finished %d", n+10), fmt.Sprintf("run %d=done", n+10))
	}
	l.times(1, "run-started 20", "run 20=going")
	l.times(9, "", "run 20=waits")
	l.times(2, "run-waits 20", "run 20=waits")
}
