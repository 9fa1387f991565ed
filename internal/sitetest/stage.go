package sitetest

import (
	"testing"

	"flwrup/flwrexec/flwr"
	"flwrup/internal/front"
	"flwrup/internal/site"
	"flwrup/keys"
)

// WithKeys is Open, and the n SuperNodes have their keys.
func WithKeys(t *testing.T, g *Grid, n int) *site.Site {
	t.Helper()
	s := Open(t, g, n)
	MakeKeys(t, s)
	return s
}

// MakeKeys makes the keys that s lacks for the number of SuperNodes that was chosen.
func MakeKeys(t *testing.T, s *site.Site) {
	t.Helper()
	p := s.Look(t.Context(), site.Want{Parts: site.ReadKeys})
	if p.Keys.Err != nil {
		t.Fatal(p.Keys.Err)
	}
	if _, err := keys.Generate(t.Context(), p.KeysDir(), p.MissingKeys(), nil); err != nil {
		t.Fatal(err)
	}
}

// Registered is WithKeys, and the grid and the ledger know the SuperNodes.
func Registered(t *testing.T, g *Grid, n int) *site.Site {
	t.Helper()
	s := WithKeys(t, g, n)
	list, _, err := site.Members(s)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range list {
		id, err := g.Register(t.Context(), s.Connection(), flwr.Registration{PublicKey: m.Pair.Public, Name: m.Name})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Ledger.PutNode(site.Record(s, m, id.String(), "answer")); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// Up is Registered, and the SuperNodes run: so the person wanted it.
func Up(t *testing.T, g *Grid, n int) (*site.Site, *Runtime) {
	t.Helper()
	s := Registered(t, g, n)
	rt := RuntimeOf(t, s)
	list, _, err := site.Members(s)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range list {
		spec, err := site.Spec(t.Context(), s, m, "")
		if err == nil {
			err = rt.Start(t.Context(), spec)
		}
		if err == nil {
			err = site.NoteWanted(s, []string{m.Name}, front.WantedUp)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return s, rt
}

// InFederation is Up, the SuperNodes are in the federation, and the grid calls them online.
func InFederation(t *testing.T, g *Grid, n int) (*site.Site, *Grid, *Runtime) {
	t.Helper()
	s, rt := Up(t, g, n)
	for _, node := range g.Known {
		if err := g.AddToFederation(t.Context(), s.Connection(), node.ID, federation); err != nil {
			t.Fatal(err)
		}
	}
	g.SeeOnline(rt)
	return s, g, rt
}
