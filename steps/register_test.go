package steps

import (
	"context"
	"testing"
	"testing/synctest"

	"flwrup/flwrexec"
	"flwrup/flwrexec/flwr"
	"flwrup/internal/fleet"
	"flwrup/internal/front"
	"flwrup/internal/ledger"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/site"
	"flwrup/internal/sitetest"
)

// TestRegisterSettles ends a registration in every way that it can end, and checks the one promise that counts:
// each key is registered once, and its node ID is in the ledger.
func TestRegisterSettles(t *testing.T) {
	for _, c := range []struct {
		name   string
		faults []sitetest.Fault
	}{
		{"all well", nil},
		{"cut before the work", []sitetest.Fault{{Err: sitetest.ErrCut}}},
		{"cut after the work", []sitetest.Fault{{Err: sitetest.ErrCut, Done: true}}},
		{"cut before, then after", []sitetest.Fault{{Err: sitetest.ErrCut}, {Err: sitetest.ErrCut, Done: true}}},
		{"internal error, nothing done", []sitetest.Fault{{Err: problem.New(problem.ServerError, "internal", "", "")}}},
		{"internal error, work done", []sitetest.Fault{{Err: problem.New(problem.ServerError, "internal", "", ""), Done: true}}},
		{"second key cut after the work", []sitetest.Fault{{}, {Err: sitetest.ErrCut, Done: true}}},
	} {
		for _, version := range []string{"1.24.0", "1.42.0"} {
			t.Run(c.name+" "+version, bubbled(func(t *testing.T) {
				g := sitetest.NewGrid(version)
				s := siteOn(t, g, 3)
				g.Faults["register"] = c.faults
				if err := Apply(context.Background(), s, 10, &sitetest.Heard{}); err != nil {
					t.Fatal(err)
				}
				sitetest.Settled(t, s, g, 3)
			}))
		}
	}
}

// bubbled runs a test in a bubble of its own, where pauses take no time.
func bubbled(test func(*testing.T)) func(*testing.T) {
	return func(t *testing.T) { synctest.Test(t, test) }
}

// TestRegisterGoesOnAfterACrash leaves an intent behind, as a flwrup killed during the call does: once
// with the work done, once without.
func TestRegisterGoesOnAfterACrash(t *testing.T) {
	for _, arrived := range []bool{true, false} {
		g := sitetest.NewGrid("1.33.0")
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
			if _, err := g.Register(context.Background(), s.Connection(), flwr.Registration{PublicKey: m.Pair.Public, Name: m.Name}); err != nil {
				t.Fatal(err)
			}
		}
		if err := Apply(context.Background(), s, 10, &sitetest.Heard{}); err != nil {
			t.Fatal(err)
		}
		sitetest.Settled(t, s, g, 2)
	}
}

// TestRegisterListsOnce: a list of nodes a key would double the time of a registration.
func TestRegisterListsOnce(t *testing.T) {
	g := sitetest.NewGrid("1.42.0")
	s := siteOn(t, g, 6)
	if err := (register{}).Apply(context.Background(), s, &sitetest.Heard{}); err != nil {
		t.Fatal(err)
	}
	sitetest.Settled(t, s, g, 6)
	var lists int
	for _, call := range g.Calls {
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
	g := sitetest.NewGrid("1.24.0")
	s := siteOn(t, g, 2)
	list, _, err := site.Members(s)
	if err != nil {
		t.Fatal(err)
	}
	r := fleet.Registrar{Site: s, Flwr: g, To: &sitetest.Heard{}}
	if _, err := r.Register(context.Background(), ownKey(s, list[1])); err != nil { // lists the grid's nodes
		t.Fatal(err)
	}
	g.Keys[list[0].Pair.Public] = 7 // registered, then unregistered: not in the list of nodes
	g.Known = append(g.Known, flwrexec.Node{ID: 8, Status: flwrexec.StatusRegistered})
	id, err := r.Register(context.Background(), ownKey(s, list[0]))
	if !problem.Is(err, problem.KeyInUse) || id != "" {
		t.Errorf("node ID %q, %v", id, err)
	}
}

// TestRegisterFindsOldIDs has keys that were registered by hand before flwrup came: by their names where
// flwr tells names, else from the SuperNodes' own logs.
func TestRegisterFindsOldIDs(t *testing.T) {
	for _, version := range []string{"1.24.0", "1.42.0"} {
		g := sitetest.NewGrid(version)
		s := siteOn(t, g, 3)
		list, _, err := site.Members(s)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range list[1:] {
			if _, err := g.Register(context.Background(), s.Connection(), flwr.Registration{PublicKey: m.Pair.Public, Name: m.Name}); err != nil {
				t.Fatal(err)
			}
		}
		if err := Apply(context.Background(), s, 10, &sitetest.Heard{}); err != nil {
			t.Fatalf("%s: %v", version, err)
		}
		sitetest.Settled(t, s, g, 3)
	}
}

// TestRegisterNamesABurntKey: a key that the grid knows and the account has no node for is not retried.
func TestRegisterNamesABurntKey(t *testing.T) {
	g := sitetest.NewGrid("1.42.0")
	s := siteOn(t, g, 1)
	list, _, _ := site.Members(s)
	g.Keys[list[0].Pair.Public] = 7 // registered, then unregistered: not in the list of nodes
	err := Apply(context.Background(), s, 10, &sitetest.Heard{})
	if !problem.Is(err, problem.KeyInUse) || problem.Of(err).Fix == "" {
		t.Errorf("a problem with what to do wanted, got %v", err)
	}
}

// TestSessionOverInTheMiddle: the person is brought back to the login, then on; nothing is done twice.
func TestSessionOverInTheMiddle(t *testing.T) {
	g := sitetest.NewGrid("1.42.0")
	s := siteOn(t, g, 2)
	if err := Apply(context.Background(), s, 10, &sitetest.Heard{}); err != nil {
		t.Fatal(err)
	}
	g.LoggedIn = false
	if err := Apply(context.Background(), s, 11, &sitetest.Heard{}); err != nil {
		t.Fatal(err)
	}
	if g.Logins != 1 || len(g.Members) != 2 || len(g.Known) != 2 {
		t.Errorf("%d logins, %d members, %d nodes", g.Logins, len(g.Members), len(g.Known))
	}
	st, err := Inspect(context.Background(), s, 11)
	if err != nil || st.State != front.Done {
		t.Errorf("step 11 is %s, %v", st.State, err)
	}
}

// TestNamedFederationStays: a federation that was named, and cannot be had, does not become another one, unless
// a person chooses that.
func TestNamedFederationStays(t *testing.T) {
	s := siteOn(t, sitetest.NewGrid("1.42.0"), 1)
	sitetest.Choose(t, s, func(c *project.Choices) { c.Federation = "@ada/another" })
	err := Apply(context.Background(), s, 9, &sitetest.Heard{})
	if !problem.Is(err, problem.FedNotFound) || s.Choices().Federation != "@ada/another" {
		t.Errorf("federation %s, %v", s.Choices().Federation, err)
	}
	if st, err := Inspect(context.Background(), s, 9); err != nil || st.State != front.Ready {
		t.Errorf("step 9 is %s, %v", st.State, err)
	}
}
