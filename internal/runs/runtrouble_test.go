package runs

import (
	"context"
	"strings"
	"testing"

	"flwrup/flwrexec"
	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/site"
	"flwrup/internal/sitetest"
)

// TestNodesFailed: the end of a run names the SuperNodes that failed in it, with their reasons, and nothing of an older run.
func TestNodesFailed(t *testing.T) {
	g := sitetest.NewGrid("1.42.0")
	s := sitetest.WithKeys(t, g, 3)
	lacks := []string{"INFO :      [RUN 7]", "INFO :      Receiving: train message (ID: a)", "ERROR :     ClientApp raised an exception",
		"Traceback (most recent call last):", "ModuleNotFoundError: No module named 'torch'", "INFO :      [RUN 7]", "INFO :      Sent successfully"}
	old := append([]string{"INFO :      [RUN 6]", "ModuleNotFoundError: No module named 'jax'"}, "INFO :      [RUN 7]", "INFO :      Received successfully")
	site.With(s, site.Backends{Runtime: sitetest.Saying{Runtime: sitetest.RuntimeOf(t, s), Lines: map[string]string{
		"supernode_1": strings.Join(old, "\n"), "supernode_2": strings.Join(lacks, "\n"), "supernode_3": strings.Join(lacks, "\n")}}})

	for _, c := range []struct {
		status string
		line   string
		fails  bool
		says   []string // parts of the error, or of the sentence where the run completed
	}{
		{"finished:failed", "INFO :      aggregate_train: Received 1 results and 2 failures", true, []string{"run 7 finished:failed: on supernode_2 (and 1 more)", "torch"}},
		{"finished:completed", "INFO :      aggregate_train: Received 1 results and 2 failures", false, []string{"failed in it 2 times", "supernode_2 (and 1 more)", "torch"}},
		{"finished:completed", "INFO :      aggregate_train: Received 3 results and 0 failures", false, nil},
	} {
		to := &sitetest.Heard{}
		log := &runReader{to: to}
		log.line(c.line)
		status, sub, _ := strings.Cut(c.status, ":")
		err := outcome(context.Background(), s, flwrexec.Run{ID: 7, Status: status, SubStatus: sub}, log)
		if c.fails != problem.Is(err, problem.RunFailed) || !c.fails && err != nil {
			t.Errorf("%+v: %v", c, err)
		}
		text := ""
		if err != nil {
			text = err.Error()
		}
		for _, e := range to.Events() {
			if e, ok := e.(front.Says); ok {
				text += e.Text
			}
		}
		for _, want := range c.says {
			if !strings.Contains(text, want) {
				t.Errorf("%s: %q does not say %q", c.status, text, want)
			}
		}
		if strings.Contains(text, "jax") || c.says == nil && text != "" {
			t.Errorf("%s: %q", c.status, text)
		}
	}
}
