//go:build linux || darwin

package procctl

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"flwrup/internal/problem"
	"flwrup/internal/supernode"
)

// A node whose starter is gone: nobody knows its exit code, unless it ended gracefully.
func TestEndsUnseen(t *testing.T) {
	dir := t.TempDir()
	r := runtimeIn(t, dir)
	prog := program(t)
	for _, c := range []struct {
		how    string
		code   int
		reason string
	}{{"crash", ExitUnknown, "to stderr"}, {"term", 0, "SuperNode terminated gracefully."}} {
		starter := startAsOther(t, dir, prog)
		eventually(t, "running", func() bool {
			l, _ := r.List(context.Background())
			return len(l) == 1 && l[0].State == supernode.Running
		})
		if err := starter.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = starter.Wait()
		s := one(t, r)
		if s.State != supernode.Running {
			t.Fatalf("ended with its starter: %+v", s)
		}
		time.Sleep(200 * time.Millisecond) // its trap is set
		pid, _ := strconv.Atoi(s.ID)
		crash := filepath.Join(dir, "supernode_1", homeDir, "crash")
		if c.how == "crash" {
			if err := os.WriteFile(crash, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		} else if err := unix.Kill(pid, unix.SIGTERM); err != nil {
			t.Fatal(err)
		}
		eventually(t, "stopped", func() bool { return one(t, r).State == supernode.Stopped })
		if s := one(t, r); s.ExitCode != c.code || s.Reason != c.reason {
			t.Errorf("%s: %+v", c.how, s)
		}
		endGroup(context.Background(), process{pid: pid, pgid: pid}, 0)
		_ = os.Remove(crash)
	}
}

func startAsOther(t *testing.T, dir, prog string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), "PROCCTL_STARTER="+dir, "PROCCTL_PROGRAM="+prog)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd
}

// The starter dies at moments spread over the start; there is never a second node or an unknown one.
func TestStarterKilled(t *testing.T) {
	dir, prog := t.TempDir(), program(t)
	r := runtimeIn(t, dir)
	early := 0
	for i := range 24 {
		starter := startAsOther(t, dir, prog)
		if i%8 != 7 { // one in eight may finish
			time.Sleep(time.Duration(i) * 700 * time.Microsecond)
		} else {
			eventually(t, "started", func() bool { return len(running(prog)) == 1 })
		}
		_ = starter.Process.Kill()
		_ = starter.Wait()
		if len(running(prog)) == 0 {
			early++
		}
		if s := start(t, r, specOf(prog)); s.State != supernode.Running {
			t.Fatalf("%+v", s)
		} else if pids := running(prog); len(pids) != 1 || strconv.Itoa(pids[0]) != s.ID {
			t.Fatalf("kill %d: processes %v run, known is %s", i, pids, s.ID)
		}
		if err := r.Stop(context.Background(), "supernode_1", 0); err != nil && !problem.Is(err, Killed) {
			t.Fatal(err)
		}
		if i%3 == 0 {
			if err := r.Remove(context.Background(), "supernode_1"); err != nil {
				t.Fatal(err)
			}
		}
	}
	t.Logf("%d of 24 starters died before the node ran", early)
}

func TestStartAtOnce(t *testing.T) {
	dir, prog := t.TempDir(), program(t)
	var all sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		r := runtimeIn(t, dir)
		all.Go(func() { errs[i] = r.Start(context.Background(), specOf(prog)) })
	}
	all.Wait()
	for _, err := range errs {
		if err != nil {
			t.Error(err)
		}
	}
	if pids := running(prog); len(pids) != 1 {
		t.Fatalf("running: %v", pids)
	}
}
