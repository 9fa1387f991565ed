//go:build linux

package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"flwrup/internal/require"
)

// TestRehearse goes the whole way on the newest flwr in containers and on the first one with config.toml as processes,
// and compares what flwrup says with flwr's own word. On the newest a person then types what `flwrup plan` prints.
// TestWizard does the same with the oldest flwr in containers.
func TestRehearse(t *testing.T) {
	for _, c := range []struct{ version, runtime string }{
		{require.Newest, "docker"},
		{"1.26.1", "process"},
	} {
		t.Run(c.version+" "+c.runtime, func(t *testing.T) {
			if c.runtime == "docker" {
				require.Image(t, c.version)
			}
			h := newHome(t, c.version)
			dir := filepath.Join(h.dir, "rehearsal")
			defer func() {
				if _, err := os.Stat(dir); err == nil {
					h.run("down", "--dir", dir)
				}
			}()
			args := h.rehearsed(dir, c.version, c.runtime)
			if c.version == require.Newest {
				h.planTyped(dir, args)
			}
			h.tornDown(dir, c.runtime)
		})
	}
}

// rehearsed goes the whole way in dir from where it stands, with three SuperNodes, and compares the result with
// flwr's own word. It returns the arguments but for the number of SuperNodes.
func (h *home) rehearsed(dir, version, runtime string) []string {
	t := h.t
	t.Helper()
	args := []string{"rehearse", "--yes", "--json", "--keep", "--flwr", version, "--runtime", runtime, "--dir", dir}
	got := parse(t, h.must(append(args, "--nodes", "3")...).out)
	if !got.OK || got.Data.Online != 3 || len(got.Data.Nodes) != 3 || got.Data.Flwr != version {
		t.Errorf("three nodes online on flwr %s wanted, got %+v", version, got.Data)
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
	if online := h.flwrSays(dir)["online"]; online != 3 {
		t.Errorf("`flwr supernode list` says that %d are online, 3 wanted", online)
	}
	return args
}

// tornDown ends a rehearsal with down, which leaves no folder, no process and no container.
func (h *home) tornDown(dir, runtime string) {
	t := h.t
	t.Helper()
	id := projectID(t, dir) // down removes the folder
	h.must("down", "--dir", dir)
	if _, err := os.Stat(dir); err == nil {
		t.Error("the rehearsal's folder is still there after down")
	}
	if left := processesOf(h.dir); len(left) > 0 {
		t.Errorf("processes left: %v", left)
	}
	if runtime == "docker" {
		if left := containersWith(t, id, ""); len(left) > 0 {
			t.Errorf("containers left: %v", left)
		}
	}
}
