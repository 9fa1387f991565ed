//go:build linux

package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"flwrup/internal/require"
)

// saidWithin is how long flwrup may take to tell of a fault, the run of `flwrup status` included.
const saidWithin = 10 * time.Second

// TestFaults breaks SuperNodes in real containers, their Docker daemon and their grid on purpose, from outside.
// After each fault `flwrup status --json` must tell the truth and its cause within ten seconds, and the command
// that it offers must bring all back online. FLWRUP_FAULTS=10 takes ten SuperNodes and mends each fault before
// the next; without, four SuperNodes are broken at once.
func TestFaults(t *testing.T) {
	newest, oldest := require.Image(t, require.Newest), require.Image(t, "1.24.0")
	began := time.Now()
	daemon := require.PrivateDockerHere(t)
	daemon.Load(newest, oldest)
	h := newHome(t, require.Newest)
	h.env = append(h.env, "DOCKER_HOST="+daemon.Host, "PATH="+filepath.Dir(binary)+":"+os.Getenv("PATH"))
	f := &faults{home: h, dir: filepath.Join(h.dir, "rehearsal"), nodes: 4}
	if n, err := strconv.Atoi(os.Getenv("FLWRUP_FAULTS")); err == nil {
		f.nodes, f.long = n, true
	}
	f.logf("a private daemon with two images", began)
	// The run is no matter here: it would cost half a minute.
	f.write("flwrup.toml", "app = \"none\"\n\n[grid]\nrehearsal = true\n")
	defer h.run("down", "--dir", f.dir)
	h.must("rehearse", "--yes", "--json", "--keep", "--nodes", fmt.Sprint(f.nodes), "--flwr", require.Newest, "--runtime", "docker", "--dir", f.dir)
	f.allOnline(0)

	broken := []fault{
		{"killed", "supernode_1", "node-killed", func() { f.docker("kill", f.container("supernode_1")) }},
		{"another key in its place", "supernode_2", "node-key-changed", func() {
			key := "client_credentials_2"
			writeKey(t, filepath.Join(f.dir, "keys"), key)
			if r := h.run("restart", "supernode_2", "--dir", f.dir); r.code != 1 || !strings.Contains(r.err, "was changed") {
				t.Errorf("a restart with another key: exit %d\n%s", r.code, r.err)
			}
		}},
		{"image of an old flwr", "supernode_3", "node-version", func() {
			f.docker("stop", f.container("supernode_3"))
			f.docker("run", "-d", "--name", "by-hand", "--network", "host", "--user", fmt.Sprint(os.Geteuid()), "-e", "FLWR_HOME=/tmp/flwr",
				"-v", f.dir+":/app/here:ro", oldest, "--superlink", f.fleet(), "--root-certificates", "here/.flwrup/grid/ca.crt",
				"--auth-supernode-private-key", "here/keys/client_credentials_3", "--auth-supernode-public-key", "here/keys/client_credentials_3.pub",
				"--clientappio-api-address", "127.0.0.1:20999")
		}},
		{"name taken by another's container", "supernode_4", "name-taken", func() {
			name := f.container("supernode_4")
			f.docker("stop", name)
			f.docker("rm", name)
			f.docker("run", "-d", "--name", name, "--entrypoint", "sleep", oldest, "600")
		}},
	}
	for _, b := range broken { // the killed one first: the grid lets go of it after a minute
		b.harm()
		if f.long {
			f.tells(b.what, time.Now(), map[string]string{b.node: b.code})
			f.mend(b.node)
			f.allOnline(0)
		}
	}
	if !f.long {
		want := map[string]string{}
		for _, b := range broken {
			want[b.node] = b.code
		}
		f.tells("all four at once", time.Now(), want)
		for _, b := range broken[1:] { // that one is mended at the end
			f.mend(b.node)
		}
		f.allOnline(1)
	}
	if got := f.docker("inspect", "-f", "{{.State.Status}}", "rehearsal_"+f.id()+"_supernode_4"); got != "running" {
		t.Errorf("the container of somebody else is %q", got)
	}

	daemon.Stop()
	f.tells("Docker stopped", time.Now(), map[string]string{"docker": "docker-down"})
	daemon.Start() // the remedy: it says how to start Docker
	f.allOnline(f.stillDown())

	pid := f.gridPID()
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	f.tells("the grid stopped", time.Now(), map[string]string{"grid": "rehearsal-grid-ended"})
	f.mend("grid")
	f.allOnline(f.stillDown())
	if !f.long {
		f.mend("supernode_1")
		f.allOnline(0)
	}
	if f.long {
		f.watched(daemon)
	}
	if n := h.flwrSays(f.dir)["online"]; n != f.nodes {
		t.Errorf("flwr itself calls %d online, %d wanted", n, f.nodes)
	}
}

