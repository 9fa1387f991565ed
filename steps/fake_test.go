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
