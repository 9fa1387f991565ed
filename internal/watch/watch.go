// Package watch is the loop of `flwrup watch`: it restarts SuperNodes that are down though they should be up.
package watch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"flwrup/internal/fit"
	"flwrup/internal/front"
	"flwrup/internal/health"
	"flwrup/internal/notify"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/safego"
	"flwrup/internal/site"
	"flwrup/internal/turn"
	"flwrup/internal/watch/lastlook"
	"flwrup/internal/watch/metrics"
	"flwrup/internal/wording"
	"flwrup/steps"
)

// restartWithin is how long one round of restarts may take.
const restartWithin = 3 * time.Minute

// watcher is the loop around a Keeper.
type watcher struct {
	dir     string
	site    *site.Site // for looking only; its flwr stays open from look to look
	choices time.Time  // of the flwrup.toml that site was opened with
	unfit   time.Time  // of one that cannot be taken over, and an event said so
	keeper  health.Keeper
	busy    bool
	each    func(health.WatchEvent)
	desk    *notify.Desk
	waits   waits
	board   *metrics.Board // nil where nobody asks
}

// Nodes restarts SuperNodes of the project in dir that are down though they should be up, and calls
// each with what it sees and does, until ctx ends: then the error is a Problem (cancelled). The
// SuperNodes go on running. A second watch in the folder is a Problem (busy). board hears of each look; it may be nil.
func Nodes(ctx context.Context, dir string, board *metrics.Board, each func(health.WatchEvent)) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	w := &watcher{dir: dir, board: board, each: oneAtATime(each)}
	defer func() {
		if w.site != nil {
			health.StopLooking(w.site)
			w.site.Close()
		}
	}()
	if err := w.open(); err != nil {
		return err
	}
	unlock, err := turn.LockWatch(dir)
	if err != nil {
		return err
	}
	defer unlock()
	names, err := site.Names(w.site)
	if err != nil {
		return err
	}
	defer w.openDesk(ctx)()
	w.say(health.WatchBegan, "", fmt.Sprintf("watching %d %s; Ctrl-C stops the watch, not the SuperNodes", len(names), wording.Plural(len(names), "SuperNode")))
	for {
		if err := w.open(); err != nil {
			return err
		}
		fit.Ask(ctx, w.site)
		began := time.Now()
		stamp, serr := lastlook.Stamp(w.dir)
		o := health.Looked(ctx, w.site)
		took := time.Since(began)
		// A stop is on disk before the SuperNode is touched. Read after the look, it tells a stop that began
		// during the look from an unwanted end.
		if err := w.site.Ledger.Reload(); err != nil {
			return err
		}
		for i := range o.Nodes {
			if v := &o.Nodes[i]; v.Wanted == front.WantedUp {
				v.Wanted = site.Wanted(w.site, v.Name)
			}
		}
		if ctx.Err() == nil {
			health.Remember(w.site, o)
			if serr == nil { // before anybody hears of it: who then asks gets this look
				_ = lastlook.Write(w.dir, stamp, lastlook.Look{At: time.Now(), Title: w.site.Title(), Over: o}) // an extra: without it, the grid is asked
			}
			events, todo := w.keeper.Look(time.Now(), o)
			for _, e := range events {
				w.each(e)
			}
			w.tell(ctx, o, slices.ContainsFunc(events, func(e health.WatchEvent) bool { return e.Kind == health.WatchSlept }))
			w.show(o, took)
			var names []string
			for _, r := range todo {
				names = append(names, r.Nodes...)
			}
			if len(names) > 0 {
				w.restart(ctx, names)
			}
		}
		pause := 10 * time.Second // on a grid that many share
		if w.site.Rehearsal() {
			pause = 2 * time.Second
		}
		if safego.Sleep(ctx, pause) != nil {
			return problem.Stopped(nil, "the watch has ended; the SuperNodes keep running", "")
		}
	}
}

func (w *watcher) say(kind health.WatchKind, node, text string) {
	w.each(health.WatchEvent{At: time.Now(), Kind: kind, Node: node, Text: text})
}

func (w *watcher) trouble(kind health.WatchKind, node, text string, err error) {
	p := problem.Of(err)
	w.each(health.WatchEvent{At: time.Now(), Kind: kind, Node: node, Text: text + p.Error(), Code: p.Code, Fix: p.Fix})
}

// open opens the site, again when flwrup.toml has changed, and reads the notes of other flwrups. A flwrup.toml that
// cannot be read makes an event, and the old choices go on.
func (w *watcher) open() error {
	info, err := os.Stat(project.File(w.dir))
	if err != nil && w.site != nil {
		return problem.New(problem.BadInput, "the project in "+w.dir+" is gone", problem.Cause(err), "")
	}
	if w.site != nil && info.ModTime().Equal(w.choices) {
		return w.site.Ledger.Reload()
	}
	s, err := site.Open(site.Options{Dir: w.dir, ReadOnly: true})
	if err == nil && site.Withheld(s) != nil {
		err = errors.Join(site.Withheld(s), s.Close())
	}
	if err != nil {
		if w.site == nil {
			return err
		}
		if !info.ModTime().Equal(w.unfit) { // said once; the person may accept it, or mend it
			w.unfit = info.ModTime()
			w.trouble(health.WatchBadChoice, "", "keeping the previous choices: ", err)
		}
		return w.site.Ledger.Reload()
	}
	w.choices = info.ModTime()
	if w.site != nil {
		health.StopLooking(w.site)
		w.site.Close()
	}
	w.site = s
	if w.desk != nil {
		w.desk.Set(s.Choices().Name, s.Choices().Notify)
	}
	return nil
}

// restart restarts the named SuperNodes once no other flwrup acts in the folder.
func (w *watcher) restart(ctx context.Context, names []string) {
	ctx, cancel := context.WithTimeout(ctx, restartWithin)
	defer cancel()
	s, err := site.Open(site.Options{Dir: w.dir, Instead: w.site.Choices()})
	if err != nil {
		w.trouble(health.WatchFailed, "", "", err)
		return
	}
	defer s.Close()
	err = steps.BringUp(ctx, s, names, front.Unattended(nil), func(name string) {
		w.each(w.keeper.Tried(time.Now(), name))
		if w.board != nil {
			w.board.Restarted(w.dir, name)
		}
	})
	busy := problem.Is(err, problem.Busy)
	switch {
	case err == nil || ctx.Err() != nil:
	case !busy:
		w.trouble(health.WatchFailed, "", "", err)
	case !w.busy:
		w.trouble(health.WatchBusy, "", "restarts nothing for now: ", err)
	}
	w.busy = busy
}