// watched runs `flwrup watch` during the faults. The watch tells once of each trouble, waits where waiting helps, and
// leaves the folder to the dashboard that is open there, which mends on f, and unasked after w.
func (f *faults) watched(daemon *require.Daemon) {
	w := f.watching(f.dir)
	daemon.Stop()
	w.waits(30*time.Second, "runtime-lost", "")
	daemon.Start()
	w.waits(30*time.Second, "runtime-back", "")
	f.allOnline(0)
	if err := syscall.Kill(f.gridPID(), syscall.SIGTERM); err != nil {
		f.t.Fatal(err)
	}
	f.tells("the grid stopped, watched", time.Now(), map[string]string{"grid": "rehearsal-grid-ended"})
	w.waits(30*time.Second, "grid-lost", "")
	f.mend("grid")
	w.waits(30*time.Second, "grid-back", "")
	f.allOnline(0)
	if n := w.times("runtime-lost", "") + w.times("runtime-back", "") + w.times("grid-lost", "") + w.times("grid-back", ""); n != 4 {
		f.t.Errorf("Docker and grid went and came once each, and it told of that %d times", n)
	}

	s := f.onTerminal(100, 30, "--dir", f.dir) // the dashboard has the folder
	all := fmt.Sprintf("%d of %d SuperNodes online", f.nodes, f.nodes)
	s.Wait(all)
	f.docker("stop", f.container("supernode_2"))
	s.Wait("f start it again")
	began := time.Now()
	s.Press("f")
	s.Wait(all)
	f.logf("ended, and online again by f", began)
	began = time.Now()
	f.docker("kill", f.container("supernode_1"))
	w.waits(2*time.Minute, "busy", "")
	s.Press("w")
	s.Wait("supernode_1 is back after")
	f.logf("killed, and online again by w", began)
	s.Press("q")
	s.Over(0)
	if w.saw("node-restart", "supernode_1") || w.saw("node-restart", "supernode_2") {
		f.t.Error("the watch restarts though the dashboard has the folder")
	}
	w.end()
	f.allOnline(0)
}

type fault struct {
	what, node, code string
	harm             func()
}

type faults struct {
	*home
	dir   string
	nodes int
	long  bool
	last  faultStatus

	federation string // as flwr listed it last
}

// faultStatus is the part of `flwrup status --json` that TestFaults looks at.
type faultStatus struct {
	Data struct {
		Online int
		Nodes  []struct {
			Name, Grid, State string
			ID                string `json:"node_id"`
			Diagnosis         *struct{ Code, Message, Fix string }
			Remedy            *struct{ Says, Command string }
		}
		Grid   *struct{ Code string }      `json:"grid_error"`
		Docker *struct{ Code, Fix string } `json:"runtime_error"`
		Remedy *struct{ Says, Command string }
	}
}

func (f *faults) status() faultStatus {
	f.t.Helper()
	var s faultStatus
	text := f.run("status", "--json", "--dir", f.dir).out
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		f.t.Fatalf("%v\n%s", err, tail(text))
	}
	f.last = s
	return s
}

// tells waits until status tells the wanted codes, by SuperNode, or "grid" and "docker" for what concerns all.
func (f *faults) tells(what string, since time.Time, want map[string]string) {
	f.t.Helper()
	for {
		s := f.status()
		got := map[string]string{}
		for _, n := range s.Data.Nodes {
			if n.Diagnosis != nil {
				got[n.Name] = n.Diagnosis.Code
			}
		}
		if s.Data.Grid != nil {
			got["grid"] = s.Data.Grid.Code
		}
		if s.Data.Docker != nil {
			got["docker"] = s.Data.Docker.Code
			if s.Data.Docker.Fix == "" {
				f.t.Error("Docker is down, and no word of what to do")
			}
		}
		missing := ""
		for who, code := range want {
			if got[who] != code {
				missing += fmt.Sprintf(" %s: %q, %q wanted;", who, got[who], code)
			}
		}
		if missing == "" {
			f.logf(what+": said", since)
			if took := time.Since(since); took > saidWithin && busy() {
				f.t.Logf("%s: said only after %.1f s, on a machine that has more to do than it can", what, took.Seconds())
			} else if took > saidWithin {
				f.t.Errorf("%s: said only after %.1f s", what, took.Seconds())
			}
			return
		}
		if time.Since(since) > 6*saidWithin {
			f.t.Fatalf("%s: still not said: %s", what, missing)
		}
	}
}

