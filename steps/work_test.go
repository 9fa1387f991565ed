package steps

import (
	"context"
	"strings"
	"testing"
	"time"

	"flwrup/internal/front"
	"flwrup/internal/ledger"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/site"
	"flwrup/internal/sitetest"
)

// opens opens a site in dir, which ends with the test.
func opens(t *testing.T, o site.Options) *site.Site {
	t.Helper()
	s, err := site.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// hears takes the sentences of an action.
type hears struct {
	sitetest.Heard
	says chan string
}

func (h *hears) Event(e front.Event) {
	if e, ok := e.(front.Says); ok {
		h.says <- e.Text
	}
}

// TestTwoFlwrups: an open flwrup that does nothing keeps no other one from acting, and shows what it did. While one
// acts, the other one opens and looks all the same, and its own action waits.
func TestTwoFlwrups(t *testing.T) {
	dir := t.TempDir()
	first := opens(t, site.Options{Dir: dir, Create: true, Choose: func(c *project.Choices) { c.Runtime = project.RuntimeProcess }})
	second := opens(t, site.Options{Dir: dir})
	ctx := context.Background()

	// Each sees what the other one writes.
	if err := first.Change(func(c *project.Choices) error { c.Nodes = 3; return nil }); err != nil {
		t.Fatal(err)
	}
	run := ledger.Run{ID: "7", Connection: first.Choices().Grid.Connection}
	if err := first.Ledger.PutRun(run); err != nil {
		t.Fatal(err)
	}
	On(second).Overview(ctx, 0)
	if runs := second.Ledger.Runs(); len(runs) != 1 || runs[0].ID != "7" || second.Choices().Nodes != 3 {
		t.Errorf("%d SuperNodes chosen, runs %v", second.Choices().Nodes, runs)
	}

	acts, end := make(chan bool), make(chan bool)
	over := make(chan error, 1)
	go func() {
		over <- site.InTurn(ctx, first, "starting supernode_2", &sitetest.Heard{}, func(front.Sink) error {
			close(acts)
			<-end
			return first.Change(func(c *project.Choices) error { c.Nodes = 4; return nil })
		})
	}()
	<-acts
	third := opens(t, site.Options{Dir: dir, Attended: true})
	if o := On(third).Others(); o.Doing != "starting supernode_2" || o.PID == 0 {
		t.Errorf("the others: %+v", o)
	}
	if o := On(first).Others(); o.PID != 0 {
		t.Errorf("it takes itself for another one: %+v", o)
	}
	stopped, cancel := context.WithCancel(ctx)
	heard := &hears{says: make(chan string, 9)}
	waits := make(chan error, 1)
	go func() { waits <- On(third).Act(stopped, front.StopNodes, nil, heard) }()
	if text := <-heard.says; !strings.HasPrefix(text, "flwrup (pid ") || !strings.HasSuffix(text, ") is starting supernode_2; waiting…") {
		t.Errorf("it says %q", text)
	}
	cancel()
	if err := <-waits; !problem.Is(err, problem.Cancelled) {
		t.Errorf("left the line: %v", err)
	}

	go func() {
		waits <- site.InTurn(ctx, second, "stopping supernode_1", heard, func(front.Sink) error {
			if n := second.Choices().Nodes; n != 4 {
				t.Errorf("it goes on with %d SuperNodes, and the other one chose 4", n)
			}
			return nil
		})
	}()
	<-heard.says
	close(end)
	if err := <-over; err != nil {
		t.Fatal(err)
	}
	if err := <-waits; err != nil {
		t.Fatal(err)
	}
}

// slow is a person who thinks for a while.
type slow struct {
	sitetest.Heard
	asked  int
	answer func() string
}

func (p *slow) Ask(context.Context, front.Question) (string, error) {
	p.asked++
	return p.answer(), nil
}

// TestThinkingHoldsNobodyUp: a step that asks before it changes anything leaves the turn to others while its person
// thinks, and asks again when one of them acted.
func TestThinkingHoldsNobodyUp(t *testing.T) {
	dir := t.TempDir()
	first := opens(t, site.Options{Dir: dir, Create: true})
	second := opens(t, site.Options{Dir: dir})
	p := &slow{}
	p.answer = func() string {
		if p.asked == 1 {
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			err := site.InTurn(ctx, second, "at step 5", &sitetest.Heard{}, func(front.Sink) error {
				return second.Change(func(c *project.Choices) error { c.Nodes = 9; return nil })
			})
			if err != nil {
				t.Errorf("another one acts meanwhile: %v", err)
			}
		}
		return "4"
	}
	if err := On(first).Change(t.Context(), front.StepCount, p); err != nil {
		t.Fatal(err)
	}
	if p.asked != 2 || first.Choices().Nodes != 4 {
		t.Errorf("asked %d times, %d SuperNodes", p.asked, first.Choices().Nodes)
	}
}

// TestBringUpLeavesAloneWhatIsUp: two watches, or a watch and a person, do not restart the same SuperNode twice.
func TestBringUpLeavesAloneWhatIsUp(t *testing.T) {
	g := sitetest.NewGrid("1.42.0")
	s, rt := sitetest.Up(t, g, 2)
	g.SeeOnline(rt)
	names := sitetest.Names(t, s)
	var tried []string
	bring := func() {
		t.Helper()
		tried = nil
		s.Forget()
		if err := BringUp(t.Context(), s, names, &sitetest.Heard{}, func(name string) { tried = append(tried, name) }); err != nil {
			t.Fatal(err)
		}
	}
	if bring(); len(tried) > 0 {
		t.Errorf("restarts %v, which are up", tried)
	}
	if err := rt.Stop(t.Context(), names[1], 0); err != nil {
		t.Fatal(err)
	}
	g.SeeOnline(rt)
	if bring(); len(tried) != 1 || tried[0] != names[1] {
		t.Errorf("restarts %v, and %s has ended", tried, names[1])
	}
	g.SeeOnline(rt)
	if bring(); len(tried) > 0 {
		t.Errorf("restarts %v again", tried)
	}
}
