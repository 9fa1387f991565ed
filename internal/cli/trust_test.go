package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"flwrup/internal/cli/program"
)

// A value that nobody accepted is described on a line of its own, once, and the advice works.
func TestWhatIsSaidAboutAClone(t *testing.T) {
	const says = "\n  node.all.data: lets the apps of the federation read /srv/data\n"
	for _, c := range []struct {
		args string
		code int
		says int // times
		has  string
		not  string
	}{
		{"status", 3, 1, "! grid: ", ""},
		{"doctor", 3, 1, "✗ 3 Tools: failing", ""},
		{"plan", 0, 1, "# 3. Tools: unknown", "# 3. Tools: done"},
		{"up --yes", 3, 1, "add --trust to this command", ""},
		{"trust", 3, 1, "`flwrup trust --yes`", "add --trust"},
		{"plan --trust", 0, 0, "# 16.", "accepted"},
		{"trust", 0, 1, "accepted:", "not accepted"},
		{"trust --revoke", 0, 1, "not accepted:", ""},
	} {
		dir := t.TempDir()
		t.Setenv("HOME", filepath.Join(dir, "home"))
		t.Setenv("XDG_STATE_HOME", filepath.Join(dir, "state"))
		t.Setenv("XDG_CACHE_HOME", filepath.Join(dir, "cache"))
		t.Setenv("PATH", dir)
		t.Setenv("VIRTUAL_ENV", "")
		t.Setenv("CONDA_PREFIX", "")
		toml := "nodes = 1\nruntime = \"docker\"\n[grid]\nca = \"ca.pem\"\n[node.all]\ndata = [\"/srv/data:/data\"]\n"
		if err := os.WriteFile(filepath.Join(dir, "flwrup.toml"), []byte(toml), 0o644); err != nil {
			t.Fatal(err)
		}
		if c.args == "trust" && c.code == 0 || strings.HasSuffix(c.args, "--revoke") {
			if code := Main([]string{"trust", "--yes", "--dir", dir}, program.Streams{Out: &bytes.Buffer{}, Err: &bytes.Buffer{}}); code != 0 {
				t.Fatalf("trust --yes ends with %d", code)
			}
		}
		var out bytes.Buffer
		code := Main(append(strings.Fields(c.args), "--dir", dir), program.Streams{Out: &out, Err: &out})
		text := out.String()
		if code != c.code || strings.Count(text, says) != c.says || !strings.Contains(text, c.has) || c.not != "" && strings.Contains(text, c.not) {
			t.Errorf("flwrup %s ends with %d and says\n%s", c.args, code, text)
		}
	}
}
