package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// office is a Desk in a folder, with what its channels got.
type office struct {
	t    *testing.T
	dir  string
	desk *Desk
	set  Settings
	mu   sync.Mutex
	got  []Message
	fail func(m Message) error // nil: all arrives
	said []string
	end  func()
}

// open begins to watch, as after a restart.
func (o *office) open() {
	o.t.Helper()
	d, err := Open(Options{StateDir: o.dir, Project: "study", Settings: o.set, Say: func(ok bool, text string) {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.said = append(o.said, fmt.Sprintf("%v %s", ok, text))
	}})
	if err != nil {
		o.t.Fatal(err)
	}
	d.send = func(ctx context.Context, _ string, m Message) error {
		o.mu.Lock()
		defer o.mu.Unlock()
		if o.fail != nil {
			if err := errors.Join(o.fail(m), ctx.Err()); err != nil {
				return err
			}
		}
		o.got = append(o.got, m)
		return nil
	}
	ctx, cancel := context.WithCancel(o.t.Context())
	done := make(chan struct{})
	go func() { d.Deliver(ctx); close(done) }()
	o.desk, o.end = d, func() { cancel(); <-done }
}

// kinds are what all messages so far told: "lost a".
func (o *office) kinds() (list []string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, m := range o.got {
		var words []string
		for _, e := range m.Entries {
			words = append(words, strings.TrimSpace(string(e.Kind)+" "+e.Name))
		}
		list = append(list, strings.Join(words, ", "))
	}
	return list
}

func (o *office) want(list ...string) {
	o.t.Helper()
	synctest.Wait()
	if got := strings.Join(o.kinds(), " | "); got != strings.Join(list, " | ") {
		o.t.Fatalf("told %q\nwant %q\nsaid %q", got, strings.Join(list, " | "), o.said)
	}
}

// watch looks for as long as said, every ten seconds.
func (o *office) watch(d time.Duration, things ...string) {
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(10 * time.Second) {
		s := Seen{At: time.Now().Round(0)}
		for _, text := range things {
			name, stand, _ := strings.Cut(text, "=")
			s.Things = append(s.Things, Thing{What: Node, Name: name, Stand: Stand(stand), Cause: "killed", Fix: "flwrup start " + name})
		}
		o.desk.Look(s)
	}
}

// until sleeps until a time of the day.
func until(hour, minute int) {
	now := time.Now()
	at := time.Date(now.Year(), now.Month(), now.Day(), hour, minute, 0, 0, time.Local)
	if at.Before(now) {
		at = at.AddDate(0, 0, 1)
	}
	time.Sleep(time.Until(at))
}

func inOffice(t *testing.T, set Settings, test func(t *testing.T, o *office)) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		o := &office{t: t, dir: dir, set: set}
		o.set.Webhook = "https://hooks.example.org/flwrup"
		o.open()
		test(t, o)
		o.end()
	})
}

// One and one, also over a restart of the watch at any moment: none twice, none lost.
func TestOneAndOne(t *testing.T) {
	inOffice(t, Settings{After: "1m"}, func(t *testing.T, o *office) {
		restart := func() { o.end(); o.open() }
		o.watch(30*time.Second, "a=well")
		o.watch(40*time.Second, "a=lost")
		restart()
		o.want()
		o.watch(2*time.Minute, "a=lost")
		o.want("lost a")
		restart()
		o.watch(2*time.Minute, "a=lost")
		o.watch(20*time.Second, "a=well")
		restart()
		o.watch(2*time.Minute, "a=well")
		restart()
		o.watch(2*time.Minute, "a=well")
		o.want("lost a", "back a")
		m := o.got[0]
		if m.Title != "study: a is lost" || !strings.Contains(m.Text, "killed") || !strings.Contains(m.Text, "what to do: flwrup start a") {
			t.Errorf("%+v", m)
		}
	})
}

