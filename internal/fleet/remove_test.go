package fleet

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"flwrup/flwrexec"
	"flwrup/internal/front"
	"flwrup/internal/health"
	"flwrup/internal/ledger"
	"flwrup/internal/problem"
	"flwrup/internal/site"
	"flwrup/internal/sitetest"
)

// Unregistering asks first and keeps the node ID in the ledger. The SuperNode does not come back.
func TestUnregisterBurns(t *testing.T) {
	ctx := context.Background()
	s, g, _ := sitetest.InFederation(t, sitetest.NewGrid("1.42.0"), 2)
	id := sitetest.Record(s, "supernode_1").NodeID
	if err := Remove(ctx, s, []string{"supernode_1"}, true, &sitetest.Heard{}, once); !problem.Is(err, problem.NeedsPerson) {
		t.Errorf("unattended: %v", err)
	}
	if len(sitetest.Names(t, s)) != 2 || slices.Contains(g.Calls, "unregister") {
		t.Error("something was done without a yes")
	}
	if err := Remove(ctx, s, []string{"supernode_1"}, true, &sitetest.Scripted{Answers: map[string]string{"unregister": "yes"}}, once); err != nil {
		t.Fatal(err)
	}
	if n := sitetest.Record(s, "supernode_1"); n.NodeID != id || n.State != ledger.Unregistered {
		t.Errorf("%+v", n)
	}
	if g.Known[0].Status != flwrexec.StatusUnregistered || !slices.Equal(sitetest.Names(t, s), []string{"supernode_2"}) {
		t.Errorf("%v, here %v", g.Known, sitetest.Names(t, s))
	}
	if err := BringBack(ctx, s, []string{"supernode_1"}, &sitetest.Heard{}, once); !problem.Is(err, flwrexec.NodeUnregistered) {
		t.Errorf("an unregistered SuperNode comes back: %v", err)
	}
}

// flwrup ends during a removal, after the grid has done its part and before the ledger knows. The overview says so, and
// the same command finishes the removal, once.
func TestRemovalCutShort(t *testing.T) {
	for _, op := range []string{"leave", "unregister"} {
		t.Run(op, func(t *testing.T) {
			ctx, end := context.WithCancel(context.Background())
			s, g, rt := sitetest.InFederation(t, sitetest.NewGrid("1.42.0"), 2)
			g.Faults[op] = []sitetest.Fault{{Err: context.Canceled, Done: true, After: end}}
			yes := &sitetest.Scripted{Answers: map[string]string{"unregister": "yes"}}
			if err := Remove(ctx, s, []string{"supernode_2"}, true, yes, once); err == nil {
				t.Fatal("it was ended in the middle")
			}
			s = sitetest.Reopen(t, s)
			ctx = context.Background()
			o := health.Diagnosed(ctx, s, 0)
			if len(o.Nodes) != 2 || o.Nodes[1].Diagnosis == nil || o.Nodes[1].Diagnosis.Code != health.Unfinished || o.Nodes[1].Remedy.Verb != front.UnregisterNodes {
				t.Fatalf("%+v", o.Nodes)
			}
			if err := Remove(ctx, s, []string{"supernode_2"}, true, &sitetest.Heard{}, once); err != nil { // it was agreed to
				t.Fatal(err)
			}
			o = health.Diagnosed(ctx, s, 0)
			if len(o.Nodes) != 1 || len(s.Ledger.Intents()) > 0 || s.Choices().Nodes != 1 || sitetest.Record(s, "supernode_2").State != ledger.Unregistered {
				t.Errorf("%+v, %d chosen, ledger %+v", o.Nodes, s.Choices().Nodes, s.Ledger.Data())
			}
			if g.Known[1].Status != flwrexec.StatusUnregistered || len(g.Members) != 1 || len(rt.Running()) != 1 {
				t.Errorf("grid %v, members %v, running %v", g.Known, g.Members, rt.Running())
			}
		})
	}
}

