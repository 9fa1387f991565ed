package lastlook

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/supernode"
	"flwrup/internal/termsafe"
	"flwrup/internal/turn"
)

// watched is a folder with a watch by this process, and its last look.
func watched(t *testing.T, at time.Time) (dir string, l Look) {
	t.Helper()
	dir = t.TempDir()
	state, err := project.EnsureStateDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for file, text := range map[string]string{project.File(dir): "nodes = 2\n", filepath.Join(state, "ledger.json"): "{}\n"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	unlock, err := turn.LockWatch(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(unlock)
	l = Look{At: at.Round(0), Title: front.Title{Project: "study", Flwr: "1.42.0"}, Over: front.Overview{Online: 1, GridAt: at.Round(0).UTC(),
		GridErr: fmt.Errorf("list: %w", &problem.Problem{Code: problem.Unreachable, What: "no answer", Why: "timeout", Fix: "wait", Raw: "a\nb", Err: errors.New("cut")}),
		Remedy:  &front.Remedy{Says: "start it", Verb: front.StartGrid},
		Nodes: []front.NodeView{{Name: "supernode_1", NodeID: "7", Grid: front.GridOnline, Wanted: front.WantedUp, Runtime: supernode.Status{State: supernode.Running, Since: at.Round(0).UTC(), Labels: map[string]string{"a": "b"}},
			Diagnosis: problem.New("x", "what", "why", "fix"), Remedy: &front.Remedy{Says: "start it again", Verb: front.StartNodes, Nodes: []string{"supernode_1"}},
			Engine: &front.Engine{Kind: "compose"}}},
		Sites: []front.SiteView{{Name: "b", Nodes: []front.NodeView{{Name: "x"}}}},
		Runs:  []front.RunView{{ID: "1", App: "a/b", Status: front.RunRunning, Elapsed: time.Minute}}}}
	stamp, err := Stamp(dir)
	if err == nil {
		err = Write(dir, stamp, l)
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir, l
}

// A look comes back as it was, with its troubles and remedies.
func TestComesBack(t *testing.T) {
	now := time.Now()
	dir, want := watched(t, now.UTC())
	got, ok := Read(dir, now.Add(10*time.Second))
	if !ok {
		t.Fatal("it is not taken")
	}
	p := problem.Of(got.Over.GridErr)
	if p.Code != problem.Unreachable || p.What != "list: no answer" || p.Fix != "wait" || p.Raw != "a\nb" || got.Over.RuntimeErr != nil || got.Over.FileErr != nil {
		t.Errorf("%+v %v", p, got.Over.RuntimeErr)
	}
	want.Over.GridErr, got.Over.GridErr = nil, nil
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if info, err := os.Stat(File(project.StateDir(dir))); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	var many []front.NodeView
	for i := range 1000 {
		many = append(many, front.NodeView{Name: fmt.Sprintf("supernode_%d", i+1), Diagnosis: problem.New("x", strings.Repeat("w", 300), strings.Repeat("y", 300), "fix")})
	}
	stamp, _ := Stamp(dir)
	if err := Write(dir, stamp, Look{At: now, Over: front.Overview{Nodes: many}}); err != nil {
		t.Fatal(err)
	}
	if got, ok := Read(dir, now); !ok || len(got.Over.Nodes) != 1000 {
		t.Errorf("%v, %d SuperNodes", ok, len(got.Over.Nodes))
	}
}

// A look is no longer taken once there is a reason to doubt it.
func TestHoldsNoMore(t *testing.T) {
	now := time.Now()
	edit := func(from, to string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			file := File(project.StateDir(dir))
			text, err := os.ReadFile(file)
			if err != nil || !strings.Contains(string(text), from) {
				t.Fatalf("no %s: %v", from, err)
			}
			if err := os.WriteFile(file, []byte(strings.Replace(string(text), from, to, 1)), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	write := func(name, text string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, c := range map[string]struct {
		change func(*testing.T, string)
		now    time.Time
		holds  bool
	}{
		"as it was":            {holds: true},
		"at the bound":         {now: now.Add(Bound), holds: true},
		"too old":              {now: now.Add(Bound + time.Millisecond)},
		"from the future":      {now: now.Add(-time.Second)},
		"flwrup.toml changed":  {change: write("flwrup.toml", "nodes = 3\n")},
		"flwrup.toml gone":     {change: func(_ *testing.T, dir string) { os.Remove(project.File(dir)) }},
		"the ledger changed":   {change: write(".flwrup/ledger.json", "{ }\n")},
		"another watch's":      {change: edit(fmt.Sprintf(`"pid":%d`, os.Getpid()), `"pid":1`)},
		"an earlier watch's":   {change: edit(`"since":"20`, `"since":"19`)},
		"another version":      {change: edit(`"version":1`, `"version":2`)},
		"cut off":              {change: func(_ *testing.T, dir string) { os.Truncate(File(project.StateDir(dir)), 100) }},
		"gone":                 {change: func(_ *testing.T, dir string) { os.Remove(File(project.StateDir(dir))) }},
		"an error of no shape": {change: edit(`"GridErr":null`, `"GridErr":{"a":1}`)},
		"a link": {change: func(_ *testing.T, dir string) {
			f := File(project.StateDir(dir))
			os.Rename(f, dir+"/x")
			os.Symlink(dir+"/x", f)
		}},
		"too large": {change: func(_ *testing.T, dir string) { os.Truncate(File(project.StateDir(dir)), most+1) }},
	} {
		dir, _ := watched(t, now)
		if c.change != nil {
			c.change(t, dir)
		}
		if c.now.IsZero() {
			c.now = now
		}
		if _, ok := Read(dir, c.now); ok != c.holds {
			t.Errorf("%s: %v", name, ok)
		}
	}
}

// An action of flwrup's makes the looks before it and during it worthless: its end may have changed all.
func TestActions(t *testing.T) {
	now := time.Now()
	dir, l := watched(t, now)
	done, _, err := turn.In(dir).Take(t.Context(), "starting supernode_1", time.Second, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := Read(dir, now); ok {
		t.Error("the look before an action holds during it")
	}
	if _, err := Stamp(dir); err == nil {
		t.Error("a stamp during an action")
	}
	done()
	if _, ok := Read(dir, now); ok {
		t.Error("the look before an action holds after it")
	}
	stamp, err := Stamp(dir)
	if err == nil {
		err = Write(dir, stamp, l)
	}
	if _, ok := Read(dir, now); !ok || err != nil {
		t.Errorf("a look after the action does not hold: %v", err)
	}
	done, _, err = turn.In(dir).Take(t.Context(), "stopping supernode_1", time.Second, nil)
	if err != nil {
		t.Fatal(err)
	}
	done()
	before, _ := os.ReadFile(File(project.StateDir(dir)))
	if err := Write(dir, stamp, Look{At: now.Add(time.Second)}); err != nil {
		t.Fatal(err)
	}
	if after, _ := os.ReadFile(File(project.StateDir(dir))); string(after) != string(before) {
		t.Error("a look during which flwrup acted is kept")
	}
}

// Without a watch that lives, nothing is kept, and what one left behind does not hold.
func TestNoWatch(t *testing.T) {
	dir := t.TempDir()
	unlock, err := turn.LockWatch(dir)
	if err != nil {
		t.Fatal(err)
	}
	stamp, err := Stamp(dir)
	if err == nil {
		err = Write(dir, stamp, Look{At: time.Now()})
	}
	if _, ok := Read(dir, time.Now()); !ok || err != nil {
		t.Fatalf("%v %v", ok, err)
	}
	unlock()
	if _, ok := Read(dir, time.Now()); ok {
		t.Error("the watch is gone, and its look holds")
	}
	os.Remove(File(project.StateDir(dir)))
	if err := Write(dir, stamp, Look{At: time.Now()}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(File(project.StateDir(dir))); err == nil {
		t.Error("kept without a watch")
	}
}

// Text is cleaned, and no command is offered that flwrup has not.
func TestHostile(t *testing.T) {
	now := time.Now()
	dir, l := watched(t, now)
	l.Title.Project = "x\x1b]0;y\x07\u202e"
	l.Over.Remedy = &front.Remedy{Verb: "x; rm -rf ~"}
	l.Over.Nodes[0].Remedy = &front.Remedy{Verb: front.StartNodes, Nodes: []string{"a; rm -rf ~"}}
	l.Over.Nodes[0].Diagnosis = problem.New("c\x9b", "w\x1b[2J", "y", "f\r\nz")
	l.Over.Sites[0].Nodes[0].Remedy = &front.Remedy{Step: 99}
	stamp, _ := Stamp(dir)
	if err := Write(dir, stamp, l); err != nil {
		t.Fatal(err)
	}
	got, ok := Read(dir, now)
	if !ok {
		t.Fatal("it is not taken")
	}
	if got.Over.Remedy != nil || got.Over.Nodes[0].Remedy != nil || got.Over.Sites[0].Nodes[0].Remedy != nil {
		t.Errorf("%+v %+v", got.Over.Remedy, got.Over.Nodes[0].Remedy)
	}
	if text := fmt.Sprintf("%+v %+v", got, got.Over.Nodes[0].Diagnosis); strings.ContainsAny(text, "\x1b\x07\u202e\r\u009b") {
		t.Errorf("%q", text)
	}
}

// FuzzDecode: nothing that a terminal acts on and no command that flwrup lacks comes out, whatever a file says.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"version":1}`))
	f.Add([]byte(`{"version":1,"overview":{"Nodes":[{"Name":"a\u001b[2J","Diagnosis":{"Code":"x"},"Remedy":{"Verb":"start","Nodes":["a"]}}],"Sites":[{"Nodes":[{"Remedy":{"Verb":"x"}}]}]},"GridErr":{"What":"x","Raw":"a\nb"}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		_, l, err := decode(text)
		if err != nil {
			return
		}
		shown, err := json.Marshal(l.Over.Nodes)
		if err != nil {
			t.Fatal(err)
		}
		if line, bad := termsafe.Unsafe(string(shown)); bad || strings.Contains(string(shown), `\u001b`) {
			t.Errorf("%q", line)
		}
		for _, n := range l.Over.Nodes {
			if n.Remedy != nil && strings.ContainsAny(strings.Join(n.Remedy.Args(), ""), " ;|&$`\n") {
				t.Errorf("%q", n.Remedy.Args())
			}
		}
	})
}
