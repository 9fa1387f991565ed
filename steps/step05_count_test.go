package steps

import (
	"context"
	"testing"

	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/site"
	"flwrup/internal/sitetest"
)

// TestCrowded: step 5 refuses a number that the memory does not carry, unless the person insists.
func TestCrowded(t *testing.T) {
	s, err := site.Open(site.Options{Dir: t.TempDir(), Create: true, Rehearsal: true, Choose: func(c *project.Choices) { c.Nodes = 900 }})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if st, err := Inspect(context.Background(), s, front.StepCount); err != nil || st.State != front.Ready {
		t.Errorf("900 on this machine: %+v %v", st, err)
	}
	if err := Apply(context.Background(), s, 5, &sitetest.Heard{}); !problem.Is(err, problem.BadInput) {
		t.Errorf("unattended: %v", err)
	}
	s.Options.Crowded = true
	if st, err := Inspect(context.Background(), s, front.StepCount); err != nil || st.State != front.Done {
		t.Errorf("crowded: %+v %v", st, err)
	}
}
