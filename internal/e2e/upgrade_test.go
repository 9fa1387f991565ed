//go:build linux

package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"os/exec"
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
// command brings all of them online again, with their keys and node IDs, also when it is killed on the way: at one moment,
// at ten with FLWRUP_KILLS=10.
func TestUpgrade(t *testing.T) {
	t.Parallel() // it waits more than it works
	require.Image(t, recordsFrom)
	require.Image(t, require.Newest)
	m := newGridMoves(t, recordsFrom, require.Newest)
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	g := m.grid(ctx, recordsFrom)
	defer func() { g.Stop(context.Background()) }()
	m.setUp(g, recordsFrom, 3, "--federation", "@flowerlabs/default")
	defer m.clearAway(m.dir)

	if err := g.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	g = m.grid(ctx, require.Newest)
	var f fitting
	text := m.run("status", "--json", "--fresh", "--dir", m.dir).out
	if err := json.Unmarshal([]byte(text), &f); err != nil || f.Data.Fit == nil || !f.Data.Fit.Needed || f.Data.Fit.Target != require.Newest || f.Data.Fit.Fleet != "HTTP" {
		t.Errorf("status does not name the cause: %v\n%s", err, tail(text))
	}
	if r := m.run("upgrade", "--check", "--dir", m.dir); r.code != 5 || !strings.Contains(r.out, recordsFrom+" to "+require.Newest) {
		t.Errorf("upgrade --check: exit code %d\n%s", r.code, tail(r.out+r.err))
	}
	if r := m.run("upgrade", "--dir", m.dir); r.code != 3 {
		t.Errorf("without a yes: exit code %d\n%s", r.code, tail(r.out+r.err))
	}

	sample := moments[1:2]
	if n, err := strconv.Atoi(os.Getenv("FLWRUP_KILLS")); err == nil && n > 0 {
		sample = moments[:min(n, len(moments))]
	}
	for _, moment := range sample {
		m.killed(moment)
	}
	r := m.must("upgrade", "--yes", "--dir", m.dir)
	t.Logf("%s", tail(r.out))
	m.allOn(require.Newest)
	if r := m.run("upgrade", "--check", "--dir", m.dir); r.code != 0 {
		t.Errorf("after the upgrade: exit code %d\n%s", r.code, tail(r.out+r.err))
	}
}

func newGridMoves(t *testing.T, versions ...string) *gridMoves {
	t.Helper()
	m := &gridMoves{home: newHome(t, versions...), ids: map[string]string{}}
	m.dir = filepath.Join(m.home.dir, "study")
	return m
}

// grid starts the grid with a SuperLink of a release, on the records that are there.
func (m *gridMoves) grid(ctx context.Context, version string) *grid.Grid {
	m.t.Helper()
	g, err := grid.Start(ctx, grid.Options{Dir: filepath.Join(m.home.dir, "grid"), Python: require.Program(require.Flwr(m.t, version), "python")}, nil)
	if err != nil {
		m.t.Fatal(err)
	}
	go yes(ctx, g)
	return g
}

// setUp brings SuperNodes online, in containers.
func (m *gridMoves) setUp(g *grid.Grid, version string, nodes int, federation ...string) {
	m.t.Helper()
	secret := filepath.Join(m.home.dir, "passphrase")
	if err := os.WriteFile(secret, []byte("only for this test\n"), 0o600); err != nil {
		m.t.Fatal(err)
	}
	m.must(append([]string{"up", "--yes", "--json", "--dir", m.dir, "--nodes", strconv.Itoa(nodes), "--flwr", version, "--runtime", "docker", "--host-network", "--app", "none",
		"--control", g.Ready.Control, "--fleet", g.Ready.Fleet, "--ca", g.Ready.CA, "--passphrase-file", secret}, federation...)...)
	for _, n := range m.status().Data.Nodes {
		m.ids[n.Name] = n.NodeID
	}
	if len(m.ids) != nodes {
		m.t.Fatalf("registered: %v", m.ids)
	}
}

