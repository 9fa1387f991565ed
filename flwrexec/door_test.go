package flwrexec

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"flwrup/flwrexec/flwr"
	"flwrup/flwrexec/install"
	"flwrup/internal/child"
	"flwrup/internal/problem"
	"flwrup/internal/require"
	"flwrup/internal/termsafe"
)

const hostile = "\x1b]0;pwned\x07\x1b[31mRED\x1b]52;c;aGFja2Vk\x07\u202eevil\u200b\u009b31m\r\nLINE2"

// answers lists every type that flwr's JSON is decoded into. A new kind of answer belongs here.
func answers() map[string]any {
	return map[string]any{"nodes": new(nodesAnswer), "federations": new(federationsAnswer), "details": new(detailsAnswer), "runs": new(runsAnswer)}
}

func TestAnswersAreCleanedAtTheDoor(t *testing.T) {
	x := hostile
	for name, answer := range map[string]any{
		"nodes": map[string]any{"success": true, "nodes": []any{map[string]any{"node-id": "18446744073709551615", "owner-name": x, "status": x,
			"name": x, "created-at": x, "online-elapsed": "9e99"}}},
		"federations": map[string]any{"federations": []any{map[string]any{"id": "@a/b", "name": x, "description": x}}},
		"details": map[string]any{"federation": map[string]any{"members": []any{map[string]any{"member_id": x, "role": x}},
			"nodes": []any{map[string]any{"node_id": 1, "owner": x, "status": x}}, "runs": []any{map[string]any{"run_id": 1, "app": x, "status": x, "elapsed": "NaN"}}}},
		"runs": map[string]any{"runs": []any{map[string]any{"run-id": "1", "federation-id": x, "fab-id": x, "fab-version": x, "status": x, "status-details": x, "elapsed": 1e300}}},
	} {
		b, err := json.Marshal(answer)
		if err != nil {
			t.Fatal(err)
		}
		to := answers()[name]
		if err := decode(output{stdout: string(b)}, to); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		require.Clean(t, to)
	}
	p := problem.Of(decode(output{stdout: `{"success":false,"error-message":` + quoted(x+"\nnext") + `}`}, nil))
	if r, bad := termsafe.Unsafe(p.Raw + p.Error()); bad || !strings.Contains(p.Raw, "next") {
		t.Errorf("%q: %U", p.Raw, r)
	}
}

func quoted(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

func TestForeignIDsAreNumbersOrRefused(t *testing.T) {
	for _, bad := range []string{`"--help"`, `"x/../../esc"`, `"-1"`, `-1`, `1e3`, `1.0`, `"1 2"`, `"0x10"`, `18446744073709551616`, `""`, `null`, `[1]`, `{}`, `true`, `"\u0661"`} {
		for name, answer := range map[string]string{
			"nodes":   `{"nodes":[{"node-id":` + bad + `}]}`,
			"runs":    `{"runs":[{"run-id":` + bad + `}]}`,
			"details": `{"federation":{"nodes":[{"node_id":` + bad + `}],"runs":[]}}`,
		} {
			to := answers()[name]
			err := decode(output{stdout: answer}, to)
			switch to := to.(type) {
			case *nodesAnswer:
				if err == nil {
					_, err = to.nodes()
				}
			case *runsAnswer:
				if err == nil {
					_, err = to.runs()
				}
			case *detailsAnswer:
				if bad == "null" && err == nil {
					continue
				}
			}
			if err == nil {
				t.Errorf("%s with the ID %s was taken: %+v", name, bad, to)
			}
		}
		if _, err := flwr.ParseRunID(strings.Trim(bad, `"`)); err == nil {
			t.Errorf("%s is a run ID", bad)
		}
	}
	for _, bad := range []string{"--help", "-f", "", "a b", "@a", "@/b", "../x", "a/b", strings.Repeat("x", 300)} {
		if err := decode(output{stdout: `{"federations":[{"id":` + quoted(bad) + `}]}`}, new(federationsAnswer)); err == nil {
			t.Errorf("the federation ID %q was taken", bad)
		}
	}
}

func TestAnswersThatAreNone(t *testing.T) {
	for _, bad := range []string{strings.Repeat("[", 1<<20), `{"nodes":` + strings.Repeat(`[`, 50) + strings.Repeat(`]`, 50) + `}`,
		`{"nodes":[{"node-id":1` + strings.Repeat("0", 100) + `}]}`, `{"nodes":7}`, `{"nodes":[7]}`, `{"success":"yes"}`, `{"success":false,"error-message":{}}`, `{"nodes":[{"node-id":1,"status":[]}]}`} {
		if err := decode(output{stdout: bad}, new(nodesAnswer)); !problem.Is(err, problem.FlwrFailed) {
			t.Errorf("%.40s: %v", bad, err)
		}
	}
	// The last of two equal keys counts, as in Python.
	var a nodesAnswer
	if err := decode(output{stdout: `{"nodes":[{"node-id":1,"node-id":2}]}`}, &a); err != nil || *a.Nodes[0].ID != 2 {
		t.Errorf("%+v %v", a, err)
	}
}

// TestAnswersAreBounded: a program that prints without end is stopped, and costs little memory.
func TestAnswersAreBounded(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the stand-in is a shell script")
	}
	dir := t.TempDir()
	endless := filepath.Join(dir, "flwr")
	if err := os.WriteFile(endless, []byte("#!/bin/sh\nexec yes 0123456789\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	s := NewSession(install.Found{Program: endless, Version: flwr.Version{Major: 1, Minor: 42}}, SessionOptions{Dir: dir, NoWorker: true})
	defer s.Close()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	began := time.Now()
	_, err := s.Nodes(context.Background(), flwr.Connection{Name: "supergrid"})
	if !errors.Is(err, child.ErrTooLong) || !problem.Is(err, problem.FlwrFailed) {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 100<<20 || time.Since(began) > 20*time.Second {
		t.Errorf("%d MB in %v", grown>>20, time.Since(began))
	}
}
