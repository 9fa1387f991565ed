package steps

import (
	"context"
	"slices"
	"testing"
	"time"

	"filippo.io/age"

	"flwrup/flwrexec"
	"flwrup/internal/front"
	"flwrup/internal/health"
	"flwrup/internal/ledger"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/site"
	"flwrup/internal/sitetest"
	"flwrup/internal/supernode"
)

// inFederation is upAndRunning whose SuperNodes are in the federation, on a grid that calls those online that run.
func inFederation(t *testing.T, n int) (*site.Site, *sitetest.Grid, *sitetest.Runtime) {
	t.Helper()
	s, rt := upAndRunning(t, n)
	g := sitetest.GridOf(t, s)
	if err := Apply(context.Background(), s, 11, &sitetest.Heard{}); err != nil {
		t.Fatal(err)
	}
	g.SeeOnline(rt)
	return s, g, rt
}

func namesHere(t *testing.T, s *site.Site) []string {
	t.Helper()
	list, err := site.Names(s)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func record(s *site.Site, name string) ledger.Node {
	for _, n := range s.Ledger.Nodes() {
		if n.Name == name {
			return n
		}
	}
	return ledger.Node{}
}

// A removed SuperNode is out of the federation, its number is not given again, and it comes back with the key
// and the node ID that it had.
func TestRemovedComesBack(t *testing.T) {
	ctx := context.Background()
	s, g, rt := inFederation(t, 3)
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	sitetest.Choose(t, s, func(c *project.Choices) { c.BackupRecipient = identity.Recipient().String() }) // quicker than a passphrase
	before := record(s, "supernode_2")
	if err := Act(ctx, s, front.RemoveNodes, []string{"supernode_2"}, &sitetest.Heard{}); err != nil {
		t.Fatal(err)
	}
	if got := namesHere(t, s); !slices.Equal(got, []string{"supernode_1", "supernode_3"}) || len(g.Members) != 2 || len(rt.Running()) != 2 {
		t.Errorf("after remove: %v here, %d in the federation, %v running", got, len(g.Members), rt.Running())
	}
	g.SeeOnline(rt)
	add := func(do func() error) {
		t.Helper()
		ended := make(chan error, 1)
		go func() { ended <- do() }()
		for {
			select {
			case err := <-ended:
				if err != nil {
					t.Fatal(err)
				}
				return
			default:
				g.SeeOnline(rt)
				time.Sleep(10 * time.Millisecond)
			}
		}
	}
	add(func() error { return Add(ctx, s, 1, &sitetest.Heard{}) })
	if got := namesHere(t, s); !slices.Equal(got, []string{"supernode_1", "supernode_3", "supernode_4"}) {
		t.Errorf("after add: %v", got)
	}
	to := &sitetest.Scripted{Answers: map[string]string{"add": "supernode_2"}}
	add(func() error { return Act(ctx, s, front.AddNode, nil, to) })
	if got := namesHere(t, s); !slices.Equal(got, []string{"supernode_1", "supernode_2", "supernode_3", "supernode_4"}) || len(g.Members) != 4 || len(rt.Running()) != 4 {
		t.Errorf("back: %v here, %d in the federation, %v running", got, len(g.Members), rt.Running())
	}
	if after := record(s, "supernode_2"); after != before {
		t.Errorf("%+v, before %+v", after, before)
	}
	if !slices.Contains(to.Asked, "add") {
		t.Errorf("asked only %v", to.Asked)
	}
}

// Unregistering asks first, keeps the node ID in the ledger, and what is burnt does not come back.
func TestUnregisterBurns(t *testing.T) {
	ctx := context.Background()
	s, g, _ := inFederation(t, 2)
	id := record(s, "supernode_1").NodeID
	if err := Act(ctx, s, front.UnregisterNodes, []string{"supernode_1"}, &sitetest.Heard{}); !problem.Is(err, problem.NeedsPerson) {
		t.Errorf("unattended: %v", err)
	}
	if len(namesHere(t, s)) != 2 || slices.Contains(g.Calls, "unregister") {
		t.Error("something was done without a yes")
	}
	if err := Act(ctx, s, front.UnregisterNodes, []string{"supernode_1"}, &sitetest.Scripted{Answers: map[string]string{"unregister": "yes"}}); err != nil {
		t.Fatal(err)
	}
	if n := record(s, "supernode_1"); n.NodeID != id || n.State != ledger.Unregistered {
		t.Errorf("%+v", n)
	}
	if g.Known[0].Status != flwrexec.StatusUnregistered || !slices.Equal(namesHere(t, s), []string{"supernode_2"}) {
		t.Errorf("%v, here %v", g.Known, namesHere(t, s))
	}
	if err := BringBack(ctx, s, []string{"supernode_1"}, &sitetest.Heard{}); !problem.Is(err, flwrexec.NodeUnregistered) {
		t.Errorf("a burnt one comes back: %v", err)
	}
}

// flwrup is ended while it removes, after the grid has done its part and before the ledger knows: status tells
// of it, and the same command finishes it, once.
func TestRemovalCutShort(t *testing.T) {
	for _, op := range []string{"leave", "unregister"} {
		t.Run(op, func(t *testing.T) {
			ctx, end := context.WithCancel(context.Background())
			s, g, rt := inFederation(t, 2)
			g.Faults[op] = []sitetest.Fault{{Err: context.Canceled, Done: true, After: end}}
			yes := &sitetest.Scripted{Answers: map[string]string{"unregister": "yes"}}
			if err := Act(ctx, s, front.UnregisterNodes, []string{"supernode_2"}, yes); err == nil {
				t.Fatal("it was ended in the middle")
			}
			s = sitetest.Reopen(t, s)
			ctx = context.Background()
			o := health.NodesOverview(ctx, s, 0, true)
			if len(o.Nodes) != 2 || o.Nodes[1].Diagnosis == nil || o.Nodes[1].Diagnosis.Code != health.Unfinished || o.Nodes[1].Remedy.Verb != front.UnregisterNodes {
				t.Fatalf("%+v", o.Nodes)
			}
			if err := Act(ctx, s, o.Nodes[1].Remedy.Verb, []string{"supernode_2"}, &sitetest.Heard{}); err != nil { // it was agreed to
				t.Fatal(err)
			}
			o = health.NodesOverview(ctx, s, 0, true)
			if len(o.Nodes) != 1 || len(s.Ledger.Intents()) > 0 || s.Choices().Nodes != 1 || record(s, "supernode_2").State != ledger.Unregistered {
				t.Errorf("%+v, %d wished, ledger %+v", o.Nodes, s.Choices().Nodes, s.Ledger.Data())
			}
			if g.Known[1].Status != flwrexec.StatusUnregistered || len(g.Members) != 1 || len(rt.Running()) != 1 {
				t.Errorf("grid %v, members %v, running %v", g.Known, g.Members, rt.Running())
			}
		})
	}
}

// What a person last asked of a SuperNode is on disk before it is touched.
func TestWantedBeforeItIsTouched(t *testing.T) {
	ctx := context.Background()
	s, rt := upAndRunning(t, 2)
	site.With(s, site.Backends{Runtime: &atStop{rt, func() {
		if err := s.Ledger.Reload(); err != nil || site.Wanted(s, "supernode_1") != front.WantedDown || site.Wanted(s, "supernode_2") != front.WantedUp {
			t.Errorf("%v: supernode_1 %q, supernode_2 %q", err, site.Wanted(s, "supernode_1"), site.Wanted(s, "supernode_2"))
		}
	}}})
	if err := Act(ctx, s, front.StopNodes, []string{"supernode_1"}, &sitetest.Heard{}); err != nil {
		t.Fatal(err)
	}
	for _, n := range health.NodesOverview(ctx, s, 0, true).Nodes {
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

var _ supernode.Runtime = (*atStop)(nil)
