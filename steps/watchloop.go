package steps

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"flwrup/flwrexec"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/safego"
	"flwrup/internal/supernode"
)

// restartWithin is how long one round of restarts may hold the folder's lock.
const restartWithin = 3 * time.Minute

// watcher is the loop around watchMemory.next.
type watcher struct {
	dir     string
	site    *Site     // for looking only; its flwr stays open from look to look
	choices time.Time // of the flwrup.toml that site was opened with
	began   time.Time
	memory  watchMemory
	busy    bool
	each    func(WatchEvent)
}

// WatchNodes restarts SuperNodes of the project in dir that are down though they should be up, and calls
// each with what it sees and does, until ctx ends: then the error is a Problem (cancelled). The
// SuperNodes go on running. A second watch in the folder is a Problem (busy).
func WatchNodes(ctx context.Context, dir string, each func(WatchEvent)) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	w := &watcher{dir: dir, began: time.Now(), each: each}
	defer func() {
		if w.site != nil {
			w.site.Close()
		}
	}()
	if err := w.open(); err != nil {
		return err
	}
	unlock, err := project.LockWatch(dir)
	if err != nil {
		return err
	}
	defer unlock()
	names, err := w.site.Names()
	if err != nil {
		return err
	}
	w.say(WatchBegan, "", fmt.Sprintf("watching %d %s; Ctrl-C ends the watch, not them", len(names), plural(len(names), "SuperNode")))
	for {
		if err := w.open(); err != nil {
			return err
		}
		o := w.site.overview(ctx, 0, true)
		// What is asked of a SuperNode is on disk before it is touched: read after the look, it tells a
		// stop that began during the look from an end by itself.
		if err := w.site.Ledger.Reload(); err != nil {
			return err
		}
		for i := range o.Nodes {
			if v := &o.Nodes[i]; v.Wanted == wantedUp {
				v.Wanted = w.site.wanted(v.Name)
			}
		}
		if ctx.Err() == nil {
			events, restart := w.memory.next(w.now(), o)
			for _, e := range events {
				each(e)
			}
			if len(restart) > 0 {
				w.restart(ctx, restart)
			}
		}
		pause := 10 * time.Second // on a grid that many share
		if w.site.Rehearsal() {
			pause = 2 * time.Second
		}
		if safego.Sleep(ctx, pause) != nil {
			return problem.New(problem.Cancelled, "the watch has ended; the SuperNodes go on running", "", "")
		}
	}
}

func (w *watcher) now() moment {
	now := time.Now()
	return moment{Wall: now.Round(0), Mono: now.Sub(w.began)} // Round takes the monotonic clock out
}

func (w *watcher) say(kind WatchKind, node, text string) {
	w.each(WatchEvent{At: time.Now(), Kind: kind, Node: node, Text: text})
}

func (w *watcher) trouble(kind WatchKind, node, text string, err error) {
	p := problem.Of(err)
	w.each(WatchEvent{At: time.Now(), Kind: kind, Node: node, Text: text + p.Error(), Code: p.Code, Fix: p.Fix})
}

// open opens the site, anew when flwrup.toml has changed, and reads what other flwrups noted. A
// flwrup.toml that cannot be read is told, and the old choices go on.
func (w *watcher) open() error {
	info, err := os.Stat(project.File(w.dir))
	if err != nil && w.site != nil {
		return problem.New(problem.BadInput, "the project in "+w.dir+" is gone", reason(err), "")
	}
	if w.site != nil && info.ModTime().Equal(w.choices) {
		return w.site.Ledger.Reload()
	}
	site, err := Open(Options{Dir: w.dir, ReadOnly: true})
	if info != nil {
		w.choices = info.ModTime()
	}
	if err != nil {
		if w.site == nil {
			return err
		}
		w.trouble(WatchBadChoice, "", "goes on with the choices as they were: ", err)
		return nil
	}
	if w.site != nil {
		w.site.Close()
	}
	w.site = site
	return nil
}

// restart restarts the named SuperNodes, unless another flwrup is at work: then the next look decides
// again.
func (w *watcher) restart(ctx context.Context, names []string) {
	ctx, cancel := context.WithTimeout(ctx, restartWithin)
	defer cancel()
	site, err := Open(Options{Dir: w.dir})
	if problem.Is(err, problem.Busy) {
		if !w.busy {
			w.busy = true
			w.trouble(WatchBusy, "", "restarts nothing for now: ", err)
		}
		return
	}
	if err != nil {
		w.trouble(WatchFailed, "", "", err)
		return
	}
	w.busy = false
	defer site.Close()
	// With the lock in hand: what was asked of them since the look, and are they still down?
	verbs := map[Verb][]string{}
	for _, v := range site.overview(ctx, 0, false).Nodes {
		up := v.Runtime.State == supernode.Running
		if !slices.Contains(names, v.Name) || v.Wanted != wantedUp || up && v.Grid == flwrexec.StatusOnline {
			continue
		}
		verb := StartNodes
		if up {
			verb = RestartNodes
		}
		verbs[verb] = append(verbs[verb], v.Name)
		n := w.memory.tried(v.Name, w.now().Mono)
		w.say(WatchRestarts, v.Name, fmt.Sprintf("restarting it: %d of at most %d in an hour", n, watchTries))
	}
	for verb, list := range verbs {
		if err := site.Act(ctx, verb, list, nobody{}); err != nil && ctx.Err() == nil {
			w.trouble(WatchFailed, "", "", err)
		}
	}
}

// nobody is a front end without a person.
type nobody struct{}

func (nobody) Event(Event) {}
func (nobody) Ask(_ context.Context, q Question) (string, error) {
	if q.Default == "" {
		return "", problem.New(problem.NeedsPerson, q.Ask, "nobody is there to answer", "flwrup start")
	}
	return q.Default, nil
}
