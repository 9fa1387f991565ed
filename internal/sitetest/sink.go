package sitetest

import (
	"context"
	"slices"
	"strings"
	"sync"

	"flwrup/internal/front"
	"flwrup/internal/problem"
)

// Heard is a front.Sink that keeps the events and answers every question with its default.
type Heard struct {
	mu     sync.Mutex
	events []front.Event
}

// Events returns the events so far.
func (h *Heard) Events() []front.Event {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.events)
}

// Said returns the sentences so far, one a line.
func (h *Heard) Said() string {
	var lines []string
	for _, e := range h.Events() {
		switch e := e.(type) {
		case front.Says:
			lines = append(lines, e.Text)
		case front.Output:
			lines = append(lines, e.Text)
		case front.ItemChanged:
			lines = append(lines, e.Item.Name+": "+e.Item.Text)
		}
	}
	return strings.Join(lines, "\n")
}

func (h *Heard) Event(e front.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.events = append(h.events, e)
}

// Ask fails with problem.NeedsPerson where a question has no default.
func (h *Heard) Ask(_ context.Context, q front.Question) (string, error) {
	if q.Default == "" {
		return "", problem.New(problem.NeedsPerson, q.Ask, "", "")
	}
	return q.Default, nil
}

// Scripted is a Heard that has answers by the question's ID, and notes the questions.
type Scripted struct {
	Heard
	Answers map[string]string
	Asked   []string // IDs
	Last    map[string]front.Question
}

func (p *Scripted) Ask(ctx context.Context, q front.Question) (string, error) {
	p.Asked = append(p.Asked, q.ID)
	if p.Last == nil {
		p.Last = map[string]front.Question{}
	}
	p.Last[q.ID] = q
	a, ok := p.Answers[q.ID]
	if !ok {
		return p.Heard.Ask(ctx, q)
	}
	if q.Validate != nil {
		if err := q.Validate(a); err != nil {
			return "", err
		}
	}
	return a, nil
}
