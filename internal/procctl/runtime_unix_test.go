//go:build linux || darwin

package procctl

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"flwrup/internal/problem"
	"flwrup/internal/supernode"
)

// TestMain also plays the flwrup that is killed while it starts a node.
func TestMain(m *testing.M) {
	if dir := os.Getenv("PROCCTL_STARTER"); dir != "" {
		r, err := New(Options{Dir: dir, Project: "p"})
		if err == nil {
			err = r.Start(context.Background(), specOf(os.Getenv("PROCCTL_PROGRAM")))
		}
		fmt.Println("started", err)
		time.Sleep(time.Minute)
		return
	}
	goleak.VerifyTestMain(m)
}

// fake stands for flower-supernode; BEHAVE says how it acts.
const fake = `#!/bin/sh
echo "began args=$* home=$FLWR_HOME path=${PATH%%:*} venv=$VIRTUAL_ENV secret=$FLWRUP_SECRET"
echo "to stderr" >&2
case "$BEHAVE" in
fail) sleep 0.2; echo "ERROR :     Exit Code: 302"; echo "Unable to parse the private key file."; exit 3 ;;
stubborn) trap '' TERM; sleep 300 & ;;
*) trap 'echo "INFO :      SuperNode terminated gracefully."; exit 0' TERM ;;
esac
while :; do sleep 0.1 & wait $!; [ -e "$FLWR_HOME/crash" ] && exit 7; done
`