// A watch that is killed while it sends has the message sent again by the next one, with its ID.
func TestKilledWhileSending(t *testing.T) {
	inOffice(t, Settings{After: "1m"}, func(t *testing.T, o *office) {
		var tried Message
		copied := filepath.Join(o.dir, "copy")
		o.fail = func(m Message) error { // the state as it is on disk at that moment
			tried = m
			text, err := os.ReadFile(File(o.dir))
			return errors.Join(err, os.WriteFile(copied, text, 0o600))
		}
		o.watch(2*time.Minute, "a=lost")
		o.want("lost a")
		o.end()
		if err := os.Rename(copied, File(o.dir)); err != nil {
			t.Fatal(err)
		}
		o.fail = nil
		o.open()
		o.watch(time.Minute, "a=lost")
		o.want("lost a", "lost a")
		if m := o.got[1]; m.ID != tried.ID || m.Attempt != 2 {
			t.Errorf("%+v after %+v", m, tried)
		}
	})
}

// A watch that a person ends while an answer is on its way takes it in, and the next one does not send the message again.
func TestEndedWhileSending(t *testing.T) {
	inOffice(t, Settings{After: "0s"}, func(t *testing.T, o *office) {
		o.fail = func(Message) error { time.Sleep(time.Second); return nil }
		o.desk.Look(Seen{At: time.Now().Round(0), Things: []Thing{{What: Node, Name: "a", Stand: Gone}}})
		time.Sleep(500 * time.Millisecond)
		o.end()
		o.fail = nil
		o.open()
		o.watch(time.Minute, "a=lost")
		o.want("lost a")
	})
}

// A webhook that fails gets each message once it works, in few messages, and the log says so.
func TestWebhookDown(t *testing.T) {
	inOffice(t, Settings{After: "1m"}, func(t *testing.T, o *office) {
		tries := 0
		o.fail = func(Message) error { tries++; return errors.New("answered 503") }
		for i := range 5 {
			o.watch(3*time.Minute, fmt.Sprintf("n%d=lost", i))
		}
		o.end()
		o.open()
		o.watch(time.Minute, "n4=lost")
		o.want()
		if tries < 4 || tries > 15 {
			t.Errorf("%d tries in 16 minutes", tries)
		}
		o.fail = nil
		o.watch(31*time.Minute, "n4=lost")
		o.want("lost n0", "lost n1, lost n2, lost n3, lost n4")
		if said := strings.Join(o.said, "\n"); !strings.Contains(said, "false webhook: answered 503; it is tried again in 5 s") || !strings.Contains(said, "true told by webhook") {
			t.Errorf("said %s", said)
		}
	})
}

// A webhook that never works again is given up after a day, and the log has what was not told.
func TestGivenUp(t *testing.T) {
	inOffice(t, Settings{After: "1m"}, func(t *testing.T, o *office) {
		tries := 0
		o.fail = func(Message) error { tries++; return errors.New("answered 404") }
		o.watch(2*time.Minute, "a=lost")
		time.Sleep(26 * time.Hour)
		o.want()
		said := strings.Join(o.said, "\n")
		if !strings.Contains(said, "given up after") || !strings.Contains(said, "a is lost since") || tries > 70 {
			t.Errorf("%d tries, said %s", tries, said)
		}
		o.fail = nil
		o.watch(2*time.Minute, "a=well")
		o.want("back a")
	})
}

// Quiet hours hold back and sum up. Nothing is lost, also when the watch is started again in between.
func TestQuietHours(t *testing.T) {
	inOffice(t, Settings{After: "1m", Quiet: "22:00-07:00"}, func(t *testing.T, o *office) {
		until(21, 50)
		evening := time.Now().Format(time.DateOnly)
		o.watch(5*time.Minute, "a=lost", "b=well", "c=well")
		o.want("lost a")
		o.watch(10*time.Minute, "a=lost", "b=well", "c=well")
		o.watch(time.Hour, "a=well", "b=lost", "c=lost")
		o.end()
		o.open()
		o.watch(time.Hour, "a=well", "b=well", "c=lost")
		o.want("lost a")
		time.Sleep(2 * time.Hour)
		o.watch(20*time.Minute, "a=well", "b=well", "c=lost")
		until(7, 0)
		o.watch(time.Minute, "a=well", "b=well", "c=lost")
		o.want("lost a", "back a, lost c, was-lost b")
		m := o.got[1]
		if !m.Quiet || !strings.HasPrefix(m.Text, "In the quiet hours:\n") || !strings.Contains(m.Text, "b was lost from "+evening+" 22:") || time.Now().Hour() != 7 {
			t.Errorf("at %s: %+v", time.Now(), m)
		}
	})
}

