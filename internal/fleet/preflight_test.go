package fleet

import (
	"context"
	"strings"
	"testing"

	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/site"
	"flwrup/internal/sitetest"
	"flwrup/internal/supernode"
)

// flwrup names a SuperNode that cannot start before it starts the others. A finding about all of them starts nothing.
func TestCheckFirst(t *testing.T) {
	s := sitetest.WithKeys(t, sitetest.NewGrid("1.42.0"), 3)
	rt := sitetest.RuntimeOf(t, s)
	list, _, err := site.Members(s)
	if err != nil {
		t.Fatal(err)
	}
	bad := problem.New(problem.BadInput, "no such folder", "", "make it")
	rt.Findings = []supernode.Finding{{Node: list[1].Name, Problem: bad}, {Node: list[2].Name, Warning: true, Problem: bad}}
	err = BringUp(context.Background(), s, list, &sitetest.Heard{})
	if !problem.Is(err, problem.BadInput) || !strings.Contains(err.Error(), list[1].Name) || len(rt.Started) != 2 {
		t.Errorf("%v, started %d", err, len(rt.Started))
	}
	var st front.Status
	st.Items = []front.Item{{Name: list[1].Name, Text: "not started"}, {Name: list[2].Name, Text: "not started"}}
	ShowFindings(&st, append(rt.Findings, supernode.Finding{Problem: bad}))
	if st.Items[0].State != front.ItemFailed || st.Items[1].State == front.ItemFailed || !strings.Contains(st.Items[0].Text, "make it") || len(st.Hints) != 1 {
		t.Errorf("%+v", st)
	}
	clear(rt.Started)
	rt.Findings = []supernode.Finding{{Problem: bad}}
	if err := BringUp(context.Background(), s, list, &sitetest.Heard{}); !problem.Is(err, problem.BadInput) || len(rt.Started) != 0 {
		t.Errorf("%v, started %d", err, len(rt.Started))
	}
}
