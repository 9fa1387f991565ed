package watching

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"flwrup/internal/front"
	"flwrup/internal/problem"
)

// An address that other machines reach is asked about; where nobody can be asked, the log says it.
func TestOpenTo(t *testing.T) {
	for _, c := range []struct {
		at, answer      string
		attended, lines bool
		want            string
		asked, said     bool
	}{
		{at: "9464", attended: true, want: "127.0.0.1:9464"},
		{at: "0.0.0.0:9464", answer: "yes", attended: true, want: "0.0.0.0:9464", asked: true},
		{at: ":9464", answer: "no", attended: true, asked: true},
		{at: "0.0.0.0:9464", want: "0.0.0.0:9464", said: true},
		{at: "0.0.0.0:9464", attended: true, lines: true, want: "0.0.0.0:9464", said: true},
		{at: "nowhere"},
	} {
		var said strings.Builder
		asked := false
		h := Host{Lines: &c.lines, Attended: func() bool { return c.attended }, Say: func(f string, a ...any) { fmt.Fprintf(&said, f+"\n", a...) },
			WriteLine: func(v any) { fmt.Fprintf(&said, "%+v\n", v) },
			Ask: func(_ context.Context, q front.Question) (string, error) {
				asked = q.Default == "no" && strings.Contains(q.Help, "without a password")
				return c.answer, nil
			}}
		got, err := openTo(t.Context(), h, c.at)
		if got != c.want || (err != nil) != (c.want == "") || asked != c.asked || strings.Contains(said.String(), "is open to other machines") != c.said {
			t.Errorf("%+v: %q, %v, asked %v, said %q", c, got, err, asked, said.String())
		}
		if err != nil && problem.Of(err).Code == problem.Internal {
			t.Errorf("%v", err)
		}
	}
}
