package health

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"flwrup/flwrexec"
	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/site"
	"flwrup/internal/supernode"
)

// first returns what the first rule that applies says. Nothing is read: the evidence is all there is.
func first(e evidence) (name string, p *problem.Problem, help *front.Remedy) {
	for _, r := range rules {
		if r.when != nil && !r.when(&e) || !r.applies(&e) {
			continue
		}
		if r.says != nil {
			p, help = r.says(&e)
		}
		return r.name, p, help
	}
	return "", nil, nil
}

func TestMachineSlept(t *testing.T) {
	now := time.Now()
	var s sleeper
	lost := front.NodeView{Name: "supernode_1", Grid: flwrexec.StatusOffline, Wanted: front.WantedUp,
		Runtime: supernode.Status{State: supernode.Running, Since: now.Add(-time.Hour)}}
	at := func(v front.NodeView, now time.Time) *problem.Problem {
		e := evidence{node: v, known: true, now: now}
		e.sleptFrom, e.sleptTo, e.slept = s.recent(now)
		if _, p, _ := first(e); p != nil && p.Code == MachineSlept {
			return p
		}
		return nil
	}
	s.look(now)
	s.look(now.Add(time.Hour)) // an hour in which nobody looked is no sleep
	if p := at(lost, now.Add(time.Hour)); p != nil {
		t.Errorf("%+v", p)
	}
	woke := now.Add(20 * time.Minute)
	s.note(now, woke, 3*time.Second)
	p := at(lost, woke.Add(10*time.Second))
	if p == nil || !strings.Contains(p.Why, now.Local().Format("15:04")+" to "+woke.Local().Format("15:04")) {
		t.Errorf("%+v", p)
	}
	online, down := lost, lost
	online.Grid, down.Runtime.State = flwrexec.StatusOnline, supernode.Stopped
	for _, v := range []front.NodeView{online, down} {
		if p := at(v, woke); p != nil {
			t.Errorf("%+v: %+v", v, p)
		}
	}
	if p := at(lost, woke.Add(time.Hour)); p != nil {
		t.Errorf("an hour later: %+v", p)
	}
}

// TestRulesInOrder: the first rule that applies speaks, whatever those behind it would say.
func TestRulesInOrder(t *testing.T) {
	now := time.Now()
	up := supernode.Status{State: supernode.Running, Since: now.Add(-time.Hour)}
	for _, c := range []struct {
		rule string
		e    evidence
	}{
		{"the runtime does not answer", evidence{runtimeErr: errors.New("no Docker"), elsewhere: true}},
		{"stopped by the person", evidence{node: front.NodeView{Wanted: front.WantedDown, Runtime: supernode.Status{State: supernode.Stopped}}, known: true}},
		{"runs for another grid", evidence{node: front.NodeView{Wanted: front.WantedDown, Runtime: up}, elsewhere: true}},
		{"unregistered on the grid", evidence{node: front.NodeView{Grid: flwrexec.StatusUnregistered, Runtime: up}, known: true}},
		{"not listed by the grid", evidence{node: front.NodeView{Runtime: up}, known: true}},
		{"all is well, as far as can be known", evidence{node: front.NodeView{Runtime: up}, known: true, gridErr: errors.New("away")}},
		{"its image has another flwr version", evidence{node: front.NodeView{Grid: flwrexec.StatusOffline}, known: true, kind: "docker", flwr: "1.42.0", pinned: "flwr/supernode:1.24.0-py3.13-ubuntu24.04"}},
		{"never started", evidence{node: front.NodeView{Grid: flwrexec.StatusOffline, Runtime: supernode.Status{State: supernode.Absent}}, known: true}},
		{"its name is taken", evidence{node: front.NodeView{Wanted: front.WantedUp, Grid: flwrexec.StatusOffline, Runtime: supernode.Status{State: supernode.Absent}}, known: true, foreign: &supernode.Status{}}},
		{"removed by somebody", evidence{node: front.NodeView{Wanted: front.WantedUp, Grid: flwrexec.StatusOffline, Runtime: supernode.Status{State: supernode.Absent}}, known: true}},
		{"its log tells", evidence{node: front.NodeView{Grid: flwrexec.StatusOffline, Runtime: up}, known: true, log: problem.New(problem.Untrusted, "x", "", "")}},
		{"still starting", evidence{node: front.NodeView{Grid: flwrexec.StatusRegistered, Runtime: supernode.Status{State: supernode.Running, Since: now.Add(-10 * time.Second)}}, known: true}},
		{"not online yet, and its log gives no reason", evidence{node: front.NodeView{Grid: flwrexec.StatusRegistered, Runtime: up}, known: true}},
		{"unexplained", evidence{node: front.NodeView{Grid: flwrexec.StatusOffline, Runtime: supernode.Status{State: supernode.Stopped}}, known: true}},
	} {
		c.e.now, c.e.node.Name = now, "supernode_1"
		rule, _, r := first(c.e)
		if rule != c.rule {
			t.Errorf("%q speaks in the place of %q", rule, c.rule)
		}
		if r != nil && (r.Verb == "") == (r.Step == 0) || r != nil && r.Verb != "" && !slices.Equal(r.Nodes, []string{"supernode_1"}) {
			t.Errorf("%s: a verb with the SuperNode's name, or a step, but not %+v", rule, r)
		}
	}
}

// TestReadingsAreFew: what takes long is read only once a rule asks for it, so a SuperNode that is well costs no log.
func TestReadingsAreFew(t *testing.T) {
	all := readings
	defer func() { readings = all }()
	var read []reading
	readings = map[reading]func(context.Context, *site.Site, *site.Snapshot, site.Member, *evidence){}
	for what := range all {
		readings[what] = func(context.Context, *site.Site, *site.Snapshot, site.Member, *evidence) { read = append(read, what) }
	}
	e := evidence{node: front.NodeView{Grid: flwrexec.StatusOnline, Runtime: supernode.Status{State: supernode.Running}}, known: true, now: time.Now()}
	if p, _ := judge(t.Context(), nil, nil, site.Member{}, &e); p != nil || len(read) != 1 || read[0] != readSaidID {
		t.Errorf("%v, read %v", p, read)
	}
}
