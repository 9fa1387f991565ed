//go:build unix

package grid

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/gofrs/flock"

	"flwrup/internal/child"
	"flwrup/internal/plainfile"
	"flwrup/internal/problem"
	"flwrup/internal/safego"
	"flwrup/internal/termsafe"
	"flwrup/internal/userdirs"
)

// logLimit is the size in bytes at which the log is set aside at the next start.
const logLimit = 8 << 20

func supported() error { return nil }

// process is a grid's process that we started.
type process struct {
	pid   int
	stdin *os.File // the grid ends when this end closes; only we hold it
	done  chan struct{}
	state *os.ProcessState // once done is closed
	log   string
	from  int64 // where its part of the log begins
}

// spawn starts the grid in a session of its own, so that Ctrl-C in the terminal does not reach it.
func spawn(python string, args, env []string, log string) (*process, error) {
	if info, err := os.Stat(log); err == nil && info.Size() > logLimit {
		_ = os.Rename(log, log+".previous")
	}
	out, err := os.OpenFile(log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	from, err := out.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, err
	}
	in, stdin, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer in.Close()
	cmd := child.Detached(filepath.Dir(log), python, append([]string{"-I", "-u"}, args...)...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, out, out
	cmd.Env = append(environment(child.Environ()), env...)
	if err := cmd.Start(); err != nil {
		stdin.Close()
		return nil, err
	}
	c := &process{pid: cmd.Process.Pid, stdin: stdin, done: make(chan struct{}), log: log, from: from}
	safego.Go("rehearsal grid", func(error) {}, func() {
		defer close(c.done)
		_ = cmd.Wait()
		c.state = cmd.ProcessState
		stdin.Close()
	})
	return c, nil
}

// environment returns our environment for the grid. The user's FLWR_* variables would steer the SuperLink.
// Without compiled copies every Python start of flwr takes twice as long, so a setting that forbids them next
// to the sources puts them into the user's cache.
func environment(ours []string) []string {
	var env []string
	uncompiled, prefixed := false, false
	noProxy := "127.0.0.1,localhost"
	for _, e := range ours {
		name, value, _ := strings.Cut(e, "=")
		switch {
		case strings.HasPrefix(name, "FLWR_"), name == "NO_PROXY":
			continue
		case name == "PYTHONDONTWRITEBYTECODE":
			uncompiled = value != ""
			continue
		case name == "PYTHONPYCACHEPREFIX":
			prefixed = value != ""
		case name == "no_proxy":
			noProxy += "," + value
			continue
		}
		env = append(env, e)
	}
	if cache, err := userdirs.Cache("pycache"); err == nil && uncompiled && !prefixed {
		env = append(env, "PYTHONPYCACHEPREFIX="+cache)
	}
	return append(env, "PYTHONUNBUFFERED=1", "NO_COLOR=1", "no_proxy="+noProxy, "NO_PROXY="+noProxy)
}

// kill ends the process and all of its group at once.
func (c *process) kill() {
	killTree(c.pid)
	<-c.done
	waitGroup(context.Background(), c.pid, time.Second)
}

// ending says how the process ended.
func (c *process) ending() string {
	if c.state == nil {
		return ""
	}
	return "it ended with " + c.state.String()
}

// lastLines returns the end of this process's log, safe for a terminal.
func (c *process) lastLines(n int) string {
	f, err := os.Open(c.log)
	if err != nil {
		return ""
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return ""
	}
	from := max(c.from, info.Size()-64<<10)
	content := make([]byte, max(0, info.Size()-from))
	read, _ := f.ReadAt(content, from)
	lines := bytes.Split(bytes.TrimRight(content[:read], "\n"), []byte("\n"))
	if len(lines) > n {
		lines = lines[len(lines)-n:]
	}
	safe := make([]string, len(lines))
	for i, l := range lines {
		safe[i] = termsafe.Line(string(l))
	}
	return strings.Join(safe, "\n")
}

// alive reports whether a grid holds the lock of dir. The kernel frees it when the process ends.
func alive(dir string) bool {
	_, _, file := files(dir)
	if _, err := os.Stat(file); err != nil {
		return false
	}
	lock := flock.New(file, flock.SetFlag(os.O_RDONLY))
	free, err := lock.TryRLock()
	if err == nil && free {
		_ = lock.Unlock()
	}
	_ = lock.Close()
	return err == nil && !free
}

// suspended reports whether a process was stopped with SIGSTOP or Ctrl-Z.
func suspended(pid int) bool {
	if f := statFields(fmt.Sprintf("/proc/%d/stat", pid)); len(f) > 0 {
		return f[0] == "T"
	}
	out, _ := child.Tool(context.Background(), "ps", "-o", "stat=", "-p", strconv.Itoa(pid)).Output()
	return strings.HasPrefix(strings.TrimSpace(string(out)), "T")
}

func resume(pid int) error { return syscall.Kill(pid, syscall.SIGCONT) }

// holder returns the pid of the grid that holds the lock of dir, or 0; with an instance, only of that
// instance.
func holder(dir, instance string) int {
	_, _, file := files(dir)
	for range 50 { // between taking the lock and writing its name a grid needs a moment
		if !alive(dir) {
			return 0
		}
		var h struct {
			PID      int
			Instance string
		}
		if content, err := plainfile.Read(file); err == nil && json.Unmarshal(content, &h) == nil && h.PID > 1 {
			if !alive(dir) || instance != "" && h.Instance != instance {
				return 0
			}
			return h.PID
		}
		time.Sleep(20 * time.Millisecond)
	}
	return 0
}

// end sends SIGTERM once and waits; remaining processes get SIGKILL when ctx ends.
func end(ctx context.Context, pid int, c *process, holds func() bool) error {
	gone := func() bool {
		if c == nil {
			return !holds()
		}
		select {
		case <-c.done:
			return true
		default:
			return false
		}
	}
	if !gone() {
		_ = syscall.Kill(pid, syscall.SIGTERM)
		_ = syscall.Kill(pid, syscall.SIGCONT) // a suspended one gets the signal only then
	}
	for !gone() && ctx.Err() == nil {
		pause(ctx, 20*time.Millisecond)
	}
	if !gone() {
		killTree(pid)
	}
	// The group's number stays ours for as long as one of its processes lives.
	if waitGroup(context.Background(), pid, 3*time.Second) {
		return nil
	}
	return problem.New(problem.GridFailed, fmt.Sprintf("processes of the rehearsal grid are still there (process group %d)", pid), "",
		fmt.Sprintf("end them: kill -KILL -- -%d", pid))
}

// killTree ends a process, its group and all below it at once: flwr's SuperExec has a group of its own since
// 1.42. It stops the process first, so that it makes no more children.
func killTree(pid int) {
	_ = syscall.Kill(pid, syscall.SIGSTOP)
	below := []int{pid}
	children := childrenOf()
	for i := 0; i < len(below); i++ {
		below = append(below, children[below[i]]...)
	}
	_ = syscall.Kill(-pid, syscall.SIGKILL)
	for _, p := range below {
		_ = syscall.Kill(p, syscall.SIGKILL)
	}
}

// childrenOf returns the children of every process of this machine, from /proc or ps.
func childrenOf() map[int][]int {
	children := map[int][]int{}
	add := func(pid, parent string) {
		p, err1 := strconv.Atoi(pid)
		pp, err2 := strconv.Atoi(parent)
		if err1 == nil && err2 == nil {
			children[pp] = append(children[pp], p)
		}
	}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range stats {
		if f := statFields(file); len(f) > 1 {
			add(filepath.Base(filepath.Dir(file)), f[1])
		}
	}
	if len(stats) == 0 {
		out, _ := child.Tool(context.Background(), "ps", "-axo", "pid=,ppid=").Output()
		for _, line := range strings.Split(string(out), "\n") {
			if f := strings.Fields(line); len(f) == 2 {
				add(f[0], f[1])
			}
		}
	}
	return children
}

// statFields returns a /proc/PID/stat from the state on: state, parent, group, …
func statFields(file string) []string {
	content, err := plainfile.Read(file)
	if err != nil {
		return nil
	}
	return strings.Fields(string(content[bytes.LastIndexByte(content, ')')+1:]))
}

// waitGroup waits until a process group is empty, and reports whether it is. Processes that stay for longer
// than a second get SIGKILL.
func waitGroup(ctx context.Context, group int, limit time.Duration) bool {
	start := time.Now()
	for {
		if !inhabited(group) {
			return true
		}
		if time.Since(start) > limit {
			return false
		}
		if time.Since(start) > time.Second {
			_ = syscall.Kill(-group, syscall.SIGKILL)
		}
		pause(ctx, 20*time.Millisecond)
	}
}

// inhabited reports whether a process of the group runs. A zombie does not count: init waits for a kept grid,
// and in some containers never does.
func inhabited(group int) bool {
	if syscall.Kill(-group, 0) == syscall.ESRCH {
		return false
	}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range stats {
		fields := statFields(file)
		if len(fields) > 2 && fields[2] == strconv.Itoa(group) && fields[0] != "Z" && fields[0] != "X" {
			return true
		}
	}
	return len(stats) == 0 // without /proc kill decides
}
