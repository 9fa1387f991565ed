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

// saysGrid has these lines in the log of every run.
type saysGrid struct {
	*sitetest.Grid
	lines []string
}

func (g saysGrid) ShowLog(_ context.Context, _ flwr.Connection, _ flwr.RunID, line func(string)) error {
	for _, l := range g.lines {
		line(l)
	}
	return nil
}

// A run waits for SuperNodes while that is the last thing that its log says.
func TestWaiting(t *testing.T) {
	g := sitetest.NewGrid("1.42.0")
	s := sitetest.Registered(t, g, 1)
	const waits = "\x1b[92mINFO\x1b[0m :      Waiting for nodes to connect: 1 connected (minimum required: 2)."
	for _, c := range []struct {
		lines []string
		want  string
	}{
		{[]string{"INFO :      Starting FedAvg strategy:", waits, ""}, "1 of 2 SuperNodes that its app asks for are connected"},
		{[]string{waits, "INFO :      [ROUND 1/3]"}, ""},
		{nil, ""},
	} {
		site.With(s, site.Backends{Flwr: saysGrid{g, c.lines}})
		words, waiting, err := Waiting(t.Context(), s, "7")
		if words != c.want || waiting != (c.want != "") || err != nil {
			t.Errorf("%q: %q %v %v", c.lines, words, waiting, err)
		}
	}
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
