package front

import (
	"context"

	"flwrup/internal/problem"
)

// Unattended returns a front end without a person: it hands events on to to, and answers questions with their
// defaults. A nil to takes nothing.
func Unattended(to Sink) Sink { return nobody{to} }

// Agreeing is a front end whose person has said yes to every question already.
type Agreeing struct{ Sink }

// Ask says yes.
func (Agreeing) Ask(context.Context, Question) (string, error) { return "yes", nil }

type nobody struct{ Sink }

func (n nobody) Event(e Event) {
	if n.Sink != nil {
		n.Sink.Event(e)
	}
}

func (nobody) Ask(_ context.Context, q Question) (string, error) {
	if q.Default == "" {
		return "", problem.New(problem.NeedsPerson, q.Ask, "nobody can answer here", "flwrup start")
	}
	return q.Default, nil
}
