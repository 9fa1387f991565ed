package grid

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"flwrup/internal/problem"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestWriteApp(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "an app Ü")
	must(t, WriteApp(dir, false))
	file := filepath.Join(dir, "pyproject.toml")
	content, err := os.ReadFile(file)
	must(t, err)
	changed := string(content) + "\n[tool.flwr.federations.supergrid]\naddress = \"a:1\"\n"
	must(t, os.WriteFile(file, []byte(changed), 0o644))
	gone := filepath.Join(dir, "numpyfl", "task.py")
	must(t, os.Remove(gone))
	must(t, WriteApp(dir, false))
	if now, _ := os.ReadFile(file); string(now) != changed {
		t.Error("overwrote a changed file")
	}
	if _, err := os.Stat(gone); err != nil {
		t.Error("a missing file was not written again")
	}
	for name, content := range map[string]string{
		"another project": "[project]\nname = \"theirs\"\n",
		"not TOML":        "[project\n",
	} {
		dir := t.TempDir()
		must(t, os.WriteFile(filepath.Join(dir, "pyproject.toml"), []byte(content), 0o644))
		if err := WriteApp(dir, false); !problem.Is(err, problem.BadInput) {
			t.Errorf("%s: %v", name, err)
		}
		if left, _ := os.ReadDir(dir); len(left) != 1 {
			t.Errorf("%s: wrote %v", name, left)
		}
	}
	file = filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(file, nil, 0o644))
	if err := WriteApp(file, false); !problem.Is(err, problem.BadInput) {
		t.Errorf("a file for a folder: %v", err)
	}
}

func TestArguments(t *testing.T) {
	got := strings.Join(arguments(Options{Dir: "/d", LoginTTL: 1500e6, RotateRefresh: true,
		ConfirmNodes: "fleet", Federations: []string{"a", "b"}, Extra: []string{"--x"}}), " ")
	want := "--dir /d --watch-stdin --login-ttl 1.5 --rotate-refresh --confirm-nodes fleet --federation a --federation b -- --x"
	if got != want {
		t.Errorf("%s", got)
	}
}
