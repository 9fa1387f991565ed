//go:build linux

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"flwrup/internal/require"
)

// TestExportCompose moves the three SuperNodes of a rehearsal to Docker Compose and back. They come online from the
// exported file with the same node IDs, a run reaches them there, and no key is registered again.
func TestExportCompose(t *testing.T) {
	compose := require.Tool(t, "docker", "docker-compose")
	require.Image(t, require.Newest)
	h := newHome(t, require.Newest)
	dir := filepath.Join(h.dir, "rehearsal")
	out := filepath.Join(dir, "flwrup-export", "compose")
	docker := func(args ...string) {
		t.Helper()
		cmd := exec.Command(compose, args...)
		cmd.Dir, cmd.Env = out, h.env
		if text, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("docker-compose %s: %v\n%s", strings.Join(args, " "), err, text)
		}
	}
	defer func() {
		if _, err := os.Stat(out); err == nil {
			docker("down", "-v")
		}
		if _, err := os.Stat(dir); err == nil {
			h.run("down", "--yes", "--dir", dir)
		}
	}()
	h.must("rehearse", "--yes", "--json", "--keep", "--flwr", require.Newest, "--runtime", "docker", "--nodes", "3", "--dir", dir)
	ids := ledgerNodes(t, dir)
	online := func(engine string) {
		t.Helper()
		eventually(t, 2*time.Minute, func() string {
			r := h.run("status", "--json", "--dir", dir)
			if got := parse(t, r.out); got.Data.Online != 3 {
				return r.out
			}
			if n := strings.Count(r.out, `"kind": "compose"`); engine != "" && n != 3 || engine == "" && n != 0 {
				t.Errorf("%d run by compose, says status", n)
			}
			return ""
		})
		if n := h.flwrSays(dir)["online"]; n != 3 {
			t.Errorf("flwr calls %d online, 3 wanted", n)
		}
	}

	h.must("export", "compose", "--move", "--dir", dir)
	if left := containersOf(t, dir, ""); len(left) > 0 {
		t.Errorf("flwrup left %v of its own", left)
	}
	docker("up", "-d")
	online("compose")
	if r := h.run("start", "supernode_1", "--dir", dir); r.code == 0 || !strings.Contains(r.err, "compose") {
		t.Errorf("a second supernode_1 is started: exit %d\n%s", r.code, r.err)
	}
	h.must("stop", "--dir", dir)
	online("compose") // all the same
	for _, name := range containersOf(t, dir, "running") {
		seen, err := exec.Command("docker", "exec", name, "sh", "-c", "id -u; stat -c '%u %a' /run/supernode/key; grep CapBnd /proc/1/status; touch /x 2>&1").CombinedOutput()
		if got := string(seen); err == nil || !strings.HasPrefix(got, "49999\n49999 400\nCapBnd:\t0000000000000000\n") || !strings.Contains(got, "Read-only") {
			t.Errorf("%s is not as flwrup's own: %v\n%s", name, err, got)
		}
	}
	h.must("run", "--json", "--dir", dir)

	docker("down", "-v")
	h.must("start", "supernode_1", "supernode_2", "supernode_3", "--dir", dir)
	online("")
	for key, id := range ledgerNodes(t, dir) {
		if ids[key] != id {
			t.Errorf("the key %s has node ID %s, before %s", key, id, ids[key])
		}
	}
	if n := len(h.flwrSays(dir)); n != 1 {
		t.Errorf("flwr lists nodes of %d kinds: %v", n, h.flwrSays(dir))
	}
}
