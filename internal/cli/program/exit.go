package program

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"flwrup/flwrexec"
	"flwrup/internal/problem"
	"flwrup/internal/site"
	"flwrup/internal/termsafe"
	"flwrup/internal/trust"
	"flwrup/internal/upgrade"
)

// ShownError is an error that the person has seen already.
type ShownError struct{ Err error }

// Error is that of the error.
func (e *ShownError) Error() string { return e.Err.Error() }

// Unwrap returns it.
func (e *ShownError) Unwrap() error { return e.Err }

// AlreadySaid is err for Main, which leaves it out: the person has seen it.
func AlreadySaid(err error) error { return &ShownError{err} }

// Exit codes of flwrup.
const (
	ExitDone        = 0
	exitFailed      = 1
	ExitUsage       = 2
	exitWaiting     = 3 // for a person, or for the grid
	exitAvailable   = 4 // upgrade --check
	exitNeeded      = 5 // upgrade --check
	exitInterrupted = 130
)

// ExitCodes is the help about them.
const ExitCodes = `Exit codes:
  0    done
  1    failed
  2    wrong usage
  3    waiting for a person or for the grid: run it again later
  4    upgrade --check: there is a release of flwr to move to
  5    upgrade --check: something cannot talk to the grid without the upgrade
  130  interrupted`

// ExitCode is the one place where an error becomes an exit code.
func ExitCode(err error) int {
	if err == nil {
		return ExitDone
	}
	switch problem.Of(err).Code {
	case problem.Usage:
		return ExitUsage
	case problem.NeedsPerson, flwrexec.NoInvitation, problem.NotAccepted, problem.NeedsGrid, problem.NotLoggedIn, problem.LoginTimeout:
		return exitWaiting
	case upgrade.Available:
		return exitAvailable
	case upgrade.Needed:
		return exitNeeded
	case problem.Cancelled:
		return exitInterrupted
	}
	return exitFailed
}

// Envelope is the one shape of every --json.
type Envelope struct {
	OK    bool         `json:"ok"`
	Data  any          `json:"data"`
	Error *ProblemData `json:"error"`
}

// ProblemData is a Problem, for programs.
type ProblemData struct {
	Code    problem.Code `json:"code"`
	Message string       `json:"message"`
	Fix     string       `json:"fix"`
}

// Shape is what --json carries of an error; nil without one.
func Shape(err error) *ProblemData {
	if err == nil {
		return nil
	}
	p := problem.Of(err)
	return &ProblemData{p.Code, p.Error(), p.Fix}
}

// WriteJSON writes the envelope with data and err, either of which may be nil.
func WriteJSON(w io.Writer, data any, err error) {
	e := Envelope{OK: err == nil, Data: data, Error: Shape(err)}
	b, err := termsafe.EncodeJSON(e, "  ")
	if err != nil { // a number that JSON does not have
		b, _ = termsafe.EncodeJSON(Envelope{Error: &ProblemData{Code: problem.Internal, Message: err.Error()}}, "  ")
	}
	_, _ = w.Write(b)
}

// WriteLine writes v as one line. v has nothing that JSON does not have.
func WriteLine(w io.Writer, v any) {
	if b, err := termsafe.EncodeJSON(v, ""); err == nil {
		_, _ = w.Write(b)
	}
}

// WriteProblem tells a person what went wrong: what and why, then what to do.
func WriteProblem(w io.Writer, err error) {
	p := problem.Of(err)
	head := "flwrup: "
	if ExitCode(err) == exitWaiting {
		head = "flwrup waits: "
	}
	var left *site.Unaccepted
	if errors.As(err, &left) {
		fmt.Fprintf(w, "%s%s:\n  %s\n", head, p.What, strings.Join(trust.Lines(left.Values), "\n  "))
	} else {
		fmt.Fprintln(w, Folded(head+p.Error()))
	}
	if p.Fix != "" {
		fmt.Fprintln(w, Folded("  what to do: "+p.Fix))
	}
	if p.Raw != "" {
		fmt.Fprintln(w, "  what was said:")
		fmt.Fprintln(w, indent(p.Raw, 40))
	}
}
