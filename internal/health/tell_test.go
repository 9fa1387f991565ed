package health

import (
	"errors"
	"strings"
	"testing"
	"time"

	"flwrup/internal/front"
	"flwrup/internal/notify"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/sitetest"
	"flwrup/internal/supernode"
)

// TestToTell: how a SuperNode stands for people who hear of it.
func TestToTell(t *testing.T) {
	up, stopped := supernode.Status{State: supernode.Running}, supernode.Status{State: supernode.Stopped}
	held := supernode.Status{State: supernode.Running, Reason: supernode.Suspended}
	trouble := problem.New(NodeEnded, "x has ended", "", "start it")
	silent, out := problem.New(problem.Unreachable, "", "", ""), problem.New(problem.NotLoggedIn, "", "", "")
	for name, c := range map[string]struct {
		node front.NodeView
		grid error
		rt   error
		want notify.Stand
		none bool
	}{
		"online":                      {node: front.NodeView{Runtime: up, Grid: front.GridOnline}, want: notify.Well},
		"online with another trouble": {node: front.NodeView{Runtime: up, Grid: front.GridOnline, Diagnosis: trouble}, want: notify.Well},
		"starting":                    {node: front.NodeView{Runtime: up, Grid: front.GridOffline}},
		"lost by the grid":            {node: front.NodeView{Runtime: up, Grid: front.GridOffline, Diagnosis: trouble}, want: notify.Gone},
		"ended, not noticed":          {node: front.NodeView{Runtime: stopped, Grid: front.GridOnline, Diagnosis: trouble}, want: notify.Gone},
		"suspended":                   {node: front.NodeView{Runtime: held, Grid: front.GridOnline, Diagnosis: trouble}, want: notify.Gone},
		"no grid":                     {node: front.NodeView{Runtime: up, Diagnosis: trouble}, grid: silent},
		"no grid, and ended":          {node: front.NodeView{Runtime: stopped, Diagnosis: trouble}, grid: silent, want: notify.Gone},
		"not logged in":               {node: front.NodeView{Runtime: up}, grid: out, want: notify.Well},
		"not logged in, and ended":    {node: front.NodeView{Runtime: stopped, Diagnosis: trouble}, grid: out, want: notify.Gone},
		"no runtime":                  {node: front.NodeView{Grid: front.GridOffline, Diagnosis: trouble}, rt: errors.New("x")},
		"an engine's":                 {node: front.NodeView{Grid: front.GridOnline, Engine: &front.Engine{}}, want: notify.Well},
		"stopped by a person":         {node: front.NodeView{Wanted: front.WantedDown, Runtime: stopped, Diagnosis: trouble}, none: true},
	} {
		c.node.Name = "a"
		if c.node.Wanted == "" {
			c.node.Wanted = front.WantedUp
		}
		s := ToTell(front.Overview{Nodes: []front.NodeView{c.node}, GridErr: c.grid, RuntimeErr: c.rt}, time.Now(), strings.ToUpper, nil)
		things := map[notify.What]notify.Stand{}
		for _, thing := range s.Things {
			if things[thing.What] = thing.Stand; thing.What == notify.Node && thing.Stand == notify.Gone && (thing.Cause != "X HAS ENDED" || thing.Fix != "START IT" || thing.Code != string(NodeEnded)) {
				t.Errorf("%s: %+v", name, thing)
			}
		}
		if _, has := things[notify.Node]; has == c.none || things[notify.Node] != c.want {
			t.Errorf("%s: %q, want %q", name, things[notify.Node], c.want)
		}
		if (things[notify.Grid] == notify.Gone) != (c.grid != nil) || (things[notify.Runtime] == notify.Gone) != (c.rt != nil) || s.NoRuns != (c.grid != nil) {
			t.Errorf("%s: %v", name, things)
		}
	}
	runs := ToTell(front.Overview{FromLogs: true, Runs: []front.RunView{{ID: "7", Status: front.RunRunning}, {ID: "8", Status: front.RunFailed, Details: "why"}}}, time.Now(), strings.ToUpper, map[string]string{"7": "1 of 2"})
	if r := runs.Runs; !r[0].Waits || r[0].Cause != "1 of 2" || !r[1].Failed || r[1].Cause != "WHY" || len(runs.Things) != 1 {
		t.Errorf("%+v", runs)
	}
	sites := ToTell(front.Overview{Sites: []front.SiteView{{Name: "b", Title: "Site B", Nodes: []front.NodeView{{Name: "x", Grid: front.GridOffline, Diagnosis: trouble}}}}}, time.Now(), strings.ToUpper, nil)
	if thing := sites.Things[0]; thing.Name != "x at Site B" || thing.Stand != notify.Gone {
		t.Errorf("%+v", thing)
	}
}

// TestNothingOfDataIsTold: names of data folders, variables and paths are taken out of causes.
func TestNothingOfDataIsTold(t *testing.T) {
	t.Setenv("DB_PASSWORD", "hunter2hunter2")
	s := sitetest.Open(t, sitetest.NewGrid("1.42.0"), 1)
	if err := s.Change(func(c *project.Choices) error {
		c.All.Data, c.All.Env = []string{"/srv/patients_2026:/data"}, []string{"DB_PASSWORD"}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	d := problem.New(NodeEnded, "a has ended", "FileNotFoundError: /srv/patients_2026/mueller.dcm; login hunter2hunter2 in "+s.Dir+"/keys/client_credentials_1", "see "+s.Dir)
	seen := ToTell(front.Overview{Nodes: []front.NodeView{{Name: "a", Wanted: front.WantedUp, Runtime: supernode.Status{State: supernode.Stopped}, Diagnosis: d}}}, time.Now(), Redactor(s, false).Text, nil)
	text := seen.Things[0].Cause + seen.Things[0].Fix
	for _, secret := range []string{"patients", "mueller", "hunter2", s.Dir, "client_credentials"} {
		if strings.Contains(text, secret) {
			t.Errorf("%q is in %q", secret, text)
		}
	}
	if !strings.Contains(text, "a has ended: FileNotFoundError") {
		t.Error(text)
	}
}
