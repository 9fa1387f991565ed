package config

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"flwrup/internal/require"
	"flwrup/internal/tomledit"
)

// nowhere is an address of this machine where nobody listens.
var nowhere = Connection{Name: "supergrid", Address: "127.0.0.1:1"}

// TestFlwrsOwnReaderAgrees reads every expected result with the TOML reader of flwr itself.
func TestFlwrsOwnReaderAgrees(t *testing.T) {
	env := require.Flwr(t, require.Newest)
	for _, name := range fixtures(t) {
		if strings.HasSuffix(name, "-refused") || strings.HasPrefix(name, "retire") {
			continue
		}
		file := filepath.Join("testdata", "config", name+".want")
		out, err := exec.Command(require.Program(env, "python"), "-c",
			"import sys, json, tomli; print(json.dumps(tomli.load(open(sys.argv[1], 'rb'))))", file).CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
			continue
		}
		var want any
		if err := json.Unmarshal(out, &want); err != nil {
			t.Fatal(err)
		}
		text, _ := os.ReadFile(file)
		m, err := tomledit.Decode(text)
		if err != nil {
			t.Fatal(err)
		}
		raw, _ := json.Marshal(m)
		var got any
		_ = json.Unmarshal(raw, &got)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: read differently:\n%v\n%v", name, got, want)
		}
	}
}

// TestOldFlwrTakesPyproject takes flwr 1.24.0 through an edited pyproject.toml up to the connection.
func TestOldFlwrTakesPyproject(t *testing.T) {
	env := require.Flwr(t, "1.24.0")
	cases := []string{"pyproject-08-bom-tabs", ""}
	for _, name := range cases {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "pyproject.toml")
			if name != "" {
				file = placed(t, name)
			}
			e, err := EditPyproject(file, nowhere)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := e.Write(); err != nil {
				t.Fatal(err)
			}
			out := require.RunFlwr(t, env, filepath.Dir(file), t.TempDir(), "supernode", "list", ".", "supergrid")
			if !strings.Contains(out, "Connection to the SuperLink is unavailable") && !strings.Contains(out, "flwr login") {
				t.Errorf("flwr does not get as far as the connection:\n%s", out)
			}
		})
	}
}

// TestNewFlwrTakesConfig makes flwr list the connections of edited and of new config.toml files.
func TestNewFlwrTakesConfig(t *testing.T) {
	for _, version := range []string{"1.26.1", require.Newest} {
		t.Run(version, func(t *testing.T) {
			env := require.Flwr(t, version)
			for _, name := range []string{"flower-18-crlf-bom-no-final-newline", ""} {
				file := filepath.Join(t.TempDir(), "config.toml")
				if name != "" {
					file = placed(t, name)
				}
				e, err := EditFlower(file, gridSettings)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := e.Write(); err != nil {
					t.Fatal(err)
				}
				out := require.RunFlwr(t, env, t.TempDir(), filepath.Dir(file), "config", "list")
				if !strings.Contains(out, "local (default)") || !strings.Contains(out, "\n  supergrid\n") {
					t.Errorf("%q: flwr config list says\n%s", name, out)
				}
				if now, _ := os.ReadFile(file); string(now) != string(e.After) {
					t.Errorf("%q: flwr has changed the file", name)
				}
			}
		})
	}
}

// TestLegacyBlockStopsNewFlwr shows the trouble with the guide's block on a new flwr. Retiring the block ends
// it, and all comments of the user stay.
func TestLegacyBlockStopsNewFlwr(t *testing.T) {
	env := require.Flwr(t, require.Newest)
	file, home := placed(t, "retire-21-guide-block"), t.TempDir()
	dir := filepath.Dir(file)
	config, err := FlowerFile(home)
	if err != nil {
		t.Fatal(err)
	}
	edit, err := EditFlower(config, nowhere)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := edit.Write(); err != nil {
		t.Fatal(err)
	}
	if out := require.RunFlwr(t, env, dir, home, "supernode", "list"); !strings.Contains(out, "Failed to migrate legacy TOML configuration") {
		t.Fatalf("flwr has no trouble with the block:\n%s", out)
	}
	if has, _, err := LegacyBlock(file); !has || err != nil {
		t.Fatalf("not found: %v", err)
	}
	e, err := RetireLegacyBlock(file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Write(); err != nil {
		t.Fatal(err)
	}
	out := require.RunFlwr(t, env, dir, home, "supernode", "list", "supergrid")
	if strings.Contains(out, "legacy") || strings.Contains(out, "igrat") {
		t.Errorf("flwr still has trouble:\n%s", out)
	}
	now, _ := os.ReadFile(file)
	for line := range strings.SplitSeq(string(e.Before), "\n") {
		if _, comment, ok := strings.Cut(line, "#"); ok && !strings.Contains(string(now), comment) {
			t.Errorf("comment is gone: %q", comment)
		}
	}
}
