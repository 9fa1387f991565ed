package steps

import (
	"context"
	"fmt"
	"slices"
	"time"

	"flwrup/flwrexec"
	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/supernode"
)

// Keeper decides, look by look, which SuperNodes to restart because they have ended or the grid has lost them:
// with growing pauses and a limit, never one that a person stopped. It asks nobody and restarts nothing. The
// dashboard has one, and so has `flwrup watch`. Not for several goroutines.
type Keeper struct {
	began  time.Time
	memory watchMemory
}

func (k *Keeper) moment(now time.Time) moment {
	if k.began.IsZero() {
		k.began = now
	}
	return moment{Wall: now.Round(0), Mono: now.Sub(k.began)} // Round takes the monotonic clock out
}

// Look takes what was seen now, with the grid's side fresh, and says what is new about it and what to restart:
// one Restart for those that have ended, one for those that run and are lost.
func (k *Keeper) Look(now time.Time, o front.Overview) (events []WatchEvent, todo []Restart) {
	events, names := k.memory.next(k.moment(now), o)
	return events, restarts(o, names)
}

// Tried notes that a SuperNode is restarted now, and gives the event that tells of it.
func (k *Keeper) Tried(now time.Time, node string) WatchEvent {
	n := k.memory.tried(node, k.moment(now).Mono)
	return WatchEvent{At: now, Kind: WatchRestarts, Node: node, Text: fmt.Sprintf("restarting it: %d of at most %d in an hour", n, watchTries)}
}

// Restart is what to do to SuperNodes that should be up and are down.
type Restart struct {
	Verb  front.Verb // StartNodes or RestartNodes
	Nodes []string
}

// restarts holds the named SuperNodes against what is seen of them.
func restarts(o front.Overview, names []string) (todo []Restart) {
	down, lost := Restart{Verb: front.StartNodes}, Restart{Verb: front.RestartNodes}
	for _, v := range o.Nodes {
		up := v.Runtime.State == supernode.Running
		switch {
		case !slices.Contains(names, v.Name) || v.Wanted != wantedUp || up && v.Grid == flwrexec.StatusOnline:
		case up && !isSuspended(v.Runtime):
			lost.Nodes = append(lost.Nodes, v.Name)
		default:
			down.Nodes = append(down.Nodes, v.Name)
		}
	}
	for _, r := range []Restart{down, lost} {
		if len(r.Nodes) > 0 {
			todo = append(todo, r)
		}
	}
	return todo
}

// Unattended is a front end without a person: what happens is told to to, questions get their defaults.
func Unattended(to front.Sink) front.Sink { return nobody{to} }

type nobody struct{ front.Sink }

func (n nobody) Event(e front.Event) {
	if n.Sink != nil {
		n.Sink.Event(e)
	}
}

func (nobody) Ask(_ context.Context, q front.Question) (string, error) {
	if q.Default == "" {
		return "", problem.New(problem.NeedsPerson, q.Ask, "nobody is there to answer", "flwrup start")
	}
	return q.Default, nil
}
