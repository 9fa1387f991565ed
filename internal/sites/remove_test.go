package sites

import (
	"context"
	"slices"
	"strings"
	"testing"

	"flwrup/flwrexec"
	"flwrup/internal/fleet"
	"flwrup/internal/front"
	"flwrup/internal/health"
	"flwrup/internal/ledger"
	"flwrup/internal/problem"
	"flwrup/internal/site"
	"flwrup/internal/sitetest"
)

func once(do func() error) error { return do() }

var yes = &sitetest.Scripted{Answers: map[string]string{"unregister": "yes"}}

// gone returns how many nodes were unregistered.
func gone(g *sitetest.Grid) (n int) {
	for _, have := range g.Known {
		if have.Status == flwrexec.StatusUnregistered {
			n++
		}
	}
	return n
}

// TestRemove: a removed site is out of the federation and unregistered, and nobody waits for it; other sites stay.
// Without a yes nothing happens, and a second removal changes nothing.
func TestRemove(t *testing.T) {
	g := sitetest.NewGrid("1.42.0")
	coordinator := sitetest.Registered(t, g, 1)
	mary := asSite(t, "St. Mary", 2)
	admitted(t, coordinator, mary)
	admitted(t, coordinator, asSite(t, "City Hospital", 1))
	ctx := t.Context()

	if err := Remove(ctx, coordinator, "st-mary", front.Unattended(&sitetest.Heard{}), once); !problem.Is(err, problem.NeedsPerson) {
		t.Errorf("nobody asked: %v", err)
	}
	if gone(g) != 0 || len(g.Members) != 3 || len(coordinator.Ledger.Intents()) != 0 {
		t.Fatalf("without a yes: %+v", g.Known)
	}
	if err := Remove(ctx, coordinator, "st. mary", yes, once); err != nil { // the title does, too
		t.Fatal(err)
	}
	for range 2 {
		if gone(g) != 2 || len(g.Members) != 1 || len(coordinator.Ledger.Intents()) != 0 {
			t.Errorf("%+v, members %v, intents %v", g.Known, g.Members, coordinator.Ledger.Intents())
		}
		o := health.Overview(ctx, coordinator, 0)
		if len(o.Sites) != 1 || o.Sites[0].Name != "city-hospital" {
			t.Errorf("waited for: %+v", o.Sites)
		}
		err := Remove(ctx, coordinator, "st-mary", yes, once)
		if p := problem.Of(err); err == nil || !strings.Contains(p.Fix, "city-hospital") {
			t.Errorf("removed twice: %v", err)
		}
	}

	_, r := requestOf(t, mary)
	if err := admitErr(t, coordinator, r, r.Words(), &sitetest.Heard{}); !problem.Is(err, problem.KeyInUse) || !strings.Contains(problem.Of(err).Fix, "new keys") {
		t.Errorf("the same request after the removal: %v", err)
	}
	if err := Remove(ctx, coordinator, "st-mary", yes, once); err != nil || len(coordinator.Ledger.Data().Sites) != 1 {
		t.Errorf("what is left of that admission: %v, %+v", err, coordinator.Ledger.Data().Sites)
	}
}

// TestRemoveAsked: without a name the person chooses, and may choose none.
func TestRemoveAsked(t *testing.T) {
	g := sitetest.NewGrid("1.42.0")
	coordinator := sitetest.Registered(t, g, 1)
	admitted(t, coordinator, asSite(t, "St. Mary", 1))
	if err := RemoveAsked(t.Context(), coordinator, nil, &sitetest.Heard{}, once); err != nil || gone(g) != 0 {
		t.Errorf("none chosen: %v, %+v", err, g.Known)
	}
	to := &sitetest.Scripted{Answers: map[string]string{"remove-site": "st-mary", "unregister": "yes"}}
	if err := RemoveAsked(t.Context(), coordinator, nil, to, once); err != nil || gone(g) != 1 || len(to.Last["remove-site"].Choices) != 2 {
		t.Errorf("%v, %+v, asked %+v", err, g.Known, to.Last)
	}
}

