package steps

import (
	"context"
	"testing"

	"flwrup/internal/front"
	"flwrup/internal/site"
	"flwrup/internal/sitetest"
)

func TestMain(m *testing.M) { sitetest.Main(m) }

// siteOn opens a site in a new folder with n keys on the fake grid.
func siteOn(t *testing.T, g *sitetest.Grid, n int) *site.Site {
	t.Helper()
	s := sitetest.Open(t, g, n)
	for _, step := range []front.StepID{front.StepKeys, front.StepConfigure} {
		if err := Apply(context.Background(), s, step, &sitetest.Heard{}); err != nil {
			t.Fatalf("step %d: %v", step, err)
		}
	}
	return s
}

// upAndRunning is a site with n SuperNodes that are registered and started.
func upAndRunning(t *testing.T, n int) (*site.Site, *sitetest.Runtime) {
	t.Helper()
	s := siteOn(t, sitetest.NewGrid("1.42.0"), n)
	if err := Apply(context.Background(), s, 10, &sitetest.Heard{}); err != nil {
		t.Fatal(err)
	}
	if err := Act(context.Background(), s, front.StartNodes, nil, &sitetest.Heard{}); err != nil {
		t.Fatal(err)
	}
	return s, sitetest.RuntimeOf(t, s)
}

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
