package flwrexec

import (
	"strings"
	"testing"

	"flwrup/flwrexec/flwr"
	"flwrup/internal/problem"
	"flwrup/internal/require"
	"flwrup/internal/termsafe"
)

// FuzzAnswer decodes any output of flwr as each of its answers. The result is clean, its IDs are numbers, and
// a refusal is a Problem in clean words.
func FuzzAnswer(f *testing.F) {
	for _, s := range []string{
		`{"success":true,"nodes":[{"node-id":"1","owner-name":"a","status":"online","created-at":"2026-01-01 00:00:00Z","online-elapsed":1.5}]}`,
		`{"federations":[{"id":"@a/b","description":"\u001b[31m","archived":false}]}`, `[{"name":"x"}]`,
		`{"federation":{"members":[{"member_id":"a","role":"OWNER"}],"nodes":[{"node_id":1}],"runs":[{"run_id":2,"elapsed":"1d 00:00:40"}]}}`, `[[],[],[]]`,
		`{"runs":[{"run-id":7,"fab-id":"a/b","status":"finished:failed","elapsed":"9e99"}]}`,
		"chatter\n{\"success\":false,\"error-message\":\"[code: 24] a\\nb\"}", `{"node-id":-1}`, "{\n{\n[[[", `{"success":true,"success":false}`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for name, to := range answers() {
			err := decode(output{stdout: text}, to)
			if err != nil {
				p := problem.Of(err)
				if p.Code == problem.Internal {
					t.Fatalf("%s: %v", name, err)
				}
				spoken(t, p)
				continue
			}
			require.Clean(t, to)
			switch to := to.(type) {
			case *nodesAnswer:
				nodes, err := to.nodes()
				require.Clean(t, nodes)
				spoken(t, problem.Of(err))
			case *runsAnswer:
				runs, err := to.runs()
				require.Clean(t, runs)
				spoken(t, problem.Of(err))
				for _, r := range runs {
					if r.Elapsed < 0 {
						t.Fatalf("%v", r.Elapsed)
					}
				}
			case *federationsAnswer:
				for _, fed := range *to {
					if strings.HasPrefix(fed.ID, "-") || checkForeignFederation(fed.ID) != nil {
						t.Fatalf("%q", fed.ID)
					}
				}
			}
		}
	})
}

// spoken fails when a Problem could control a terminal.
func spoken(t *testing.T, p *problem.Problem) {
	t.Helper()
	if p == nil {
		return
	}
	if r, bad := termsafe.Unsafe(p.Error() + p.Fix + p.Raw); bad {
		t.Fatalf("%q, %q, %q holds %U", p.Error(), p.Fix, p.Raw, r)
	}
	if p.Error() == "" {
		t.Fatal("a problem without a word")
	}
}

// FuzzLogs reads lines of a SuperNode's and of a run's log: findings are clean, and come from the lines.
func FuzzLogs(f *testing.F) {
	for _, s := range []string{
		"INFO : Starting Flower SuperNode\nINFO : SuperNode ID: 12\n[RUN 7] Receiving: train message\nINFO : Sent successfully",
		"Connection attempt failed, retrying in 1.5 seconds\nConnection attempt failed, retrying in 2 seconds\nConnection attempt failed, retrying in 4 seconds",
		"Traceback (most recent call last):\n  File \"/x/site-packages/flwr/a.py\", line 3, in f\n  File \"/app/s.py\", line 9, in g\nValueError: \x1b[31mboom",
		"OSError: [Errno 30] Read-only file system: 'model.npz'", "ModuleNotFoundError: No module named 'torch'", "Exit Code: 302\nunrecognized arguments: --x",
	} {
		f.Add(s, "details\u202e", uint8(42))
	}
	f.Fuzz(func(t *testing.T, log, details string, minor uint8) {
		lines := termsafe.Lines(log)
		for _, l := range lines {
			if _, detail := Landmark(l); !strings.Contains(l, detail) {
				t.Fatalf("%q is not in %q", detail, l)
			}
		}
		Installing(lines)
		CameOnline(lines)
		spoken(t, DiagnoseNodeLog(lines, NodeHints{Node: flwr.Version{Major: 1, Minor: int(minor)}, Grid: flwr.Version{Major: 1, Minor: 42}}))
		spoken(t, DiagnoseRunLog(lines, termsafe.Line(details)))
		if p := classify(log, 1); p != nil {
			spoken(t, p)
		}
	})
}
