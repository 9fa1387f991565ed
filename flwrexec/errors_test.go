package flwrexec

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"flwrup/flwrexec/flwr"
	"flwrup/internal/problem"
	"flwrup/internal/termsafe"
)

func safeLines(s string) []string { return termsafe.Lines(s) }

// The recorded errors of four versions, by the name of the recorded command.
var wantCodes = map[string]problem.Code{
	"not-logged-in-list":             problem.NotLoggedIn,
	"not-logged-in-list-json":        problem.NotLoggedIn,
	"not-logged-in-register":         problem.NotLoggedIn,
	"not-logged-in-register-json":    problem.NotLoggedIn,
	"not-logged-in-run":              problem.NotLoggedIn,
	"not-logged-in-runs":             problem.NotLoggedIn,
	"session-expired-list":           problem.NotLoggedIn,
	"session-expired-list-json":      problem.NotLoggedIn,
	"session-expired-register-json":  problem.NotLoggedIn,
	"session-expired-run":            problem.NotLoggedIn,
	"session-expired-run-json":       problem.NotLoggedIn,
	"login-unreachable":              problem.Unreachable,
	"login-times-out":                problem.LoginTimeout,
	"register-duplicate":             problem.KeyInUse,
	"register-duplicate-json":        problem.KeyInUse,
	"register-after-unregister-json": problem.KeyInUse,
	"after-drop-register-again":      problem.KeyInUse,
	"bob-registers-adas-key-json":    problem.KeyInUse,
	"register-private-key":           problem.BadKey,
	"register-rsa":                   problem.BadKey,
	"register-ed25519":               problem.BadKey,
	"register-garbage":               problem.BadKey,
	"register-missing-file":          problem.BadKey,
	"register-missing-file-default":  problem.BadKey,
	"register-directory":             problem.BadKey,
	"register-unreachable-json":      problem.Unreachable,
	"list-unreachable":               problem.Unreachable,
	"grid-down-list-json":            problem.Unreachable,
	"grid-down-run":                  problem.Unreachable,
	"fault-unavailable":              problem.Unreachable,
	"fault-drop-before":              problem.Unreachable,
	"fault-drop-after":               problem.Unreachable,
	"fault-internal":                 problem.ServerError,
	"unknown-connection":             problem.NoConnection,
	"run-unknown-federation":         problem.FedNotFound,
	"run-unknown-federation-json":    problem.FedNotFound,
	"unregister-again-json":          problem.NodeNotFound,
	"bob-unregisters-adas-node-json": problem.NodeNotFound,
	"stop-again-json":                RunOver,
	"stop-unknown-json":              problem.RunNotFound,
	"log-unknown":                    problem.RunNotFound,
}

// Some are not in every version.
var wantCodesSome = map[string]problem.Code{
	"federation-details-unknown-json":    problem.FedNotFound,
	"run-malformed-federation-json":      problem.FedBadName,
	"federation-create-duplicate-json":   problem.FedExists,
	"federation-create-duplicate":        problem.FedExists,
	"federation-create-badname-json":     problem.FedBadName,
	"federation-add-again-json":          problem.AlreadyMember,
	"federation-add-unknown-node-json":   problem.NodeNotFound,
	"federation-add-unknown-fed-json":    problem.FedNotFound,
	"bob-adds-to-adas-federation-json":   problem.FedNotFound,
	"bob-runs-in-adas-federation":        problem.FedNotFound,
	"names-11-legacy-name":               OldAddress,
	"names-11-supergrid-section-refused": OldAddress,
}

func classifyRecorded(r recorded) *problem.Problem {
	if err := decode(output{stdout: r.stdout, stderr: r.stderr, code: r.exit}, nil); err != nil {
		return problem.Of(err)
	}
	return nil
}

