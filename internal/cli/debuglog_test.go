package cli

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"flwrup/internal/cli/debuglog"
	"flwrup/internal/cli/program"
)

// TestDebugLog: the file is for its user alone, and what is there already is not written to unless it is such a file.
func TestDebugLog(t *testing.T) {
	dir := t.TempDir()
	run := func(path string) (int, string) {
		t.Setenv(debuglog.Variable, path)
		var out, errs bytes.Buffer
		return Main([]string{"plan", "--dir", dir}, program.Streams{Out: &out, Err: &errs}), errs.String()
	}
	log := filepath.Join(dir, "debug.jsonl")
	for range 2 { // the second call adds to it
		run(log)
	}
	text, err := os.ReadFile(log)
	if err != nil || strings.Count(string(text), `"msg":"flwrup begins"`) != 2 || strings.Count(string(text), `"msg":"flwrup ends"`) != 2 {
		t.Fatalf("%v\n%s", err, text)
	}
	if info, err := os.Stat(log); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	if runtime.GOOS == "windows" {
		return
	}
	other := filepath.Join(dir, "other")
	link, open := filepath.Join(dir, "link"), filepath.Join(dir, "open")
	if err := errors.Join(os.WriteFile(other, nil, 0o600), os.Symlink(other, link), os.WriteFile(open, nil, 0o644)); err != nil {
		t.Fatal(err)
	}
	for path, says := range map[string]string{link: "it is a link", open: "others can read it", dir: "it is a link, a folder", filepath.Join(dir, "no", "x"): "no such file"} {
		if code, said := run(path); code != program.ExitUsage || !strings.Contains(said, says) || !strings.HasPrefix(said, "flwrup: cannot write FLWRUP_DEBUG=") {
			t.Errorf("%s: exit code %d: %s", path, code, said)
		}
	}
	if text, err := os.ReadFile(other); err != nil || len(text) > 0 {
		t.Errorf("the link was followed: %q %v", text, err)
	}
}