// TestRemoveCutShort: a removal whose answer got lost goes on without a question, and the overview says that it is not
// finished.
func TestRemoveCutShort(t *testing.T) {
	for _, op := range []string{"leave", "unregister"} {
		for _, done := range []bool{true, false} {
			g := sitetest.NewGrid("1.42.0")
			coordinator := sitetest.Registered(t, g, 1)
			admitted(t, coordinator, asSite(t, "St. Mary", 2))
			ctx, cancel := context.WithCancel(t.Context())
			g.Faults[op] = []sitetest.Fault{{}, {Done: done, Err: sitetest.ErrCut, After: cancel}}
			if err := Remove(ctx, coordinator, "st-mary", yes, once); err == nil {
				t.Fatal("no error")
			}
			coordinator = sitetest.Reopen(t, coordinator)
			o := health.Diagnosed(t.Context(), coordinator, 0)
			if len(o.Sites) != 1 || o.Sites[0].Nodes[0].Diagnosis == nil || o.Sites[0].Nodes[0].Diagnosis.Code != health.Unfinished {
				t.Fatalf("%+v", o.Sites)
			}
			if err := Remove(t.Context(), coordinator, "st-mary", front.Unattended(&sitetest.Heard{}), once); err != nil {
				t.Fatal(err)
			}
			if gone(g) != 2 || len(g.Members) != 0 || len(coordinator.Ledger.Data().Sites) != 0 || len(coordinator.Ledger.Intents()) != 0 {
				t.Errorf("%s, done %v: %+v, members %v", op, done, g.Known, g.Members)
			}
		}
	}
}

// TestRemoveHalfAdmitted: a site whose admission was cut short is removed with the key that the grid may know.
func TestRemoveHalfAdmitted(t *testing.T) {
	for _, done := range []bool{true, false} {
		g := sitetest.NewGrid("1.42.0")
		coordinator := sitetest.Registered(t, g, 1)
		_, r := requestOf(t, asSite(t, "St. Mary", 3))
		ctx, cancel := context.WithCancel(t.Context())
		g.Faults["register"] = []sitetest.Fault{{}, {Done: done, Err: sitetest.ErrCut, After: cancel}}
		if _, err := Admit(ctx, coordinator, r, r.Words(), &sitetest.Heard{}); err == nil {
			t.Fatal("no error")
		}
		if err := Remove(t.Context(), coordinator, "st-mary", yes, once); err != nil {
			t.Fatal(err)
		}
		for _, n := range g.Known[1:] {
			if n.Status != flwrexec.StatusUnregistered {
				t.Errorf("done %v: the grid still has %+v", done, n)
			}
		}
		if len(coordinator.Ledger.Intents()) != 0 || len(coordinator.Ledger.Data().Sites) != 0 {
			t.Errorf("done %v: %+v", done, coordinator.Ledger.Data())
		}
	}
}

// TestRemovedAtTheSite: a site removes a SuperNode that its coordinator has removed without asking a grid, and cannot
// unregister another one.
func TestRemovedAtTheSite(t *testing.T) {
	coordinator := sitetest.Registered(t, sitetest.NewGrid("1.42.0"), 1)
	s := asSite(t, "St. Mary", 2)
	reply := admitted(t, coordinator, s)
	if err := Join(t.Context(), s, reply.Text, reply.Words, &sitetest.Heard{}); err != nil {
		t.Fatal(err)
	}
	g := sitetest.GridOf(t, s)
	before := slices.Clone(g.Calls)
	if err := fleet.Remove(t.Context(), s, []string{"supernode_1"}, true, yes, once); !problem.Is(err, problem.Usage) || !strings.Contains(problem.Of(err).Fix, "coordinator") {
		t.Errorf("unregistered by a site: %v", err)
	}
	if err := fleet.TakeOut(t.Context(), s, []string{"supernode_2"}, &sitetest.Scripted{Answers: map[string]string{"remove": "remove"}}, once); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(g.Calls, before) {
		t.Errorf("the grid was asked: %v", g.Calls[len(before):])
	}
	if list, _, err := site.Members(s); err != nil || len(list) != 1 || sitetest.Record(s, "supernode_2").State != ledger.Removed {
		t.Errorf("%v, %+v", err, list)
	}
}
