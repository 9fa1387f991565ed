package report

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"flwrup/internal/report/reporttest"
)

// A report that says nothing helps nobody: what flwr and flwrup say stays.
func TestOrdinaryLinesStay(t *testing.T) {
	r := new(Redactor)
	r.Keep("ada/rehearsal")
	for _, line := range []string{
		"2026-11-27T19:20:31Z INFO :      SuperNode ID: 11165134914963990932",
		"INFO:     Uvicorn running on http://127.0.0.1:25023 (Press CTRL+C to quit)",
		"configure_train: Sampled 2 nodes (out of 2)",
		"image flwr/supernode:1.42.0-py3.13-ubuntu24.04",
		"    @ada/rehearsal: 1 member, 2 nodes, 1 run",
		"exit code 137: killed (SIGKILL); round 3/3",
		"grid-unreachable: no answer from supergrid.flower.ai:443",
		"Traceback (most recent call last):",
		"KeyError: 'weights'",
	} {
		if got := r.Text(line); got != line {
			t.Errorf("%q became %q", line, got)
		}
	}
}

func TestPathsAndURLs(t *testing.T) {
	r := new(Redactor)
	r.Name("PROJECT", "/home/ada/study")
	for line, want := range map[string]string{
		"in /home/ada/study":                        "in PROJECT",
		"in /home/ada/study/flwrup.toml":            "in PROJECT/flwrup.toml",
		"in /home/ada/study/data/x":                 "in (path)",
		"at https://u:p@host.example/a/b?c=d#e now": "at https://(left out)@host.example/(left out) now",
		`File "/app/client.py", line 3`:             `File "(path)", line 3`,
		"a scan.dcm and a.tar.gz":                   "a (left out) and (left out)",
		"\x1b[2Jx\x07":                              "x",
	} {
		if got := r.Text(line); got != want {
			t.Errorf("%q became %q, want %q", line, got, want)
		}
	}
}

func TestArchive(t *testing.T) {
	r := new(Redactor)
	r.Secret("hunter2!")
	path := filepath.Join(t.TempDir(), "report.tar.gz")
	for _, text := range []string{"x hunter2! y", "-----BEGIN PRIVATE KEY-----"} {
		if err := Write(path, []File{{Name: "a", Text: text}}, r, time.Now()); !errors.Is(err, ErrSecret) {
			t.Errorf("%q: %v", text, err)
		}
		if _, err := os.Stat(path); err == nil {
			t.Fatal("it is written all the same")
		}
	}
	if err := Write(path, []File{{Name: "a", Text: r.Text("x hunter2! y")}}, r, time.Now()); err != nil {
		t.Fatal(err)
	}
	files := reporttest.Unpack(t, path)
	for name, text := range files {
		if !strings.HasSuffix(name, "/a") || strings.Contains(text, "hunter2") || len(files) != 1 {
			t.Errorf("%s: %q", name, text)
		}
	}
	if err := Write(path, nil, r, time.Now()); err == nil {
		t.Error("it took the place of a file")
	}
}
