package health

import (
	"fmt"
	"slices"
	"time"

	"flwrup/flwrexec"
	"flwrup/internal/front"
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
	return moment{wall: now.Round(0), mono: now.Sub(k.began)} // Round takes the monotonic clock out
}

// Look takes what was seen now, with the grid's side fresh, and says what is new about it and what to restart:
// one Restart for those that have ended, one for those that run and are lost.
func (k *Keeper) Look(now time.Time, o front.Overview) (events []WatchEvent, todo []Restart) {
	events, names := k.memory.next(k.moment(now), o)
	return events, Restarts(o, names)
}

// Tried notes that a SuperNode is restarted now, and gives the event that tells of it.
func (k *Keeper) Tried(now time.Time, node string) WatchEvent {
	n := k.memory.tried(node, k.moment(now).mono)
	return WatchEvent{At: now, Kind: WatchRestarts, Node: node, Text: fmt.Sprintf("restarting it: %d of at most %d an hour", n, watchTries)}
}

// Restart is what to do to SuperNodes that should be up and are down.
type Restart struct {
	Verb  front.Verb // StartNodes or RestartNodes
	Nodes []string
}

// Restarts compares the named SuperNodes with a look at them.
func Restarts(o front.Overview, names []string) (todo []Restart) {
	down, lost := Restart{Verb: front.StartNodes}, Restart{Verb: front.RestartNodes}
	for _, v := range o.Nodes {
		up := v.Runtime.State == supernode.Running
		switch {
		case !slices.Contains(names, v.Name) || v.Wanted != front.WantedUp || up && v.Grid == flwrexec.StatusOnline:
		case up && !IsSuspended(v.Runtime):
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
