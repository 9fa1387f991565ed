//go:build linux

package e2e

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"flwrup/internal/grid"
	"flwrup/internal/require"
)

// recordsFrom is the oldest release whose records a SuperLink of today takes over. 1.42.0 refuses those of 1.24.0 (exit
// code 105): on such a grid keys have to be registered again.
const recordsFrom = "1.26.1"

// gridMoves is a set-up of three containers on an old release against a grid that moved to the newest one over night.
type gridMoves struct {
	*home
	dir string
	ids map[string]string // node IDs by name
}

// fitting is the part of `status --json` about releases.
type fitting struct {
	Data struct {
		Fit *struct {
			Needed      bool
			Why, Target string
			Fleet       string
		}
	}
}

// TestUpgrade: a grid moves to another release over night, and every SuperNode goes dark. flwrup names the cause, and one
// command brings all of them online again, with their keys and node IDs, also when it is killed on the way: at two moments,
// at ten with FLWRUP_KILLS=10.
func TestUpgrade(t *testing.T) {
	require.Image(t, recordsFrom)
	require.Image(t, require.Newest)
	m := &gridMoves{home: newHome(t, recordsFrom, require.Newest), ids: map[string]string{}}
	m.dir = filepath.Join(m.home.dir, "study")
	secret := filepath.Join(m.home.dir, "passphrase")
	if err := os.WriteFile(secret, []byte("only for this test\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	start := func(version string) *grid.Grid {
		g, err := grid.Start(ctx, grid.Options{Dir: filepath.Join(m.home.dir, "grid"), Python: require.Program(require.Flwr(t, version), "python")}, nil)
		if err != nil {
			t.Fatal(err)
		}
		go yes(ctx, g)
		return g
	}
	g := start(recordsFrom)
	defer func() { g.Stop(context.Background()) }()
	set := []string{"up", "--yes", "--json", "--dir", m.dir, "--nodes", "3", "--flwr", recordsFrom, "--runtime", "docker", "--host-network", "--app", "none",
		"--control", g.Ready.Control, "--fleet", g.Ready.Fleet, "--ca", g.Ready.CA, "--federation", "@flowerlabs/default", "--passphrase-file", secret}
	m.must(set...)
	defer m.clearAway(m.dir)
	for _, n := range m.status().Data.Nodes {
		m.ids[n.Name] = n.NodeID
	}
	if len(m.ids) != 3 {
		t.Fatalf("registered: %v", m.ids)
	}

	if err := g.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	g = start(require.Newest)
	var f fitting
	text := m.run("status", "--json", "--fresh", "--dir", m.dir).out
	if err := json.Unmarshal([]byte(text), &f); err != nil || f.Data.Fit == nil || !f.Data.Fit.Needed || f.Data.Fit.Target != require.Newest || f.Data.Fit.Fleet != "HTTP" {
		t.Errorf("status does not name the cause: %v\n%s", err, tail(text))
	}
	if r := m.run("upgrade", "--check", "--dir", m.dir); r.code != 5 || !strings.Contains(r.out, recordsFrom+" → "+require.Newest) {
		t.Errorf("upgrade --check: exit code %d\n%s", r.code, tail(r.out+r.err))
	}
	if r := m.run("upgrade", "--dir", m.dir); r.code != 3 {
		t.Errorf("without a yes: exit code %d\n%s", r.code, tail(r.out+r.err))
	}

	kills := 2
	if n, err := strconv.Atoi(os.Getenv("FLWRUP_KILLS")); err == nil && n > 0 {
		kills = n
	}
	for i := range kills {
		m.killed(time.Duration(i*i+2) * 2 * time.Second)
	}
	r := m.must("upgrade", "--yes", "--dir", m.dir)
	t.Logf("%s", tail(r.out))
	m.allOn(require.Newest)
	if r := m.run("upgrade", "--check", "--dir", m.dir); r.code != 0 {
		t.Errorf("after the upgrade: exit code %d\n%s", r.code, tail(r.out+r.err))
	}
}

func (m *gridMoves) status() rehearsal {
	m.t.Helper()
	return parse(m.t, m.run("status", "--json", "--fresh", "--dir", m.dir).out)
}

// killed kills an upgrade after a while. Whatever it had done by then, no key, node ID or record is lost.
func (m *gridMoves) killed(after time.Duration) {
	m.t.Helper()
	cmd := m.command(context.Background(), "upgrade", "--yes", "--dir", m.dir)
	if err := cmd.Start(); err != nil {
		m.t.Fatal(err)
	}
	time.Sleep(after)
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	r := m.status()
	m.t.Logf("killed after %s: %d online", after, r.Data.Online)
	if len(r.Data.Nodes) != 3 {
		m.t.Fatalf("after a kill: %+v", r)
	}
	for _, n := range r.Data.Nodes {
		if n.NodeID != m.ids[n.Name] {
			m.t.Errorf("after a kill %s has the node ID %s, not %s", n.Name, n.NodeID, m.ids[n.Name])
		}
	}
}

// allOn fails unless all SuperNodes are online with a release, each with its node ID.
func (m *gridMoves) allOn(version string) {
	m.t.Helper()
	r := m.status()
	if r.Data.Online != 3 || r.Data.Flwr != version {
		m.t.Errorf("%d online, flwr %s: %+v", r.Data.Online, r.Data.Flwr, r.Data.Nodes)
	}
	for _, n := range r.Data.Nodes {
		if n.NodeID != m.ids[n.Name] {
			m.t.Errorf("%s has the node ID %s, not %s", n.Name, n.NodeID, m.ids[n.Name])
		}
	}
	f := &faults{home: m.home, dir: m.dir}
	out := f.docker("ps", "--filter", "label=flwrup.project="+f.id(), "--filter", "label=flwrup.flwr="+version, "--format", "{{.Label \"flwrup.node\"}}")
	for name := range m.ids {
		if !slices.Contains(strings.Fields(out), name) {
			m.t.Errorf("%s does not run flwr %s:\n%s", name, version, out)
		}
	}
}
