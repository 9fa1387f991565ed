package ui

import (
	"context"
	"errors"
	"sync"
	"time"

	"flwrup/internal/front"
	"flwrup/internal/termsafe"
)

// batchPause is how long events are gathered before they become one message: a frame or two.
const batchPause = 33 * time.Millisecond

// maxQueued bounds the queue for the screen; beyond it the oldest output lines are dropped and counted.
const maxQueued = 4000

// pending is a question that waits for its answer.
type pending struct {
	q     front.Question
	reply chan string // room for one
}

// withdrawn says that nobody waits for the answer any more.
type withdrawn struct{ p *pending }

// sink carries the events of one piece of work from its goroutines to Update, in batches, and returns the
// answers. It implements front.Sink.
type sink struct {
	mu      sync.Mutex
	queue   []any // front.Event, *pending, withdrawn
	dropped int
	wake    chan struct{} // room for one
	err     error         // of the work; set before done is closed
	done    chan struct{} // closed when the work has returned
}

func newSink() *sink { return &sink{wake: make(chan struct{}, 1), done: make(chan struct{})} }

func (s *sink) put(v any) {
	s.mu.Lock()
	if len(s.queue) >= maxQueued {
		if _, ok := v.(front.Output); ok {
			s.dropped++
			s.mu.Unlock()
			return
		}
	}
	s.queue = append(s.queue, v)
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Event notes e for the screen and returns at once.
func (s *sink) Event(e front.Event) { s.put(clean(e)) }

var errNobody = errors.New("the screen is gone")

// Ask puts q on the screen and waits for the answer or for ctx.
func (s *sink) Ask(ctx context.Context, q front.Question) (string, error) {
	p := &pending{q: cleanQuestion(q), reply: make(chan string, 1)}
	s.put(p)
	select {
	case a := <-p.reply:
		return a, nil
	case <-ctx.Done():
		s.put(withdrawn{p})
		return "", context.Cause(ctx)
	case <-s.done:
		return "", errNobody
	}
}

// next waits for events and returns all of them; ok is false once the work is over and everything was
// returned.
func (s *sink) next(ctx context.Context) (list []any, dropped int, ok bool) {
	over := false
	select {
	case <-s.wake:
		select { // events that follow at once come along
		case <-time.After(batchPause):
		case <-s.done:
			over = true
		case <-ctx.Done():
		}
	case <-s.done:
		over = true
	case <-ctx.Done():
		return nil, 0, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	list, dropped = s.queue, s.dropped
	s.queue, s.dropped = nil, 0
	return list, dropped, !over
}

// clean makes the texts of an event safe to show: the screen is the last door.
func clean(e front.Event) front.Event {
	switch e := e.(type) {
	case front.Says:
		return front.Says{Text: termsafe.Line(e.Text)}
	case front.Output:
		return front.Output{Text: termsafe.Line(e.Text)}
	case front.Ran:
		e.Command = termsafe.Text(e.Command)
		return e
	case front.Progress:
		e.Label = termsafe.Line(e.Label)
		return e
	case front.ItemChanged:
		return front.ItemChanged{Item: cleanItem(e.Item)}
	case front.LoginOpen:
		e.URL, e.Code, e.Warn = termsafe.Line(e.URL), termsafe.Line(e.Code), termsafe.Line(e.Warn)
		return e
	case front.NodeLine:
		e.Line.Node, e.Line.Text = termsafe.Line(e.Line.Node), termsafe.Line(e.Line.Text)
		return e
	case front.RunBegan:
		return front.RunBegan{ID: termsafe.Line(e.ID)}
	case front.Letter:
		return cleanLetter(e)
	case front.Metric:
		e.Name = termsafe.Line(e.Name)
		return e
	}
	return e
}

func cleanLetter(l front.Letter) front.Letter {
	return front.Letter{To: termsafe.Line(l.To), File: termsafe.Line(l.File), Words: termsafe.Line(l.Words), Text: termsafe.Text(l.Text)}
}

func cleanItem(i front.Item) front.Item {
	i.Name, i.Text = termsafe.Line(i.Name), termsafe.Line(i.Text)
	return i
}

func cleanQuestion(q front.Question) front.Question {
	q.Ask, q.Help, q.Diff = termsafe.Line(q.Ask), termsafe.Text(q.Help), termsafe.Text(q.Diff)
	choices := make([]front.Choice, len(q.Choices))
	for i, c := range q.Choices {
		c.Label, c.Note = termsafe.Line(c.Label), termsafe.Line(c.Note)
		choices[i] = c
	}
	q.Choices = choices
	return q
}

func cleanLines(list []string) []string {
	out := make([]string, len(list))
	for i, l := range list {
		out[i] = termsafe.Line(l)
	}
	return out
}

func cleanStatus(st front.Status) front.Status {
	st.Evidence, st.Hints = cleanLines(st.Evidence), cleanLines(st.Hints)
	st.Why, st.Short = termsafe.Line(st.Why), termsafe.Line(st.Short)
	items := make([]front.Item, len(st.Items))
	for i, it := range st.Items {
		items[i] = cleanItem(it)
	}
	st.Items = items
	links := make([]front.Link, len(st.Links))
	for i, l := range st.Links {
		links[i] = front.Link{Label: termsafe.Line(l.Label), URL: termsafe.Line(l.URL)}
	}
	st.Links = links
	if st.Deed = termsafe.Line(st.Deed); st.Letter != nil {
		letter := cleanLetter(*st.Letter)
		st.Letter = &letter
	}
	return st
}

func cleanActions(list []front.Action) []front.Action {
	out := make([]front.Action, len(list))
	for i, a := range list {
		a.Says, a.Command, a.Diff = termsafe.Line(a.Says), termsafe.Text(a.Command), termsafe.Text(a.Diff)
		flags := make([]front.Flag, len(a.Flags))
		for j, f := range a.Flags {
			flags[j] = front.Flag{Flag: termsafe.Line(f.Flag), Means: termsafe.Line(f.Means)}
		}
		a.Flags = flags
		out[i] = a
	}
	return out
}
