package steps

import (
	"context"
	"slices"
	"testing"

	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/sitetest"
)

// TestGuidedWalk: a person hears what a step would do and says so before it changes anything; a script does not.
func TestGuidedWalk(t *testing.T) {
	for _, c := range []struct {
		attended   bool
		answer     string
		registered int
	}{{true, "no", 0}, {true, "yes", 2}, {false, "", 2}} {
		g := sitetest.NewGrid("1.42.0")
		s := siteOn(t, g, 2)
		s.Options.Attended = c.attended
		to := &sitetest.Scripted{Answers: map[string]string{"do": c.answer}}
		var sink front.Sink = to
		if c.attended {
			sink = &guided{to, s}
		}
		err := walkOne(context.Background(), s, register{}, sink)
		if refused := c.answer == "no"; refused != problem.Is(err, problem.NeedsPerson) || !refused && err != nil {
			t.Errorf("%+v: %v", c, err)
		}
		if len(g.Known) != c.registered || slices.Contains(to.Asked, "do") != c.attended {
			t.Errorf("%+v: %d nodes, asked %q", c, len(g.Known), to.Asked)
		}
		told := slices.ContainsFunc(to.Events(), func(e front.Event) bool { p, ok := e.(front.Planned); return ok && len(p.Actions) == 2 })
		if told != c.attended {
			t.Errorf("%+v: told what would be done: %v", c, told)
		}
	}
}
