package fleet

import (
	"context"
	"slices"
	"testing"

	"flwrup/internal/dockerhosts"
	"flwrup/internal/ledger"
	"flwrup/internal/problem"
	"flwrup/internal/site"
	"flwrup/internal/sitetest"
	"flwrup/internal/supernode"
)

// hostAway starts nothing while the ledger notes a host for the SuperNode.
type hostAway struct {
	supernode.Runtime
	s *site.Site
}

func (r hostAway) Start(ctx context.Context, spec supernode.Spec) error {
	if hosts := r.s.Ledger.SuperNode(spec.Name).Hosts; len(hosts) > 0 {
		return problem.New(dockerhosts.MayRun, spec.Name+" may still run on "+hosts[0], "nothing answers ssh there", "bring that host back")
	}
	return r.Runtime.Start(ctx, spec)
}

// TestLeaveHost: a SuperNode that may still run on a host that is away starts elsewhere after a yes alone.
func TestLeaveHost(t *testing.T) {
	s := sitetest.Registered(t, sitetest.NewGrid("1.42.0"), 1)
	m, err := site.MemberNamed(s, "supernode_1")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Ledger.Change(func(d *ledger.Data) error {
		n := d.SuperNode(m.Name)
		n.Hosts = []string{"gpu-box"}
		d.PutSuperNode(n)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	rt := sitetest.RuntimeOf(t, s)
	start := func(answer string) error {
		return StartOne(t.Context(), s, hostAway{rt, s}, m, &sitetest.Scripted{Answers: map[string]string{"leave-host": answer}})
	}
	if err := start("no"); !problem.Is(err, dockerhosts.MayRun) || len(rt.Running()) > 0 || !slices.Equal(s.Ledger.SuperNode(m.Name).Hosts, []string{"gpu-box"}) {
		t.Errorf("no: %v, runs %v, noted %v", err, rt.Running(), s.Ledger.SuperNode(m.Name).Hosts)
	}
	if err := start("yes"); err != nil || !slices.Equal(rt.Running(), []string{"supernode_1"}) || len(s.Ledger.SuperNode(m.Name).Hosts) > 0 {
		t.Errorf("yes: %v, runs %v, noted %v", err, rt.Running(), s.Ledger.SuperNode(m.Name).Hosts)
	}
}