func program(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "flower-supernode")
	if err := os.WriteFile(path, []byte(fake), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func specOf(program string) supernode.Spec {
	return supernode.Spec{Name: "supernode_1", Project: "p", Program: program, Labels: map[string]string{"node": "1"},
		Args: func(key, ca string) []string { return []string{"--superlink", "h:1", "two words"} }}
}

// runtimeIn makes a Runtime whose nodes are gone when the test ends.
func runtimeIn(t *testing.T, dir string) *Runtime {
	t.Helper()
	r, err := New(Options{Dir: dir, Project: "p"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		list, err := r.List(context.Background())
		if err != nil {
			t.Error(err)
		}
		for _, s := range list {
			_ = r.Stop(context.Background(), s.Name, 0)
		}
	})
	return r
}

func one(t *testing.T, r *Runtime) supernode.Status {
	t.Helper()
	list, err := r.List(context.Background())
	if err != nil || len(list) != 1 {
		t.Fatalf("%v, %+v", err, list)
	}
	return list[0]
}

func start(t *testing.T, r *Runtime, spec supernode.Spec) supernode.Status {
	t.Helper()
	if err := r.Start(context.Background(), spec); err != nil {
		t.Fatal(err)
	}
	return one(t, r)
}

func text(t *testing.T, r *Runtime, o supernode.LogOptions) []string {
	t.Helper()
	var lines []string
	if err := r.Logs(context.Background(), "supernode_1", o, func(l supernode.Line) error {
		lines = append(lines, l.Text)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return lines
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatal("never: " + what)
}

func logged(t *testing.T, r *Runtime, want string) {
	t.Helper()
	eventually(t, want+" in the log", func() bool {
		return strings.Contains(strings.Join(text(t, r, supernode.LogOptions{Tail: -1}), "\n"), want)
	})
}

// running counts the fake SuperNodes of one test.
func running(program string) (pids []int) {
	for _, p := range processes() {
		if !p.zombie && p.pgid == p.pid && strings.Contains(commandLine(p.pid), program+" --superlink") {
			pids = append(pids, p.pid)
		}
	}
	return pids
}

func TestLifecycle(t *testing.T) {
	t.Setenv("VIRTUAL_ENV", "/other")
	t.Setenv("FLWRUP_SECRET", "hidden")
	ctx := context.Background()
	r := runtimeIn(t, filepath.Join(t.TempDir(), "a b'ü", "nodes"))
	spec := specOf(program(t))
	if list, err := r.List(ctx); err != nil || len(list) != 0 {
		t.Fatal(list, err)
	}
	first := start(t, r, spec)
	if first.State != supernode.Running || !first.Ours || first.Labels["node"] != "1" || first.Project != "p" || time.Since(first.Since) > time.Minute {
		t.Fatalf("%+v", first)
	}
	pid, _ := strconv.Atoi(first.ID)
	if sid, err := unix.Getsid(pid); err != nil || sid != pid {
		t.Errorf("session %d, %v", sid, err)
	}
	if again := start(t, r, spec); again.ID != first.ID {
		t.Fatalf("started twice: %s, %s", first.ID, again.ID)
	}
	dir := filepath.Join(r.opts.Dir, "supernode_1")
	logged(t, r, fmt.Sprintf("began args=--superlink h:1 two words home=%s/home path=%s venv= secret=\n", dir, filepath.Dir(spec.Program)))
	logged(t, r, "to stderr")
	if err := r.Remove(ctx, "supernode_1"); !problem.Is(err, problem.Busy) {
		t.Fatalf("removed while running: %v", err)
	}
	if err := r.Stop(ctx, "supernode_1", 10*time.Second); err != nil {
		t.Fatal(err)
	}
	s := one(t, r)
	if s.State != supernode.Stopped || s.ExitCode != 0 || s.Reason != "stopped" {
		t.Fatalf("%+v", s)
	}
	if groupLives(pid) {
		t.Error("its children live on")
	}
	if err := r.Stop(ctx, "supernode_1", time.Second); err != nil {
		t.Fatal(err)
	}
	if second := start(t, r, spec); second.ID == first.ID || second.State != supernode.Running {
		t.Fatalf("%+v", second)
	}
	if err := r.Stop(ctx, "supernode_1", 10*time.Second); err != nil {
		t.Fatal(err)
	}
	starts := 0
	for _, l := range text(t, r, supernode.LogOptions{Tail: -1}) {
		if !markTime(l).IsZero() && strings.Contains(l, startWord) {
			starts++
		}
	}
	if starts != 2 {
		t.Errorf("%d starts in the log", starts)
	}
	if err := r.Remove(ctx, "supernode_1"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Error("folder still there")
	}
	if err := r.Remove(ctx, "supernode_1"); err != nil {
		t.Fatal(err)
	}
}

func TestNodesAreInNaturalOrder(t *testing.T) {
	r := runtimeIn(t, t.TempDir())
	for _, name := range []string{"supernode_10", "other", "supernode_2", "supernode_1", "supernode_02"} {
		dir := filepath.Join(r.opts.Dir, name)
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, pidFile), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	names, err := r.Leftovers(t.Context())
	if want := []string{"other", "supernode_1", "supernode_2", "supernode_02", "supernode_10"}; err != nil || !slices.Equal(names, want) {
		t.Errorf("got %q, %v", names, err)
	}
}

func TestStubborn(t *testing.T) {
	r := runtimeIn(t, t.TempDir())
	spec := specOf(program(t))
	spec.Env = map[string]string{"BEHAVE": "stubborn"}
	s := start(t, r, spec)
	logged(t, r, "began")
	pid, _ := strconv.Atoi(s.ID)

	// The caller gives up waiting: no kill, and the next Stop sends no second SIGTERM.
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	if err := r.Stop(ctx, "supernode_1", time.Minute); err != context.DeadlineExceeded {
		t.Fatal(err)
	}
	if s := one(t, r); s.State != supernode.Running || s.Reason != "stopping" {
		t.Fatalf("%+v", s)
	}
	err := r.Stop(context.Background(), "supernode_1", 500*time.Millisecond)
	if !problem.Is(err, Killed) {
		t.Fatal(err)
	}
	if s := one(t, r); s.State != supernode.Stopped || s.ExitCode != 137 || !strings.HasPrefix(s.Reason, "killed") {
		t.Fatalf("%+v", s)
	}
	if groupLives(pid) {
		t.Error("its children live on")
	}
	if n := strings.Count(strings.Join(text(t, r, supernode.LogOptions{Tail: -1}), "\n"), "to stop"); n != 1 {
		t.Errorf("asked %d times to stop", n)
	}
}

func TestEnds(t *testing.T) {
	r := runtimeIn(t, t.TempDir())
	spec := specOf(program(t))
	spec.Env = map[string]string{"BEHAVE": "fail"}
	start(t, r, spec)
	eventually(t, "stopped", func() bool { return one(t, r).State == supernode.Stopped })
	if s := one(t, r); s.ExitCode != 3 || s.Reason != "Exit Code: 302: Unable to parse the private key file." {
		t.Fatalf("%+v", s)
	}
}

// A pid that belongs to another process by now is neither reported nor signalled.
func TestReusedPid(t *testing.T) {
	r := runtimeIn(t, t.TempDir())
	start(t, r, specOf(program(t)))
	if err := r.Stop(context.Background(), "supernode_1", 0); err != nil && !problem.Is(err, Killed) {
		t.Fatal(err)
	}
	other := exec.Command("sleep", "60")
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Process.Kill(); _ = other.Wait() }()
	dir := filepath.Join(r.opts.Dir, "supernode_1")
	note, err := os.ReadFile(filepath.Join(dir, pidFile))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(note), "\n")
	for _, forged := range []string{fmt.Sprintf("%d\n%s", other.Process.Pid, rest), fmt.Sprintf("%d\n", other.Process.Pid), "1\n", "-1\n", "\n", "x"} {
		if err := os.WriteFile(filepath.Join(dir, pidFile), []byte(forged), 0o600); err != nil {
			t.Fatal(err)
		}
		if s := one(t, r); s.State == supernode.Running {
			t.Errorf("%q: %+v", forged, s)
		}
		if err := r.Stop(context.Background(), "supernode_1", 0); err != nil {
			t.Errorf("%q: %v", forged, err)
		}
	}
	if p, ok := inspect(other.Process.Pid); !ok || p.zombie {
		t.Fatal("somebody else's process was ended")
	}
}

// A copy of the project's folder does not touch the original's node.
func TestCopiedFolder(t *testing.T) {
	r := runtimeIn(t, t.TempDir())
	start(t, r, specOf(program(t)))
	copied := filepath.Join(t.TempDir(), "copy")
	if out, err := exec.Command("cp", "-Rp", r.opts.Dir, copied).CombinedOutput(); err != nil {
		t.Fatal(err, string(out))
	}
	other := runtimeIn(t, copied)
	if s := one(t, other); s.State != supernode.Stopped {
		t.Errorf("%+v", s)
	}
	if err := other.Stop(context.Background(), "supernode_1", 0); err != nil {
		t.Error(err)
	}
	moved := r.opts.Dir + "-moved"
	if err := os.Rename(r.opts.Dir, moved); err != nil {
		t.Fatal(err)
	}
	if s := one(t, runtimeIn(t, moved)); s.State != supernode.Running {
		t.Errorf("after a move: %+v", s)
	}
}

func TestCannotStart(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	r := runtimeIn(t, filepath.Join(dir, "nodes"))
	good := specOf(program(t))
	bad := filepath.Join(dir, "flower-supernode")
	if err := os.WriteFile(bad, []byte("#!/no/such/python\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	port := l.Addr().(*net.TCPAddr).Port

	for _, c := range []struct {
		name string
		code problem.Code
		says string
		set  func(*supernode.Spec)
	}{
		{"name", problem.BadInput, "cannot be used", func(s *supernode.Spec) { s.Name = "../x" }},
		{"program", problem.FlwrMissing, "not there", func(s *supernode.Spec) { s.Program = "/no/such" }},
		{"not a program", problem.FlwrMissing, "not executable", func(s *supernode.Spec) { s.Program = dir }},
		{"key", problem.BadInput, "private key", func(s *supernode.Spec) { s.KeyFile = "/no/such" }},
		{"CA", problem.BadInput, "CA certificate", func(s *supernode.Spec) { s.CAFile = "/no/such" }},
		{"port", problem.PortTaken, "pid " + strconv.Itoa(os.Getpid()), func(s *supernode.Spec) { s.Port = port }},
		{"interpreter", problem.FlwrFailed, "not found", func(s *supernode.Spec) { s.Program = bad }},
	} {
		spec := good
		c.set(&spec)
		err := r.Start(ctx, spec)
		if !problem.Is(err, c.code) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if err := r.Prepare(ctx, supernode.Spec{Program: bad}, nil); !problem.Is(err, problem.FlwrMissing) {
		t.Errorf("prepare: %v", err)
	}
}

func TestPortOfAnotherNode(t *testing.T) {
	r := runtimeIn(t, t.TempDir())
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	spec := specOf(program(t))
	s := start(t, r, spec)
	// The node claims the port; l listens in its place.
	file := filepath.Join(r.opts.Dir, "supernode_1", nodeFile)
	var n node
	if !readJSON(file, &n) {
		t.Fatal("no node.json")
	}
	n.Port = l.Addr().(*net.TCPAddr).Port
	data, _ := json.Marshal(n)
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	spec.Name, spec.Port = "supernode_2", n.Port
	if err := r.Start(context.Background(), spec); !problem.Is(err, problem.PortTaken) || !strings.Contains(err.Error(), "supernode_1 (pid "+s.ID+")") {
		t.Fatal(err)
	}
}

// The output of Commands, run by sh word for word, makes the same node for flwrup.
func TestCommandsByHand(t *testing.T) {
	r := runtimeIn(t, filepath.Join(t.TempDir(), "it's a \"ü\" $HOME", "nodes"))
	spec := specOf(program(t))
	cmd := exec.Command("/bin/sh")
	cmd.Stdin = strings.NewReader(strings.Join(r.Commands(spec), "\n") + "\n")
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Fatalf("%v: %s", err, out)
	}
	eventually(t, "running", func() bool { return one(t, r).State == supernode.Running })
	s := one(t, r)
	if s.Ours {
		t.Errorf("%+v", s)
	}
	logged(t, r, "two words")
	if again := start(t, r, spec); again.ID != s.ID {
		t.Fatalf("started twice: %+v", again)
	}
	if err := r.Stop(context.Background(), "supernode_1", 10*time.Second); err != nil {
		t.Fatal(err)
	}
	if s := one(t, r); s.State != supernode.Stopped || s.ExitCode != 0 {
		t.Errorf("%+v", s)
	}
}

func TestWatchAndUsage(t *testing.T) {
	r := runtimeIn(t, t.TempDir())
	ctx, cancel := context.WithCancel(context.Background())
	changes := make(chan struct{}, 100)
	done := make(chan error)
	go func() { done <- r.Watch(ctx, func() { changes <- struct{}{} }) }()
	if _, err := r.Usage(ctx, "supernode_1"); !problem.Is(err, problem.NodeNotFound) {
		t.Error(err)
	}
	start(t, r, specOf(program(t)))
	wait := func(what string) {
		t.Helper()
		select {
		case <-changes:
		case <-time.After(8 * time.Second):
			t.Fatal("no news of the " + what)
		}
	}
	wait("start")
	u, err := r.Usage(ctx, "supernode_1")
	if err != nil || u.Memory < 100<<10 || u.Memory > 1<<30 || u.CPU < 0 {
		t.Errorf("%+v, %v", u, err)
	}
	if err := r.Stop(ctx, "supernode_1", 5*time.Second); err != nil {
		t.Fatal(err)
	}
	wait("stop")
	cancel()
	if err := <-done; err != context.Canceled {
		t.Error(err)
	}
}

// Watch does this once a second: at fifty nodes it must stay far below 1 % of a core.
func BenchmarkSignature50(b *testing.B) {
	r, err := New(Options{Dir: b.TempDir(), Project: "p"})
	if err != nil {
		b.Fatal(err)
	}
	p, ok := inspect(os.Getpid())
	if !ok {
		b.Fatal("no process table")
	}
	for i := range 50 {
		dir := filepath.Join(r.opts.Dir, fmt.Sprintf("supernode_%d", i))
		if err := os.Mkdir(dir, 0o700); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, pidFile), fmt.Appendf(nil, "%d\n", p.pid), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		r.signature()
	}
}

// A suspended node is reported as such, and still ends when it is stopped.
func TestSuspended(t *testing.T) {
	r := runtimeIn(t, filepath.Join(t.TempDir(), "nodes"))
	s := start(t, r, specOf(program(t)))
	pid, err := strconv.Atoi(s.ID)
	if err != nil {
		t.Fatal(err)
	}
	logged(t, r, "began")
	if err := unix.Kill(pid, unix.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	eventually(t, "suspended", func() bool { s := one(t, r); return s.State == supernode.Running && s.Reason == supernode.Suspended })
	if err := r.Stop(context.Background(), "supernode_1", 20*time.Second); err != nil {
		t.Error(err)
	}
	if s := one(t, r); s.State != supernode.Stopped {
		t.Errorf("%+v", s)
	}
}
