package runs

import (
	"context"
	"testing"

	"flwrup/flwrexec/flwr"
	"flwrup/internal/problem"
	"flwrup/internal/site"
	"flwrup/internal/sitetest"
)

// logGrid says one line about every run, and knows run 7 alone.
type logGrid struct{ *sitetest.Grid }

func (logGrid) ShowLog(_ context.Context, _ flwr.Connection, run flwr.RunID, line func(string)) error {
	if run != 7 {
		line("[code: 31] Run ID not found")
		return problem.New(problem.RunNotFound, "there is no such run", "", "")
	}
	line("INFO :      [ROUND 1/3]")
	return nil
}

// TestLogOfNoRun: flwr's words about a run that does not exist are no log.
func TestLogOfNoRun(t *testing.T) {
	g := sitetest.NewGrid("1.42.0")
	s := sitetest.Registered(t, g, 1)
	site.With(s, site.Backends{Flwr: logGrid{g}})
	for run, want := range map[string]int{"7": 1, "999": 0} {
		lines := 0
		if err := RunLog(t.Context(), s, run, func(string) { lines++ }); lines != want || problem.Is(err, problem.RunNotFound) != (want == 0) {
			t.Errorf("run %s: %d lines, %v", run, lines, err)
		}
	}
}