// busy reports whether more programs want a processor than there could be in a test of ours: then times tell nothing.
func busy() bool {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return false
	}
	load, err := strconv.ParseFloat(strings.Fields(string(text))[0], 64)
	return err == nil && load > float64(4*runtime.NumCPU())
}

// mend runs the command that the last status offered against the trouble of a SuperNode, or of the "grid", word
// for word.
func (f *faults) mend(who string) {
	f.t.Helper()
	s, command := f.last, ""
	if who == "grid" && s.Data.Remedy != nil {
		command = s.Data.Remedy.Command
	}
	for _, n := range s.Data.Nodes {
		if n.Name == who && n.Remedy != nil {
			command = n.Remedy.Command
		}
	}
	if command == "" {
		f.t.Fatalf("no command offered against the trouble of %s: %+v", who, s.Data)
	}
	began := time.Now()
	cmd := exec.Command("sh", "-c", command)
	cmd.Env, cmd.Dir = f.env, f.home.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		f.t.Fatalf("%s: %v\n%s", command, err, tail(string(out)))
	}
	f.logf(command, began)
}

// allOnline waits until all SuperNodes but so many are online, and nothing is wrong with any other.
func (f *faults) allOnline(but int) {
	f.t.Helper()
	began := time.Now()
	eventually(f.t, 2*time.Minute, func() string {
		s, wrong := f.status(), 0
		for _, n := range s.Data.Nodes {
			if n.Diagnosis != nil {
				wrong++
			}
		}
		if s.Data.Online != f.nodes-but || wrong > but || s.Data.Grid != nil || s.Data.Docker != nil {
			return fmt.Sprintf("%d of %d wanted online, got %+v", f.nodes-but, f.nodes, s.Data)
		}
		return ""
	})
	f.logf(fmt.Sprintf("%d of %d online", f.nodes-but, f.nodes), began)
}

// stillDown is how many are not mended yet: the killed one, unless each fault is mended at once.
func (f *faults) stillDown() int {
	if f.long {
		return 0
	}
	return 1
}

func (f *faults) logf(what string, since time.Time) {
	f.t.Helper()
	f.t.Logf("%-60s %5.1f s", what, time.Since(since).Seconds())
}

func (f *faults) docker(args ...string) string {
	f.t.Helper()
	cmd := exec.Command("docker", args...)
	cmd.Env = f.env
	out, err := cmd.CombinedOutput()
	if err != nil {
		f.t.Fatalf("docker %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

func (f *faults) id() string {
	f.t.Helper()
	id, err := os.ReadFile(filepath.Join(f.dir, ".flwrup", "id"))
	if err != nil {
		f.t.Fatal(err)
	}
	return strings.TrimSpace(string(id))
}

// container is the name of a SuperNode's container, running or not.
func (f *faults) container(node string) string {
	f.t.Helper()
	return f.docker("ps", "-a", "--format", "{{.Names}}", "--filter", "label=flwrup.project="+f.id(), "--filter", "label=flwrup.node="+node)
}

func (f *faults) write(name, text string) {
	f.t.Helper()
	if err := os.MkdirAll(f.dir, 0o755); err != nil {
		f.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(f.dir, name), []byte(text), 0o644); err != nil {
		f.t.Fatal(err)
	}
}

// ready is what the grid wrote when it was ready.
func (f *faults) ready() (r struct {
	PID   int    `json:"pid"`
	Fleet string `json:"fleet_address"`
}) {
	f.t.Helper()
	text, err := os.ReadFile(filepath.Join(f.dir, ".flwrup", "grid", "ready.json"))
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	if err != nil {
		f.t.Fatal(err)
	}
	return r
}

// nodeID is a SuperNode's, by the last status.
func (f *faults) nodeID(node string) string {
	f.t.Helper()
	for _, n := range f.status().Data.Nodes {
		if n.Name == node {
			return n.ID
		}
	}
	f.t.Fatalf("no %s", node)
	return ""
}

func (f *faults) gridPID() int  { return f.ready().PID }
func (f *faults) fleet() string { return f.ready().Fleet }

// writeKey puts a new key pair in the place of one.
func writeKey(t *testing.T, dir, name string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(key, "")
	if err != nil {
		t.Fatal(err)
	}
	public, err := ssh.NewPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	for end, text := range map[string][]byte{"": pem.EncodeToMemory(block), ".pub": ssh.MarshalAuthorizedKey(public)} {
		file := filepath.Join(dir, name+end)
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
