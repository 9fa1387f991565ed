//go:build unix

package grid

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"flwrup/internal/child"
	"flwrup/internal/problem"
	"flwrup/internal/require"
)

// TestMain turns the test binary into an owner of a grid, for tests that kill it.
func TestMain(m *testing.M) {
	if dir := os.Getenv("GRID_TEST_OWNER"); dir != "" {
		own(dir, os.Getenv("GRID_TEST_PYTHON"), os.Getenv("GRID_TEST_KEEP") != "")
	}
	os.Exit(m.Run())
}

func own(dir, python string, keep bool) {
	g, err := Start(context.Background(), Options{Dir: dir, Python: python}, func(s string) { fmt.Println("say", s) })
	if err == nil && keep {
		err = g.Keep(context.Background())
	}
	fmt.Println("started", err)
	if err != nil {
		fmt.Println(problem.Of(err).Raw)
		os.Exit(1)
	}
	time.Sleep(time.Hour)
}

// owner starts another process that owns the grid in dir; it returns once that process prints word.
func owner(t *testing.T, env, dir, word string, keep bool) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "GRID_TEST_OWNER="+dir, "GRID_TEST_PYTHON="+require.Program(env, "python"))
	if keep {
		cmd.Env = append(cmd.Env, "GRID_TEST_KEEP=1")
	}
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	stuck := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
	defer stuck.Stop()
	var said []byte
	for buf := make([]byte, 4096); !bytes.Contains(said, []byte(word)); {
		n, err := out.Read(buf)
		if said = append(said, buf[:n]...); err != nil {
			t.Fatalf("owner: %v: %s", err, said)
		}
	}
	return cmd
}

func start(t *testing.T, o Options) *Grid {
	t.Helper()
	begin := time.Now()
	g, err := Start(t.Context(), o, nil)
	if err != nil {
		t.Fatalf("%v\n%s", err, problem.Of(err).Raw)
	}
	t.Logf("flwr %s ready after %v", g.Ready.Version, time.Since(begin).Round(10*time.Millisecond))
	t.Cleanup(func() { must(t, StopDir(context.Background(), o.Dir)) })
	return g
}

// family returns the living processes of a grid: those of its group, and those that name its folder.
func family(t *testing.T, group int, dir string) []string {
	t.Helper()
	ps := exec.Command("ps", "-axo", "pid=,pgid=,stat=,args=")
	ps.Env = append(os.Environ(), "LC_ALL=C.UTF-8") // without a locale it writes ?? for the ë of the folder
	out, err := ps.Output()
	must(t, err)
	var found []string
	for _, line := range strings.Split(string(out), "\n") {
		if f := strings.Fields(line); len(f) > 2 && (f[1] == fmt.Sprint(group) || strings.Contains(line, dir+"/")) && !strings.HasPrefix(f[2], "Z") {
			found = append(found, line)
		}
	}
	return found
}

func within(t *testing.T, limit time.Duration, what string, ok func() bool) time.Duration {
	t.Helper()
	begin := time.Now()
	for !ok() {
		if time.Since(begin) > limit {
			t.Fatalf("%s: not within %v", what, limit)
		}
		time.Sleep(20 * time.Millisecond)
	}
	return time.Since(begin)
}

// cli is the flwr of an environment, set up for a grid.
type cli struct {
	t    *testing.T
	env  string
	home string
	conn []string
}

func newCLI(t *testing.T, env string, g *Grid) *cli {
	c := &cli{t: t, env: env, home: t.TempDir(), conn: []string{"supergrid"}}
	section, file := "superlink", filepath.Join(c.home, "config.toml")
	extra := ""
	if strings.HasPrefix(g.Ready.Version, "1.24.") {
		app := filepath.Join(t.TempDir(), "app")
		must(t, WriteApp(app, false))
		section, file, c.conn = "tool.flwr.federations", filepath.Join(app, "pyproject.toml"), []string{app, "supergrid"}
		extra = "enable-account-auth = true\nfederation = \"flowerlabs\"\n"
	}
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	must(t, err)
	defer f.Close()
	_, err = fmt.Fprintf(f, "\n[%s.supergrid]\naddress = %q\nroot-certificates = %q\n%s", section, g.Ready.Control, g.Ready.CA, extra)
	must(t, err)
	return c
}

