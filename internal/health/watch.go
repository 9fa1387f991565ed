package health

import (
	"fmt"
	"slices"
	"time"

	"flwrup/flwrexec"
	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/site"
	"flwrup/internal/supernode"
)

// How `flwrup watch` goes about it.
const (
	watchPause    = 10 * time.Second // until the first restart, doubled with each further one
	watchPauseMax = 5 * time.Minute
	watchTries    = 5                // restarts of one SuperNode in watchPer
	watchPer      = time.Hour        //
	watchGrace    = time.Minute      // in which SuperNodes may come back without a restart
	watchSettled  = 10 * time.Minute // online for so long: the pause starts small again
	watchDrift    = 10 * time.Second // wall clock against the monotonic one: not a correction by NTP any more
)

// WatchKind is the kind of a WatchEvent; scripts read it from `flwrup watch --json`.
type WatchKind string

const (
	WatchBegan     WatchKind = "watching"
	WatchDown      WatchKind = "node-down"       // a SuperNode that should be online is not
	WatchLeft      WatchKind = "node-left-alone" // and the watch does not restart it
	WatchRestarts  WatchKind = "node-restart"
	WatchFailed    WatchKind = "restart-failed"
	WatchBack      WatchKind = "node-back"
	WatchGridLost  WatchKind = "grid-lost"
	WatchGridBack  WatchKind = "grid-back"
	WatchBlind     WatchKind = "runtime-lost" // Docker does not answer
	WatchSees      WatchKind = "runtime-back"
	WatchSlept     WatchKind = "slept"
	WatchBusy      WatchKind = "busy" // another flwrup is at work in the folder
	WatchBadChoice WatchKind = "bad-choices"
	WatchNote      WatchKind = "note"
	WatchNot       WatchKind = "not-watched" // the folder, for now
	WatchTold      WatchKind = "told"        // a message was sent
	WatchNotTold   WatchKind = "not-told"    // a message could not be sent; it is tried again, or given up
)

// WatchEvent is one thing that the watch saw or did.
type WatchEvent struct {
	At   time.Time
	Kind WatchKind
	Node string // "" when it is about all
	Text string
	Code problem.Code // of the trouble; "" without one
	Fix  string       // what a person should do, if anything
}

// moment is a reading of both clocks. The monotonic one stands still while the machine sleeps, and
// nobody sets it.
type moment struct {
	wall time.Time
	mono time.Duration // since the watch began
}

// watchMemory is what the watch remembers from one look to the next.
type watchMemory struct {
	last     moment
	looked   bool
	gridErr  problem.Code // "" while the grid answers
	blind    bool         // the runtime does not answer
	allLost  bool
	graceEnd time.Duration
	nodes    map[string]*watched
}

// watched is the memory of one SuperNode.
type watched struct {
	down   bool
	since  time.Duration // of down, or of not down
	said   problem.Code  // the last trouble in the events
	tries  []time.Duration
	streak int  // tries since it was last online for long
	left   bool // tried often enough: left until somebody else has brought it back
}

// noRestart are the troubles of a SuperNode that a restart does not mend.
var noRestart = map[problem.Code]bool{
	problem.BadKey: true, KeyLost: true, KeySwapped: true, NodeIDDiffers: true, flwrexec.NodeUnregistered: true, NotListed: true, Unfinished: true,
	flwrexec.NodeVersion: true, flwrexec.NodeConfig: true, problem.Untrusted: true, flwrexec.WrongService: true, problem.Usage: true, problem.BadInput: true,
}

// away are the codes of a grid that does not answer, which it may have one after the other while it goes.
var away = map[problem.Code]bool{problem.Unreachable: true, problem.ServerError: true, GridEnded: true}

func mendable(v front.NodeView) bool {
	if v.Diagnosis.Code == problem.NodeRefused {
		return v.Grid == flwrexec.StatusOffline // it was let in once: the grid may just have held it
	}
	return !noRestart[v.Diagnosis.Code]
}

// decision is what the watch makes of one look.
type decision struct {
	*watchMemory
	now       moment
	look      front.Overview
	loggedOut bool // SuperNodes need no login: they can be restarted all the same

	events  []WatchEvent
	restart []string
}

