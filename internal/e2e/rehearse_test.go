//go:build linux

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"flwrup/internal/require"
)

// TestRehearse goes the whole way on the oldest flwr, the first one with config.toml, and the newest,
// in containers and as processes, and compares what flwrup says with flwr's own word. On the newest a person then
// types what `flwrup plan` prints.
func TestRehearse(t *testing.T) {
	for _, c := range []struct{ version, runtime, folder string }{
		{require.Newest, "docker", "rehearsal"},
		{"1.24.0", "docker", "Übung with spaces"},
		{"1.26.1", "process", "rehearsal"},
	} {
		t.Run(c.version+" "+c.runtime, func(t *testing.T) {
			if c.runtime == "docker" {
				require.Image(t, c.version)
			}
			h := newHome(t, c.version)
			dir := filepath.Join(h.dir, c.folder)
			args := []string{"rehearse", "--yes", "--json", "--keep", "--flwr", c.version, "--runtime", c.runtime, "--dir", dir}
			got := parse(t, h.must(append(args, "--nodes", "3")...).out)
			ended := false
			defer func() {
				if !ended {
					h.run("down", "--dir", dir)
				}
			}()
			if !got.OK || got.Data.Online != 3 || len(got.Data.Nodes) != 3 || got.Data.Flwr != c.version {
				t.Errorf("three nodes online on flwr %s wanted, got %+v", c.version, got.Data)
			}
			if len(got.Data.Runs) != 1 || got.Data.Runs[0].Status != "finished:completed" {
				t.Errorf("one completed run wanted, got %+v", got.Data.Runs)
			}
			if len(got.Data.Metrics) == 0 {
				t.Error("no round metrics")
			}
			for name, rounds := range got.Data.Metrics {
				if strings.Contains(name, "loss") && len(rounds) < 2 {
					t.Errorf("%s has values of %d rounds, 2 wanted", name, len(rounds))
				}
			}
			if online := flwrSays(t, h, dir, "online"); online != 3 {
				t.Errorf("`flwr supernode list` says that %d are online, 3 wanted", online)
			}
			if c.version == require.Newest {
				got = h.planTyped(dir, args)
			}
			h.must("down", "--dir", dir)
			ended = true
			if _, err := os.Stat(dir); err == nil {
				t.Error("the rehearsal's folder is still there after down")
			}
			if left := processesOf(h.dir); len(left) > 0 {
				t.Errorf("processes left: %v", left)
			}
			if c.runtime == "docker" {
				for _, n := range got.Data.Nodes {
					if out, _ := exec.Command("docker", "ps", "-a", "--filter", "label=flwrup.node="+n.Name, "--format", "{{.Names}}").Output(); strings.Contains(string(out), "rehearsal_") {
						t.Errorf("a container is left: %s", out)
					}
				}
			}
		})
	}
}

// flwrSays asks flwr itself, as `flwrup plan --all` writes the command, how many nodes have status.
func flwrSays(t *testing.T, h *home, dir, status string) int {
	t.Helper()
	for _, line := range strings.Split(h.must("plan", "--all", "--dir", dir).out, "\n") {
		if strings.Contains(line, " supernode list ") && !strings.HasPrefix(line, "#") {
			cmd := exec.Command("sh", "-c", line+" --format json")
			cmd.Dir, cmd.Env = dir, h.env
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%s: %v\n%s", line, err, out)
			}
			return strings.Count(string(out), `"status": "`+status+`"`)
		}
	}
	t.Fatal("the plan has no `supernode list`")
	return 0
}
