package steps

import (
	"strings"
	"testing"
	"time"

	"flwrup/flwrexec"
	"flwrup/internal/front"
	"flwrup/internal/health"
	"flwrup/internal/site"
	"flwrup/internal/supernode"
)

func TestMachineSlept(t *testing.T) {
	now := time.Now()
	s := &site.Site{}
	lost := front.NodeView{Name: "supernode_1", Grid: flwrexec.StatusOffline, Runtime: supernode.Status{State: supernode.Running}}
	site.Kept[health.Sleeper](s).Look(now)
	site.Kept[health.Sleeper](s).Look(now.Add(time.Hour)) // an hour in which nobody looked is no sleep
	if p := health.Slept(s, lost, now.Add(time.Hour)); p != nil {
		t.Errorf("%+v", p)
	}
	woke := now.Add(20 * time.Minute)
	site.Kept[health.Sleeper](s).Note(now, woke, 3*time.Second)
	p := health.Slept(s, lost, woke.Add(10*time.Second))
	if p == nil || p.Code != health.MachineSlept || !strings.Contains(p.Why, now.Local().Format("15:04")+" to "+woke.Local().Format("15:04")) {
		t.Errorf("%+v", p)
	}
	online, down := lost, lost
	online.Grid, down.Runtime.State = flwrexec.StatusOnline, supernode.Stopped
	for _, v := range []front.NodeView{online, down} {
		if p := health.Slept(s, v, woke); p != nil {
			t.Errorf("%+v: %+v", v, p)
		}
	}
	if p := health.Slept(s, lost, woke.Add(time.Hour)); p != nil {
		t.Errorf("an hour later: %+v", p)
	}
}