func TestClassifyRecorded(t *testing.T) {
	some := 0
	for _, v := range transcribed {
		all := transcript(t, v)
		for name, want := range wantCodes {
			r, ok := all[name]
			if !ok {
				if v != "1.33.0" { // a shorter session was recorded of it
					t.Errorf("%s has no %s", v, name)
				}
				continue
			}
			if v == "1.33.0" && name == "fault-internal" {
				want = problem.FlwrFailed // it has only the server's words; the worker adds the status
			}
			checkProblem(t, v+" "+name, classifyRecorded(r), want)
		}
		for name, want := range wantCodesSome {
			if r, ok := all[name]; ok && (r.exit != 0 || strings.Contains(r.stdout, "false")) {
				some++
				checkProblem(t, v+" "+name, classifyRecorded(r), want)
			}
		}
	}
	if some < 15 {
		t.Errorf("only %d of the errors that not every version has", some)
	}
	// gRPC's core reports an untrusted certificate. Later versions keep that out of their output, so the worker
	// asks for it.
	for _, v := range []string{"1.24.0", "1.26.1"} {
		checkProblem(t, v, classifyRecorded(transcript(t, v)["register-wrong-ca-json"]), problem.Untrusted)
	}
	text := transcript(t, "1.42.0")["register-wrong-ca-json"].stdout +
		"\ncause: ConnectError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: unable to get local issuer certificate"
	checkProblem(t, "1.42.0", classify(text, 0), problem.Untrusted)
	if p := classifyRecorded(transcript(t, "1.26.1")["run-no-federation-json"]); p.Code != NoFederation {
		t.Errorf("%+v", p)
	}
}

func checkProblem(t *testing.T, name string, p *problem.Problem, want problem.Code) {
	t.Helper()
	if p == nil || p.Code != want {
		t.Errorf("%s: want %s, got %+v", name, want, p)
		return
	}
	if p.What == "" || p.Raw == "" || strings.HasSuffix(p.What, ".") || strings.ContainsAny(p.Raw, "╭│\x1b") {
		t.Errorf("%s: %+v", name, p)
	}
}

func TestClassifyDocumented(t *testing.T) {
	// Errors that the rehearsal grid does not produce: from flwr's documentation, its source and users' notes.
	for text, want := range map[string]problem.Code{
		"[code: 13] Entitlement error. Denied: account is not allow-listed.":                                      problem.NotAllowed,
		"[code: 9] You do not have permission to perform this action.":                                            problem.NotAllowed,
		"Permission denied.\nnot yours":                                                                           problem.NotAllowed,
		"[code: 1] SuperLink does not support federation management.":                                             problem.NotSupported,
		"[code: 19] ControlServicer initialized without account authentication.":                                  NoAccounts,
		"[code: 1001] Runtime version compatibility check failed.":                                                WrongService,
		"[code: 44] A user prompt is required to start an AgentApp run.":                                          problem.NotSupported,
		"[code: 15] Invalid run configuration.":                                                                   BadRunConfig,
		"Client error '404 Not Found' for url 'https://x/v1/control/list-nodes'":                                  WrongService,
		"OSError: [Errno 28] No space left on device":                                                             problem.BadInput,
		"│ No such command 'create'. │":                                                                           problem.Usage,
		"Failed to migrate legacy TOML configuration to Flower config: ValueError(\"Invalid federation ID form\"": problem.LegacyConfig,
	} {
		checkProblem(t, text, classify(text, 1), want)
	}
	p := classify("something nobody has seen.\nFor more information, visit: <x>", 1)
	if p.Code != problem.FlwrFailed || p.What != "flwr says: something nobody has seen" {
		t.Errorf("%+v", p)
	}
	if p := classify("", 7); p.Code != problem.FlwrFailed || p.What == "" {
		t.Errorf("%+v", p)
	}
	if p := classify("\x1b[31mboo\x1b]52;c;aGk=\a", 1); strings.ContainsAny(p.Raw+p.What, "\x1b\a") {
		t.Errorf("unsafe: %q", p.Raw)
	}
}

func TestMayHaveHappened(t *testing.T) {
	for _, c := range []struct {
		err  error
		want bool
	}{
		{nil, true},
		{classify("[code: 23] Public key already in use.", 0), false},
		{classify("Connection to the SuperLink is unavailable.\ncause: ConnectError: [Errno 111] Connection refused", 0), false},
		{classify("Connection to the SuperLink is unavailable.\ncause: RemoteProtocolError: Server disconnected", 0), true},
		{classify("Connection to the SuperLink is unavailable.", 0), true},
		{classify("CERTIFICATE_VERIFY_FAILED", 0), false},
		{fmt.Errorf("register: %w", classify("StatusCode.INTERNAL", 0)), true},
		{errors.New("anything else"), true},
		{notManaged(flwr.DialectOf(flwr.Version{Major: 1, Minor: 24})), false},
	} {
		if got := MayHaveHappened(c.err); got != c.want {
			t.Errorf("%v: %v", c.err, got)
		}
	}
}