func (c *cli) command(args ...string) *exec.Cmd {
	cmd := exec.CommandContext(c.t.Context(), require.Program(c.env, "flwr"), args...)
	cmd.Dir = c.home
	cmd.Env = append(environment(os.Environ()), "FLWR_HOME="+c.home, "BROWSER=true", "COLUMNS=200", "FLWR_TELEMETRY_ENABLED=0", "FLWR_DISABLE_UPDATE_CHECK=1")
	return cmd
}

func (c *cli) run(args ...string) string {
	c.t.Helper()
	out, err := c.command(append(args, "--format", "json")...).CombinedOutput()
	if err != nil || strings.Contains(string(out), `"success": false`) {
		c.t.Fatalf("flwr %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// login runs flwr login and approves it over HTTP, as a person does in the browser.
func (c *cli) login(g *Grid, account string) {
	c.t.Helper()
	cmd := c.command(append([]string{"login"}, c.conn...)...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	must(c.t, cmd.Start())
	var s State
	within(c.t, 60*time.Second, "a login waits", func() bool {
		var err error
		s, err = g.State(c.t.Context())
		must(c.t, err)
		return len(s.Logins) == 1
	})
	code, page := s.Logins[0].UserCode, s.Logins[0].URL
	if err := g.Approve(c.t.Context(), "NO-SUCH", account); err == nil {
		c.t.Error("approved a login that does not exist")
	}
	must(c.t, g.Approve(c.t.Context(), code, account))
	if err := cmd.Wait(); err != nil {
		c.t.Fatalf("login: %v\n%s", err, out.String())
	}
	if strings.Contains(out.String(), code) || !strings.Contains(out.String(), page) {
		c.t.Errorf("flwr showed another page than %s: %s", page, out.String())
	}
}

func (c *cli) register() (nodeID string) {
	c.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	must(c.t, err)
	pub, err := ssh.NewPublicKey(&key.PublicKey)
	must(c.t, err)
	file := filepath.Join(c.home, "node.pub")
	must(c.t, os.WriteFile(file, ssh.MarshalAuthorizedKey(pub), 0o644))
	out := c.run(append([]string{"supernode", "register", file}, c.conn...)...)
	id := regexp.MustCompile(`"node-id": (\d+)`).FindStringSubmatch(out)
	if id == nil {
		c.t.Fatalf("no node ID: %s", out)
	}
	return id[1]
}

// startSlowRun starts a run and waits until its ServerApp has a process.
func (c *cli) startSlowRun(g *Grid, federation string) {
	c.t.Helper()
	args := append([]string{"run"}, c.conn...)
	if len(c.conn) == 1 {
		app := filepath.Join(c.t.TempDir(), "app")
		must(c.t, WriteApp(app, false))
		if federation == "" {
			federation = g.Ready.Federations[0]
		}
		args = []string{"run", app, c.conn[0], "--federation", federation}
	}
	c.run(append(args, "--run-config", `behave="slow"`)...)
	within(c.t, 2*time.Minute, "a ServerApp runs", func() bool {
		return strings.Contains(strings.Join(family(c.t, g.Ready.PID, g.Dir), "\n"), "serverapp")
	})
}

// TestLife is a grid's whole life with each generation of flwr: start, login, use, attach, kill -9 in a run,
// start again with all its state, stop with nothing left.
func TestLife(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"1.24.0", "1.26.1", require.Newest} {
		t.Run(version, func(t *testing.T) {
			t.Parallel() // a grid waits more than it works
			env := require.Flwr(t, version)
			o := Options{Dir: filepath.Join(t.TempDir(), "grid of Zoë"), Python: require.Program(env, "python"), LoginTTL: time.Minute}
			g := start(t, o)
			if g.Ready.Version != version || g.Attached || g.Ready.Managed == (version < "1.27") {
				t.Errorf("%+v", g.Ready)
			}
			c := newCLI(t, env, g)
			c.login(g, "bob")
			id := c.register()
			fed := ""
			if g.Ready.Managed {
				c.run(append([]string{"federation", "create", "study"}, c.conn...)...)
				fed = "@bob/study"
				c.run(append([]string{"federation", "add-supernode", id, fed}, c.conn...)...)
			}

			again, err := Start(t.Context(), o, nil)
			must(t, err)
			if !again.Attached || again.Ready.PID != g.Ready.PID {
				t.Errorf("did not attach: %+v", again.Ready)
			}

			c.startSlowRun(g, fed)
			must(t, syscall.Kill(g.Ready.PID, syscall.SIGKILL))
			within(t, 5*time.Second, "the killed grid is known to be gone", func() bool { _, ok := Running(o.Dir); return !ok })
			t.Logf("children gone %v after kill -9", within(t, 20*time.Second, "children end", func() bool { return len(family(t, g.Ready.PID, g.Dir)) == 0 }))

			second := start(t, o)
			if second.Ready.Control != g.Ready.Control || second.Ready.Fleet != g.Ready.Fleet {
				t.Errorf("other addresses: %+v, were %+v", second.Ready, g.Ready)
			}
			s, err := second.State(t.Context())
			must(t, err)
			if len(s.Nodes) != 1 || s.Nodes[0].NodeID != id || s.Nodes[0].Owner != "bob" || !s.Nodes[0].Confirmed {
				t.Errorf("nodes %+v, want %s", s.Nodes, id)
			}
			if fed != "" && (len(s.Federations[fed].Nodes) != 1 || s.Federations[fed].Nodes[0].String() != id) {
				t.Errorf("federations %+v", s.Federations)
			}
			if out := c.run(append([]string{"supernode", "list"}, c.conn...)...); !strings.Contains(out, id) {
				t.Errorf("no longer logged in, or node gone: %s", out)
			}

			begin := time.Now()
			must(t, second.Stop(t.Context()))
			t.Logf("stopped after %v", time.Since(begin).Round(10*time.Millisecond))
			if left := family(t, second.Ready.PID, g.Dir); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
			if _, ok := Running(o.Dir); ok {
				t.Error("said to be running")
			}
			must(t, second.Stop(t.Context()))
		})
	}
}

func TestPortal(t *testing.T) {
	t.Parallel()
	env := require.Flwr(t, require.Newest)
	g := start(t, Options{Dir: t.TempDir(), Python: require.Program(env, "python"), ConfirmNodes: "fleet"})
	ctx := t.Context()
	must(t, g.Fault(ctx, Fault{RPC: "RegisterNode", Mode: "drop-after"}))
	must(t, g.Fault(ctx, Fault{RPC: "*", Mode: "delay", Count: 3, Seconds: 0.5}))
	s, err := g.State(ctx)
	must(t, err)
	if len(s.Faults) != 2 || s.Faults[0] != (Fault{"Control/RegisterNode", "drop-after", 1, 5}) && s.Faults[0].RPC != "Control/RegisterNode" {
		t.Errorf("%+v", s.Faults)
	}
	if err := g.Fault(ctx, Fault{RPC: "*", Mode: "no such mode"}); !problem.Is(err, problem.GridFailed) {
		t.Errorf("%v", err)
	}
	must(t, g.ClearFaults(ctx))
	c := newCLI(t, env, g)
	c.login(g, "")
	id := c.register()
	confirmed := func() bool {
		s, err := g.State(ctx)
		must(t, err)
		return len(s.Faults) == 0 && len(s.Nodes) == 1 && s.Nodes[0].Confirmed
	}
	if confirmed() {
		t.Error("confirmed by itself")
	}
	must(t, g.Confirm(ctx, id))
	if !confirmed() {
		t.Error("not confirmed")
	}
	must(t, g.Unconfirm(ctx, id))
	must(t, g.Confirm(ctx, "all"))
	if !confirmed() {
		t.Error("all: not confirmed")
	}
	must(t, g.Expire(ctx, "ada", "both"))
	out, _ := c.command("supernode", "list", "supergrid", "--format", "json").CombinedOutput()
	if !strings.Contains(string(out), "Authentication failed") {
		t.Errorf("still logged in: %s", out)
	}
	must(t, g.Stop(ctx))
	if _, err := g.State(ctx); !problem.Is(err, problem.GridFailed) {
		t.Errorf("%v", err)
	}
}

// TestOwnerKilled kills the program that started a grid: at once, in the middle of the start, and
// when the grid is ready. No process of the grid outlives it by more than two seconds.
func TestOwnerKilled(t *testing.T) {
	for _, version := range []string{"1.24.0", require.Newest} {
		env := require.Flwr(t, version)
		for _, c := range []struct {
			name, word string
			after      time.Duration
		}{
			{"at once", "say starting", 0},
			{"starting", "say starting", 700 * time.Millisecond},
			{"ready", "started <nil>", 300 * time.Millisecond},
		} {
			t.Run(version+" "+c.name, func(t *testing.T) {
				dir := t.TempDir()
				cmd := owner(t, env, dir, c.word, false)
				time.Sleep(c.after)
				must(t, cmd.Process.Kill())
				begin := time.Now()
				pid := 0
				if alive(dir) {
					pid = holder(dir, "")
				}
				within(t, 4*time.Second, "the grid ends", func() bool { return !alive(dir) && (pid == 0 || len(family(t, pid, dir)) == 0) })
				t.Logf("gone after %v", time.Since(begin).Round(10*time.Millisecond))
				time.Sleep(200 * time.Millisecond) // a process that had not reached its lock yet
				within(t, 4*time.Second, "the grid ends", func() bool { return !alive(dir) })
				if _, err := os.Stat(filepath.Join(dir, "ready.json")); err == nil {
					t.Error("ready.json is still there")
				}
				if c.name == "ready" {
					start(t, Options{Dir: dir, Python: require.Program(env, "python")})
				}
			})
		}
	}
}

// TestKeep kills the program that started a grid and kept it: the grid lives on for the next program.
func TestKeep(t *testing.T) {
	t.Parallel()
	env := require.Flwr(t, require.Newest)
	dir := t.TempDir()
	t.Cleanup(func() { must(t, StopDir(context.Background(), dir)) })
	cmd := owner(t, env, dir, "started <nil>", true)
	must(t, cmd.Process.Kill())
	_ = cmd.Wait()
	time.Sleep(3 * time.Second)
	g, ok := Running(dir)
	if !ok {
		t.Fatal("the kept grid is gone")
	}
	if kept, err := g.Kept(t.Context()); err != nil || !kept {
		t.Errorf("%v, %v", kept, err)
	}
	if out, err := exec.Command("ps", "-o", "sess=,tty=", "-p", fmt.Sprint(g.Ready.PID)).Output(); err != nil || strings.Contains(string(out), "pts") {
		t.Errorf("has a terminal: %s, %v", out, err)
	}
	must(t, g.Stop(t.Context()))
	if left := family(t, g.Ready.PID, g.Dir); len(left) > 0 || alive(dir) {
		t.Errorf("left behind: %v", left)
	}
}

// TestStopHung stops a grid that does not react to anything.
func TestStopHung(t *testing.T) {
	for _, version := range []string{"1.24.0", require.Newest} {
		t.Run(version, func(t *testing.T) {
			env := require.Flwr(t, version)
			g := start(t, Options{Dir: t.TempDir(), Python: require.Program(env, "python")})
			within(t, 20*time.Second, "the SuperExec runs", func() bool {
				return strings.Contains(strings.Join(family(t, g.Ready.PID, g.Dir), "\n"), "superexec")
			})
			must(t, syscall.Kill(g.Ready.PID, syscall.SIGSTOP))
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			must(t, g.Stop(ctx))
			within(t, time.Second, "nothing is left behind", func() bool { return len(family(t, g.Ready.PID, g.Dir)) == 0 })
		})
	}
}

func TestTwoAtOnce(t *testing.T) {
	env := require.Flwr(t, "1.24.0")
	o := Options{Dir: t.TempDir(), Python: require.Program(env, "python")}
	type result struct {
		g   *Grid
		err error
	}
	results := make(chan result)
	for range 2 {
		go func() { g, err := Start(t.Context(), o, nil); results <- result{g, err} }()
	}
	a, b := <-results, <-results
	t.Cleanup(func() { must(t, StopDir(context.Background(), o.Dir)) })
	must(t, a.err)
	must(t, b.err)
	if a.g.Ready.PID != b.g.Ready.PID || a.g.Attached == b.g.Attached {
		t.Errorf("%+v\n%+v", a.g, b.g)
	}
}

func TestPortTaken(t *testing.T) {
	env := require.Flwr(t, "1.24.0")
	o := Options{Dir: t.TempDir(), Python: require.Program(env, "python")}
	g := start(t, o)
	must(t, g.Stop(t.Context()))
	portal := strings.TrimPrefix(g.Ready.Portal, "http://")
	for addr, taken := range map[string]bool{g.Ready.Control: true, g.Ready.Fleet: true, portal: false} {
		l, err := net.Listen("tcp", addr)
		must(t, err)
		g, err := Start(t.Context(), o, nil)
		if taken != problem.Is(err, problem.PortTaken) {
			t.Errorf("%s: %v", addr, err)
		}
		if err == nil {
			must(t, g.Stop(t.Context()))
		}
		l.Close()
	}
}

func TestCannotStart(t *testing.T) {
	env := require.Flwr(t, "1.24.0")
	python := require.Program(env, "python")
	file := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(file, nil, 0o600))
	bare, err := exec.LookPath("python3")
	if err != nil {
		bare = python
	}
	for name, c := range map[string]struct {
		o    Options
		code problem.Code
		raw  string
	}{
		"no python":    {Options{Dir: t.TempDir(), Python: "/none"}, problem.PythonMissing, ""},
		"no flwr":      {Options{Dir: t.TempDir(), Python: bare, Extra: []string{"--no-such"}}, problem.GridFailed, "o"},
		"bad argument": {Options{Dir: t.TempDir(), Python: python, Extra: []string{"--no-such"}}, problem.GridFailed, "--no-such"},
		"a file":       {Options{Dir: file, Python: python}, problem.BadInput, ""},
		"too slow":     {Options{Dir: t.TempDir(), Python: python, Timeout: 200 * time.Millisecond}, problem.GridFailed, ""},
	} {
		_, err := Start(t.Context(), c.o, nil)
		if p := problem.Of(err); p == nil || p.Code != c.code || !strings.Contains(p.Raw, c.raw) {
			t.Errorf("%s: %#v", name, p)
		}
		if alive(c.o.Dir) {
			t.Errorf("%s: still running", name)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	dir := t.TempDir()
	if _, err := Start(ctx, Options{Dir: dir, Python: python}, nil); !problem.Is(err, problem.Cancelled) {
		t.Errorf("cancelled: %v", err)
	}
	if alive(dir) {
		t.Error("cancelled: still running")
	}
}

func TestEnvironment(t *testing.T) {
	for name, value := range map[string]string{"FLWR_HOME": "/x", "PYTHONPATH": "/y", "PYTHONHOME": "/z", "PYTHONDONTWRITEBYTECODE": "1", "no_proxy": "a"} {
		t.Setenv(name, value)
	}
	t.Setenv("PYTHONPYCACHEPREFIX", "")
	got := strings.Join(environment(child.Environ()), " ")
	for _, want := range []string{"PATH=" + os.Getenv("PATH"), "PYTHONPYCACHEPREFIX=", "no_proxy=127.0.0.1,localhost,a"} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is missing in %s", want, got)
		}
	}
	for _, no := range []string{"FLWR_HOME", "PYTHONPATH", "PYTHONHOME", "PYTHONDONTWRITEBYTECODE"} {
		if strings.Contains(got, no) {
			t.Errorf("%s is in %s", no, got)
		}
	}
}

// A grid stopped with SIGSTOP runs, is recognised as suspended, and continues or ends on request.
func TestSuspended(t *testing.T) {
	env := require.Flwr(t, require.Newest)
	o := Options{Dir: filepath.Join(t.TempDir(), "grid"), Python: require.Program(env, "python")}
	g := start(t, o)
	if _, is := Suspended(o.Dir); is {
		t.Error("called suspended while it runs")
	}
	must(t, syscall.Kill(g.Ready.PID, syscall.SIGSTOP))
	within(t, time.Second, "suspended", func() bool { pid, is := Suspended(o.Dir); return is && pid == g.Ready.PID })
	began := time.Now()
	if again, ok := Running(o.Dir); !ok || again.Ready.PID != g.Ready.PID || time.Since(began) > time.Second {
		t.Errorf("a suspended grid does not run: %v after %v", ok, time.Since(began))
	}
	again, err := Start(t.Context(), o, nil)
	must(t, err)
	if again.Ready.PID != g.Ready.PID {
		t.Error("another grid was started in place of the suspended one")
	}
	if _, err := again.State(t.Context()); err != nil {
		t.Error(err)
	}
	must(t, syscall.Kill(g.Ready.PID, syscall.SIGSTOP))
	must(t, StopDir(context.Background(), o.Dir))
	if left := family(t, g.Ready.PID, o.Dir); len(left) > 0 {
		t.Errorf("still there: %q", left)
	}
}
