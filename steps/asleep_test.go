package steps

import (
	"strings"
	"testing"
	"time"

	"flwrup/flwrexec"
	"flwrup/internal/front"
	"flwrup/internal/supernode"
)

func TestMachineSlept(t *testing.T) {
	now := time.Now()
	s := &Site{}
	lost := front.NodeView{Name: "supernode_1", Grid: flwrexec.StatusOffline, Runtime: supernode.Status{State: supernode.Running}}
	s.asleep.look(now)
	s.asleep.look(now.Add(time.Hour)) // an hour in which nobody looked is no sleep
	if p := s.slept(lost, now.Add(time.Hour)); p != nil {
		t.Errorf("%+v", p)
	}
	woke := now.Add(20 * time.Minute)
	s.asleep.note(now, woke, 3*time.Second)
	p := s.slept(lost, woke.Add(10*time.Second))
	if p == nil || p.Code != MachineSlept || !strings.Contains(p.Why, now.Local().Format("15:04")+" to "+woke.Local().Format("15:04")) {
		t.Errorf("%+v", p)
	}
	online, down := lost, lost
	online.Grid, down.Runtime.State = flwrexec.StatusOnline, supernode.Stopped
	for _, v := range []front.NodeView{online, down} {
		if p := s.slept(v, woke); p != nil {
			t.Errorf("%+v: %+v", v, p)
		}
	}
	if p := s.slept(lost, woke.Add(time.Hour)); p != nil {
		t.Errorf("an hour later: %+v", p)
	}
}
