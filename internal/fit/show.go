package fit

import (
	"context"
	"strings"
	"sync/atomic"
	"time"

	"flwrup/flwrexec/releases"
	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/safego"
	"flwrup/internal/site"
)

// Show puts f into an overview, and what each SuperNode runs into its view.
func (f Fit) Show(o *front.Overview) {
	o.Fit = front.Fit{Newest: f.Out.Newest().String(), Asked: f.Out.At, Index: f.Out.Index, Trouble: f.Out.Err, Control: string(f.Control), Fleet: string(f.Fleet),
		Flwr: f.Flwr.String(), FlwrFits: string(f.Tells), Target: f.Target.String(), Needed: f.Needed, Says: f.Why, Short: f.Short}
	for i := range o.Nodes {
		for _, n := range f.Nodes {
			if v := &o.Nodes[i]; v.Name == n.Name {
				v.Flwr, v.Fits = n.Version.String(), string(n.Fits)
			}
		}
	}
}

// Says returns, a fact a line, what is out, what the grid speaks and how well the flwr at hand is known; and the Problem of
// what cannot talk to the grid, nil where all can.
func Says(s *site.Site, f front.Fit) (says []string, wrong *problem.Problem) {
	out := "the newest release of flwr is not known: the package index was not asked yet; an open dashboard and flwrup watch ask it once a day"
	switch {
	case f.Newest != "":
		out = "flwr " + f.Newest + " is the newest release, said " + f.Index + " on " + f.Asked.Local().Format(time.DateOnly)
	case s.Rehearsal():
		out = "the newest release of flwr is not known: a rehearsal asks nobody"
	case !s.Choices().Flwr.Check:
		out = "the newest release of flwr is not known: flwrup.toml says check-releases = false"
	}
	says = append(says, out)
	if f.Trouble != "" {
		says = append(says, "the last question to the package index failed: "+f.Trouble)
	}
	var speaks []string
	if f.Control != "" {
		speaks = append(speaks, f.Control+" to flwr's commands")
	}
	if f.Fleet != "" {
		speaks = append(speaks, f.Fleet+" to SuperNodes")
	}
	if len(speaks) > 0 {
		says = append(says, "the grid speaks "+strings.Join(speaks, ", "))
	}
	if f.Flwr != "" {
		known := s.Dialect().HowKnown()
		if !s.Dialect().Known() {
			known += "; flwrup doctor --flwr " + f.Flwr + " shows the differences"
		}
		says = append(says, known)
	}
	switch {
	case f.Needed && f.Target == "":
		return says, problem.New(problem.NotSupported, f.Says, "", "ask whoever runs the grid which flwr it runs")
	case f.Needed:
		return says, problem.New(problem.NotSupported, f.Says, "", "flwrup upgrade; with --check it only shows its plan")
	case f.Says != "" && f.Says != s.Dialect().HowKnown():
		says = append(says, f.Says)
	}
	return says, nil
}

// asker asks the package index in the background, for one site.
type asker struct {
	asking atomic.Bool
	next   atomic.Int64 // Unix seconds; before it nobody looks whether a question is due
}

// lookEvery is how often an open dashboard or watch looks whether a question is due.
const lookEvery = time.Hour

// Ask has the package index asked in the background where its last answer is a day old, and returns at once. It asks
// nothing where flwrup.toml says check-releases = false, and in a rehearsal.
func Ask(ctx context.Context, s *site.Site) {
	a := site.Kept[asker](s)
	if !mayAsk(s) || time.Now().Unix() < a.next.Load() || !a.asking.CompareAndSwap(false, true) {
		return
	}
	a.next.Store(time.Now().Add(lookEvery).Unix())
	safego.Go("asking which flwr is out", func(error) { a.asking.Store(false) }, func() {
		defer a.asking.Store(false)
		_, _ = releases.Refresh(ctx, false) // what went wrong is kept, and doctor says it
	})
}

// AskNow is Ask for a command that chooses a release by the answer: it waits for it, once a day and for 8 seconds at most.
func AskNow(ctx context.Context, s *site.Site) {
	if mayAsk(s) {
		_, _ = releases.Refresh(ctx, false) // what went wrong is kept, and doctor says it
	}
}

func mayAsk(s *site.Site) bool {
	c := s.Choices()
	return c.Flwr.Check && !c.Grid.Rehearsal
}
