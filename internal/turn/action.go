package turn

import (
	"context"
	"errors"
	"time"

	"flwrup/internal/front"
	"flwrup/internal/problem"
)

// Within is how long an action waits for those of other flwrups in the folder. A start may take a minute: a grid holds on
// to a SuperNode that was killed.
const Within = 90 * time.Second

// errMoved ends an action whose person answered a question while another flwrup acted: it starts again.
var errMoved = errors.New("another flwrup acted meanwhile")

// Do does do while no other flwrup acts in the folder; the others show what it is doing, such as "starting
// supernode_2". news is called first where another flwrup may have acted since this one did. Within another Do it
// shares that one's turn.
func (t *Turn) Do(ctx context.Context, doing string, to front.Sink, news func() error, do func(front.Sink) error) error {
	a := &action{Sink: to, turn: t, doing: doing, news: news}
	if err := a.begin(ctx); err != nil {
		return err
	}
	defer a.end()
	return do(a)
}

// DoOnceAsked is Do for what asks before it changes anything. A person may think for as long as they want: the turn
// begins with their answer. Where another flwrup acted while they thought, do is called again.
func (t *Turn) DoOnceAsked(ctx context.Context, doing string, to front.Sink, news func() error, do func(front.Sink) error) error {
	if t.Held() {
		return t.Do(ctx, doing, to, news, do)
	}
	for {
		_, _, record := t.Acting()
		a := &action{Sink: to, turn: t, doing: doing, news: news, asksFirst: true, before: record}
		err := do(a)
		a.end()
		if !errors.Is(err, errMoved) || ctx.Err() != nil {
			return err
		}
		to.Event(front.Says{Text: "another flwrup changed something meanwhile: looking again"})
	}
}

// action is the front end of an action in its turn.
type action struct {
	front.Sink
	turn      *Turn
	doing     string
	news      func() error
	asksFirst bool
	before    string // the record of turns when it began to ask
	done      func()
}

func (a *action) begin(ctx context.Context) error {
	done, alone, err := a.turn.Take(ctx, a.doing, Within, func(h Holder) { Waiting(a.Sink, h) })
	switch {
	case err != nil && ctx.Err() != nil:
		return problem.Stopped(err, "stopped", "nothing was done")
	case err != nil:
		return err
	}
	a.done = done
	if !alone {
		if err := a.news(); err != nil {
			a.end()
			return err
		}
	}
	return nil
}

// Waiting says for whom this flwrup waits.
func Waiting(to front.Sink, h Holder) { to.Event(front.Says{Text: h.String() + "; waiting…"}) }

func (a *action) end() {
	if a.done != nil {
		a.done()
		a.done = nil
	}
}

// Event passes an event on. A login in the browser is a question, too.
func (a *action) Event(e front.Event) {
	switch e.(type) {
	case front.LoginOpen:
		a.turn.Asks(true)
	case front.LoginClosed:
		a.turn.Asks(false)
	}
	a.Sink.Event(e)
}

// Ask asks the person, while other flwrups see that this one waits for an answer.
func (a *action) Ask(ctx context.Context, q front.Question) (string, error) {
	if a.asksFirst && a.done == nil {
		answer, err := a.Sink.Ask(ctx, q)
		if err != nil {
			return answer, err
		}
		_, _, now := a.turn.Acting()
		if err := a.begin(ctx); err != nil {
			return "", err
		}
		if now != a.before {
			return "", errMoved
		}
		return answer, nil
	}
	a.turn.Asks(true)
	defer a.turn.Asks(false)
	return a.Sink.Ask(ctx, q)
}
