//go:build linux

package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"flwrup/internal/grid"
	"flwrup/internal/require"
)

// byGuide is a name as in the guide that nobody else on this machine has.
const byGuide = "flwrup-guide_1"

// TestByHand comes to a folder in which a person went the guide's way by hand, with the guide's flwr: two keys, a
// federation in pyproject.toml, a login, registrations, and one of the containers. flwrup says what it found and goes
// on from there: nothing is registered twice, and the container stays.
func TestByHand(t *testing.T) {
	require.Tool(t, "flwr", "ssh-keygen")
	const version = "1.24.0"
	image := require.Image(t, version)
	h := newHome(t, version)
	env := require.Flwr(t, version)
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	g, err := grid.Start(ctx, grid.Options{Dir: filepath.Join(h.dir, "grid"), Python: require.Program(env, "python")}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Stop(context.Background())
	go yes(ctx, g)
	dir, secret := filepath.Join(h.dir, "lung-study"), filepath.Join(h.dir, "passphrase")
	if err := os.MkdirAll(filepath.Join(dir, "keys"), 0o755); err != nil {
		t.Fatal(err)
	}
	project, _, _ := strings.Cut(guideProject, "# --- the grid")
	project += fmt.Sprintf("[tool.flwr.federations.supergrid]\naddress = %q\nroot-certificates = %q\nfederation = \"flowerlabs\"\nenable-account-auth = true\n",
		g.Ready.Control, g.Ready.CA)
	for file, text := range map[string]string{filepath.Join(dir, "pyproject.toml"): project, secret: "only for this test\n"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	byHand := func(name string, args ...string) string {
		t.Helper()
		cmd := exec.Command(name, args...)
		cmd.Dir, cmd.Env = dir, h.env
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", cmd, err, out)
		}
		return string(out)
	}
	flwr, ids := require.Program(env, "flwr"), map[string]bool{}
	for i := range 2 {
		byHand("ssh-keygen", "-q", "-t", "ecdsa", "-b", "384", "-N", "", "-f", fmt.Sprintf("keys/client_credentials_%d", i+1), "-C", "")
	}
	byHand(flwr, "login", ".", "supergrid")
	for i := range 2 {
		said := byHand(flwr, "supernode", "register", fmt.Sprintf("keys/client_credentials_%d.pub", i+1), ".", "supergrid")
		ids[regexp.MustCompile(`\d{10,}`).FindString(said)] = true
	}
	// As in the guide, but the user of the image has to read the key, and the grid is this machine's.
	byHand("chmod", "755", filepath.Dir(h.dir), h.dir, filepath.Dir(g.Ready.CA), "keys")
	byHand("chmod", "644", g.Ready.CA, "keys/client_credentials_1")
	container := byHand("docker", "run", "-d", "--name", byGuide, "--network", "host", "--volume", "./keys/:/app/keys/:ro", "--volume", g.Ready.CA+":/app/ca.crt:ro",
		"-it", image, "--superlink", g.Ready.Fleet, "--root-certificates", "ca.crt", "--auth-supernode-private-key", "keys/client_credentials_1")
	defer exec.Command("docker", "rm", "-f", byGuide).Run()

	s := h.onTerminal(100, 30, "--dir", dir)
	s.Wait("How much should flwrup ask?")
	s.Press("\r")
	s.Wait("Found 2 keys and federation flowerlabs. Use them?")
	s.Wait("1 SuperNode that runs already: container " + byGuide)
	s.Wait("a login of flwr's in .flwr/.credentials/supergrid.json")
	s.Press("\x03")
	s.End()

	// flwrup takes the right to read keys from others, the image's user among them: the container has to have read its own.
	eventually(t, time.Minute, func() string {
		if list := byHand(flwr, "supernode", "list", ".", "supergrid"); !strings.Contains(list, "online") {
			return list
		}
		return ""
	})
	got := parse(t, h.must("up", "--yes", "--json", "--dir", dir, "--flwr", version, "--runtime", "docker", "--host-network", "--app", "none",
		"--control", g.Ready.Control, "--fleet", g.Ready.Fleet, "--ca", g.Ready.CA, "--passphrase-file", secret).out)
	defer h.clearAway(dir)
	if !got.OK || got.Data.Online != 2 || len(got.Data.Nodes) != 2 {
		t.Fatalf("two nodes online wanted, got %+v", got.Data)
	}
	for _, n := range got.Data.Nodes {
		if !ids[n.NodeID] {
			t.Errorf("%s has another node ID than by hand: %s, not of %v", n.Name, n.NodeID, ids)
		}
	}
	if now := byHand("docker", "inspect", "-f", "{{.Id}} {{.State.Running}}", byGuide); now != strings.TrimSpace(container)+" true\n" {
		t.Errorf("the container that ran by hand: %s", now)
	}
}
