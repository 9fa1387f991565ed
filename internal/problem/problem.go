// Package problem defines the one shape of flwrup's errors: what happened, why, and what to do about it.
// Backends return it, both front ends show it, and `--json` carries it.
package problem

import (
	"errors"
	"strings"
)

// Code names a kind of problem. Front ends and the steps engine switch on it, and scripts read it from
// `--json`; so a code is never renamed after its release.
type Code string

// The codes that several packages use. A backend may add its own next to its errors.
const (
	Internal      Code = "internal"         // a bug in flwrup
	Cancelled     Code = "cancelled"        // the user or a signal stopped it
	Usage         Code = "usage"            // wrong flags or arguments
	NeedsPerson   Code = "needs-person"     // only a person can go on
	NeedsGrid     Code = "needs-grid"       // the grid has to do something first
	NotAccepted   Code = "not-accepted"     // flwrup.toml asks for something that the user has not accepted
	BadInput      Code = "bad-input"        // a file or a value of the user's is wrong
	Busy          Code = "busy"             // another flwrup is at work in the folder
	FlwrMissing   Code = "flwr-missing"     // no flwr found
	FlwrBroken    Code = "flwr-broken"      // an existing flwr does not work
	FlwrDenied    Code = "flwr-denied"      // this account may not run an existing flwr
	FlwrInstall   Code = "flwr-install"     // installing flwr failed
	FlwrFailed    Code = "flwr-failed"      // flwr refused in words that flwrup does not know
	PythonMissing Code = "python-missing"   // no Python, or one too old for flwr
	NotLoggedIn   Code = "not-logged-in"    // no session, or it is over
	LoginTimeout  Code = "login-timeout"    // nobody approved the login, or it was denied
	Unreachable   Code = "grid-unreachable" // no connection to the SuperLink
	Untrusted     Code = "grid-untrusted"   // TLS: unknown authority
	ServerError   Code = "grid-error"       // the SuperLink answered with an internal error
	KeyInUse      Code = "key-in-use"       // public key registered before
	BadKey        Code = "bad-key"          // not a key that flwr accepts
	NodeNotFound  Code = "node-not-found"   // no such node, or not this account's
	FedNotFound   Code = "federation-not-found"
	FedExists     Code = "federation-exists"
	FedBadName    Code = "federation-bad-name"
	AlreadyMember Code = "already-member" // the SuperNode is in the federation
	NotAllowed    Code = "not-allowed"    // entitlement
	NotSupported  Code = "not-supported"  // this flwr or this grid cannot do that
	RunNotFound   Code = "run-not-found"
	RunFailed     Code = "run-failed"
	RunReadOnly   Code = "run-read-only"      // the run failed because its ServerApp wrote a file
	NoConnection  Code = "unknown-connection" // no such [superlink.NAME]
	LegacyConfig  Code = "legacy-config"      // the guide's block in pyproject.toml breaks flwr >= 1.26
	DockerMissing Code = "docker-missing"     // no Docker on this machine
	DockerDown    Code = "docker-down"        // the daemon does not answer
	DockerDenied  Code = "docker-denied"      // no permission for the socket
	ImageMissing  Code = "image-missing"
	NameTaken     Code = "name-taken" // a container that is not ours has the name
	PortTaken     Code = "port-taken"
	NodeRefused   Code = "node-refused" // the grid did not let the SuperNode in
	NodeNotOnline Code = "node-offline" // a SuperNode did not come online in time
	GridFailed    Code = "rehearsal-grid-failed"
	Unsupported   Code = "unsupported-platform"
)

// Problem is an error that the user can act on.
type Problem struct {
	Code Code
	What string // what happened: one line, lower case, no full stop
	Why  string // the cause, where it is known
	Fix  string // the exact action: a command or a sentence
	Raw  string // the words of flwr, Docker or the SuperNode, already safe for a terminal
	Err  error  `json:"-"` // the Go error underneath, if any
}

// Error returns What and Why; never the raw text.
func (p *Problem) Error() string {
	s := p.What
	if s == "" && p.Err != nil {
		s = p.Err.Error()
	}
	if p.Why != "" {
		s += ": " + p.Why
	}
	return s
}

func (p *Problem) Unwrap() error { return p.Err }

// New makes a Problem of the three sentences that the user reads; why and fix may be empty.
func New(code Code, what, why, fix string) *Problem {
	return &Problem{Code: code, What: what, Why: why, Fix: fix}
}

// Of finds the Problem in err's chain; an err without one becomes a Problem with code Internal, so
// that a front end has one case to draw. Of(nil) is nil.
func Of(err error) *Problem {
	if err == nil {
		return nil
	}
	var p *Problem
	if errors.As(err, &p) {
		if prefix := strings.TrimSuffix(err.Error(), p.Error()); prefix != err.Error() && prefix != "" {
			q := *p // keep the context that wrapping added
			q.What = prefix + p.What
			return &q
		}
		return p
	}
	return &Problem{Code: Internal, What: err.Error(), Err: err}
}

// Is reports whether err carries a Problem with one of the codes.
func Is(err error, codes ...Code) bool {
	var p *Problem
	if !errors.As(err, &p) {
		return false
	}
	for _, c := range codes {
		if p.Code == c {
			return true
		}
	}
	return false
}
