package plain

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"strings"
	"testing"

	"flwrup/internal/front"
	"flwrup/internal/supernode"
	"flwrup/steps"
)

// TestProgress: what happens is an object a line for a program, and nothing goes to a person's lines.
func TestProgress(t *testing.T) {
	var out, progress bytes.Buffer
	f := &Front{Out: &out, Yes: true, Quiet: true, Progress: &progress}
	nine := steps.Steps()[8]
	for _, e := range []front.Event{
		front.StepBegan{Step: nine},
		front.LoginOpen{URL: "https://grid.example/device?user_code=AB&x=1", Code: "AB"},
		front.LoginClosed{Approved: true},
		front.StepEnded{Step: nine, Status: front.Status{State: front.Done, Evidence: []string{"logged in as ada"}}},
		front.ItemChanged{Item: front.Item{Name: "supernode_1", State: front.ItemFailed, Text: "in use"}},
		front.Progress{Label: "started", Done: 1, Total: 3},
		front.Says{Text: "sending"}, front.Output{Text: "INFO"}, front.NodeLine{Line: supernode.Line{Node: "supernode_1", Text: "up"}},
		front.RunBegan{ID: "7"}, front.RunState{Run: front.RunView{ID: "7", Status: "running"}}, front.RunNodes{Chosen: 2, Of: 3},
		front.Metric{Round: 0, Phase: "server", Name: "server loss", Value: 0.5},
		front.Metric{Round: 1, Phase: "server", Name: "server loss", Value: math.NaN()},
	} {
		f.Event(e)
	}
	if _, err := f.Ask(context.Background(), front.Question{ID: "nodes", Ask: "How many?", Default: "3"}); err != nil {
		t.Error(err)
	}
	if _, err := f.Ask(context.Background(), front.Question{ID: "passphrase", Kind: front.AskSecret, Ask: "The passphrase", Default: "hush"}); err != nil {
		t.Error(err)
	}
	want := `{"event":"step","step":9,"name":"Log in","state":"began"}
{"event":"login","url":"https://grid.example/device?user_code=AB&x=1","code":"AB"}
{"event":"login","approved":true}
{"event":"step","step":9,"name":"Log in","state":"done","evidence":["logged in as ada"]}
{"event":"item","name":"supernode_1","state":"failed","text":"in use"}
{"event":"progress","label":"started","done":1,"total":3}
{"event":"says","text":"sending"}
{"event":"output","text":"INFO"}
{"event":"log","name":"supernode_1","text":"up"}
{"event":"run","id":"7"}
{"event":"run","state":"running","id":"7"}
{"event":"nodes","chosen":2,"of":3}
{"event":"metric","name":"server loss","round":0,"phase":"server","value":0.5}
{"event":"metric","name":"server loss","round":1,"phase":"server"}
{"event":"question","text":"How many?","id":"nodes","answer":"3"}
{"event":"question","text":"The passphrase","id":"passphrase"}
`
	if progress.String() != want {
		t.Errorf("got\n%s\nwanted\n%s", progress.String(), want)
	}
	for _, line := range strings.Split(strings.TrimSpace(progress.String()), "\n") {
		if !json.Valid([]byte(line)) {
			t.Errorf("not JSON: %s", line)
		}
	}
	if out.Len() > 0 {
		t.Errorf("a person's lines with --json: %q", out.String())
	}
}
