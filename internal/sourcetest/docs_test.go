//go:build linux

package sourcetest

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestModulePath runs the command of docs/releasing.md that gives the module another path on a copy of the tree, whose
// imports have to be found afterwards. It keeps what only looks like an import: the name of an image.
func TestModulePath(t *testing.T) {
	page, err := os.ReadFile("../../docs/releasing.md")
	if err != nil {
		t.Fatal(err)
	}
	command := regexp.MustCompile(`(?m)^    (new=.*)$`).FindSubmatch(page)
	if command == nil {
		t.Fatal("docs/releasing.md has no such command")
	}
	dir := t.TempDir()
	run := func(from, line string) string {
		cmd := exec.Command("bash", "-c", line)
		cmd.Dir = from
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", line, err, out)
		}
		return string(out)
	}
	run("../..", "git ls-files -z | xargs -0 cp --parents -t '"+dir+"'")
	run(dir, string(command[1]))
	if list := run(dir, "go list ./..."); !strings.HasPrefix(list, "example.org/you/flwrup\n") {
		t.Errorf("not the new path: %s", list)
	}
	run(dir, "go list -test -deps ./... >/dev/null")
	image, err := os.ReadFile(filepath.Join(dir, "internal", "fleet", "image.go"))
	if err != nil || !strings.Contains(string(image), `"flwrup/" + strings.ToLower`) {
		t.Errorf("the name of images has changed, too: %v", err)
	}
	script, err := os.ReadFile(filepath.Join(dir, "docs", "reproduce.sh"))
	if err != nil || !strings.Contains(string(script), "-X example.org/you/flwrup/internal/cli.Version") {
		t.Errorf("docs/reproduce.sh has the old path: %v", err)
	}
}
