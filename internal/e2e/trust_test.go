//go:build linux

package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestClone plays the author of a repository against the built program: what looks runs nothing of it, what
// acts waits for the person, and once they accepted it nothing asks again.
func TestClone(t *testing.T) {
	h := newHome(t)
	dir := filepath.Join(h.dir, "clone")
	mark := filepath.Join(h.dir, "ran")
	env := filepath.Join(dir, ".venv")
	meta := filepath.Join(env, "lib", "python3.11", "site-packages", "flwr-1.42.0.dist-info")
	for _, d := range []string{filepath.Join(env, "bin"), meta} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	spy := "#!/bin/sh\necho ran >> '" + mark + "'\nexit 1\n"
	for file, text := range map[string]string{
		filepath.Join(meta, "METADATA"):        "Name: flwr\nVersion: 1.42.0\n",
		filepath.Join(env, "bin", "flwr"):      spy,
		filepath.Join(env, "bin", "python"):    spy,
		filepath.Join(dir, "flwrup.toml"):      "nodes = 1\nfederation = \"@a/b\"\nimage = \"theirs\"\napp = \"none\"\n",
		filepath.Join(h.dir, "passphrase.txt"): "only for this test\n",
	} {
		if err := os.WriteFile(file, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	looks := func() {
		t.Helper()
		for _, command := range []string{"status", "status --json", "doctor", "doctor --json", "plan", "handover", "runs", "logs"} {
			h.run(append(strings.Fields(command), "--dir", dir)...)
			if _, err := os.Stat(mark); err == nil {
				t.Fatalf("flwrup %s ran a program of the folder", command)
			}
		}
	}
	looks()
	for _, command := range []string{"up --yes", "up --yes --json", "start", "run --yes", "watch", "rehearse --yes", "image"} {
		got := h.run(append(strings.Fields(command), "--dir", dir)...)
		if said := got.out + got.err; command != "rehearse --yes" && (got.code != 3 || !strings.Contains(said, "theirs") || !strings.Contains(said, "--trust")) {
			t.Errorf("flwrup %s: exit code %d\n%s", command, got.code, said)
		}
		if _, err := os.Stat(mark); err == nil {
			t.Fatalf("flwrup %s ran a program of the folder", command)
		}
	}
	if got := h.run("trust", "--dir", dir); got.code != 3 || !strings.Contains(got.out, ".venv") {
		t.Errorf("flwrup trust: exit code %d\n%s", got.code, got.out)
	}
	h.must("trust", "--yes", "--dir", dir)
	if got := h.run("up", "--yes", "--until", "5", "--dir", dir); strings.Contains(got.out+got.err, "accepted") {
		t.Errorf("asked again: exit code %d\n%s", got.code, got.out+got.err)
	}
	h.must("trust", "--revoke", "--dir", dir)
	if err := os.Remove(mark); err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	looks()
}
