package watch

import (
	"context"
	"sync"
	"time"

	"flwrup/internal/front"
	"flwrup/internal/health"
	"flwrup/internal/notify"
	"flwrup/internal/problem"
	"flwrup/internal/runs"
	"flwrup/internal/safego"
	"flwrup/internal/site"
	"flwrup/internal/watch/metrics"
)

const (
	waitsEvery = time.Minute // between two readings of the log of a run that goes
	waitsRuns  = 3           // whose logs are read
	oneLog     = 20 * time.Second
)

// oneAtATime lets several goroutines call each.
func oneAtATime(each func(health.WatchEvent)) func(health.WatchEvent) {
	var mu sync.Mutex
	return func(e health.WatchEvent) {
		mu.Lock()
		defer mu.Unlock()
		each(e)
	}
}

// openDesk begins to send what people have to hear. stop waits until nothing is being sent; what is left is sent by the next
// watch. SuperNodes are watched also where it cannot be read what people have heard so far: then that is said.
func (w *watcher) openDesk(ctx context.Context) (stop func()) {
	c := w.site.Choices()
	o := notify.Options{StateDir: w.site.StateDir(), Dir: w.site.Dir, Project: c.Name, Settings: c.Notify, Say: func(ok bool, text string) {
		kind := health.WatchTold
		if !ok {
			kind = health.WatchNotTold
		}
		w.say(kind, "", text)
	}}
	var err error
	if w.desk, err = notify.Open(o); err != nil {
		w.trouble(health.WatchNotTold, "", "", &problem.Problem{Code: problem.BadInput, What: "cannot read what people have heard so far; what is lost may be said again", Why: problem.Cause(err),
			Fix: "move " + notify.File(o.StateDir) + " away, and start the watch again", Err: err})
		o.StateDir = ""
		w.desk, _ = notify.Open(o) // reads nothing
	}
	ctx, end := context.WithCancel(ctx)
	ended := make(chan struct{})
	safego.Go("sending messages", func(err error) { w.trouble(health.WatchNotTold, "", "", err); close(ended) }, func() {
		w.desk.Deliver(ctx)
		close(ended)
	})
	return func() { end(); <-ended }
}

// tell hands on what people may have to hear of a look.
func (w *watcher) tell(ctx context.Context, o front.Overview, slept bool) {
	c := w.site.Choices()
	if !c.Notify.Sends() {
		return
	}
	now := time.Now()
	w.waits.read(ctx, w.site, o, now)
	seen := health.ToTell(o, now.Round(0), health.Redactor(w.site, false).Text, w.waits.words)
	seen.Slept = slept
	w.desk.Look(seen)
}

// show has the board show a look.
func (w *watcher) show(o front.Overview, took time.Duration) {
	if w.board == nil {
		return
	}
	c := w.site.Choices()
	l := metrics.Look{Dir: w.dir, Project: c.Name, ID: c.ID, At: time.Now(), Took: took, Over: o}
	l.Sent, l.Failed, l.GivenUp, l.Waiting = w.desk.Counts()
	w.board.Saw(l)
}

// waits knows which runs wait for SuperNodes.
type waits struct {
	asked map[string]time.Time // when the log of a run was read last
	words map[string]string    // by run
}

// read reads the logs of runs that go, each once a minute.
func (w *waits) read(ctx context.Context, s *site.Site, o front.Overview, now time.Time) {
	if o.GridErr != nil {
		return
	}
	before, words := w.asked, w.words
	w.asked, w.words = map[string]time.Time{}, map[string]string{}
	for _, r := range o.Runs {
		if r.Status != front.RunRunning || len(w.asked) == waitsRuns {
			continue
		}
		last, known := before[r.ID]
		if w.asked[r.ID] = last; known && now.Sub(last) < waitsEvery {
			if text, has := words[r.ID]; has {
				w.words[r.ID] = text
			}
			continue
		}
		w.asked[r.ID] = now
		short, cancel := context.WithTimeout(ctx, oneLog)
		text, waiting, err := runs.Waiting(short, s, r.ID)
		cancel()
		if err == nil && waiting {
			w.words[r.ID] = text
		}
	}
}

// TestMessage sends a message that says that it is a test to all that flwrup.toml of the project in dir names, and returns
// the error of each channel, nil for one that took it. Without one it is a Problem (bad-input).
func TestMessage(ctx context.Context, dir string) (map[string]error, error) {
	s, err := site.Open(site.Options{Dir: dir, ReadOnly: true})
	if err != nil {
		return nil, err
	}
	defer s.Close()
	if err := site.Withheld(s); err != nil {
		return nil, err
	}
	c := s.Choices()
	if !c.Notify.Sends() {
		return nil, problem.New(problem.BadInput, "cannot send a test message", "[notify] in flwrup.toml names no command, no webhook and no e-mail address",
			"see docs/notify.md; for example: webhook = \"https://HOST/PATH\"")
	}
	d, err := notify.Open(notify.Options{Dir: s.Dir, Project: c.Name, Settings: c.Notify})
	if err != nil {
		return nil, err
	}
	return d.SendTest(ctx), nil
}
