package cli

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
)

// Exit codes of flwrup.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitWaiting     = 3 // for a person, or for the grid
	exitInterrupted = 130
)

const exitCodes = `Exit codes:
  0    done
  1    failed
  2    wrong usage
  3    waiting for a person or for the grid: run it again later
  130  interrupted`

// exitCode is the one place where an error becomes an exit code.
func exitCode(err error) int {
	if err == nil {
		return exitDone
	}
	switch problem.Of(err).Code {
	case problem.Usage:
		return exitUsage
	case problem.NeedsPerson, flwrexec.NoInvitation, problem.NotAccepted, problem.NeedsGrid, problem.NotLoggedIn, problem.LoginTimeout:
		return exitWaiting
	case problem.Cancelled:
		return exitInterrupted
	}
	return exitFailed
}

// envelope is the one shape of every --json.
type envelope struct {
	OK    bool         `json:"ok"`
	Data  any          `json:"data"`
	Error *problemData `json:"error"`
}

// problemData is a Problem, for programs.
type problemData struct {
	Code    problem.Code `json:"code"`
	Message string       `json:"message"`
	Fix     string       `json:"fix"`
}

func writeJSON(w io.Writer, data any, err error) {
	e := envelope{OK: err == nil, Data: data}
	if err != nil {
		shape := envelopeError(err)
		e.Error = &shape
	}
	b, err := termsafe.EncodeJSON(e, "  ")
	if err != nil { // a number that JSON does not have
		b, _ = termsafe.EncodeJSON(envelope{Error: &problemData{Code: problem.Internal, Message: err.Error()}}, "  ")
	}
	_, _ = w.Write(b)
}

// writeLine writes v as one line. v has nothing that JSON does not have.
func writeLine(w io.Writer, v any) {
	if b, err := termsafe.EncodeJSON(v, ""); err == nil {
		_, _ = w.Write(b)
	}
}

func envelopeError(err error) problemData {
	p := problem.Of(err)
	return problemData{p.Code, p.Error(), p.Fix}
}

// writeProblem tells a person what went wrong: what and why, then what to do.
func writeProblem(w io.Writer, err error) {
	p := problem.Of(err)
	head := "flwrup: "
	if exitCode(err) == exitWaiting {
		head = "flwrup waits: "
	}
	var left *site.Unaccepted
	if errors.As(err, &left) {
		fmt.Fprintf(w, "%s%s:\n  %s\n", head, p.What, strings.Join(trust.Lines(left.Values), "\n  "))
	} else {
		fmt.Fprintln(w, folded(head+p.Error()))
	}
	if p.Fix != "" {
		fmt.Fprintln(w, folded("  what to do: "+p.Fix))
	}
	if p.Raw != "" {
		fmt.Fprintln(w, "  what was said:")
		fmt.Fprintln(w, indent(p.Raw, 40))
	}
}

// shape is what --json carries of an error; nil without one.
func shape(err error) *problemData {
	if err == nil {
		return nil
	}
	e := envelopeError(err)
	return &e
}