// The person's last wish about a SuperNode is on disk before flwrup touches the SuperNode.
func TestWantedBeforeItIsTouched(t *testing.T) {
	ctx := context.Background()
	s, rt := sitetest.Up(t, sitetest.NewGrid("1.42.0"), 2)
	site.With(s, site.Backends{Runtime: &atStop{rt, func() {
		if err := s.Ledger.Reload(); err != nil || site.Wanted(s, "supernode_1") != front.WantedDown || site.Wanted(s, "supernode_2") != front.WantedUp {
			t.Errorf("%v: supernode_1 %q, supernode_2 %q", err, site.Wanted(s, "supernode_1"), site.Wanted(s, "supernode_2"))
		}
	}}})
	if err := Operate(ctx, s, front.StopNodes, []string{"supernode_1"}, &sitetest.Heard{}); err != nil {
		t.Fatal(err)
	}
	for _, n := range health.Diagnosed(ctx, s, 0).Nodes {
		if n.Name == "supernode_1" && (n.Diagnosis != nil || n.Wanted != front.WantedDown) {
			t.Errorf("stopped by a person, and a trouble: %+v", n)
		}
	}
}

// atStop looks at the moment when a SuperNode is stopped.
type atStop struct {
	*sitetest.Runtime
	look func()
}

func (r *atStop) Stop(ctx context.Context, name string, grace time.Duration) error {
	r.look()
	return r.Runtime.Stop(ctx, name, grace)
}

// A node that somebody else unregistered is unregistered here as well: its key can never be registered again.
func TestUnregisteredByOthers(t *testing.T) {
	ctx := context.Background()
	s, g, _ := sitetest.InFederation(t, sitetest.NewGrid("1.42.0"), 2)
	g.Known[0].Status = flwrexec.StatusUnregistered
	o := health.Diagnosed(ctx, s, 0)
	if d := o.Nodes[0].Diagnosis; d == nil || d.Code != flwrexec.NodeUnregistered {
		t.Fatalf("%+v", o.Nodes[0])
	}
	r := o.Nodes[0].Remedy
	if r == nil || r.Verb != front.UnregisterNodes {
		t.Fatalf("%+v", r)
	}
	if err := Remove(ctx, s, r.Nodes, true, &sitetest.Scripted{Answers: map[string]string{"unregister": "yes"}}, once); err != nil {
		t.Fatal(err)
	}
	if n := sitetest.Record(s, "supernode_1"); n.State != ledger.Unregistered {
		t.Errorf("%+v", n)
	}
}

// TestRemoveUnregistered: what the grid has unregistered already is not asked about as if its key were still good.
func TestRemoveUnregistered(t *testing.T) {
	for name, remove := range map[string]func(context.Context, *site.Site, front.Sink) error{
		"unregister": func(ctx context.Context, s *site.Site, to front.Sink) error {
			return Remove(ctx, s, []string{"supernode_1"}, true, to, once)
		},
		"take out": func(ctx context.Context, s *site.Site, to front.Sink) error {
			return TakeOut(ctx, s, []string{"supernode_1"}, to, once)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, g, _ := sitetest.InFederation(t, sitetest.NewGrid("1.42.0"), 2)
			g.SetStatus(0, flwrexec.StatusUnregistered)
			s.Forget()
			asked := &asking{}
			if err := remove(context.Background(), s, asked); err != nil {
				t.Fatal(err)
			}
			if len(asked.all) != 1 || strings.Contains(asked.all[0].Help, "never") || !strings.Contains(asked.all[0].Ask, "from this machine") {
				t.Errorf("asked %+v", asked.all)
			}
			if names := sitetest.Names(t, s); !slices.Equal(names, []string{"supernode_2"}) {
				t.Errorf("left: %q", names)
			}
		})
	}
}

// asking notes what it is asked, and answers the default.
type asking struct {
	sitetest.Heard
	all []front.Question
}

func (a *asking) Ask(_ context.Context, q front.Question) (string, error) {
	a.all = append(a.all, q)
	return q.Default, nil
}
