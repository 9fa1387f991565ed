package fleet

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"flwrup/flwrexec"
	"flwrup/internal/export"
	"flwrup/internal/front"
	"flwrup/internal/health"
	"flwrup/internal/ledger"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/site"
	"flwrup/internal/sitetest"
)

// TestMoveAndBack: an engine's SuperNodes are stopped here, left alone by every verb, and come back by name alone, with
// their keys and node IDs, once the grid has let go of them.
func TestMoveAndBack(t *testing.T) {
	ctx := context.Background()
	g := sitetest.NewGrid("1.42.0")
	s, _, rt := sitetest.InFederation(t, g, 3)
	before := s.Ledger.Nodes()
	e, err := NewExport(ctx, s, export.Compose, []string{"supernode_1", "supernode_2"}, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Write(ctx, s, false, &sitetest.Heard{}); err != nil {
		t.Fatal(err)
	}
	if len(rt.Running()) != 3 {
		t.Errorf("an export without --move stopped some: %v run", rt.Running())
	}
	g.SetStatus(0, flwrexec.StatusOffline)
	g.SetStatus(1, flwrexec.StatusOffline)
	g.SetStatus(2, flwrexec.StatusOffline) // the grid in memory notices no stop
	if err := Move(ctx, s, e, &sitetest.Heard{}); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(rt.Running(), " "); got != "supernode_3" {
		t.Errorf("%q run after the move", got)
	}
	for _, verb := range []front.Verb{front.StartNodes, front.RestartNodes, front.StopNodes, front.StartNodes} {
		heard := &sitetest.Heard{}
		if err := Operate(ctx, s, verb, nil, heard); err != nil {
			t.Errorf("%s: %v", verb, err)
		}
		if _, ran := rt.Started["supernode_1"]; ran || !strings.Contains(heard.Said(), "supernode_1: left alone, compose runs it: cd ") {
			t.Errorf("%s did not leave supernode_1 alone:\n%s", verb, heard.Said())
		}
	}
	for verb, types := range map[front.Verb]string{front.StopNodes: "docker compose stop supernode-1", front.RestartNodes: "docker compose up -d supernode-1"} {
		if err := Operate(ctx, s, verb, []string{"supernode_1"}, &sitetest.Heard{}); !problem.Is(err, health.NodeEngine) || !strings.Contains(problem.Of(err).Fix, types) {
			t.Errorf("%s of a named one: %v", verb, err)
		}
	}
	list, _, err := site.Members(s)
	if err == nil {
		err = BringUp(ctx, s, list, &sitetest.Heard{})
	}
	if got := strings.Join(rt.Running(), " "); err != nil || got != "supernode_3" {
		t.Errorf("step 13 starts %q: %v", got, err)
	}
	o := health.Diagnosed(ctx, s, 0)
	if n := o.Nodes[0]; n.Engine == nil || n.Engine.Kind != "compose" || n.Diagnosis == nil || n.Diagnosis.Code != health.NodeEngine || !strings.Contains(n.Diagnosis.Fix, "docker compose up -d supernode-1") {
		t.Errorf("offline at its engine: %+v", n)
	}
	g.SetStatus(0, flwrexec.StatusOnline)
	if n := health.Diagnosed(ctx, s, 0).Nodes[0]; n.Diagnosis != nil {
		t.Errorf("online at its engine: %v", n.Diagnosis)
	}
	g.SetStatus(0, flwrexec.StatusOffline)

	if e, err = NewExport(ctx, s, export.Compose, []string{"supernode_3"}, ""); err != nil || len(e.Names) != 3 {
		t.Errorf("a later export takes those of the folder along: %v, %v", e.Names, err)
	}
	if err := Operate(ctx, s, front.StartNodes, []string{"supernode_1"}, &sitetest.Heard{}); err != nil {
		t.Error(err)
	}
	if got := strings.Join(rt.Running(), " "); got != "supernode_1 supernode_3" {
		t.Errorf("%q run after one came back", got)
	}
	if _, is := health.RunBy(s.Ledger.Data(), s.Folder(), "supernode_1"); is {
		t.Error("the ledger still gives supernode_1 to compose")
	}
	for i, n := range s.Ledger.Nodes() {
		if n.NodeID != before[i].NodeID || n.Key != before[i].Key {
			t.Errorf("%s was %s with %s, is %s with %s", n.Name, before[i].NodeID, before[i].Key, n.NodeID, n.Key)
		}
	}
}

// TestSettingsOfEngines: a changed setting says which files of an engine are behind, and the command for them; one that
// no file carries says nothing, and so does an export that was made since.
func TestSettingsOfEngines(t *testing.T) {
	ctx := context.Background()
	g := sitetest.NewGrid("1.42.0")
	s, _, rt := sitetest.InFederation(t, g, 2)
	for i := range 2 {
		g.SetStatus(i, flwrexec.StatusOffline)
	}
	out := filepath.Join(s.Dir, "deploy here")
	move := func(name string) {
		t.Helper()
		e, err := NewExport(ctx, s, export.Compose, []string{name}, out)
		if err == nil {
			err = e.Write(ctx, s, true, &sitetest.Heard{})
		}
		if err == nil {
			err = Move(ctx, s, e, &sitetest.Heard{})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	move("supernode_1")
	list, _, err := site.Members(s)
	if err != nil {
		t.Fatal(err)
	}
	spec, err := site.Spec(ctx, s, list[0], "")
	if err == nil {
		err = rt.Start(ctx, spec) // as Compose does: Docker shows it by its labels
	}
	if err != nil {
		t.Fatal(err)
	}
	set := func(name, memory string) string {
		t.Helper()
		heard := &answers{Heard: &sitetest.Heard{}, list: []string{"memory", memory, "done", "no"}}
		if err := ChangeSettings(ctx, s, []string{name}, heard); err != nil {
			t.Fatal(err)
		}
		if asked := len(heard.list) == 0; asked != (name == "supernode_2") {
			t.Errorf("%s: asked whether to restart it: %v", name, asked)
		}
		return heard.Said()
	}
	if said := set("supernode_2", "1g"); strings.Contains(said, "compose") {
		t.Errorf("flwrup runs supernode_2:\n%s", said)
	}
	said := set("supernode_1", "2g")
	if !strings.Contains(said, "export again (flwrup export compose --out '"+out+"'), then type there docker compose up -d: compose runs supernode_1 from files that are older now (compose.yaml)") {
		t.Errorf("compose's files are behind, and nobody says so:\n%s", said)
	}
	move("supernode_1")
	if said := set("supernode_2", "3g"); strings.Contains(said, "compose") {
		t.Errorf("exported since:\n%s", said)
	}
}

// answers is a person who answers with list, in its order.
type answers struct {
	*sitetest.Heard
	list []string
}

func (a *answers) Ask(ctx context.Context, q front.Question) (string, error) {
	if len(a.list) == 0 {
		return a.Heard.Ask(ctx, q)
	}
	answer := a.list[0]
	a.list = a.list[1:]
	return answer, nil
}

// TestEngineKeepsTheRehearsal: the folder stays while Compose runs SuperNodes from files in it.
func TestEngineKeepsTheRehearsal(t *testing.T) {
	ctx := context.Background()
	s, _, rt := sitetest.InFederation(t, sitetest.NewGrid("1.42.0"), 1)
	sitetest.Choose(t, s, func(c *project.Choices) { c.Grid.Rehearsal = true })
	err := s.Ledger.Change(func(d *ledger.Data) error {
		n := d.SuperNode("supernode_1")
		n.Engine = ledger.Engine{Kind: "compose", Dir: "out"}
		d.PutSuperNode(n)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := TearDown(ctx, s, &sitetest.Heard{}, true); !problem.Is(err, health.NodeEngine) || !strings.Contains(problem.Of(err).Fix, "docker compose rm") {
		t.Errorf("torn down under Compose: %v", err)
	}
	if _, err := os.Stat(s.Dir); err != nil || len(rt.Running()) != 1 {
		t.Errorf("%v run, %v", rt.Running(), err)
	}
}

// TestExportOverwritesNothing: a file that somebody changed stays, and nothing of the same export is written then.
func TestExportOverwritesNothing(t *testing.T) {
	ctx := context.Background()
	s, _ := sitetest.Up(t, sitetest.NewGrid("1.42.0"), 1)
	e, err := NewExport(ctx, s, export.Compose, nil, filepath.Join(s.Dir, "out"))
	if err == nil {
		err = e.Write(ctx, s, false, &sitetest.Heard{})
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Write(ctx, s, false, &sitetest.Heard{}); err != nil {
		t.Errorf("the same once more: %v", err)
	}
	mine := filepath.Join(e.Dir, "README.md")
	if err := os.WriteFile(mine, []byte("mine\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(e.Dir, "compose.yaml")); err != nil {
		t.Fatal(err)
	}
	if err := e.Write(ctx, s, false, &sitetest.Heard{}); !problem.Is(err, Differs) {
		t.Errorf("a changed README: %v", err)
	}
	if text, _ := os.ReadFile(mine); string(text) != "mine\n" {
		t.Errorf("overwritten: %s", text)
	}
	if _, err := os.Stat(filepath.Join(e.Dir, "compose.yaml")); err == nil {
		t.Error("a refused export wrote a file")
	}
	if err := e.Write(ctx, s, true, &sitetest.Heard{}); err != nil {
		t.Error(err)
	}
	if text, _ := os.ReadFile(mine); string(text) == "mine\n" {
		t.Error("--overwrite left it")
	}
}

// TestExportFollowsNoLink: a link that came with the folder leads no export elsewhere.
func TestExportFollowsNoLink(t *testing.T) {
	s, _ := sitetest.Up(t, sitetest.NewGrid("1.42.0"), 1)
	elsewhere := t.TempDir()
	if err := os.Symlink(elsewhere, filepath.Join(s.Dir, "flwrup-export")); err != nil {
		t.Skip(err)
	}
	e, err := NewExport(t.Context(), s, export.Compose, nil, "")
	if err == nil {
		err = e.Write(t.Context(), s, false, &sitetest.Heard{})
	}
	if !problem.Is(err, problem.BadInput) {
		t.Errorf("through a link: %v", err)
	}
	if left, _ := os.ReadDir(elsewhere); len(left) > 0 {
		t.Errorf("written elsewhere: %v", left)
	}
}

// TestExportHasNoKey: no file of an export holds a private key.
func TestExportHasNoKey(t *testing.T) {
	s, _ := sitetest.Up(t, sitetest.NewGrid("1.42.0"), 2)
	for _, kind := range export.Kinds {
		if kind.Processes() { // this site's flwr is none
			continue
		}
		e, err := NewExport(t.Context(), s, kind, nil, "")
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range e.Files {
			if strings.Contains(string(f.Data), "PRIVATE KEY") {
				t.Errorf("%s: %s holds a private key", kind, f.Name)
			}
		}
		if err := e.Write(t.Context(), s, false, &sitetest.Heard{}); err != nil {
			t.Error(err)
		}
	}
}
