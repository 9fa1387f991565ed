package dash

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"flwrup/internal/front"
	"flwrup/internal/health"
	"flwrup/internal/problem"
	"flwrup/internal/supernode"
	"flwrup/ui/style"
)

// The dashboard's own watch restarts a SuperNode that ended, one restart at a time. It counts only real
// restarts, and stops on request.
func TestWatchOnTheDashboard(t *testing.T) {
	o := five()
	o.Nodes = o.Nodes[:2]
	for i := range o.Nodes {
		o.Nodes[i].Wanted = front.WantedUp
	}
	m := testModel(t, o, 120, 24, style.Options{NoColor: true})
	now := noon
	m.now = func() time.Time { return now }
	see := func() []any {
		o := o
		o.GridAt = now
		var runs []any
		for _, got := range sent(m.Update(overviewMsg{model: m, o: o, grid: true})) {
			if r, ok := got.(Run); ok {
				runs = append(runs, r)
			}
		}
		return runs
	}
	ended := func(node int) {
		o.Nodes[node].Grid, o.Nodes[node].Runtime = "offline", supernode.Status{State: supernode.Stopped}
		o.Nodes[node].Diagnosis = problem.New(health.NodeEnded, o.Nodes[node].Name+" has ended", "", "")
	}
	ended(1)
	if got := see(); len(got) != 0 {
		t.Errorf("without being asked to: %v", got)
	}
	w := m.src.(*world)
	w.watches = problem.New(problem.Busy, "flwrup (pid 7) is watching", "", "end that one")
	m.Update(m.Update(press("W"))())
	if v := m.View(); !strings.Contains(v, "flwrup (pid 7) is watching") || strings.Contains(v, "auto-restart") {
		t.Error(v)
	}
	m.Update(Others{Others: front.Others{WatchedBy: 7}})
	if v := m.View(); !strings.Contains(v, "watched by pid 7") {
		t.Error(v)
	}
	m.Update(Others{})
	w.watches = nil
	held := m.Update(press("W"))()
	m.Update(held)
	if w.watched != 1 {
		t.Errorf("%d watches held", w.watched)
	}
	if v := m.View(); !strings.Contains(v, "auto-restart") || !strings.Contains(v, "never one that you stopped") {
		t.Error(v)
	}
	see()
	now = now.Add(11 * time.Second)
	want := Run{Verb: front.StartNodes, Nodes: []string{"supernode_2"}, ByItself: true}
	if got := see(); len(got) != 1 || !reflect.DeepEqual(got[0], want) {
		t.Fatalf("%v", got)
	}
	ended(0)
	now = now.Add(15 * time.Second)
	if got := see(); len(got) != 0 {
		t.Errorf("a second one beside the first: %v", got)
	}
	m.Update(Ran{Run: want, Err: problem.New(problem.Busy, "at work", "", "")}) // the frame had no time
	now = now.Add(15 * time.Second)
	want.Nodes = []string{"supernode_1", "supernode_2"}
	if got := see(); len(got) != 1 || !reflect.DeepEqual(got[0], want) {
		t.Fatalf("after a refusal: %v", got)
	}
	m.Update(press("j")) // clears the note of the key
	m.Update(Began{Run: want})
	if v := m.View(); !strings.Contains(v, "supernode_2 restarting it: 1 of at most 5 an hour") {
		t.Error(v)
	}
	o.Nodes = five().Nodes[:2]
	for i := range o.Nodes {
		o.Nodes[i].Wanted = front.WantedUp
	}
	m.Update(Ran{Run: want})
	now = now.Add(5 * time.Second)
	see()
	if v := m.View(); !strings.Contains(v, "is back after") || strings.Contains(v, "starting") {
		t.Error(v)
	}
	ended(1)
	m.Update(press("W"))
	if w.watched != 0 {
		t.Errorf("%d watches held after the end", w.watched)
	}
	now = now.Add(time.Hour)
	if got := see(); len(got) != 0 {
		t.Errorf("after it was turned off: %v", got)
	}
}
