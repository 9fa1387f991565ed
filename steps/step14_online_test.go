package steps

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"flwrup/flwrexec"
	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/site"
	"flwrup/internal/sitetest"
	"flwrup/internal/supernode"
)

// Step 14 does not count a suspended SuperNode.
func TestSuspendedIsNotCounted(t *testing.T) {
	grid := sitetest.NewGrid("1.42.0")
	s := siteOn(t, grid, 2)
	if err := Apply(t.Context(), s, 10, &sitetest.Heard{}); err != nil {
		t.Fatal(err)
	}
	for i := range grid.Known {
		grid.Known[i].Status = flwrexec.StatusOnline
	}
	sitetest.Suspend(t, s)
	if err := site.NoteWanted(s, []string{"supernode_1", "supernode_2"}, front.WantedUp); err != nil {
		t.Fatal(err)
	}
	if st, err := Inspect(t.Context(), s, front.StepOnline); err != nil || st.Done != 1 || st.State == front.Done || !slices.ContainsFunc(st.Items, func(i front.Item) bool {
		return i.Name == "supernode_1" && i.State == front.ItemFailed && strings.Contains(i.Text, "suspended")
	}) {
		t.Errorf("step 14: %+v %v", st, err)
	}
}

// refusedRuntime has SuperNodes that end as soon as they are started, for the grid lets none in.
type refusedRuntime struct {
	sitetest.Saying
	mu     sync.Mutex
	starts map[string]int
}

func (r *refusedRuntime) List(context.Context) ([]supernode.Status, error) {
	var list []supernode.Status
	for name := range r.Lines {
		list = append(list, supernode.Status{Name: name, State: supernode.Stopped, ExitCode: 1})
	}
	return list, nil
}

func (r *refusedRuntime) Start(_ context.Context, spec supernode.Spec) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.starts[spec.Name]++
	return nil
}

// SuperNodes that the grid refuses again and again are not hammered, and the person hears why, soon.
func TestRefusedIsNotHammered(t *testing.T) { synctest.Test(t, refusedIsNotHammered) }

func refusedIsNotHammered(t *testing.T) {
	g := sitetest.NewGrid("1.26.1")
	s := siteOn(t, g, 2)
	if err := Apply(t.Context(), s, 10, &sitetest.Heard{}); err != nil {
		t.Fatal(err)
	}
	no := "INFO :      Starting Flower SuperNode\n	details = \"No SuperNode found with the given public key.\""
	rt := &refusedRuntime{Saying: sitetest.Saying{Runtime: sitetest.RuntimeOf(t, s), Lines: map[string]string{"supernode_1": no, "supernode_2": no}}, starts: map[string]int{}}
	site.With(s, site.Backends{Runtime: rt})
	began, h := time.Now(), &sitetest.Heard{}
	err := online{}.Apply(t.Context(), s, h)
	if !problem.Is(err, problem.NodeNotOnline) || !strings.Contains(err.Error(), "await its confirmation") {
		t.Errorf("%v\n%s", err, h.Said())
	}
	if took := time.Since(began); took > site.OnlineWithin/2 || rt.starts["supernode_1"] > refusals || rt.starts["supernode_2"] > refusals {
		t.Errorf("after %v: %v", took, rt.starts)
	}
}
