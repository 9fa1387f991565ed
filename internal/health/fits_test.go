package health

import (
	"strings"
	"testing"
	"time"

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