// TestUpgradeTakenBack: the SuperNode that goes first ends as soon as it is started, since the tag of its image was moved
// to one that cannot run. It is back online on the release before, the other was left alone, and the cause is said. CI
// goes back from the newest release to 1.41.0; FLWRUP_UPGRADE_FROM=1.41.0 goes from there to the newest, whose real image
// then takes the place of the broken one, and both move.
func TestUpgradeTakenBack(t *testing.T) {
	t.Parallel() // it waits more than it works
	from, to := require.Newest, "1.41.0"
	if v := os.Getenv("FLWRUP_UPGRADE_FROM"); v != "" {
		from, to = v, require.Newest
	}
	image := require.Image(t, from)
	daemon := require.PrivateDockerHere(t)
	daemon.Load(image)
	m := newGridMoves(t, from, require.Newest)
	m.env = append(m.env, "DOCKER_HOST="+daemon.Host)
	broken := exec.Command("docker", "build", "-q", "-t", strings.Replace(image, from, to, 1), "-")
	broken.Env, broken.Stdin = m.env, strings.NewReader("FROM "+image+"\nENTRYPOINT [\"false\"]\n")
	if out, err := broken.CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	g := m.grid(ctx, require.Newest)
	defer func() { g.Stop(context.Background()) }()
	m.setUp(g, from, 2, "--federation", "@ada/study", "--create-federation")
	defer m.run("down", "--dir", m.dir)
	before := m.status()

	r := m.run("upgrade", to, "--yes", "--dir", m.dir)
	t.Logf("%s%s", tail(r.out), tail(r.err))
	if want := "supernode_1 did not work with flwr " + to + "; all is back on " + from; r.code != 1 || !strings.Contains(r.err, want) {
		t.Errorf("exit code %d, does not say %q", r.code, want)
	}
	m.allOn(from)
	if after := m.status(); after.Data.Nodes[1].RuntimeID != before.Data.Nodes[1].RuntimeID {
		t.Errorf("supernode_2 was %s, is %s", before.Data.Nodes[1].RuntimeID, after.Data.Nodes[1].RuntimeID)
	}
	if to != require.Newest {
		return
	}
	daemon.Load(require.Image(t, to))
	m.must("upgrade", to, "--yes", "--dir", m.dir)
	m.allOn(to)
}

func (m *gridMoves) status() rehearsal {
	m.t.Helper()
	return parse(m.t, m.run("status", "--json", "--fresh", "--dir", m.dir).out)
}

// moments are what an upgrade says when it is killed, in an order in which each comes to pass after those before it. CI
// takes the second alone.
var moments = []string{
	"supernode_1  stopping",
	"it has to stay so", // supernode_1 has moved then
	"Keys and node IDs stay.",
	"supernode_2  stopping",
	"supernode_2  starting",
	"waiting until", // from here on supernode_2 comes online, seen or not
	"supernode_3  stopping",
	"supernode_3  starting",
	"supernode_3  running",
	": done",
}

// killed kills an upgrade at the moment when it says something. Whatever it had done by then, no key, node ID or record is
// lost.
func (m *gridMoves) killed(moment string) {
	m.t.Helper()
	ctx, stop := context.WithTimeout(context.Background(), 4*time.Minute)
	defer stop()
	cmd := m.command(ctx, "upgrade", "--yes", "--dir", m.dir)
	said, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		m.t.Fatal(err)
	}
	began, came, all := time.Now(), false, strings.Builder{}
	for lines := bufio.NewScanner(said); !came && lines.Scan(); {
		came = strings.Contains(lines.Text(), moment)
		all.WriteString(lines.Text() + "\n")
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	if !came {
		m.t.Errorf("never said %q:\n%s", moment, tail(all.String()))
	}
	r := m.status()
	m.t.Logf("killed at %q after %.1f s: %d online", moment, time.Since(began).Seconds(), r.Data.Online)
	if len(r.Data.Nodes) != len(m.ids) {
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
	if r.Data.Online != len(m.ids) || r.Data.Flwr != version {
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

// TestUpgradeOfRecords: a SuperLink of today refuses the records of 1.24.0, so a rehearsal's grid does not come up with it.
// All is as before: the grid runs on without flwrup, and the SuperNodes are online with their node IDs.
func TestUpgradeOfRecords(t *testing.T) {
	t.Parallel() // it waits more than it works
	const from = "1.24.0"
	h := newHome(t, from, require.Newest)
	dir := filepath.Join(h.dir, "rehearsal")
	defer h.run("down", "--dir", dir)
	h.must("rehearse", "--yes", "--keep", "--nodes", "2", "--flwr", from, "--runtime", "process", "--dir", dir)
	before := parse(t, h.must("status", "--json", "--dir", dir).out)

	r := h.run("upgrade", require.Newest, "--yes", "--dir", dir)
	if want := "flwr " + require.Newest + " does not work here; back on " + from; r.code != 1 || !strings.Contains(r.err, want) {
		t.Errorf("exit code %d, does not say %q\n%s%s", r.code, want, tail(r.out), tail(r.err))
	}
	after := parse(t, h.run("status", "--json", "--dir", dir).out)
	if after.Data.Online != 2 || after.Data.Flwr != from || len(after.Data.Nodes) != 2 {
		t.Fatalf("%d online, flwr %s: %+v", after.Data.Online, after.Data.Flwr, after.Data.Nodes)
	}
	for i, n := range after.Data.Nodes {
		if n.NodeID != before.Data.Nodes[i].NodeID {
			t.Errorf("%s has the node ID %s, not %s", n.Name, n.NodeID, before.Data.Nodes[i].NodeID)
		}
	}
}