// next decides on one look: the events to tell, and the SuperNodes to restart now. It changes nothing but
// the memory.
func (w *watchMemory) next(now moment, o front.Overview) (events []WatchEvent, restart []string) {
	if w.nodes == nil {
		w.nodes = map[string]*watched{}
	}
	d := &decision{watchMemory: w, now: now, look: o, loggedOut: problem.Is(o.GridErr, problem.NotLoggedIn)}
	d.noteSleep()
	if d.seesRuntime() {
		d.noteGrid()
		d.noteAllLost()
		for _, v := range o.Nodes {
			d.judge(v)
		}
	}
	return d.events, d.restart
}

func (d *decision) say(kind WatchKind, node, text string, p *problem.Problem) {
	e := WatchEvent{At: d.now.wall, Kind: kind, Node: node, Text: text}
	if p != nil {
		e.Code, e.Fix = p.Code, p.Fix
	}
	d.events = append(d.events, e)
}

// grace leaves the SuperNodes time to come back without a restart.
func (d *decision) grace() { d.graceEnd = d.now.mono + watchGrace }

func (d *decision) noteSleep() {
	if drift := d.now.wall.Sub(d.last.wall) - (d.now.mono - d.last.mono); d.looked && drift.Abs() > watchDrift {
		d.grace()
		d.say(WatchSlept, "", fmt.Sprintf("this machine slept, or its clock jumped, by %s; waiting a minute for the SuperNodes to come back", drift.Abs().Round(time.Second)), nil)
	}
	d.last, d.looked = d.now, true
}

// seesRuntime reports whether the runtime answered, and tells when that changed.
func (d *decision) seesRuntime() bool {
	if d.look.RuntimeErr != nil {
		if !d.blind {
			p := problem.Of(d.look.RuntimeErr)
			d.say(WatchBlind, "", "cannot see the SuperNodes, waiting: "+p.Error(), p)
		}
		d.blind = true
		return false
	}
	if d.blind {
		d.blind = false
		d.grace() // Docker starts them again
		d.say(WatchSees, "", "sees the SuperNodes again; waiting a minute for them to come back", nil)
	}
	return true
}

// noteGrid tells when the grid stops answering, answers otherwise, or answers again.
func (d *decision) noteGrid() {
	told := d.gridErr
	if d.look.GridErr == nil {
		if told != "" {
			d.gridErr = ""
			d.grace()
			d.say(WatchGridBack, "", "the grid answers again; waiting a minute for the SuperNodes to come back", nil)
		}
		return
	}
	p := problem.Of(d.look.GridErr)
	if told == p.Code {
		return
	}
	d.gridErr = p.Code
	text := "the grid does not answer, waiting: "
	if d.loggedOut {
		text = "the grid does not answer; checking only what runs here: "
	}
	if !away[told] || !away[p.Code] {
		d.say(WatchGridLost, "", text+p.Error(), p)
	}
}

func (d *decision) noteAllLost() {
	all := allLost(d.look)
	if all && !d.allLost && d.now.mono >= d.graceEnd {
		d.grace()
		d.say(WatchGridLost, "", "the grid lost all SuperNodes at once, though they run: the network, or the grid; waiting a minute for them to come back", nil)
	}
	d.allLost = all
}

// judge tells of one SuperNode that went or came back, and has it restarted where that helps.
func (d *decision) judge(v front.NodeView) {
	if v.Wanted != front.WantedUp {
		delete(d.nodes, v.Name)
		return
	}
	n := d.nodes[v.Name]
	if n == nil {
		n = &watched{since: d.now.mono}
		d.nodes[v.Name] = n
	}
	if v.Diagnosis == nil {
		if v.Runtime.State == supernode.Running && (v.Grid == flwrexec.StatusOnline || d.loggedOut) { // else it is starting
			n.well(d.now.mono, func(after time.Duration) {
				d.say(WatchBack, v.Name, fmt.Sprintf("is back after %s", after.Round(time.Second)), nil)
			})
		}
		return
	}
	d.noteTrouble(v, n)
	if d.helpsNow(v, n) {
		d.restartWhenDue(v, n)
	}
}

