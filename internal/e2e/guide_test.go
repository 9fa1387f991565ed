//go:build linux

package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"flwrup/internal/grid"
	"flwrup/internal/require"
)

// guideProject is a pyproject.toml as a person has it who followed the guide to step 8.
const guideProject = `# lung-study, started by Ada in spring; ask her before you change versions
[build-system]
requires = ["hatchling"]   # not setuptools: see the wiki
build-backend = "hatchling.build"

[project]
name = "lung-study"
version = "1.0.0"
dependencies = [
    "flwr>=1.24.0",   # the guide says so
    # "torch==2.8",     too big for the laptops
    "numpy>=2",
]

[tool.flwr.app]
publisher = "ada"	# our account

[tool.flwr.app.components]
serverapp = "study.server_app:app"
clientapp = "study.client_app:app"

# --- rounds -------------------------------------------------
[tool.flwr.app.config]
num-server-rounds = 3   # 30 for the paper
'quoted key' = "with # no comment"

# --- the grid, from the guide -------------------------------
[tool.flwr.federations]
default = "supergrid"   # so that a bare run goes there

[tool.flwr.federations.supergrid]
address = "supergrid.flower.ai"
federation = "flowerlabs"    # ← Replace with your federation name
enable-account-auth = true
# the old machine in the basement: address = "10.0.0.7:9093"

[tool.ruff]  # after the grid, on purpose
line-length = 100
# the end, without a newline`

