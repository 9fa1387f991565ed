package logs

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/supernode"
	"flwrup/internal/termsafe"
	"flwrup/ui/style"
)

// Happened is one thing that flwrup knows of a SuperNode and that its log may not say. The panes show it as a rule
// across the log at its time.
type Happened struct {
	Node string // "": it concerns all of them
	Run  string // it concerns the SuperNodes that took part in the run
	Key  string // with Node: what it is; a later one with the same takes its place
	At   time.Time
	Text string
	Bad  bool
	Down bool // and it is still so
}

// Told is sent to a Model when something happened.
type Told []Happened

// Chronicle finds out, look by look, what happened to SuperNodes. Not for several goroutines.
type Chronicle struct {
	nodes   map[string]*life
	runs    map[string]front.RunStatus
	gridOut *Happened // the grid cannot be reached
	story   Told      // the oldest first
	keys    int
}

// life is what was seen of one SuperNode.
type life struct {
	runtime supernode.Status
	grid    front.GridState
	down    *Happened // it has ended
	lost    *Happened // the grid has lost it
	held    *Happened // it is suspended
}

// tales is how much a Chronicle, and a Model of one SuperNode, remembers.
const tales = 500

// Story returns all that has happened, the oldest first.
func (c *Chronicle) Story() Told { return slices.Clone(c.story) }

// Look takes what was seen now, and returns what is new about it.
func (c *Chronicle) Look(o front.Overview, now time.Time) Told {
	if c.nodes == nil {
		c.nodes, c.runs = map[string]*life{}, map[string]front.RunStatus{}
	}
	var told Told
	say := func(h Happened) *Happened {
		if h.Key == "" {
			c.keys++
			h.Key = fmt.Sprint(c.keys)
		}
		if h.At.IsZero() {
			h.At = now
		}
		h.Text = termsafe.Line(h.Text)
		told = append(told, h)
		i := slices.IndexFunc(c.story, func(have Happened) bool { return have.Node == h.Node && have.Key == h.Key })
		if i >= 0 {
			c.story[i] = h
		} else {
			c.story = append(c.story, h)
		}
		if len(c.story) > tales {
			c.story = slices.Delete(c.story, 0, len(c.story)-tales)
		}
		return &h
	}
	c.grid(o, now, say)
	for _, v := range o.Nodes {
		l := c.nodes[v.Name]
		if l == nil {
			l = new(life)
			c.nodes[v.Name] = l
		}
		if o.RuntimeErr == nil {
			l.ran(v, say)
			l.runtime = v.Runtime
		}
		if o.GridErr == nil && v.Grid != front.GridUnknown {
			l.listed(v, o.GridAt, say)
			l.grid = v.Grid
		}
	}
	for _, r := range o.Runs {
		was, known := c.runs[r.ID]
		c.runs[r.ID] = r.Status
		if at := r.Over; r.Status.Ended() && was != r.Status && (known || !at.IsZero()) {
			if at.IsZero() {
				at = o.GridAt
			}
			say(Happened{Run: r.ID, Key: "run " + r.ID, At: at, Text: "run " + r.ID + " " + r.Status.Outcome(), Bad: r.Status.Failed()})
		}
	}
	return told
}

// grid notes that the grid went away, or came back.
func (c *Chronicle) grid(o front.Overview, now time.Time, say func(Happened) *Happened) {
	switch {
	case o.GridErr != nil && c.gridOut == nil && !o.GridAt.IsZero():
		c.gridOut = say(Happened{At: now, Text: "no answer from the grid: " + problem.Of(o.GridErr).What, Bad: true, Down: true})
	case o.GridErr == nil && c.gridOut != nil:
		h := *c.gridOut
		h.Text, h.Bad, h.Down = "no answer from the grid for "+style.Took(now.Sub(h.At)), false, false
		say(h)
		c.gridOut = nil
	}
}

// ran compares what the runtime says of a SuperNode with what it said before.
func (l *life) ran(v front.NodeView, say func(Happened) *Happened) {
	now, was := v.Runtime, l.runtime
	first := was.State == ""
	up := now.State == supernode.Running
	if held := up && now.Reason == supernode.Suspended; held != (l.held != nil) {
		if held {
			l.held = say(Happened{Node: v.Name, Text: "suspended", Bad: true, Down: true})
		} else {
			h := *l.held
			h.Text, h.Bad, h.Down = "suspended; no longer", false, false
			say(h)
			l.held = nil
		}
	}
	switch {
	case now.State == supernode.Stopped && l.down == nil && (!first || !now.Since.IsZero()):
		l.down = say(Happened{Node: v.Name, At: now.Since, Text: endOf(v), Bad: v.Wanted != front.WantedDown, Down: true})
	case now.State == supernode.Absent && l.down == nil && !first && was.State != supernode.Absent:
		l.down = say(Happened{Node: v.Name, Text: "gone from this machine", Bad: v.Wanted != front.WantedDown, Down: true})
	case up && l.down != nil:
		h := *l.down
		began := now.Since
		if began.Before(h.At) { // a process that was seen late
			began = time.Now()
		}
		h.Text, h.Bad, h.Down = h.Text+", down "+style.Took(began.Sub(h.At))+", restarted", false, false
		say(h)
		l.down = nil
	case up && !first && now.Since.After(was.Since) && (now.ID != was.ID || now.Restarts != was.Restarts || was.State == supernode.Running):
		text := "restarted"
		if now.Restarts > was.Restarts {
			text = "restarted by Docker"
		}
		say(Happened{Node: v.Name, At: now.Since, Text: text})
	}
}

// listed compares what the grid says of a SuperNode with what it said before.
func (l *life) listed(v front.NodeView, at time.Time, say func(Happened) *Happened) {
	since := v.GridSince
	if since.IsZero() {
		since = at
	}
	switch {
	case v.Grid == front.GridOffline && l.lost == nil:
		l.lost = say(Happened{Node: v.Name, At: since, Text: "offline on the grid", Bad: true, Down: true})
	case v.Grid == front.GridOnline && l.lost != nil:
		h := *l.lost
		h.Bad, h.Down = false, false
		say(h)
		say(Happened{Node: v.Name, At: later(since, h.At), Text: "online again, " + style.Took(since.Sub(h.At)) + " after it was lost"})
		l.lost = nil
	case v.Grid == front.GridUnregistered && l.grid != front.GridUnregistered && l.grid != "":
		say(Happened{Node: v.Name, At: at, Text: "unregistered on the grid", Bad: true, Down: true})
	}
}

// endOf says how a SuperNode ended.
func endOf(v front.NodeView) string {
	r := v.Runtime
	reason, _, _ := strings.Cut(r.Reason, ";")
	switch {
	case v.Wanted == front.WantedDown:
		return "stopped"
	case strings.Contains(reason, "out of memory"):
		return fmt.Sprintf("out of memory, killed (%d)", r.ExitCode)
	case r.ExitCode == 137:
		return "killed (137)"
	case strings.HasPrefix(reason, "killed") || strings.HasPrefix(reason, "ended when"):
		return reason
	}
	return fmt.Sprintf("ended (%d)", r.ExitCode)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
