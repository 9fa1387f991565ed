package fleet

import (
	"context"
	"strings"
	"testing"

	"flwrup/internal/sitetest"
)

// TestHandoverOfMembers: nobody is asked to enter SuperNodes that are in the federation.
func TestHandoverOfMembers(t *testing.T) {
	s, g, _ := sitetest.InFederation(t, sitetest.NewGrid("1.42.0"), 2)
	look := func() Handover {
		t.Helper()
		s.Forget()
		h, err := NewHandover(s)
		if err != nil {
			t.Fatal(err)
		}
		h.Look(context.Background(), s)
		return h
	}
	if h := look(); !h.Entered || strings.Contains(h.Text(), "please") || !strings.Contains(h.Text(), "supernode_2") {
		t.Errorf("all are in: %s", h.Text())
	}
	id := g.Known[1].ID
	if err := g.RemoveFromFederation(context.Background(), s.Connection(), id, s.Choices().Federation); err != nil {
		t.Fatal(err)
	}
	if h := look(); h.Entered || !strings.Contains(h.Text(), "please enter") {
		t.Errorf("one is not: %s", h.Text())
	}
}
