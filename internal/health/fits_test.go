package health

import (
	"strings"
	"testing"
	"time"

	"flwrup/internal/front"
	"flwrup/internal/ledger"
	"flwrup/internal/site"
	"flwrup/internal/sitetest"
	"flwrup/internal/supernode"
)

// TestOverviewSaysWhatFits: a SuperNode that is online shows what the grid speaks, and so which other one cannot be
// understood. Nobody has to be asked for it.
func TestOverviewSaysWhatFits(t *testing.T) {
	g := sitetest.NewGrid("1.42.0")
	s := sitetest.Registered(t, g, 2)
	list, _, err := site.Members(s)
	if err != nil {
		t.Fatal(err)
	}
	var nodes []supernode.Status
	for i, v := range []string{"1.42.0", "1.38.0"} {
		nodes = append(nodes, supernode.Status{Name: list[i].Name, State: supernode.Running, Since: time.Now(), Ours: true, Labels: map[string]string{"flwr": v}})
	}
	site.With(s, site.Backends{Flwr: g, Runtime: sitetest.Listing{Runtime: sitetest.RuntimeOf(t, s), Nodes: nodes}})
	g.SetStatus(0, "online")
	o := Overview(t.Context(), s, 0)
	if !o.Fit.Needed || o.Fit.Fleet != "HTTP" || o.Fit.FlwrFits != "yes" || o.Fit.Target != "1.42.0" || !strings.Contains(o.Fit.Says, "supernode_2 runs 1.38.0: upgrade to 1.42.0") {
		t.Errorf("%+v", o.Fit)
	}
	if o.Nodes[0].Flwr != "1.42.0" || o.Nodes[0].Fits != "yes" || o.Nodes[1].Flwr != "1.38.0" || o.Nodes[1].Fits != "no" {
		t.Errorf("%+v", o.Nodes)
	}
}

// TestUpgradeNotFinished: a SuperNode that an upgrade has not come to is no SuperNode of another grid, though the grid's
// address for SuperNodes has changed since.
func TestUpgradeNotFinished(t *testing.T) {
	g := sitetest.NewGrid("1.42.0")
	s := sitetest.Registered(t, g, 2)
	var nodes []supernode.Status
	for i, v := range []string{"1.42.0", "1.26.1"} {
		name := sitetest.Names(t, s)[i]
		nodes = append(nodes, supernode.Status{Name: name, State: supernode.Running, Since: time.Now(), Ours: true, Labels: map[string]string{"flwr": v, site.FleetLabel: []string{site.FleetOf(s.Choices().Grid, g.Dialect()), "old.example:9092"}[i]}})
	}
	site.With(s, site.Backends{Flwr: g, Runtime: sitetest.Listing{Runtime: sitetest.RuntimeOf(t, s), Nodes: nodes}})
	g.SetStatus(0, "online")
	look := func() front.NodeView { return Overview(t.Context(), s, 0).Nodes[1] }
	if n := look(); n.Diagnosis == nil || n.Diagnosis.Code != NodeElsewhere {
		t.Errorf("without an upgrade: %v", n.Diagnosis)
	}
	if _, err := s.Ledger.Begin(ledger.Intent{Op: ledger.Upgrade, From: "1.26.1", To: "1.42.0", Connection: s.Choices().Grid.Connection}); err != nil {
		t.Fatal(err)
	}
	if n := look(); n.Diagnosis == nil || n.Diagnosis.What != "supernode_2 runs flwr 1.26.1 still" || n.Remedy == nil || n.Remedy.Verb != front.Upgrade {
		t.Errorf("while an upgrade is not finished: %v, %+v", n.Diagnosis, n.Remedy)
	}
}
