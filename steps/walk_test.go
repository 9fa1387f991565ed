package steps

import (
	"context"
	"strings"
	"testing"

	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/site"
	"flwrup/internal/sitetest"
)

// TestWalkTellsWhatWasDeclined: a person who says no reads that the step is left for later, not that
// something does not work.
func TestWalkTellsWhatWasDeclined(t *testing.T) {
	s, err := site.Open(site.Options{Dir: t.TempDir(), Create: true, Attended: true, Choose: func(c *project.Choices) { c.Nodes = 1 }})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	to := &sitetest.Scripted{Answers: map[string]string{"passphrase": "", "backup-elsewhere": "later"}}
	for _, n := range []front.StepID{front.StepKeys, front.StepBackup} {
		st, err := step(site.Folder{Choices: &project.Choices{}}, n)
		if err != nil {
			t.Fatal(err)
		}
		err = walkOne(context.Background(), s, st, to)
		if n == 6 {
			if err != nil {
				t.Fatal(err)
			}
			continue
		}
		if p := problem.Of(err); p.Code != problem.NeedsPerson || !strings.Contains(p.Why, "backed up all keys") {
			t.Errorf("step 7: %v (%s)", err, p.Code)
		}
	}
}
