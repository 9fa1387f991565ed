package upgrade

import (
	"testing"
	"time"

	"flwrup/internal/front"
	"flwrup/internal/supernode"
)

// TestTrial: a SuperNode is one that works once it is online, and has been so all the time for as long as it has to.
func TestTrial(t *testing.T) {
	type look struct {
		after    int // seconds since the first
		state    supernode.State
		grid     front.GridState
		restarts int
		want     verdict
	}
	const up, ended, again = supernode.Running, supernode.Stopped, supernode.Restarting
	const on, off, unknown = front.GridOnline, front.GridOffline, front.GridUnknown
	for name, looks := range map[string][]look{
		"comes and stays":             {{0, up, off, 0, goesOn}, {5, up, on, 0, goesOn}, {34, up, on, 0, goesOn}, {35, up, on, 0, stayed}},
		"goes":                        {{0, up, on, 0, goesOn}, {9, up, off, 0, lost}},
		"ends":                        {{0, up, on, 0, goesOn}, {9, ended, on, 0, lost}},
		"Docker starts it again":      {{0, up, on, 0, goesOn}, {9, up, on, 1, lost}},
		"never":                       {{0, up, off, 0, goesOn}, {129, up, off, 0, goesOn}, {131, up, off, 0, never}},
		"ends at once":                {{0, ended, off, 0, goesOn}, {1, ended, off, 0, never}},
		"Docker starts it for ever":   {{0, again, off, 0, goesOn}, {1, up, off, 1, goesOn}, {2, again, off, 2, goesOn}, {4, again, off, 3, never}},
		"the grid is away, and back":  {{0, up, on, 0, goesOn}, {20, up, unknown, 0, goesOn}, {31, up, unknown, 0, goesOn}, {32, up, on, 0, stayed}},
		"the grid is away for ever":   {{0, up, on, 0, goesOn}, {20, up, unknown, 0, goesOn}, {131, up, unknown, 0, lost}},
		"it ends, and no grid to ask": {{0, up, on, 0, goesOn}, {20, ended, unknown, 0, lost}},
		"late, and stays":             {{0, up, off, 3, goesOn}, {90, up, on, 4, goesOn}, {120, up, on, 4, stayed}},
	} {
		first := time.Now()
		one := trial{names: []string{"a"}, stay: 30 * time.Second}
		for i, l := range looks {
			node := front.NodeView{Name: "a", Grid: l.grid, Runtime: supernode.Status{State: l.state, Restarts: l.restarts}}
			other := front.NodeView{Name: "b", Grid: off, Runtime: supernode.Status{State: ended}}
			if got := one.look(first.Add(time.Duration(l.after)*time.Second), []front.NodeView{node, other}); got != l.want {
				t.Errorf("%s: look %d says %d, want %d", name, i, got, l.want)
			}
		}
	}
}
