package runs

import (
	"context"
	"testing"

	"flwrup/flwrexec/app"
	"flwrup/flwrexec/flwr"
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
