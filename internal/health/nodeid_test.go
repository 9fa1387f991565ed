package health

import (
	"strings"
	"testing"

	"flwrup/internal/front"
	"flwrup/internal/site"
	"flwrup/internal/sitetest"
	"flwrup/internal/supernode"
)

// TestNodeIDOfAnotherKey: flwrup does not take the node ID of a SuperNode that runs with another key than its own. The
// SuperNode has to be restarted.
func TestNodeIDOfAnotherKey(t *testing.T) {
	g := sitetest.NewGrid("1.42.0")
	s := sitetest.Registered(t, g, 2)
	list, _, err := site.Members(s)
	if err != nil {
		t.Fatal(err)
	}
	spec := supernode.Spec{Name: list[0].Name, KeyFile: list[1].Pair.Private, Labels: map[string]string{"flwrup.fingerprint": list[1].Pair.Fingerprint}}
	if err := sitetest.RuntimeOf(t, s).Start(t.Context(), spec); err != nil {
		t.Fatal(err)
	}
	states, err := site.States(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	look := s.Look(t.Context(), site.Want{Parts: site.ReadKeys | site.ReadFlwr | site.ReadStates})
	p, r := IDDiffers(t.Context(), s, &look, list[0], states[list[0].Name])
	if p == nil || !strings.Contains(p.Why, "other than") || r.Verb != front.RestartNodes {
		t.Errorf("%+v %+v", p, r)
	}
	if err := MendIDs(t.Context(), s, &sitetest.Heard{}); err == nil {
		t.Error("believed")
	}
	sitetest.Settled(t, s, g, 2)
}
