package flwrexec

import (
	"context"
	"errors"
	"sync"
	"time"

	"flwrup/internal/problem"
)

// A grid can accept a connection and never answer. flwr waits for it without a limit of its own, so a Session
// asks at the same time whether the grid lives at all. A slow grid keeps the long limit of SessionOptions; a
// silent one ends the command.

const (
	knockAfter  = 300 * time.Millisecond // a quicker answer needs no second question
	knockAgain  = 10 * time.Second       // between two knocks while a log stands still
	verdictAge  = 5 * time.Second        // a grid that was silent so recently is not asked again
	lookAnswer  = 9500 * time.Millisecond
	lookAnswers = 30 * time.Second
)

// look is one look at the grid: many questions with one limit over all of them.
type look struct {
	mu     sync.Mutex
	silent error
	left   time.Duration // for answers
}

type lookKey struct{}

// OneLook returns a context for the questions of one look. The first question that a silent grid leaves open
// answers all later ones, and all together wait at most half a minute. A command that changes something on
// the grid must not be part of a look.
func OneLook(ctx context.Context) context.Context {
	if lookOf(ctx) != nil {
		return ctx
	}
	return context.WithValue(ctx, lookKey{}, &look{left: lookAnswers})
}

func lookOf(ctx context.Context) *look {
	l, _ := ctx.Value(lookKey{}).(*look)
	return l
}

// open reports why the look is over, and otherwise how long one answer may take.
func (l *look) open(limit time.Duration) (time.Duration, error) {
	if l == nil {
		return limit, nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.silent == nil && l.left <= 0 {
		l.silent = tooSlow(lookAnswers)
	}
	return min(limit, lookAnswer, l.left), l.silent
}

// waited notes how long an answer took.
func (l *look) waited(d time.Duration) {
	if l == nil {
		return
	}
	l.mu.Lock()
	l.left -= d
	l.mu.Unlock()
}

// ended notes how a question ended: a silent grid ends the look.
func (l *look) ended(err error) {
	if l == nil || !Silent(err) {
		return
	}
	l.mu.Lock()
	l.silent = err
	l.mu.Unlock()
}

// silentError marks a Problem of a grid that gave no sign of life, or none in time.
type silentError struct{ error }

func (s silentError) Unwrap() error { return s.error }

// Silent reports whether err comes from a grid that accepts a question and does not answer. Further questions
// about the way there would only take as long again.
func Silent(err error) bool {
	var s silentError
	return errors.As(err, &s)
}

func tooSlow(limit time.Duration) error {
	p := problem.New(problem.Unreachable, "the grid does not answer", "flwr had no answer from the SuperLink within "+limit.Round(time.Second).String(),
		"try again in a minute; if it stays, tell whoever runs the grid")
	p.Err = silentError{context.DeadlineExceeded}
	return p
}

// pulse distinguishes a silent grid from a slow one.
type pulse struct {
	ask func(context.Context) error // SessionOptions.Silent; nil: no grid counts as silent

	mu     sync.Mutex // held while the grid is asked; guards the fields below
	silent error      // of the last knock
	at     time.Time
}

// knock asks whether the grid lives. It repeats the error of a grid that was silent a moment ago.
func (p *pulse) knock(ctx context.Context) error {
	if p.ask == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.silent != nil && time.Since(p.at) < verdictAge {
		return p.silent
	}
	err := p.ask(ctx)
	if ctx.Err() != nil {
		return nil
	}
	p.silent, p.at = nil, time.Now()
	if err != nil {
		gone := *problem.Of(err)
		gone.Err = silentError{err}
		p.silent = &gone
	}
	return p.silent
}

// wasSilent reports whether the last knock found nobody.
func (p *pulse) wasSilent() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.silent != nil
}

// attend returns a context that ends when the grid is silent, with the reason as its cause, and a function
// that ends the watch. A grid that was silent last time has to answer a knock first: a worker killed during a
// question costs seconds of Python.
func (p *pulse) attend(ctx context.Context) (context.Context, func(), error) {
	if p.ask == nil {
		return ctx, func() {}, nil
	}
	if p.wasSilent() {
		if err := p.knock(ctx); err != nil {
			return nil, nil, err
		}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	timer := time.AfterFunc(knockAfter, func() {
		if err := p.knock(ctx); err != nil {
			cancel(err)
		}
	})
	return ctx, func() { timer.Stop(); cancel(nil) }, nil
}

// silenceOf returns the reason for which attend ended ctx, nil when it did not.
func silenceOf(ctx context.Context) error {
	if cause := context.Cause(ctx); Silent(cause) {
		return cause
	}
	return nil
}

// whileQuiet watches over a command that may print nothing for long: it calls stop with the reason when the
// grid is silent. Call the returned function at every sign of the grid; after the first sign the next knock
// comes knockAgain later. It ends with ctx.
func (p *pulse) whileQuiet(ctx context.Context, first time.Duration, stop context.CancelCauseFunc) (heard func()) {
	if p.ask == nil {
		return func() {}
	}
	var mu sync.Mutex
	var timer *time.Timer
	wait := func(d time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		if ctx.Err() != nil {
			timer.Stop()
			return
		}
		timer.Reset(d)
	}
	mu.Lock()
	timer = time.AfterFunc(first, func() {
		if err := p.knock(ctx); err != nil {
			stop(err)
		} else {
			wait(knockAgain)
		}
	})
	mu.Unlock()
	context.AfterFunc(ctx, func() { timer.Stop() })
	return func() { wait(knockAgain) }
}
