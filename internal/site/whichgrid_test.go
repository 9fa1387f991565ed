package site_test

import (
	"testing"

	"flwrup/internal/project"
	"flwrup/internal/site"
	"flwrup/internal/sitetest"
)

// TestGridByFlag: --connection alone brings all that the person's configuration, or the project's own past, knows
// of that grid. Nothing of the previous grid goes with it.
func TestGridByFlag(t *testing.T) {
	s := sitetest.Configured(t, sitetest.Hospitals+sitetest.Lungs, func(c *project.Choices) {
		c.Federation, c.Grid.Control, c.Grid.Fleet = "@ada/study", "api.flower.ai", "fleet-supergrid.flower.ai:443"
	})
	home := s.Choices().Flwr.Home
	over := func(connection string, more func(*project.Choices)) *site.Site {
		t.Helper()
		dir := s.Dir
		s.Close()
		var err error
		if s, err = site.Open(site.Options{Dir: dir, Create: true, Choose: func(c *project.Choices) {
			c.Grid.Connection, c.Flwr.Home = connection, home
			if more != nil {
				more(c)
			}
		}}); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return s
	}
	want := project.GridChoice{Connection: "lungs", Control: "lungs.example.org:9093", CA: "/etc/lungs/ca.crt"}
	if s = over("lungs", nil); s.Choices().Grid != want || s.Choices().Federation != "" {
		t.Errorf("%+v %q", s.Choices().Grid, s.Choices().Federation)
	}
	want.Fleet = "lungs.example.org:9092"
	if s = over("lungs", func(c *project.Choices) { c.Grid.Fleet, c.Federation = want.Fleet, "@lungs/all" }); s.Choices().Grid != want {
		t.Errorf("%+v", s.Choices().Grid)
	}
	if s = over("supergrid", nil); s.Choices().Grid.Fleet != "fleet-supergrid.flower.ai:443" || s.Choices().Federation != "@ada/study" {
		t.Errorf("back on SuperGrid: %+v %q", s.Choices().Grid, s.Choices().Federation)
	}
	if s = over("lungs", nil); s.Choices().Grid != want || s.Choices().Federation != "@lungs/all" {
		t.Errorf("back on lungs: %+v %q", s.Choices().Grid, s.Choices().Federation)
	}
	if s = over("hearts", func(c *project.Choices) { c.Grid.Control = "hearts.example.org" }); s.Choices().Grid != (project.GridChoice{Connection: "hearts", Control: "hearts.example.org"}) {
		t.Errorf("%+v", s.Choices().Grid)
	}
}
