package whichgrid_test

import (
	"strings"
	"testing"

	"flwrup/flwrexec"
	"flwrup/internal/ledger"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/site"
	"flwrup/internal/sitetest"
	"flwrup/internal/whichgrid"
)

func TestMain(m *testing.M) { sitetest.Main(m) }

// invited opens a site of an account that eve invites to @eve/lungs.
func invited(t *testing.T) (*site.Site, *sitetest.Grid) {
	g := sitetest.NewGrid("1.42.0")
	g.Open.Received = []flwrexec.Invitation{{Federation: "@eve/lungs", Account: "eve"}}
	s := sitetest.Open(t, g, 1)
	s.Options.Attended = true
	return s, g
}

// TestNamedInvitation: the federation that was named is come into by its invitation, and never made, also where
// create-federation is on: it is somebody else's.
func TestNamedInvitation(t *testing.T) {
	s, g := invited(t)
	if err := s.Ledger.SetAccount(s.Choices().Grid.Connection, "bob"); err != nil {
		t.Fatal(err)
	}
	sitetest.Choose(t, s, func(c *project.Choices) { c.Federation, c.CreateFederation = "@eve/lungs", true })
	for range 2 {
		if err := whichgrid.SettleFederation(t.Context(), s, &sitetest.Heard{}, "@eve/lungs"); err != nil || len(g.Joined) != 1 {
			t.Errorf("%v, in %v", err, g.Joined)
		}
	}

	s, g = invited(t)
	g.Open.Received = nil
	s.Options.Join = "@eve/lungs"
	err := whichgrid.SettleFederation(t.Context(), s, &sitetest.Heard{}, "@eve/lungs")
	if !problem.Is(err, flwrexec.NoInvitation) || !strings.Contains(problem.Of(err).Fix, "ask @eve") || len(g.Joined) > 0 {
		t.Errorf("nobody invites: %v, in %v", err, g.Joined)
	}
}

// TestPickInvitation: a person who has named no federation sees the invitation first.
func TestPickInvitation(t *testing.T) {
	s, g := invited(t)
	to := &sitetest.Scripted{Answers: map[string]string{"federation": "@eve/lungs"}}
	if err := whichgrid.SettleFederation(t.Context(), s, to, ""); err != nil || s.Choices().Federation != "@eve/lungs" || len(g.Joined) != 1 {
		t.Errorf("%v, %s, in %v", err, s.Choices().Federation, g.Joined)
	}
	if q := to.Last["federation"]; q.Choices[0].Value != "@eve/lungs" || !strings.Contains(q.Choices[0].Note, "@eve invites you") || !strings.Contains(q.Help, "people that you know") {
		t.Errorf("%+v", q)
	}
	if q := to.Last["federation"]; q.Default != "@ada/study" { // its own goes before a stranger's
		t.Errorf("Enter takes %s", q.Default)
	}
}

// TestJoin: a folder that has SuperNodes in another federation, or is a site without an account, is left as it is.
func TestJoin(t *testing.T) {
	s, _ := invited(t)
	if err := whichgrid.Join(s, "@eve/lungs"); err != nil || s.Choices().Federation != "@eve/lungs" {
		t.Errorf("%v, %s", err, s.Choices().Federation)
	}
	if err := whichgrid.Join(s, "@eve/--yes"); !problem.Is(err, problem.Usage) {
		t.Errorf("a flag as a name: %v", err)
	}
	if err := s.Ledger.Change(func(d *ledger.Data) error {
		return d.PutNode(ledger.Node{Key: "SHA256:x", Name: "supernode_1", NodeID: "1", State: ledger.Registered, Connection: s.Choices().Grid.Connection})
	}); err != nil {
		t.Fatal(err)
	}
	if err := whichgrid.Join(s, "@ada/study"); !problem.Is(err, problem.BadInput) || s.Choices().Federation != "@eve/lungs" || !strings.Contains(problem.Of(err).Fix, "--dir") {
		t.Errorf("SuperNodes elsewhere: %v, %s", err, s.Choices().Federation)
	}
	other, _ := invited(t)
	sitetest.Choose(t, other, func(c *project.Choices) { c.Site.Name = "St. Mary" })
	if err := whichgrid.Join(other, "@eve/lungs"); !problem.Is(err, problem.BadInput) {
		t.Errorf("a site without an account: %v", err)
	}
}
