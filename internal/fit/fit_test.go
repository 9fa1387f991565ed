package fit

import (
	"errors"
	"strings"
	"testing"
	"time"

	"flwrup/flwrexec"
	"flwrup/flwrexec/flwr"
	"flwrup/flwrexec/releases"
	"flwrup/internal/probe"
	"flwrup/internal/project"
	"flwrup/internal/site"
	"flwrup/internal/supernode"
)

func version(t *testing.T, s string) flwr.Version {
	t.Helper()
	v, err := flwr.ParseVersion(s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// look is a look at a grid that was probed: control and fleet; nodes are images or, without a colon, versions that were
// noted at the start.
func look(t *testing.T, at string, control, fleet probe.Transport, out string, nodes ...string) *site.Snapshot {
	t.Helper()
	p := &site.Snapshot{Folder: site.Folder{Dir: t.TempDir(), Choices: project.Defaults(t.TempDir())}, Flwr: at}
	p.Dialect = flwr.Latest()
	if at != "" {
		p.Dialect = flwr.DialectOf(version(t, at))
	}
	p.Network.Value = site.Network{Control: probe.Result{Control: control}, Fleet: probe.Result{Fleet: fleet}}
	for _, v := range strings.Fields(out) {
		p.Releases.Releases, p.Releases.At = append(p.Releases.Releases, releases.Release{Version: version(t, v)}), time.Now()
	}
	for i, n := range nodes {
		st := supernode.Status{State: supernode.Running, Image: n}
		if !strings.Contains(n, ":") {
			st.Image, st.Labels = "", map[string]string{"flwr": n}
		}
		p.SuperNodes = append(p.SuperNodes, site.SuperNode{Member: site.Member{Name: "supernode_" + string(rune('1'+i))}, Runtime: st})
	}
	return p
}

func TestJudge(t *testing.T) {
	const image = "flwr/supernode:1.38.0-py3.13-ubuntu24.04"
	for name, c := range map[string]struct {
		p      *site.Snapshot
		target string
		needed bool
		why    string
		fits   string // of the flwr at hand, then of each SuperNode: y, n or ?
	}{
		"all is well":            {look(t, "1.42.0", probe.HTTP, probe.HTTP, "1.41.0 1.42.0", "1.42.0"), "", false, "", "yy"},
		"the grid moved on":      {look(t, "1.42.0", probe.HTTP, probe.HTTP, "1.41.0 1.42.0", image, "1.42.0"), "1.42.0", true, "the grid speaks HTTP to SuperNodes (flwr 1.40 or later); supernode_1 runs 1.38.0: upgrade to 1.42.0", "yny"},
		"and nobody asks":        {look(t, "1.24.0", probe.HTTP, probe.HTTP, "", "1.24.0", "1.24.0"), "1.42.0", true, "the grid speaks HTTP to SuperNodes (flwr 1.40 or later); supernode_1, supernode_2 and flwr on this machine run 1.24.0: upgrade to 1.42.0", "nnn"},
		"the grid is older":      {look(t, "1.42.0", probe.HTTP, probe.GRPC, "1.39.0 1.42.0", "1.42.0"), "1.39.0", true, "the grid speaks gRPC to SuperNodes (flwr 1.37 to 1.39); supernode_1 and flwr on this machine run 1.42.0: go back to 1.39.0", "nn"},
		"only the commands":      {look(t, "1.36.0", probe.HTTP, probe.GRPC, "1.39.0 1.42.0", "1.36.0"), "1.39.0", true, "the grid speaks gRPC to SuperNodes (flwr 1.37 to 1.39); flwr on this machine is 1.36.0: upgrade to 1.39.0", "ny"},
		"a newer one is out":     {look(t, "1.41.0", probe.HTTP, probe.HTTP, "1.41.0 1.42.0", "1.41.0"), "1.42.0", false, "flwr 1.42.0 is out; supernode_1 and flwr on this machine run 1.41.0", "yy"},
		"an unheard one is out":  {look(t, "1.42.0", probe.HTTP, probe.HTTP, "1.42.0 1.43.0", "1.42.0"), "", false, "flwr 1.43.0 is out, and newer than this flwrup knows: flwrup doctor --flwr 1.43.0 compares it", "yy"},
		"two newer ones are out": {look(t, "1.41.0", probe.HTTP, probe.HTTP, "1.42.0 1.43.0", "1.41.0"), "1.42.0", false, "flwr 1.43.0 is out, and newer than this flwrup knows; flwr 1.42.0 is out; supernode_1 and flwr on this machine run 1.41.0", "yy"},
		"it does not fit":        {look(t, "1.39.0", probe.HTTP, probe.GRPC, "1.39.0 1.42.0", "1.39.0"), "", false, "", "yy"},
		"nothing fits":           {look(t, "1.24.0", probe.HTTP, probe.HTTP, "1.24.0 1.25.0", "1.24.0"), "", true, "the grid speaks HTTP to SuperNodes (flwr 1.40 or later); supernode_1 and flwr on this machine run 1.24.0: flwrup knows no release that fits", "nn"},
		"only an unheard one":    {look(t, "1.24.0", probe.HTTP, probe.HTTP, "1.24.0 1.43.0", "1.24.0"), "1.43.0", true, "the grid speaks HTTP to SuperNodes (flwr 1.40 or later); supernode_1 and flwr on this machine run 1.24.0: upgrade to 1.43.0, which is newer than this flwrup knows", "nn"},
		"the grid is silent":     {look(t, "1.42.0", probe.None, probe.None, "1.42.0", "1.38.0", "x:latest"), "1.42.0", false, "flwr 1.42.0 is out; supernode_1 runs 1.38.0", "???"},
		"many":                   {look(t, "1.42.0", probe.None, probe.HTTP, "", "1.38.0", "1.38.0", "1.39.0", "1.38.0", "1.38.0"), "1.42.0", true, "the grid speaks HTTP to SuperNodes; supernode_1, supernode_2, supernode_4 and 1 more run 1.38.0, supernode_3 runs 1.39.0: upgrade to 1.42.0", "ynnnnn"},
		"a nightly at hand":      {look(t, "1.43.0.dev20261026", probe.HTTP, probe.HTTP, "1.42.0", "1.43.0.dev20261026"), "", false, "flwr 1.43.0.dev20261026 is a development build: its commands are taken from its --help, its protocols are taken to be those of 1.42", "yy"},
		"no flwr yet":            {look(t, "", probe.HTTP, probe.HTTP, "1.42.0"), "", false, "", "?"},
	} {
		t.Run(name, func(t *testing.T) {
			f := Judge(c.p)
			fits := ""
			for _, v := range append([]Node{{Fits: f.Tells}}, f.Nodes...) {
				fits += map[Verdict]string{Yes: "y", No: "n", NotKnown: "?"}[v.Fits]
			}
			if f.Target.String() != c.target || f.Needed != c.needed || f.Why != c.why || fits != c.fits {
				t.Errorf("target %q needed %v fits %s\n%s\nwant %q %v %s\n%s", f.Target, f.Needed, fits, f.Why, c.target, c.needed, c.fits, c.why)
			}
		})
	}
}

// Without a probe, who is understood says what the grid speaks.
func TestWhoIsUnderstood(t *testing.T) {
	p := look(t, "1.38.0", probe.None, probe.None, "1.42.0", "1.38.0", "1.42.0")
	p.Network.Err = errors.New("nobody asked")
	p.Nodes.At = time.Now()
	p.SuperNodes[1].Listed, p.SuperNodes[1].Grid = true, flwrexec.Node{Status: flwrexec.StatusOnline}
	f := Judge(p)
	if f.Control != probe.HTTP || f.Fleet != probe.HTTP || f.Nodes[0].Fits != No || f.Nodes[1].Fits != Yes || f.Tells != No {
		t.Errorf("%+v", f)
	}
	p.SuperNodes[1].Grid.Status = flwrexec.StatusOffline
	if f := Judge(p); f.Fleet != probe.None || f.Nodes[0].Fits != NotKnown {
		t.Errorf("%+v", f)
	}
	p.Nodes.Err = errors.New("silent")
	if f := Judge(p); f.Control != probe.None || f.Needed {
		t.Errorf("%+v", f)
	}
}

// With check-releases = false nothing is said of news, and what cannot talk to the grid is.
func TestCheckReleasesOff(t *testing.T) {
	p := look(t, "1.41.0", probe.HTTP, probe.HTTP, "1.42.0", "1.41.0")
	p.Choices.Flwr.Check = false
	if f := Judge(p); f.Why != "" || len(f.Out.Releases) > 0 {
		t.Errorf("%+v", f)
	}
	p = look(t, "1.42.0", probe.HTTP, probe.HTTP, "1.43.0", "1.24.0")
	p.Choices.Flwr.Check = false
	if f := Judge(p); !f.Needed || f.Target.String() != "1.42.0" {
		t.Errorf("%+v", f)
	}
}

// A SuperNode that was started for another grid has a version, and fits nothing.
func TestElsewhere(t *testing.T) {
	p := look(t, "1.42.0", probe.HTTP, probe.HTTP, "", "1.24.0")
	p.Choices.Grid.Fleet = "here.example.org:443"
	p.Tool.Value.Dialect = p.Dialect
	p.SuperNodes[0].Runtime.Labels[site.FleetLabel] = "there.example.org:443"
	if f := Judge(p); f.Needed || !f.Nodes[0].Elsewhere || f.Nodes[0].Version.String() != "1.24.0" || f.Nodes[0].Fits != NotKnown {
		t.Errorf("%+v", f)
	}
}

// A rehearsal's grid is of the flwr at hand: news are none of its business, but a misfit is.
func TestRehearsal(t *testing.T) {
	p := look(t, "1.41.0", probe.HTTP, probe.HTTP, "1.42.0", "1.41.0")
	p.Choices.Grid.Rehearsal = true
	if f := Judge(p); f.Why != "" || f.Target != (flwr.Version{}) {
		t.Errorf("%+v", f)
	}
	p = look(t, "1.42.0", probe.HTTP, probe.HTTP, "", "1.24.0")
	p.Choices.Grid.Rehearsal = true
	if f := Judge(p); !f.Needed || f.Target.String() != "1.42.0" {
		t.Errorf("%+v", f)
	}
}

// The same table decides here and where a SuperNode is refused at its start.
func TestOneTable(t *testing.T) {
	for minor := 24; minor <= 42; minor++ {
		v := flwr.Version{Major: 1, Minor: minor}
		d := flwr.DialectOf(v)
		for _, link := range []int{24, 38, 42} {
			of := flwr.DialectOf(flwr.Version{Major: 1, Minor: link})
			f := Fit{Control: probe.Over(of.ControlHTTP), Fleet: probe.Over(of.FleetHTTP)}
			if (f.judge(v) == Yes) != d.SpeaksTo(of) {
				t.Errorf("SuperNodes of 1.%d and a grid of 1.%d", minor, link)
			}
			n := site.Network{Control: probe.Result{Address: "a:1", Control: f.Control}, Fleet: probe.Result{Address: "a:2", Fleet: f.Fleet}}
			if control, fleet := n.Judge(d); f.Takes(v) != (control == nil && fleet == nil) {
				t.Errorf("1.%d and a grid of 1.%d: %v %v", minor, link, control, fleet)
			}
		}
	}
}

func TestVersionOf(t *testing.T) {
	for _, c := range []struct {
		st   supernode.Status
		want string
	}{
		{supernode.Status{Image: "flwr/supernode:1.38.0-py3.13-ubuntu24.04", Labels: map[string]string{"flwr": "1.42.0"}}, "1.38.0"},
		{supernode.Status{Image: "registry:5000/supernode@sha256:12", Labels: map[string]string{"flwr": "1.42.0"}}, "1.42.0"},
		{supernode.Status{Image: "flwr/supernode:1.43.0.dev20261026-py3.13"}, "1.43.0.dev20261026"},
		{supernode.Status{Image: "ours:latest"}, ""},
	} {
		v, ok := VersionOf(c.st)
		if v.String() != c.want || ok != (c.want != "") {
			t.Errorf("%+v: %q %v", c.st, v, ok)
		}
	}
}
