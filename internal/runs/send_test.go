package runs

import (
	"context"
	"slices"
	"testing"

	"flwrup/flwrexec"
	"flwrup/flwrexec/app"
	"flwrup/flwrexec/flwr"
	"flwrup/internal/front"
	"flwrup/internal/ledger"
	"flwrup/internal/problem"
	"flwrup/internal/site"
	"flwrup/internal/sitetest"
)

// refusing is a grid whose flwr refuses every run.
type refusing struct{ *sitetest.Grid }

func (refusing) StartRun(context.Context, flwr.Connection, string, string, string) (flwr.RunID, error) {
	return 0, problem.New(app.Broken, "flwr said no", "", "")
}

// TestRunRefused: a run that flwr refuses is an error with its words, and its intent is given up.
func TestRunRefused(t *testing.T) {
	g := sitetest.NewGrid("1.42.0")
	s := sitetest.Open(t, g, 1)
	site.With(s, site.Backends{Flwr: refusing{g}})
	err := Send(context.Background(), s, nil, nil, &sitetest.Heard{})
	if err == nil || err.Error() != "flwr said no" || len(s.Ledger.Intents()) > 0 {
		t.Errorf("%v; intents %v", err, s.Ledger.Intents())
	}
}

// stopping is a grid that notes which runs are stopped.
type stopping struct {
	*sitetest.Grid
	stopped []flwr.RunID
}

func (g *stopping) StopRun(_ context.Context, _ flwr.Connection, id flwr.RunID) error {
	g.stopped = append(g.stopped, id)
	return nil
}

// TestEndLost: of the runs on a grid, those are stopped that were lost with an earlier grid, and no other.
func TestEndLost(t *testing.T) {
	g := &stopping{Grid: sitetest.NewGrid("1.42.0")}
	s := sitetest.Open(t, g.Grid, 1)
	site.With(s, site.Backends{Flwr: g})
	for id, status := range map[string]front.RunStatus{"1": front.RunLost, "2": front.RunRunning, "3": front.RunLost} {
		if err := s.Ledger.PutRun(ledger.Run{ID: id, Status: string(status)}); err != nil {
			t.Fatal(err)
		}
	}
	list := []flwrexec.Run{{ID: 1, Status: "pending"}, {ID: 2, Status: "running"}, {ID: 3, Status: "finished", SubStatus: "failed"}, {ID: 4, Status: "running"}}
	to := &sitetest.Heard{}
	if err := EndLost(t.Context(), s, list, to); err != nil || !slices.Equal(g.stopped, []flwr.RunID{1}) {
		t.Errorf("%v, stopped %v", err, g.stopped)
	}
}
