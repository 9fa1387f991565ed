package steps

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"flwrup/flwrexec"
	"flwrup/flwrexec/flwr"
	"flwrup/internal/fleet"
	"flwrup/internal/front"
	"flwrup/internal/ledger"
	"flwrup/internal/project"
	"flwrup/internal/site"
	"flwrup/internal/sitetest"
)

// TestStoppedMeanwhile: a SuperNode that is stopped while the grid answers is not one that runs and is lost.
func TestStoppedMeanwhile(t *testing.T) {
	s, g, rt := sitetest.InFederation(t, sitetest.NewGrid("1.42.0"), 2)
	g.Faults["nodes"] = []sitetest.Fault{{After: func() {
		if err := site.NoteWanted(s, []string{"supernode_2"}, front.WantedDown); err != nil {
			t.Error(err)
		}
		if err := rt.Stop(t.Context(), "supernode_2", 0); err != nil {
			t.Error(err)
		}
		g.Known[1].Status = flwrexec.StatusOffline
	}}}
	st, err := Inspect(t.Context(), s, front.StepOnline)
	if err != nil || len(st.Items) != 2 || st.Items[1].State == front.ItemFailed {
		t.Errorf("%+v %v", st, err)
	}
}

// patient is a Grid that notes whether it was asked as part of a look, which gives it less time to answer.
type patient struct {
	*sitetest.Grid
	hurried bool
}

func (p *patient) FederationDetails(ctx context.Context, c flwr.Connection, id string) (flwrexec.FederationDetails, error) {
	p.hurried = p.hurried || flwrexec.OneLook(ctx) == ctx
	return p.Grid.FederationDetails(ctx, c, id)
}

// TestDoingIsPatient: a step that is done, or planned, gives a slow grid all its time.
func TestDoingIsPatient(t *testing.T) {
	s, g, _ := sitetest.InFederation(t, sitetest.NewGrid("1.42.0"), 1)
	configured(t, s)
	p := &patient{Grid: g}
	site.With(s, site.Backends{Flwr: p})
	g.Members = nil
	if _, err := Plan(t.Context(), s, front.StepHandover); err != nil || p.hurried {
		t.Errorf("plan: hurried %v, %v", p.hurried, err)
	}
	for _, id := range []front.StepID{front.StepHandover, front.StepConfirmation} {
		s.Forget()
		if err := Apply(t.Context(), s, id, &sitetest.Heard{}); err != nil || p.hurried {
			t.Errorf("step %d: hurried %v, %v", id, p.hurried, err)
		}
	}
	s.Forget()
	if _, err := Inspect(t.Context(), s, front.StepHandover); err != nil || !p.hurried {
		t.Errorf("a look is not hurried, %v", err)
	}
}

// TestPlanOfARunAsksNobody: the ledger has the run whose log step 16 would follow.
func TestPlanOfARunAsksNobody(t *testing.T) {
	s, g, _ := sitetest.InFederation(t, sitetest.NewGrid("1.42.0"), 1)
	if err := s.Ledger.PutRun(ledger.Run{ID: "7", Connection: "supergrid", Started: time.Now(), Status: "running"}); err != nil {
		t.Fatal(err)
	}
	g.Calls = nil
	actions, err := Plan(t.Context(), s, front.StepMonitor)
	if err != nil || len(actions) != 2 || len(g.Calls) > 0 {
		t.Errorf("%+v, asked for %q, %v", actions, g.Calls, err)
	}
}

// TestPlanOfAMessageAsksNobody: step 11 writes a message with all node IDs where flwr does not manage federations.
func TestPlanOfAMessageAsksNobody(t *testing.T) {
	for version, asks := range map[string]string{"1.24.0": "", "1.42.0": "details"} {
		g := sitetest.NewGrid(version)
		s := sitetest.Registered(t, g, 1)
		g.Calls = nil
		actions, err := Plan(t.Context(), s, front.StepHandover)
		if got := strings.Join(g.Calls, " "); err != nil || len(actions) != 1 || got != asks {
			t.Errorf("flwr %s: %+v, asked for %q, %v", version, actions, got, err)
		}
		if err := os.RemoveAll(s.Folder().KeysDir()); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(s.Folder().KeysDir(), nil, 0o600); err != nil { // no folder
			t.Fatal(err)
		}
		s.Forget()
		g.Calls = nil
		if _, err := Plan(t.Context(), s, front.StepHandover); len(g.Calls) > 0 || (err == nil) != (version == "1.24.0") {
			t.Errorf("flwr %s, keys that cannot be read: asked for %q, %v", version, g.Calls, err)
		}
	}
}

// TestFederationIsAskedWhenAllIsWell: step 14 does not ask for the federation where it has worse to tell.
func TestFederationIsAskedWhenAllIsWell(t *testing.T) {
	s, g, rt := sitetest.InFederation(t, sitetest.NewGrid("1.42.0"), 1)
	site.With(s, site.Backends{Runtime: sitetest.Saying{Runtime: rt, Lines: map[string]string{"supernode_1": "INFO : SuperNode ID: 99"}}})
	g.Calls = nil
	st, err := Inspect(t.Context(), s, front.StepOnline)
	if err != nil || st.State != front.Ready || len(st.Evidence) != 2 {
		t.Errorf("%+v %v", st, err)
	}
	if slices.Contains(g.Calls, "details") {
		t.Errorf("asked for %q", g.Calls)
	}
}

