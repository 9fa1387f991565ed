package flwrexec

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"flwrup/internal/problem"
	"flwrup/internal/termsafe"
	"flwrup/internal/tomledit"
)

// FuzzAnswer decodes whatever flwr may print as each of its answers: what comes out is clean, its IDs are
// numbers, and what is refused is a Problem in clean words.
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
			clean(t, to)
			switch to := to.(type) {
			case *nodesAnswer:
				nodes, err := to.nodes()
				clean(t, nodes)
				spoken(t, problem.Of(err))
			case *runsAnswer:
				runs, err := to.runs()
				clean(t, runs)
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

// spoken fails where a Problem would do more to a terminal than be read.
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
		spoken(t, DiagnoseNodeLog(lines, NodeHints{Node: Version{Major: 1, Minor: int(minor)}, Grid: Version{Major: 1, Minor: 42}}))
		spoken(t, DiagnoseRunLog(lines, termsafe.Line(details)))
		if p := classify(log, 1); p != nil {
			spoken(t, p)
		}
	})
}

// FuzzConfig edits a person's config.toml and pyproject.toml: what cannot be edited is left alone, and an
// edit changes the connection and nothing else that is there.
func FuzzConfig(f *testing.F) {
	for _, s := range []string{
		"# mine\n[superlink]\ndefault = \"x\"\n[superlink.supergrid]\naddress = \"a:1\" # why\n", "superlink.supergrid = { address = 'a' }\n",
		"[project]\nname='x'\nversion='1'\n[tool.flwr.federations]\ndefault='a'\n[tool.flwr.federations.a]\naddress = \"b\"\ninsecure=true\n",
		"\xef\xbb\xbf[superlink]\r\n", "[superlink.supergrid]\nfederation = \"<federation-name>\"\n", "[[superlink]]\n", "superlink = 1\n",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		dir := t.TempDir()
		file := filepath.Join(dir, "config.toml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		s := ConnectionSettings{Name: "supergrid", Address: "api.flower.ai", Federation: "@a/b"}
		before, _ := tomledit.Decode([]byte(text))
		kept := func(e ConfigEdit, err error) {
			if err != nil {
				problem.Of(err)
				return
			}
			if !e.Changed() {
				return
			}
			after, err := tomledit.Decode(e.After)
			if err != nil {
				t.Fatalf("%q became %q: %v", text, e.After, err)
			}
			for key := range before {
				if _, there := after[key]; !there {
					t.Fatalf("%q became %q, without %q", text, e.After, key)
				}
			}
			for l := range strings.Lines(text) {
				if l = strings.TrimSpace(l); strings.HasPrefix(l, "#") && utf8.ValidString(l) && !bytes.Contains(e.After, []byte(l)) {
					t.Fatalf("%q became %q, without %q", text, e.After, l)
				}
			}
		}
		kept(EditFlowerConfig(file, s))
		e, _, err := MendFlowerConfig(file, s)
		kept(e, err)
		kept(EditPyproject(file, s))
		if e, err := CarryLegacy(ConfigEdit{File: filepath.Join(dir, "new.toml")}, "supergrid", file); err == nil && e.Changed() {
			if _, err := tomledit.Decode(e.After); err != nil {
				t.Fatalf("%q became %q: %v", text, e.After, err)
			}
		}
		_, _ = ReadFlowerConfigConnections(file)
		_, _, _ = LegacyBlock(file)
		if e, err := RetireLegacyBlock(file); err == nil && e.Changed() {
			if _, err := tomledit.Decode(e.After); err != nil {
				t.Fatalf("%q became %q: %v", text, e.After, err)
			}
		}
	})
}

// FuzzApp reads the metadata of an app, and what Python says about its source.
func FuzzApp(f *testing.F) {
	f.Add("[project]\nname='x'\nversion='1'\ndependencies=['a>=1','\\u001b[31m']\n[tool.flwr.app]\npublisher='p'\n[tool.flwr.app.components]\nserverapp='a.b:c'\n[tool.flwr.app.config]\na.b=1\n",
		`{"missing":[{"want":"a","have":"\u001b"}]}`)
	f.Add("[tool.flwr.app.components]\nagentapp='x:y'\n", `{"Error":"bad\u202e","Line":3}`)
	f.Fuzz(func(t *testing.T, toml, answer string) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "pyproject.toml"), []byte(toml), 0o600); err != nil {
			t.Fatal(err)
		}
		a, err := ReadApp(dir)
		if err == nil {
			a.Dir = ""
			clean(t, a)
		}
		missing, err := ReadMissing([]byte(answer))
		if err != nil {
			if r, bad := termsafe.Unsafe(err.Error()); bad {
				t.Fatalf("%q holds %U", err, r)
			}
			return
		}
		clean(t, missing)
	})
}
