//go:build linux

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"flwrup/internal/require"
)

// TestDaemonRestarts follows one SuperNode of the oldest and of the newest flwr through what Docker does to it:
// started, restarted, Docker ended and started, the power cut, and refused by the grid, which must not be knocked
// at for ever. FLWRUP_FAULTS asks for it: giving up alone takes minutes.
func TestDaemonRestarts(t *testing.T) {
	if os.Getenv("FLWRUP_FAULTS") == "" {
		t.Skip("takes minutes: FLWRUP_FAULTS=10 runs it, see docs/testing.md")
	}
	for _, version := range []string{"1.24.0", require.Newest} {
		t.Run(version, func(t *testing.T) {
			image := require.Image(t, version)
			daemon := require.PrivateDockerHere(t)
			daemon.Load(image)
			h := newHome(t, version)
			h.env = append(h.env, "DOCKER_HOST="+daemon.Host)
			f := &faults{home: h, dir: filepath.Join(h.dir, "rehearsal"), nodes: 1}
			f.write("flwrup.toml", "app = \"none\"\n\n[grid]\nrehearsal = true\n")
			defer h.run("down", "--dir", f.dir)
			h.must("rehearse", "--yes", "--json", "--keep", "--nodes", "1", "--flwr", version, "--runtime", "docker", "--dir", f.dir)
			f.allOnline(0)
			h.must("restart", "--dir", f.dir)
			f.allOnline(0)
			began := time.Now()
			daemon.Stop()
			daemon.Start()
			f.allOnline(0)
			f.logf("Docker ended and started", began)
			began = time.Now()
			daemon.Crash()
			daemon.Start()
			f.backByDocker(began)

			began = time.Now()
			f.unregister()
			state := func() string {
				return f.docker("inspect", "-f", "{{.State.Status}} {{.State.ExitCode}} {{.RestartCount}}", f.container("supernode_1"))
			}
			eventually(t, 8*time.Minute, func() string {
				now := state()
				if strings.HasPrefix(now, "exited") {
					time.Sleep(time.Minute + 5*time.Second) // longer than Docker's longest pause
					if later := state(); later == now {
						return ""
					}
				}
				return "it still knocks: " + now
			})
			f.logf("refused, and given up: "+state(), began)
			given := f.docker("inspect", "-f", "{{.State.FinishedAt}}", f.container("supernode_1"))
			if log := f.docker("logs", f.container("supernode_1")); !strings.Contains(log, "flwrup") {
				t.Errorf("its log does not say that it gave up:\n%s", tail(log))
			}
			daemon.Stop()
			daemon.Start()
			time.Sleep(5 * time.Second)
			if now := f.docker("inspect", "-f", "{{.State.Status}} {{.State.FinishedAt}}", f.container("supernode_1")); now != "exited "+given {
				t.Errorf("after Docker was started again it is %s, %s wanted", now, given)
			}
			f.tells("unregistered", time.Now(), map[string]string{"supernode_1": "node-unregistered"})
		})
	}
}

// backByDocker waits until the SuperNode is online again though the grid lets it in only after a minute.
func (f *faults) backByDocker(since time.Time) {
	f.t.Helper()
	eventually(f.t, 3*time.Minute, func() string {
		s := f.status()
		if s.Data.Online != 1 || s.Data.Nodes[0].Diagnosis != nil || time.Since(since) < 70*time.Second {
			return fmt.Sprintf("%+v", s.Data)
		}
		return ""
	})
	f.logf("Docker killed and started, with "+f.docker("inspect", "-f", "{{.RestartCount}} restarts", f.container("supernode_1")), since)
}

// unregister takes the SuperNode off the grid behind flwrup's back, with flwr's own command.
func (f *faults) unregister() {
	f.t.Helper()
	f.flwrDoes(f.dir, "supernode unregister "+f.nodeID("supernode_1"), "")
}