// TestCountWithoutItsFolder: step 5 stands as it does, though the folder of keys is one that nobody accepted.
func TestCountWithoutItsFolder(t *testing.T) {
	dir := sitetest.Clone(t, "nodes = 2\nkeys = \"/somewhere/else\"\n")
	s, err := site.Open(site.Options{Dir: dir, ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if !site.Holds(s, "keys") {
		t.Fatal("the folder of keys was taken")
	}
	if st, err := Inspect(t.Context(), s, front.StepCount); err != nil || st.State != front.Done {
		t.Errorf("%+v %v", st, err)
	}
	if st, err := Inspect(t.Context(), s, front.StepKeys); err == nil {
		t.Errorf("step 6: %+v", st)
	}
}

// TestUnseenStepIsNamed: a step says what it waits for, though the grid does not tell how that stands.
func TestUnseenStepIsNamed(t *testing.T) {
	g := sitetest.NewGrid("1.42.0")
	s := sitetest.WithKeys(t, g, 1)
	configured(t, s)
	g.Faults["nodes"] = []sitetest.Fault{{Err: sitetest.ErrCut}}
	says := map[string][]string{}
	Doctor(t.Context(), s, func(f Finding) { says[f.What] = f.Says })
	for _, what := range []string{"11 Hand over IDs", "12 Confirmation"} {
		if !slices.Contains(says[what], "the SuperNodes are not registered yet") {
			t.Errorf("%s: %q", what, says[what])
		}
	}
}

// without opens a site that finds no flwr: path names none that can be run. Its grid is not there.
func without(t *testing.T) (s *site.Site, path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "flwr")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := site.Open(site.Options{Dir: t.TempDir(), Create: true, Trust: true, Choose: func(c *project.Choices) {
		c.Flwr.Path, c.Runtime, c.Grid.Control, c.Grid.Fleet = path, project.RuntimeProcess, "127.0.0.1:1", "127.0.0.1:2"
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, path
}

// TestNetworkIsSeenWithTheFirstFlwr: step 3 tells about the addresses as soon as there is a flwr.
func TestNetworkIsSeenWithTheFirstFlwr(t *testing.T) {
	s, _ := without(t)
	if st, err := Inspect(t.Context(), s, front.StepTools); err != nil || st.State != front.Ready {
		t.Fatalf("%+v %v", st, err)
	}
	site.With(s, site.Backends{Flwr: sitetest.NewGrid("1.42.0")})
	st, err := Inspect(t.Context(), s, front.StepTools)
	if err != nil || !slices.ContainsFunc(st.Items, func(i front.Item) bool { return i.Name == "control" }) {
		t.Errorf("%+v %v", st, err)
	}
}

// TestReferenceLooksForNoFlwr: front ends draw it, which must not take the seconds of a search.
func TestReferenceLooksForNoFlwr(t *testing.T) {
	s, _ := without(t)
	if actions := fleet.Reference(s); len(actions) == 0 || !strings.Contains(actions[0].Command, "flwr login") {
		t.Errorf("%+v", actions)
	}
	if aside := s.LeftAside(); len(aside) > 0 {
		t.Errorf("looked: %q", aside)
	}
	if _, err := s.Session(t.Context()); err == nil || len(s.LeftAside()) == 0 {
		t.Errorf("a search leaves no trace: %v", err)
	}
	site.With(s, site.Backends{Flwr: sitetest.NewGrid("1.42.0")})
	if actions := fleet.Reference(s); !strings.Contains(actions[0].Command, "/usr/bin/flwr login") {
		t.Errorf("%+v", actions)
	}
}

// TestReferenceFitsTheProject: what could not work yet is not offered, and what is offered names what is there.
func TestReferenceFitsTheProject(t *testing.T) {
	commands := func(s *site.Site) string {
		text := ""
		for _, a := range fleet.Reference(s) {
			text += a.Command + "\n"
		}
		return text
	}
	s := sitetest.Open(t, sitetest.NewGrid("1.42.0"), 2)
	sitetest.Choose(t, s, func(c *project.Choices) { c.Federation, c.App, c.Runtime = "", "", project.RuntimeDocker })
	if text := commands(s); strings.Contains(text, "''") || strings.Contains(text, "docker") || strings.Contains(text, "register") || strings.Contains(text, "run ") {
		t.Errorf("nothing is there yet:\n%s", text)
	}
	sitetest.MakeKeys(t, s)
	sitetest.Choose(t, s, func(c *project.Choices) { c.ContainerPrefix, c.Federation = "study_", "@ada/study" })
	if err := site.NoteWanted(s, []string{"supernode_2"}, front.WantedUp); err != nil {
		t.Fatal(err)
	}
	if text := commands(s); !strings.Contains(text, "docker logs -f study_2\n") || !strings.Contains(text, "client_credentials_1.pub") || !strings.Contains(text, "--federation @ada/study") {
		t.Errorf("its own names wanted:\n%s", text)
	}
}
