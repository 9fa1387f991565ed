package steps

import (
	"context"
	"testing"
	"testing/synctest"

	"flwrup/flwrexec"
	"flwrup/internal/front"
	"flwrup/internal/ledger"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/site"
)

// TestRegisterSettles holds every way in which a registration can end against the one thing that counts:
// each key is registered once, and its node ID is in the ledger.
func TestRegisterSettles(t *testing.T) {
	for _, c := range []struct {
		name   string
		faults []fault
	}{
		{"all well", nil},
		{"cut before the work", []fault{{err: errCut}}},
		{"cut after the work", []fault{{err: errCut, done: true}}},
		{"cut before, then after", []fault{{err: errCut}, {err: errCut, done: true}}},
		{"internal error, nothing done", []fault{{err: problem.New(problem.ServerError, "internal", "", "")}}},
		{"internal error, work done", []fault{{err: problem.New(problem.ServerError, "internal", "", ""), done: true}}},
		{"second key cut after the work", []fault{{}, {err: errCut, done: true}}},
	} {
		for _, version := range []string{"1.24.0", "1.42.0"} {
			t.Run(c.name+" "+version, bubbled(func(t *testing.T) {
				g := newFakeGrid(version)
				s := siteOn(t, g, 3)
				g.faults["register"] = c.faults
				if err := Apply(context.Background(), s, 10, &heard{}); err != nil {
					t.Fatal(err)
				}
				settled(t, s, g, 3)
			}))
		}
	}
}

// bubbled runs a test in a bubble of its own, where pauses take no time.
func bubbled(test func(*testing.T)) func(*testing.T) {
	return func(t *testing.T) { synctest.Test(t, test) }
}

// settled fails the test unless all n keys are registered once and known by their right node IDs.
func settled(t *testing.T, s *site.Site, g *fakeGrid, n int) {
	t.Helper()
	if len(g.nodes) != n {
		t.Errorf("the grid has %d nodes, %d wanted", len(g.nodes), n)
	}
	list, _, err := site.Members(s)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range list {
		if want := g.keys[m.Pair.Public].String(); m.Record.NodeID != want {
			t.Errorf("%s has node ID %q in the ledger, the grid gave %s", m.Name, m.Record.NodeID, want)
		}
	}
	if left := s.Ledger.Intents(); len(left) > 0 {
		t.Errorf("intents left: %+v", left)
	}
}

// TestRegisterGoesOnAfterACrash leaves an intent behind, as a flwrup killed during the call does: once
// with the work done, once without.
func TestRegisterGoesOnAfterACrash(t *testing.T) {
	for _, arrived := range []bool{true, false} {
		g := newFakeGrid("1.33.0")
		s := siteOn(t, g, 2)
		list, _, err := site.Members(s)
		if err != nil {
			t.Fatal(err)
		}
		m := list[0]
		if _, err := s.Ledger.Begin(ledger.Intent{Op: "register", Key: m.Pair.Fingerprint, Name: m.Name, Connection: "supergrid"}); err != nil {
			t.Fatal(err)
		}
		if arrived {
			if _, err := g.Register(context.Background(), s.Connection(), m.Pair.Public, m.Name); err != nil {
				t.Fatal(err)
			}
		}
		if err := Apply(context.Background(), s, 10, &heard{}); err != nil {
			t.Fatal(err)
		}
		settled(t, s, g, 2)
	}
}

// TestRegisterListsOnce: a list of nodes a key would double the time of a registration.
func TestRegisterListsOnce(t *testing.T) {
	g := newFakeGrid("1.42.0")
	s := siteOn(t, g, 6)
	if err := (register{}).Apply(context.Background(), s, &heard{}); err != nil {
		t.Fatal(err)
	}
	settled(t, s, g, 6)
	var lists int
	for _, call := range g.calls {
		if call == "nodes" {
			lists++
		}
	}
	if lists != 1 {
		t.Errorf("%d lists of nodes for six keys, one wanted", lists)
	}
}

