// Package safego is flwrup's only way to start a goroutine, and to sleep: a panic in a bare goroutine would
// end the process with the terminal still raw.
package safego

import (
	"fmt"
	"runtime/debug"

	"flwrup/internal/problem"
)

// Panic is the bug that a goroutine or a job died of.
type Panic struct {
	Where string // the name given to Go or Call
	Value any
	Stack []byte
}

// Recovered makes a Panic of the value from recover.
func Recovered(where string, value any) *Panic {
	return &Panic{Where: where, Value: value, Stack: debug.Stack()}
}

func (p *Panic) Error() string { return p.problem().Error() }

// As lets problem.Of find what the user can do about it.
func (p *Panic) As(target any) bool {
	to, ok := target.(**problem.Problem)
	if ok {
		*to = p.problem()
	}
	return ok
}

func (p *Panic) problem() *problem.Problem {
	return &problem.Problem{Code: problem.Internal, What: "a bug in flwrup ended this: " + p.Where, Why: fmt.Sprintf("panic: %v", p.Value),
		Fix: "report it with the lines below and the output of flwrup version; SuperNodes go on, and the same again may work", Raw: string(p.Stack)}
}

// Go runs work in a goroutine. When work panics, report gets a *Panic instead of the process ending. report
// must not be nil, and may be called from that goroutine.
func Go(name string, report func(error), work func()) {
	go func() {
		defer func() {
			if v := recover(); v != nil {
				report(Recovered(name, v))
			}
		}()
		work()
	}()
}

// Call runs a job here and returns its error, which is a *Panic when it panics: the job has failed, flwrup
// has not.
func Call(name string, job func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = Recovered(name, v)
		}
	}()
	return job()
}