// noteTrouble tells of a trouble once. That the grid let go of a killed SuperNode is no news.
func (d *decision) noteTrouble(v front.NodeView, n *watched) {
	if !n.down {
		n.down, n.since = true, d.now.mono
	}
	can := mendable(v)
	if n.said != "" && (can || n.said == v.Diagnosis.Code) {
		return
	}
	n.said = v.Diagnosis.Code
	if can {
		d.say(WatchDown, v.Name, v.Diagnosis.Error(), v.Diagnosis)
	} else {
		d.say(WatchLeft, v.Name, "a restart does not fix this: "+v.Diagnosis.Error(), v.Diagnosis)
	}
}

// helpsNow reports whether a restart may bring the SuperNode back now.
func (d *decision) helpsNow(v front.NodeView, n *watched) bool {
	ended := v.Runtime.State == supernode.Stopped || v.Runtime.State == supernode.Absent
	lost := v.Runtime.State == supernode.Running && v.Grid == flwrexec.StatusOffline
	switch {
	case d.look.GridErr != nil && !d.loggedOut: // it would not come online
		return false
	case ended && v.Grid == flwrexec.StatusOnline: // the grid would refuse it
		return false
	}
	return mendable(v) && !n.left && (ended || lost) && d.now.mono >= d.graceEnd
}

func (d *decision) restartWhenDue(v front.NodeView, n *watched) {
	switch n.due(d.now.mono, d.loggedOut) {
	case dueNow:
		d.restart = append(d.restart, v.Name)
	case dueNever:
		n.left = true
		d.say(WatchLeft, v.Name, fmt.Sprintf("was restarted %d times within an hour and is down again: flwrup no longer restarts it", watchTries),
			problem.New(v.Diagnosis.Code, "", "", "read its log (flwrup logs "+v.Name+"), then: flwrup restart "+v.Name))
	}
}

// allLost reports whether all of several SuperNodes run here and are offline on the grid.
func allLost(o front.Overview) bool {
	up := 0
	for _, v := range o.Nodes {
		if v.Wanted != front.WantedUp {
			continue
		}
		if up++; v.Runtime.State != supernode.Running || v.Grid != flwrexec.StatusOffline {
			return false
		}
	}
	return up > 1
}

// well notes that the SuperNode is as it should be, and calls back when it was not before.
func (n *watched) well(now time.Duration, back func(after time.Duration)) {
	n.said = ""
	if n.left { // somebody else brought it back
		n.left, n.tries, n.streak = false, nil, 0
	}
	if n.down {
		back(now - n.since)
		n.down, n.since = false, now
	}
	if now-n.since >= watchSettled {
		n.streak = 0
	}
}

type due int

const (
	dueLater due = iota
	dueNow
	dueNever
)

// due reports whether a SuperNode that is down is to be restarted now. unsure: the grid does not say that
// it has let go of the SuperNode's key.
func (n *watched) due(now time.Duration, unsure bool) due {
	recent := 0
	for _, at := range n.tries {
		if now-at < watchPer {
			recent++
		}
	}
	from := n.since
	if len(n.tries) > 0 {
		from = max(from, n.tries[len(n.tries)-1])
	}
	pause := min(watchPause<<min(n.streak, 10), watchPauseMax)
	if unsure {
		pause = max(pause, site.GridLetsGo)
	}
	switch {
	case now-from < pause:
		return dueLater
	case recent >= watchTries:
		return dueNever
	}
	return dueNow
}

// tried notes a restart and gives its number within the hour.
func (w *watchMemory) tried(name string, now time.Duration) int {
	if w.nodes == nil {
		w.nodes = map[string]*watched{}
	}
	n := w.nodes[name]
	if n == nil { // asked for by an earlier memory
		n = &watched{down: true, since: now}
		w.nodes[name] = n
	}
	n.tries = append(slices.DeleteFunc(n.tries, func(at time.Duration) bool { return now-at >= watchPer }), now)
	n.streak++
	return len(n.tries)
}
