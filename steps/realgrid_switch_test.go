//go:build unix

package steps

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"flwrup/flwrexec"
	"flwrup/flwrexec/flwr"
	"flwrup/internal/fleet"
	"flwrup/internal/front"
	"flwrup/internal/health"
	"flwrup/internal/project"
	"flwrup/internal/require"
	"flwrup/internal/site"
	"flwrup/internal/sitetest"
)

// TestTwoGrids has one project on two real SuperLinks, each with a CA of its own, under the names that the
// person's config.toml has for them: the same keys get node IDs on both, the SuperNodes go over with the
// project, and going back finds everything as it was.
func TestTwoGrids(t *testing.T) {
	require.Image(t, require.Newest)
	t.Setenv(pollInterval, "0.2")
	first, second := newTrial(t, require.Newest), newTrial(t, require.Newest)
	config := "# mine\n[superlink]\ndefault = \"local\"\n\n[superlink.local]\naddress = \":local:\"\n"
	for name, x := range map[string]*trial{"first": first, "second": second} {
		config += fmt.Sprintf("\n[superlink.%s]\naddress = %q\nroot-certificates = %q\n", name, x.g.Ready.Control, x.g.Ready.CA)
	}
	file := filepath.Join(first.home, "config.toml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := site.Open(site.Options{Dir: t.TempDir(), Create: true, Choose: func(c *project.Choices) {
		c.Nodes, c.CreateFederation, c.Runtime, c.HostNetwork, c.Flwr.Home, c.Flwr.Version = 2, true, project.RuntimeDocker, true, first.home, first.version
		c.ContainerPrefix = "flwrup-test-two-grids_"
	}})
	if err != nil {
		t.Fatal(err)
	}
	site.With(s, site.Backends{Flwr: shared{first.flwr}})
	t.Cleanup(func() {
		if err := fleet.TearDown(context.Background(), s, &sitetest.Heard{}, true); err != nil {
			t.Error(err)
		}
		s.Close()
	})
	ids := func() (list []string) {
		members, _, err := site.Members(s)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range members {
			list = append(list, m.Record.NodeID)
		}
		return list
	}
	status := func(x *trial, name, id string) string {
		nodes, err := x.flwr.Nodes(t.Context(), flwr.Connection{Name: name, App: s.Dir})
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range nodes {
			if n.ID.String() == id {
				return n.Status
			}
		}
		return ""
	}
	through := func(x *trial, from front.StepID) map[string]string {
		t.Helper()
		for n := from; n <= front.StepOnline; n++ {
			x.apply(t, s, n, &person{x: x, answers: map[string]string{"passphrase": "correct horse battery"}})
		}
		before := files(t, s)
		x.right(t, s, 2, before)
		return before
	}

	if err := Apply(t.Context(), s, 2, &person{x: first, answers: map[string]string{"grid": "first", "federation": "@ada/study"}}); err != nil {
		t.Fatal(err)
	}
	if g := s.Choices().Grid; g.Connection != "first" || g.Control != first.g.Ready.Control || g.CA != first.g.Ready.CA {
		t.Fatalf("the grid is %+v", g)
	}
	keys := through(first, 6)
	onFirst := ids()

	p := &person{x: second, answers: map[string]string{"grid": "second", "federation": "@ada/study"}}
	if err := Change(t.Context(), s, 2, p); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(ids(), ""); got != "" {
		t.Errorf("on the second grid the keys have the node IDs %s before they were registered", got)
	}
	for n, want := range map[front.StepID]front.StepID{front.StepRegister: front.StepLogin, front.StepStart: front.StepRegister, front.StepOnline: front.StepStart} {
		if st, err := Inspect(t.Context(), s, n); err != nil || st.State != front.Blocked || st.By != want {
			t.Errorf("step %d on the second grid is %s by %d, %v", n, st.State, st.By, err)
		}
	}
	for n := front.StepConfigure; n <= front.StepConfirmation; n++ {
		second.apply(t, s, n, p)
	}
	if st, err := Inspect(t.Context(), s, 13); err != nil || st.State != front.Ready || !strings.Contains(st.Items[0].Text, first.g.Ready.Fleet) {
		t.Errorf("SuperNodes that run for the first grid: step 13 is %s: %+v %v", st.State, st.Items, err)
	}
	if o := health.Overview(t.Context(), s, 0); o.Online != 0 || o.Nodes[0].Diagnosis == nil || o.Nodes[0].Diagnosis.Code != health.NodeElsewhere {
		t.Errorf("%d online, %+v", o.Online, o.Nodes[0].Diagnosis)
	}
	through(second, 13)
	onSecond := ids()
	for i, id := range onFirst {
		if id == onSecond[i] {
			t.Errorf("node ID %s on both grids", id)
		}
		if st := status(first, "first", id); st != flwrexec.StatusOffline {
			t.Errorf("%s is %q on the first grid after the project went over", id, st)
		}
	}

	p = &person{x: first, answers: map[string]string{"grid": "first"}}
	if err := Change(t.Context(), s, 2, p); err != nil {
		t.Fatal(err)
	}
	if s.Choices().Federation != "@ada/study" || fmt.Sprint(ids()) != fmt.Sprint(onFirst) {
		t.Errorf("back on the first grid: federation %q, node IDs %v, were %v", s.Choices().Federation, ids(), onFirst)
	}
	through(first, 8)
	if now := files(t, s); fmt.Sprint(now) != fmt.Sprint(keys) {
		t.Error("the files of the keys have changed")
	}
	if b, err := os.ReadFile(file); err != nil || string(b) != config {
		t.Errorf("config.toml has changed: %v\n%s", err, b)
	}
}
