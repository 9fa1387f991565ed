// Package sitetest opens sites for tests, in temporary folders, on a grid and a runtime that exist in memory alone. It
// plays the person, too.
//
// Only tests of internal/site and of the rooms above it import this package. It imports no room above internal/site, so
// that internal tests of those rooms can use it. A test of internal/site that uses it is in package site_test.
//
//	s := sitetest.Registered(t, sitetest.NewGrid("1.42.0"), 2)
//	err := fleet.Operate(ctx, s, front.StartNodes, nil, &sitetest.Heard{})
//
// WithKeys, Registered, Up and InFederation each go one stage further. Tests of steps go there by the steps themselves.
package sitetest

import (
	"fmt"
	"os"
	"testing"

	"flwrup/internal/ledger"
	"flwrup/internal/project"
	"flwrup/internal/site"
	"flwrup/internal/supernode"
)

// federation is the only federation of a Grid. A new site chooses it.
const federation = "@ada/study"

// Main runs the tests of a package with a state folder of their own: what they accept stays out of the person's.
func Main(m *testing.M) {
	dir, err := os.MkdirTemp("", "state")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Setenv("XDG_STATE_HOME", dir)
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// Open opens a site in a new folder with n SuperNodes to be, which have no keys yet, on g and a Runtime.
func Open(t *testing.T, g *Grid, n int) *site.Site {
	t.Helper()
	home := t.TempDir()
	s := open(t, site.Options{Dir: t.TempDir(), Create: true, Choose: func(c *project.Choices) {
		c.Nodes, c.Federation, c.Runtime = n, federation, project.RuntimeProcess
		c.Flwr.Home = home
	}})
	site.With(s, site.Backends{Flwr: g, Runtime: &Runtime{grid: g, Started: map[string]supernode.Spec{}}})
	return s
}

// Reopen closes s and opens it again, as the next flwrup does. The grid and the runtime stay.
func Reopen(t *testing.T, s *site.Site) *site.Site {
	t.Helper()
	f, err := s.Session(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	rt, err := s.NodesRuntime(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	again := open(t, site.Options{Dir: s.Dir})
	site.With(again, site.Backends{Flwr: f, Runtime: rt})
	return again
}

// open opens a site that ends with the test.
func open(t *testing.T, o site.Options) *site.Site {
	t.Helper()
	s, err := site.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// Choose changes the choices of s.
func Choose(t *testing.T, s *site.Site, change func(*project.Choices)) {
	t.Helper()
	if err := s.Change(func(c *project.Choices) error { change(c); return nil }); err != nil {
		t.Fatal(err)
	}
}

// Settled fails the test unless all n keys are registered once and known by their right node IDs.
func Settled(t *testing.T, s *site.Site, g *Grid, n int) {
	t.Helper()
	if len(g.Known) != n {
		t.Errorf("the grid has %d nodes, %d wanted", len(g.Known), n)
	}
	list, _, err := site.Members(s)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range list {
		if want := g.Keys[m.Pair.Public].String(); m.Record.NodeID != want {
			t.Errorf("%s has node ID %q in the ledger, the grid gave %s", m.Name, m.Record.NodeID, want)
		}
	}
	if left := s.Ledger.Intents(); len(left) > 0 {
		t.Errorf("intents left: %+v", left)
	}
}

// Names returns the names of the SuperNodes of s.
func Names(t *testing.T, s *site.Site) []string {
	t.Helper()
	list, err := site.Names(s)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// Record returns the ledger's record of the SuperNode with this name; zero without one.
func Record(s *site.Site, name string) ledger.Node {
	for _, n := range s.Ledger.Nodes() {
		if n.Name == name {
			return n
		}
	}
	return ledger.Node{}
}
