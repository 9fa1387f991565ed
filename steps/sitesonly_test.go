package steps

import (
	"slices"
	"strings"
	"testing"

	"flwrup/flwrexec"
	"flwrup/internal/front"
	"flwrup/internal/ledger"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/sitetest"
)

// TestSitesOnly: a coordinator without a SuperNode of its own makes and registers nothing, and waits for the sites.
func TestSitesOnly(t *testing.T) {
	g := sitetest.NewGrid("1.42.0")
	s := sitetest.Open(t, g, 0)
	if err := (count{}).Change(t.Context(), s, &sitetest.Scripted{Answers: map[string]string{"nodes": "0"}}); err != nil {
		t.Fatal(err)
	}
	if c := s.Choices(); !c.SitesOnly || !c.NoneHere() {
		t.Fatalf("%+v", c)
	}
	stands := func(id front.StepID) front.Status {
		t.Helper()
		s.Forget()
		st, err := Inspect(t.Context(), s, id)
		if err != nil {
			t.Fatalf("step %d: %v", id, err)
		}
		return st
	}
	if st := stands(front.StepCount); st.State != front.Done || st.Short != "0" {
		t.Errorf("%+v", st)
	}
	for _, id := range []front.StepID{front.StepKeys, front.StepBackup, front.StepRegister, front.StepHandover, front.StepConfirmation, front.StepStart} {
		if st := stands(id); st.State != front.NotNeeded || !strings.Contains(st.Why, "site") && !strings.Contains(st.Why, "key") {
			t.Errorf("step %d: %+v", id, st)
		}
	}
	if st := stands(front.StepOnline); st.State != front.Waiting || !st.Person || st.Deed == "" {
		t.Errorf("no site so far: %+v", st)
	}
	if err := Apply(t.Context(), s, front.StepOnline, front.Unattended(&sitetest.Heard{})); !problem.Is(err, problem.NeedsPerson) {
		t.Errorf("no site so far, and nobody there: %v", err)
	}

	err := s.Ledger.Change(func(d *ledger.Data) error {
		d.PutSite(ledger.Site{Name: "st-mary", Connection: s.Choices().Grid.Connection, Title: "St. Mary", Nodes: []ledger.SiteNode{{Key: "SHA256:a", Name: "st-mary.supernode_1", NodeID: "12", State: ledger.Registered}}})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	g.Known = []flwrexec.Node{{ID: 12, Owner: "ada", Status: flwrexec.StatusRegistered}}
	if st := stands(front.StepOnline); st.State != front.Waiting || !strings.Contains(st.Why, "St. Mary") || st.Short != "0/1" {
		t.Errorf("not online: %+v", st)
	}
	g.SetStatus(0, flwrexec.StatusOnline)
	if st := stands(front.StepOnline); st.State != front.Done || st.Short != "1/1" {
		t.Errorf("online: %+v", st)
	}
	if slices.Contains(g.Calls, "register") {
		t.Errorf("%v", g.Calls)
	}

	sitetest.Choose(t, s, func(c *project.Choices) { c.Nodes = 1 })
	if st := stands(front.StepKeys); st.State != front.Ready {
		t.Errorf("one of its own after all: %+v", st)
	}
}

// TestSiteNeedsOne: a site without an account cannot have no SuperNode.
func TestSiteNeedsOne(t *testing.T) {
	s := sitetest.Open(t, sitetest.NewGrid("1.42.0"), 0)
	sitetest.Choose(t, s, func(c *project.Choices) { c.Site = project.SiteChoice{Name: "St. Mary"} })
	if err := (count{}).Change(t.Context(), s, &sitetest.Scripted{Answers: map[string]string{"nodes": "0"}}); err == nil || s.Choices().SitesOnly {
		t.Errorf("%v, %+v", err, s.Choices())
	}
}