// TestGuide takes over a folder that followed the guide to step 8 with today's flwr, on which every
// command of the guide's fails there: the keys that ssh-keygen made, the block that flwr trips over. The
// grid is known to flwrup by its addresses alone, as a SuperGrid is.
func TestGuide(t *testing.T) {
	require.Tool(t, "flwr", "ssh-keygen")
	require.Image(t, require.Newest)
	h := newHome(t, require.Newest)
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	g, err := grid.Start(ctx, grid.Options{Dir: filepath.Join(h.dir, "grid"), Python: require.Program(require.Flwr(t, require.Newest), "python")}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Stop(context.Background())
	go yes(ctx, g)

	dir := filepath.Join(h.dir, "lung study")
	if err := os.MkdirAll(filepath.Join(dir, "keys"), 0o755); err != nil {
		t.Fatal(err)
	}
	pyproject, secret := filepath.Join(dir, "pyproject.toml"), filepath.Join(h.dir, "passphrase")
	for file, text := range map[string]string{pyproject: guideProject, secret: "only for this test\n"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	keys := map[string]string{}
	for i := range 2 { // as generate_auth_keys.sh does
		key := filepath.Join(dir, "keys", fmt.Sprintf("client_credentials_%d", i+1))
		if out, err := exec.Command("ssh-keygen", "-q", "-t", "ecdsa", "-b", "384", "-N", "", "-f", key, "-C", "").CombinedOutput(); err != nil {
			t.Fatalf("%v %s", err, out)
		}
		text, err := os.ReadFile(key)
		if err != nil {
			t.Fatal(err)
		}
		keys[key] = string(text)
	}

	got := parse(t, h.must("up", "--yes", "--json", "--dir", dir, "--nodes", "2", "--flwr", require.Newest, "--runtime", "docker", "--host-network", "--app", "none",
		"--control", g.Ready.Control, "--fleet", g.Ready.Fleet, "--ca", g.Ready.CA,
		"--federation", "@ada/lung-study", "--create-federation", "--passphrase-file", secret).out)
	defer h.clearAway(dir)
	if !got.OK || got.Data.Online != 2 || len(got.Data.Nodes) != 2 {
		t.Errorf("two nodes online wanted, got %+v", got.Data)
	}
	for key, before := range keys {
		if now, err := os.ReadFile(key); err != nil || string(now) != before {
			t.Errorf("key %s changed: %v", key, err)
		}
	}
	text, err := os.ReadFile(pyproject)
	if err != nil {
		t.Fatal(err)
	}
	now := string(text)
	for _, line := range strings.Split(guideProject, "\n") {
		if _, comment, ok := strings.Cut(line, "#"); ok && !strings.Contains(now, "#"+comment) {
			t.Errorf("the comment %q is gone", comment)
		}
	}
	// All but the block is as it was, byte for byte; the block is there as comments.
	before, after, _ := strings.Cut(guideProject, "[tool.flwr.federations]\n")
	_, after, _ = strings.Cut(after, "enable-account-auth = true\n")
	if !strings.HasPrefix(now, before) || !strings.HasSuffix(now, after) || !strings.Contains(now, "# [tool.flwr.federations.supergrid]\n") {
		t.Errorf("more than the block was changed:\n%s", now)
	}
	copies, err := filepath.Glob(pyproject + ".before-flwrup-*")
	if err != nil || len(copies) != 1 {
		t.Fatalf("undo copies: %q %v", copies, err)
	}
	if kept, err := os.ReadFile(copies[0]); err != nil || string(kept) != guideProject {
		t.Errorf("the undo copy is not what was there before: %v", err)
	}
	// flwr itself works in the folder now, and has nothing more to change there.
	if n := h.flwrSays(dir)["online"]; n != 2 {
		t.Errorf("flwr lists %d online nodes, 2 wanted", n)
	}
	if text, err := os.ReadFile(pyproject); err != nil || string(text) != now {
		t.Errorf("flwr changed pyproject.toml again: %v", err)
	}
	h.secondSetUp(dir, got)
}

// secondSetUp takes the flwrup.toml of a finished set-up, and nothing else, to an empty folder on the same
// machine: flwrup makes another one like it, and the first goes on.
func (h *home) secondSetUp(dir string, first rehearsal) {
	t := h.t
	t.Helper()
	other := filepath.Join(h.dir, "another folder")
	choices, err := os.ReadFile(filepath.Join(dir, "flwrup.toml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(other, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(other, "flwrup.toml"), choices, 0o644); err != nil {
		t.Fatal(err)
	}
	defer h.clearAway(other)
	// The file names addresses and the like: a person has to accept them in a folder that they were not chosen in.
	if got := h.run("up", "--yes", "--json", "--dir", other); got.code != 3 || !strings.Contains(got.out, `"not-accepted"`) || !strings.Contains(got.out, "--trust") {
		t.Errorf("a flwrup.toml that came from elsewhere: exit code %d\n%s", got.code, got.out)
	}
	second := parse(t, h.must("up", "--yes", "--trust", "--json", "--dir", other).out)
	now := parse(t, h.must("status", "--json", "--dir", dir).out)
	if second.Data.Online != 2 || len(second.Data.Nodes) != 2 || now.Data.Online != 2 {
		t.Errorf("two nodes online wanted in each, got %+v and %+v", now.Data, second.Data)
	}
	seen := map[string]bool{}
	for _, n := range slices.Concat(first.Data.Nodes, second.Data.Nodes) {
		for _, own := range []string{n.NodeID, n.Fingerprint, n.RuntimeID} {
			if own == "" || seen[own] {
				t.Errorf("%q of %s is empty or not its own", own, n.Name)
			}
			seen[own] = true
		}
	}
	for i, n := range now.Data.Nodes {
		if n.RuntimeID != first.Data.Nodes[i].RuntimeID {
			t.Errorf("%s of the first set-up is another container now", n.Name)
		}
	}
}

// clearAway stops the SuperNodes of a set-up and removes their containers, which outlast `down`.
func (h *home) clearAway(dir string) {
	h.run("down", "--dir", dir)
	id, err := os.ReadFile(filepath.Join(dir, ".flwrup", "id"))
	if err != nil {
		h.t.Error(err)
		return
	}
	out, err := exec.Command("docker", "ps", "-aq", "--filter", "label=flwrup.project="+strings.TrimSpace(string(id))).Output()
	if names := strings.Fields(string(out)); err != nil || len(names) == 0 {
		h.t.Errorf("no containers of %s: %v", dir, err)
	} else if out, err := exec.Command("docker", append([]string{"rm", "-fv"}, names...)...).CombinedOutput(); err != nil {
		h.t.Errorf("%v: %s", err, out)
	}
}

// yes approves every login that waits at the grid, as the person does in the browser.
func yes(ctx context.Context, g *grid.Grid) {
	for ctx.Err() == nil {
		if s, err := g.State(ctx); err == nil {
			for _, l := range s.Logins {
				if l.Account == "" {
					_ = g.Approve(ctx, l.UserCode, "ada") // tried again in a moment
				}
			}
		}
		time.Sleep(200 * time.Millisecond)
	}
}