// The message about a night full of trouble is bounded, and says how much it leaves out.
func TestFloodIsBounded(t *testing.T) {
	inOffice(t, Settings{After: "0s", Quiet: "22:00-07:00"}, func(t *testing.T, o *office) {
		until(23, 0)
		for i := range 600 {
			o.watch(10*time.Second, fmt.Sprintf("n%d=lost", i))
		}
		o.end()
		o.open()
		until(7, 0)
		o.watch(time.Minute, "n599=lost")
		synctest.Wait()
		if len(o.got) != 1 || len(o.got[0].Entries)+o.got[0].More != 600 || len(o.got[0].Entries) > mostEntries {
			t.Fatalf("%d messages, %v", len(o.got), o.kinds())
		}
		if info, err := os.Stat(File(o.dir)); err != nil || info.Size() > 100<<10 {
			t.Errorf("%v %v", info.Size(), err)
		}
	})
}

// A file that cannot be understood is set aside; another that is not its own is refused.
func TestUnreadableState(t *testing.T) {
	dir := t.TempDir()
	for _, text := range []string{"{", `{"version":7}`, `{"version":1,"tracker":{"things":{"x":null},"runs":{"x":null}},"out":{"webhook":null}}`, "", strings.Repeat("[", 100)} {
		if err := os.WriteFile(File(dir), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		d, err := Open(Options{StateDir: dir, Settings: Settings{Command: []string{"true"}}})
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		d.Look(Seen{At: time.Now(), Things: []Thing{{What: Node, Name: "x", Stand: Gone}}})
	}
	if aside, _ := filepath.Glob(filepath.Join(dir, "notify.json.unreadable-*")); len(aside) == 0 {
		t.Error("what could not be read is gone")
	}
	if err := os.Remove(File(dir)); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(File(dir), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(Options{StateDir: dir}); err == nil {
		t.Error("a folder in its place was taken")
	}
}

// Texts from the grid and from logs reach nobody's terminal, also when they come back from the file.
func TestHostileTexts(t *testing.T) {
	inOffice(t, Settings{After: "0s"}, func(t *testing.T, o *office) {
		bad := "x\x1b]52;c;AAAA\x07\u202e\r\n" + strings.Repeat("y", 5000)
		o.desk.Look(Seen{At: time.Now().Round(0), Things: []Thing{{What: Node, Name: bad, Stand: Gone, Code: bad, Cause: bad, Fix: bad}}})
		synctest.Wait()
		if len(o.got) != 1 {
			t.Fatal(o.said)
		}
		text, err := json.Marshal(o.got[0])
		if err != nil || len(text) > 4000 || strings.ContainsAny(string(text), "\x1b\u202e\x07") || strings.Contains(string(text), `\u001b`) || strings.Contains(o.got[0].Title, "\n") {
			t.Errorf("%v, %d bytes: %s", err, len(text), text)
		}
	})
}

// Nobody hears of what nobody wants to hear.
func TestAbout(t *testing.T) {
	inOffice(t, Settings{After: "0s", About: []string{AboutGrid}}, func(t *testing.T, o *office) {
		s := Seen{At: time.Now().Round(0), Things: []Thing{{What: Node, Name: "a", Stand: Gone}, {What: Grid, Stand: Gone}, {What: Runtime, Stand: Gone}}}
		o.desk.Look(s)
		o.want("lost, lost")
		if m := o.got[0]; m.Title != "study: the grid and the runtime of the SuperNodes are lost" {
			t.Error(m.Title)
		}
	})
}
