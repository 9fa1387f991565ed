package steps

import (
	"context"
	"slices"
	"testing"
	"time"

	"filippo.io/age"

	"flwrup/internal/front"
	"flwrup/internal/project"
	"flwrup/internal/sitetest"
)

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
	before := sitetest.Record(s, "supernode_2")
	if err := Act(ctx, s, front.RemoveNodes, []string{"supernode_2"}, &sitetest.Heard{}); err != nil {
		t.Fatal(err)
	}
	if got := sitetest.Names(t, s); !slices.Equal(got, []string{"supernode_1", "supernode_3"}) || len(g.Members) != 2 || len(rt.Running()) != 2 {
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
	if got := sitetest.Names(t, s); !slices.Equal(got, []string{"supernode_1", "supernode_3", "supernode_4"}) {
		t.Errorf("after add: %v", got)
	}
	to := &sitetest.Scripted{Answers: map[string]string{"add": "supernode_2"}}
	add(func() error { return Act(ctx, s, front.AddNode, nil, to) })
	if got := sitetest.Names(t, s); !slices.Equal(got, []string{"supernode_1", "supernode_2", "supernode_3", "supernode_4"}) || len(g.Members) != 4 || len(rt.Running()) != 4 {
		t.Errorf("back: %v here, %d in the federation, %v running", got, len(g.Members), rt.Running())
	}
	if after := sitetest.Record(s, "supernode_2"); after != before {
		t.Errorf("%+v, before %+v", after, before)
	}
	if !slices.Contains(to.Asked, "add") {
		t.Errorf("asked only %v", to.Asked)
	}
}

// One key on the dashboard registers nothing: it asks, and a no leaves all as it is.
func TestAddAsksFirst(t *testing.T) {
	s, g, _ := inFederation(t, 2)
	to := &sitetest.Scripted{Answers: map[string]string{"add": "no"}}
	err := Act(t.Context(), s, front.AddNode, nil, to)
	if got := sitetest.Names(t, s); err != nil || !slices.Contains(to.Asked, "add") || len(got) != 2 || len(g.Members) != 2 {
		t.Errorf("asked %v, then %v, %d members, %v", to.Asked, got, len(g.Members), err)
	}
}