// TestRegisterTakesNoForeignNode: another machine of the account registers a node while ours are at it.
// A key that the grid knew before, lost ID and all, must not get that node's ID.
func TestRegisterTakesNoForeignNode(t *testing.T) {
	g := newFakeGrid("1.24.0")
	s := siteOn(t, g, 2)
	list, _, err := site.Members(s)
	if err != nil {
		t.Fatal(err)
	}
	var grid listed
	if _, err := grid.before(context.Background(), s, &heard{}); err != nil {
		t.Fatal(err)
	}
	g.keys[list[0].Pair.Public] = 7 // registered, then unregistered: not in the list of nodes
	g.nodes = append(g.nodes, flwrexec.Node{ID: 8, Status: flwrexec.StatusRegistered})
	id, err := (register{}).one(context.Background(), s, g, list[0], &grid, &heard{})
	if !problem.Is(err, problem.KeyInUse) || id != "" {
		t.Errorf("node ID %q, %v", id, err)
	}
}

// TestRegisterFindsOldIDs has keys that were registered by hand before flwrup came: by their names where
// flwr tells names, else from the SuperNodes' own logs.
func TestRegisterFindsOldIDs(t *testing.T) {
	for _, version := range []string{"1.24.0", "1.42.0"} {
		g := newFakeGrid(version)
		s := siteOn(t, g, 3)
		list, _, err := site.Members(s)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range list[1:] {
			if _, err := g.Register(context.Background(), s.Connection(), m.Pair.Public, m.Name); err != nil {
				t.Fatal(err)
			}
		}
		if err := Apply(context.Background(), s, 10, &heard{}); err != nil {
			t.Fatalf("%s: %v", version, err)
		}
		settled(t, s, g, 3)
	}
}

// TestRegisterNamesABurntKey: a key that the grid knows and the account has no node for is not retried.
func TestRegisterNamesABurntKey(t *testing.T) {
	g := newFakeGrid("1.42.0")
	s := siteOn(t, g, 1)
	list, _, _ := site.Members(s)
	g.keys[list[0].Pair.Public] = 7 // registered, then unregistered: not in the list of nodes
	err := Apply(context.Background(), s, 10, &heard{})
	if !problem.Is(err, problem.KeyInUse) || problem.Of(err).Fix == "" {
		t.Errorf("a problem with what to do wanted, got %v", err)
	}
}

// TestSessionOverInTheMiddle: the person is brought back to the login, then on; nothing is done twice.
func TestSessionOverInTheMiddle(t *testing.T) {
	g := newFakeGrid("1.42.0")
	s := siteOn(t, g, 2)
	if err := Apply(context.Background(), s, 10, &heard{}); err != nil {
		t.Fatal(err)
	}
	g.loggedIn = false
	if err := Apply(context.Background(), s, 11, &heard{}); err != nil {
		t.Fatal(err)
	}
	if g.logins != 1 || len(g.members) != 2 || len(g.nodes) != 2 {
		t.Errorf("%d logins, %d members, %d nodes", g.logins, len(g.members), len(g.nodes))
	}
	st, err := Inspect(context.Background(), s, 11)
	if err != nil || st.State != front.Done {
		t.Errorf("step 11 is %s, %v", st.State, err)
	}
}

// TestNamedFederationStays: a federation that was named, and is not to be had, does not become the one
// that is, unless a person chooses it.
func TestNamedFederationStays(t *testing.T) {
	s := siteOn(t, newFakeGrid("1.42.0"), 1)
	choose(t, s, func(c *project.Choices) { c.Federation = "@ada/another" })
	err := Apply(context.Background(), s, 9, &heard{})
	if !problem.Is(err, problem.FedNotFound) || s.Choices().Federation != "@ada/another" {
		t.Errorf("federation %s, %v", s.Choices().Federation, err)
	}
	if st, err := Inspect(context.Background(), s, 9); err != nil || st.State != front.Ready {
		t.Errorf("step 9 is %s, %v", st.State, err)
	}
}
