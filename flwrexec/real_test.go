package flwrexec

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"flwrup/flwrexec/app"
	"flwrup/flwrexec/flwr"
	"flwrup/flwrexec/install"
	"flwrup/internal/problem"
	"flwrup/internal/require"
)

// Tests on the real flwr that need no grid.

var (
	realVersions = []string{"1.24.0", "1.26.1", require.Newest}
	transports   = []string{"1.24.0", require.Newest} // gRPC, HTTP
)

func realFlwr(t *testing.T, version string) install.Found {
	t.Helper()
	env := require.Flwr(t, version)
	found, errs := install.Find(t.Context(), install.FindOptions{Path: env})
	if len(errs) > 0 || len(found) != 1 {
		t.Fatal(found, errs)
	}
	return found[0]
}

// realSession returns a session with a connection "dead" to a port where nobody listens, and one "silent" to
// a server that accepts and never answers.
func realSession(t *testing.T, version string, o SessionOptions) (*Session, func(name string) flwr.Connection) {
	t.Helper()
	f := realFlwr(t, version)
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { silent.Close() })
	dir := filepath.Join(t.TempDir(), "a folder, ünïcode")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"pyproject.toml": fmt.Sprintf("[project]\nname=\"x\"\nversion=\"1.0.0\"\n[tool.flwr.app]\npublisher=\"x\"\n"+
			"[tool.flwr.app.components]\nserverapp=\"x:a\"\nclientapp=\"x:b\"\n[tool.flwr.app.config]\n"+
			"[tool.flwr.federations.dead]\naddress=\"127.0.0.1:1\"\nenable-account-auth=true\n"+
			"[tool.flwr.federations.silent]\naddress=%q\nenable-account-auth=true\n", silent.Addr()),
		"config.toml": fmt.Sprintf("[superlink]\ndefault=\"dead\"\n[superlink.dead]\naddress=\"127.0.0.1:1\"\n"+
			"[superlink.silent]\naddress=%q\n", silent.Addr()),
	} {
		if flwr.DialectOf(f.Version).ConfigInPyproject != (name == "pyproject.toml") {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	o.FlwrHome = dir
	s := NewSession(f, o)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, func(name string) flwr.Connection { return flwr.Connection{Name: name, App: dir} }
}

func TestRealDialectIsRight(t *testing.T) {
	for _, version := range realVersions {
		t.Run(version, func(t *testing.T) {
			s, _ := realSession(t, version, SessionOptions{})
			want := s.Dialect()
			if !want.Known() {
				t.Error("not known")
			}
			if err := s.Check(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := s.Dialect(); got != want {
				t.Errorf("the table says %+v, flwr %+v", want, got)
			}
		})
	}
}

func TestRealErrors(t *testing.T) {
	for _, version := range realVersions {
		for _, single := range []bool{false, true} {
			if single && version == "1.26.1" {
				continue // as 1.24.0
			}
			t.Run(fmt.Sprintf("%s single=%v", version, single), func(t *testing.T) {
				var mu sync.Mutex
				var calls []Call
				s, c := realSession(t, version, SessionOptions{NoWorker: single, Log: func(c Call) {
					mu.Lock()
					defer mu.Unlock()
					calls = append(calls, c)
				}})
				_, err := s.Nodes(t.Context(), c("dead"))
				if !problem.Is(err, problem.Unreachable) || !single && MayHaveHappened(err) {
					t.Errorf("dead: %v\n%s", err, problem.Of(err).Raw)
				}
				_, err = s.Nodes(t.Context(), c("nosuch"))
				if !problem.Is(err, problem.NoConnection) {
					t.Errorf("nosuch: %v\n%s", err, problem.Of(err).Raw)
				}
				bad := filepath.Join(t.TempDir(), "bad.pub")
				if err := os.WriteFile(bad, []byte("ssh-rsa AAAA nonsense\n"), 0o600); err != nil {
					t.Fatal(err)
				}
				times := 2 // flwr's refusal ends its process; the next call has a new one
				if single {
					times = 1
				}
				for range times {
					_, err = s.Register(t.Context(), c("dead"), flwr.Registration{PublicKey: bad, Name: "name"})
					if !problem.Is(err, problem.BadKey) || MayHaveHappened(err) {
						t.Errorf("bad key: %v\n%s", err, problem.Of(err).Raw)
					}
				}
				if len(calls) != 2+times || calls[0].Argv[0] != "flwr" || calls[0].Worker == single || calls[2].Took == 0 {
					t.Errorf("log of commands: %+v", calls)
				}
			})
		}
	}
}

func TestRealLoginThatCannot(t *testing.T) {
	for _, version := range realVersions {
		for _, single := range []bool{false, true} { // flwr's own program hangs, up to 1.32
			t.Run(fmt.Sprintf("%s single=%v", version, single), func(t *testing.T) {
				s, c := realSession(t, version, SessionOptions{NoWorker: single})
				if single {
					s.runner.found.Python = ""
				}
				begun := time.Now()
				err := s.Login(t.Context(), c("dead"), func(p LoginPrompt) { t.Errorf("prompt %+v", p) }, func(string) {})
				if !problem.Is(err, problem.Unreachable) {
					t.Errorf("%v", err)
				}
				if took := time.Since(begun); took > time.Minute {
					t.Errorf("took %v", took)
				}
			})
		}
	}
}

func TestRealCancelAndLimit(t *testing.T) {
	for _, version := range transports {
		t.Run(version, func(t *testing.T) {
			s, c := realSession(t, version, SessionOptions{Limit: 40 * time.Second})
			if _, err := s.Warm(t.Context()); err != nil {
				t.Fatal(err)
			}
			pid := s.runner.worker.cmd.Process.Pid
			ctx, cancel := context.WithTimeout(t.Context(), 700*time.Millisecond)
			defer cancel()
			begun := time.Now()
			_, err := s.Nodes(ctx, c("silent"))
			if !problem.Is(err, problem.Cancelled) || time.Since(begun) > 5*time.Second {
				t.Errorf("after %v: %v", time.Since(begun), err)
			}
			if alive(pid) {
				t.Error("the worker lives on")
			}
			s.o.Limit = 800 * time.Millisecond
			if _, err := s.Warm(t.Context()); err != nil {
				t.Fatal(err)
			}
			_, err = s.Nodes(t.Context(), c("silent"))
			if !problem.Is(err, problem.Unreachable) || !MayHaveHappened(err) {
				t.Errorf("limit: %v", err)
			}
			s.o.Limit = time.Minute
			if _, err = s.Nodes(t.Context(), c("nosuch")); !problem.Is(err, problem.NoConnection) {
				t.Errorf("a new worker: %v", err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			if _, err = s.Nodes(t.Context(), c("nosuch")); err == nil {
				t.Error("a closed session answers")
			}
		})
	}
}

// alive reports whether a process runs (a zombie does not count: its parent is this test).
func alive(pid int) bool {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(b), ") ")
	return !strings.HasPrefix(rest, "Z")
}

// TestRealEndsWithParent is flwrup killed by kill -9 while a command hangs: its flwr must end.
func TestRealEndsWithParent(t *testing.T) {
	if os.Getenv("FLWREXEC_TEST_CHILD") != "" {
		childThatHangs()
		return
	}
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("needs /proc to see that a process is gone")
	}
	for _, version := range transports {
		for _, mode := range []string{"worker", "login", "log"} {
			t.Run(version+" "+mode, func(t *testing.T) {
				_, c := realSession(t, version, SessionOptions{})
				env := require.Flwr(t, version)
				cmd := exec.Command(os.Args[0], "-test.run", "^TestRealEndsWithParent$")
				cmd.Env = append(os.Environ(), "FLWREXEC_TEST_CHILD="+mode, "FLWREXEC_TEST_ENV="+env, "FLWREXEC_TEST_HOME="+c("").App)
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				defer cmd.Process.Kill()
				var pids []int
				for range 150 { // until its Python has loaded flwr and hangs
					time.Sleep(100 * time.Millisecond)
					if pids = children(cmd.Process.Pid); len(pids) > 0 && connected(pids[0]) {
						break
					}
				}
				if len(pids) == 0 {
					t.Fatal("the child started nothing")
				}
				cmd.Process.Kill()
				cmd.Wait()
				for _, pid := range pids {
					for range 50 {
						if !alive(pid) {
							break
						}
						time.Sleep(100 * time.Millisecond)
					}
					if alive(pid) {
						t.Errorf("process %d lives on", pid)
						if p, err := os.FindProcess(pid); err == nil {
							p.Kill()
						}
					}
				}
			})
		}
	}
}

// childThatHangs runs a command against the silent server until it is killed.
func childThatHangs() {
	found, _ := install.Find(context.Background(), install.FindOptions{Path: os.Getenv("FLWREXEC_TEST_ENV")})
	home := os.Getenv("FLWREXEC_TEST_HOME")
	s := NewSession(found[0], SessionOptions{FlwrHome: home})
	c := flwr.Connection{Name: "silent", App: home}
	switch os.Getenv("FLWREXEC_TEST_CHILD") {
	case "worker":
		s.Nodes(context.Background(), c)
	case "login":
		s.Login(context.Background(), c, func(LoginPrompt) {}, func(string) {})
	case "log":
		s.FollowLog(context.Background(), c, 1, func(string) {})
	}
	time.Sleep(time.Minute)
}

func children(pid int) []int {
	var pids []int
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		child, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		b, _ := os.ReadFile("/proc/" + e.Name() + "/stat")
		if _, rest, ok := strings.Cut(string(b), ") "); ok {
			if f := strings.Fields(rest); len(f) > 1 && f[1] == strconv.Itoa(pid) {
				pids = append(pids, child)
			}
		}
	}
	return pids
}

// connected reports whether a process holds a TCP socket: flwr is loaded and talks to the server.
func connected(pid int) bool {
	fds, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	for _, fd := range fds {
		if target, _ := os.Readlink(fd); strings.HasPrefix(target, "socket:") {
			return true
		}
	}
	return false
}

func TestRealFallsBackToSingle(t *testing.T) {
	// A Python without flwr stands for an environment that cannot hold a worker.
	f := realFlwr(t, "1.24.0")
	env := t.TempDir()
	if out, err := exec.Command(require.Tool(t, "flwr", "python3"), "-m", "venv", "--without-pip", env).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	f.Python = require.Program(env, "python")
	var calls []Call
	s := NewSession(f, SessionOptions{FlwrHome: t.TempDir(), Log: func(c Call) { calls = append(calls, c) }})
	defer s.Close()
	if took, err := s.Warm(t.Context()); took != 0 || err != nil {
		t.Errorf("%v %v", took, err)
	}
	if _, err := s.Nodes(t.Context(), flwr.Connection{Name: "x", App: t.TempDir()}); !problem.Is(err, app.Broken) {
		t.Errorf("%v\n%s", err, problem.Of(err).Raw)
	}
	if len(calls) != 1 || calls[0].Worker {
		t.Errorf("%+v", calls)
	}
}

func TestRealPrintedByCDoesNotBreakAnswers(t *testing.T) {
	f := realFlwr(t, "1.24.0")
	w, err := startWorker(t.Context(), f.Python, t.TempDir(), environment(f, SessionOptions{FlwrHome: t.TempDir()}))
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	for range 3 {
		a, err := w.call(t.Context(), []string{"--version"}, nil)
		if err != nil || a.Code != 0 || !strings.Contains(a.Out, "1.24.0") {
			t.Fatalf("%+v %v", a, err)
		}
	}
	var live strings.Builder
	a, err := w.call(t.Context(), []string{"--version"}, func(s string) { live.WriteString(s) })
	if err != nil || a.Out != "" || !strings.Contains(live.String(), "1.24.0") {
		t.Fatalf("%+v %v %q", a, err, live.String())
	}
	// A process that dies during a command is an error, not an answer.
	w.killGroup()
	if _, err := w.call(t.Context(), []string{"--version"}, nil); err == nil {
		t.Error("a dead worker answers")
	}
}

func BenchmarkRealWorkerStart(b *testing.B) {
	env := require.Flwr(b, require.Newest)
	found, errs := install.Find(context.Background(), install.FindOptions{Path: env})
	if len(errs) > 0 {
		b.Fatal(errs)
	}
	for b.Loop() {
		s := NewSession(found[0], SessionOptions{FlwrHome: b.TempDir()})
		if _, err := s.Warm(context.Background()); err != nil {
			b.Fatal(err)
		}
		s.Close()
	}
}

func TestCloseCutsOff(t *testing.T) {
	s, c := realSession(t, require.Newest, SessionOptions{})
	if _, err := s.Warm(t.Context()); err != nil {
		t.Fatal(err)
	}
	result := make(chan error, 1)
	go func() { _, err := s.Nodes(context.Background(), c("silent")); result <- err }()
	time.Sleep(300 * time.Millisecond)
	begun := time.Now()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := <-result; err == nil || time.Since(begun) > 5*time.Second {
		t.Errorf("after %v: %v", time.Since(begun), err)
	}
	if _, err := s.Warm(t.Context()); err == nil || errors.Is(err, context.Canceled) {
		t.Errorf("warm after close: %v", err)
	}
}

// A project's pyproject.toml in the working folder does not concern a session.
func TestRealLeavesPyprojectAlone(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	const text = "[tool.flwr.federations.supergrid]\naddress = \"supergrid.flower.ai\"\nfederation = \"flowerlabs\"\nenable-account-auth = true\n"
	if err := os.WriteFile("pyproject.toml", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, version := range []string{"1.26.1", require.Newest} {
		s, c := realSession(t, version, SessionOptions{})
		if _, err := s.Nodes(t.Context(), c("dead")); !problem.Is(err, problem.Unreachable) {
			t.Errorf("%s: %v", version, err)
		}
		if b, _ := os.ReadFile("pyproject.toml"); string(b) != text {
			t.Errorf("%s changed it:\n%s", version, b)
		}
		s.Close()
	}
}
