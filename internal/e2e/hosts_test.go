//go:build linux

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"flwrup/internal/require"
)

// TestHosts goes the whole way with three SuperNodes on three Docker hosts: this machine's, one behind a real sshd, and
// Podman. One host is away for a while; then all SuperNodes move to this machine.
func TestHosts(t *testing.T) {
	image := require.Image(t, require.Newest)
	sshd, far, podman := require.SSH(t), require.PrivateDockerHere(t), require.Podman(t)
	far.Load(image)
	require.LoadInto(t, podman, image)
	h := newHome(t, require.Newest)
	h.env = append(h.env, "PATH="+sshd.Bin+":"+os.Getenv("PATH"))
	context := exec.Command("docker", "context", "create", "gpu-box", "--docker", "host="+sshd.Address+strings.TrimPrefix(far.Host, "unix://"))
	context.Env = h.env
	if out, err := context.CombinedOutput(); err != nil {
		t.Fatalf("docker context create: %v %s", err, out)
	}
	dir := filepath.Join(h.dir, "rehearsal")
	write := func(text string) {
		t.Helper()
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "flwrup.toml"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("app = \"none\"\n\n[grid]\nrehearsal = true\n\n[node.supernode_2]\nhost = \"gpu-box\"\n\n[node.supernode_3]\nhost = \"" + podman + "\"\n")
	defer func() {
		h.must("down", "--yes", "--dir", dir)
		for _, host := range []string{far.Host, podman} {
			out, err := exec.Command("docker", "-H", host, "volume", "ls", "-q").CombinedOutput()
			if err != nil || len(out) > 0 {
				t.Errorf("%s has a volume left: %v %s", host, err, out)
			}
		}
	}()
	if r := h.run("rehearse", "--yes", "--json", "--nodes", "3", "--dir", dir); r.code == 0 || !strings.Contains(r.out+r.err, "node.supernode_2.host") {
		t.Errorf("keys go to a host that nobody accepted: exit %d\n%s%s", r.code, r.out, r.err)
	}
	h.must("rehearse", "--yes", "--json", "--trust", "--keep", "--flwr", require.Newest, "--runtime", "docker", "--nodes", "3", "--dir", dir)
	ids := ledgerNodes(t, dir)

	// are waits until status says where each SuperNode is, and in which state.
	are := func(within time.Duration, want ...string) rehearsal {
		t.Helper()
		var r rehearsal
		eventually(t, within, func() string {
			r = parse(t, h.run("status", "--json", "--dir", dir).out)
			var got []string
			for _, n := range r.Data.Nodes {
				got = append(got, fmt.Sprintf("%s %s %s", n.Grid, n.State, n.Host))
			}
			if !slices.Equal(got, want) {
				return strings.Join(got, "\n")
			}
			return ""
		})
		return r
	}
	are(time.Minute, "online running ", "online running gpu-box", "online running "+podman)
	logs := h.must("logs", "--tail", "50", "--dir", dir).out
	for _, name := range []string{"supernode_1", "supernode_2", "supernode_3"} {
		if !strings.Contains(logs, name) {
			t.Errorf("the merged log has no line of %s:\n%s", name, tail(logs))
		}
	}

	sshd.Stop()
	r := are(10*time.Second, "online running ", "online unknown gpu-box", "online running "+podman)
	if d := r.Data.Nodes[1].Diagnosis; d == nil || d.Code != "host-away" || !strings.Contains(d.Message, "gpu-box") {
		t.Errorf("diagnosis of the SuperNode on the host that is away: %+v", d)
	}
	h.must("restart", "supernode_1", "--dir", dir) // the others' verbs go on
	if r := h.run("stop", "supernode_2", "--dir", dir); r.code == 0 {
		t.Errorf("a SuperNode on a host that is away counts as stopped:\n%s", r.out)
	}
	sshd.Start()
	h.must("start", "supernode_2", "--dir", dir)
	are(time.Minute, "online running ", "online running gpu-box", "online running "+podman)

	write(strings.NewReplacer("gpu-box", "", podman, "").Replace(read(t, filepath.Join(dir, "flwrup.toml"))))
	h.must("restart", "--dir", dir)
	are(2*time.Minute, "online running ", "online running ", "online running ")
	for key, id := range ledgerNodes(t, dir) {
		if ids[key] != id {
			t.Errorf("the key %s has node ID %s, before %s", key, id, ids[key])
		}
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
