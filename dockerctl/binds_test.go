//go:build unix

package dockerctl

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"flwrup/internal/problem"
	"flwrup/internal/supernode"
)

// Every mount goes through binds: in containers that are made, and in commands that are shown.
func TestBindsRefuse(t *testing.T) {
	dir := t.TempDir()
	for _, d := range []string{"keys", ".flwrup", "data"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("/", filepath.Join(dir, "root")); err != nil {
		t.Fatal(err)
	}
	r := new(Runtime)
	spec := supernode.Spec{Name: "n", Container: "n", Image: "i", KeyFile: filepath.Join(dir, "keys", "k"),
		Private: []string{filepath.Join(dir, "keys"), filepath.Join(dir, ".flwrup")}}
	for _, host := range []string{"/", "/var/run/docker.sock", "/etc", "/proc/1", dir, filepath.Join(dir, "keys"), filepath.Join(dir, "data", "..", ".flwrup"),
		filepath.Join(dir, "root"), filepath.Join(dir, "root", "etc")} {
		spec.Data = []supernode.Folder{{Host: host, Inside: "/data"}}
		if _, _, err := r.config(spec, false, nil); !problem.Is(err, problem.BadInput) {
			t.Errorf("a container that shows %s: %v", host, err)
		}
		if lines := strings.Join(r.commands(spec, "linux"), "\n"); strings.Contains(lines, "type=bind") || !strings.HasPrefix(lines, "#") {
			t.Errorf("commands for a container that shows %s:\n%s", host, lines)
		}
	}
	spec.Data = []supernode.Folder{{Host: filepath.Join(dir, "data"), Inside: "/data"}}
	if _, h, err := r.config(spec, false, nil); err != nil || len(h.Mounts) != 3 {
		t.Errorf("a data folder: %v", err)
	}
}
