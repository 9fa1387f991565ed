package plain

import (
	"math"
	"time"

	"flwrup/internal/front"
	"flwrup/internal/termsafe"
)

// event is one line of Progress: what happens, as it happens, for a program. Event tells which of the
// others are there.
type event struct {
	Event string `json:"event"` // step, says, output, item, progress, login, log, run, nodes, metric, letter, question

	Step     int      `json:"step,omitempty"`
	Name     string   `json:"name,omitempty"`  // of the step, the SuperNode, the metric
	State    string   `json:"state,omitempty"` // of a step: began, done, …; of an item: waiting, working, done, failed; of a run
	Evidence []string `json:"evidence,omitempty"`
	Text     string   `json:"text,omitempty"`

	Label string `json:"label,omitempty"`
	Done  int64  `json:"done,omitempty"`
	Total int64  `json:"total,omitempty"` // bytes, or things

	URL      string    `json:"url,omitempty"` // where the login is approved
	Code     string    `json:"code,omitempty"`
	Expires  time.Time `json:"expires,omitzero"`
	Approved *bool     `json:"approved,omitempty"`

	ID    string   `json:"id,omitempty"` // of the run, or the question
	Round *int     `json:"round,omitempty"`
	Phase string   `json:"phase,omitempty"`
	Value *float64 `json:"value,omitempty"` // left out when it is no number

	Chosen int    `json:"chosen,omitempty"` // SuperNodes that take part in the round …
	Of     int    `json:"of,omitempty"`     // … of so many
	Answer string `json:"answer,omitempty"` // that was given without a person
}

func (f *Front) record(e event) {
	if f.Progress == nil {
		return
	}
	if b, err := termsafe.EncodeJSON(e, ""); err == nil { // an event has nothing that JSON does not
		_, _ = f.Progress.Write(b)
	}
}

// lineOf is what an event of the steps is on Progress.
func lineOf(e front.Event) (event, bool) {
	switch e := e.(type) {
	case front.StepBegan:
		return event{Event: "step", Step: int(e.Step.ID()), Name: e.Step.Name(), State: "began"}, true
	case front.StepEnded:
		line := event{Event: "step", Step: int(e.Step.ID()), Name: e.Step.Name(), State: e.Status.State.String(),
			Evidence: e.Status.Evidence, Text: e.Status.Why}
		if e.Err != nil { // the object at the end says why
			line.State = "stopped"
		}
		return line, true
	case front.Says:
		return event{Event: "says", Text: e.Text}, true
	case front.Output:
		return event{Event: "output", Text: e.Text}, true
	case front.Progress:
		return event{Event: "progress", Label: e.Label, Done: e.Done, Total: e.Total}, true
	case front.ItemChanged:
		return event{Event: "item", Name: e.Item.Name, Text: e.Item.Text,
			State: [...]string{"waiting", "working", "done", "failed"}[e.Item.State]}, true
	case front.LoginOpen:
		return event{Event: "login", URL: e.URL, Code: e.Code, Text: e.Warn, Expires: e.Expires}, true
	case front.LoginClosed:
		return event{Event: "login", Approved: &e.Approved}, true
	case front.NodeLine:
		return event{Event: "log", Name: e.Line.Node, Text: e.Line.Text}, true
	case front.RunBegan:
		return event{Event: "run", ID: e.ID}, true
	case front.RunState:
		return event{Event: "run", ID: e.Run.ID, State: string(e.Run.Status)}, true
	case front.RunNodes:
		return event{Event: "nodes", Chosen: e.Chosen, Of: e.Of}, true
	case front.Letter:
		return event{Event: "letter", Name: e.File, Text: e.Words}, true
	case front.Metric:
		line := event{Event: "metric", Name: e.Name, Round: &e.Round, Phase: e.Phase}
		if !math.IsNaN(e.Value) && !math.IsInf(e.Value, 0) {
			line.Value = &e.Value
		}
		return line, true
	}
	return event{}, false
}
