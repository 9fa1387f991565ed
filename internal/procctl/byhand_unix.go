//go:build linux || darwin

package procctl

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"flwrup/internal/problem"
	"flwrup/internal/safego"
	"flwrup/internal/supernode"
)

// ByHand returns the flower-supernode processes that run with one of the keys and are not among this
// runtime's nodes. They were started by hand in a terminal, or by another flwrup project with the same keys.
// keys maps fingerprints to absolute paths of private keys; the result is also keyed by fingerprint. ByHand
// recognises a key by the file in the process's arguments, even through links. On Linux it also resolves the
// path as the process sees it, as in a container with the folder of the keys in it. It sees processes of
// other users as far as the system lets it.
func (r *Runtime) ByHand(ctx context.Context, keys map[string]string) (map[string]supernode.Status, error) {
	return runningWith(ctx, keys, r.pids)
}

// RunningWith is ByHand for a folder whose records nobody accepted: its result includes processes that the
// records call its own.
func RunningWith(ctx context.Context, keys map[string]string) (map[string]supernode.Status, error) {
	return runningWith(ctx, keys, func() []int { return []int{} })
}

// runningWith leaves out the processes of own, which it calls once and only when it finds one.
func runningWith(ctx context.Context, keys map[string]string, own func() []int) (map[string]supernode.Status, error) {
	out := map[string]supernode.Status{}
	if len(keys) == 0 {
		return out, nil
	}
	var ours []int
	began := map[string]time.Time{}
	for _, p := range superNodes() {
		fingerprint := supernode.KeyAt(p.key, keys)
		if fingerprint == "" {
			continue
		}
		if ours == nil {
			ours = own()
		}
		row, ok := inspect(p.pid)
		if !ok || row.zombie || slices.Contains(ours, p.pid) {
			continue
		}
		if first, twice := began[fingerprint]; twice && first.Before(row.began()) {
			continue // the grid let in the first one, and refuses this one
		}
		began[fingerprint] = row.began()
		pid := strconv.Itoa(p.pid)
		out[fingerprint] = supernode.Status{ID: pid, State: supernode.Running, Since: row.began(), LogKeptFor: stderrFile(p.pid),
			ByHand: "process " + pid, Fleet: p.fleet, EndWith: "kill " + pid, Inside: containerOf(p.pid)}
	}
	return out, ctx.Err()
}

// pids returns the processes of this runtime's own nodes; never nil.
func (r *Runtime) pids() []int {
	pids := []int{}
	names, _ := r.names()
	for _, name := range names {
		dir := filepath.Join(r.opts.Dir, name)
		if rec, ok := readRecord(dir); ok {
			if _, alive := rec.alive(dir); alive {
				pids = append(pids, rec.pid)
			}
		}
	}
	return pids
}

// handStarted is a SuperNode in the process table.
type handStarted struct {
	pid   int
	key   string // its key's file as this process can open it
	fleet string // the address in its arguments
}

// told finds the program and the key in a SuperNode's command line: "python …/flower-supernode … --flag
// value", "--flag=value". A tool that starts a SuperNode (uv run, nohup) does not count.
func told(argv []string) (key string, ok bool) {
	if !slices.ContainsFunc(argv[:min(2, len(argv))], func(a string) bool { return filepath.Base(a) == "flower-supernode" }) {
		return "", false
	}
	key = supernode.KeyIn(argv)
	return key, key != ""
}

// byPid finds a process from ByHand, as long as it still is the same.
func byPid(id string) (process, error) {
	pid, err := strconv.Atoi(id)
	if err != nil {
		return process{}, fmt.Errorf("process %q: %w", id, err)
	}
	row, ok := inspect(pid)
	if !ok || row.zombie || !slices.ContainsFunc(superNodes(), func(p handStarted) bool { return p.pid == pid }) {
		return process{}, os.ErrProcessDone
	}
	return row, nil
}

// StopByHand ends a process from ByHand by its ID: one SIGTERM; SIGKILL once grace is over.
func (r *Runtime) StopByHand(ctx context.Context, id string, grace time.Duration) error {
	p, err := byPid(id)
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	if err != nil {
		return err
	}
	handle, err := os.FindProcess(p.pid) // on Linux it stays with this very process
	if err != nil {
		return fmt.Errorf("stop process %s: %w", id, err)
	}
	defer func() { _ = handle.Release() }()
	same := func() bool { now, ok := inspect(p.pid); return ok && !now.zombie && now.ident == p.ident }
	if !same() {
		return nil
	}
	if err := handle.Signal(unix.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return &problem.Problem{Code: problem.NotAllowed, What: "process " + id + " cannot be stopped", Why: err.Error(),
			Fix: "end it where it was started, or as its user: kill " + id, Err: err}
	}
	for end := time.Now().Add(grace); same(); {
		if time.Now().After(end) {
			if err := handle.Signal(unix.SIGKILL); err != nil && !errors.Is(err, os.ErrProcessDone) {
				return fmt.Errorf("stop process %s: %w", id, err)
			}
			end = time.Now().Add(time.Second)
		}
		if err := safego.Sleep(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

// LogsByHand reads the log of a process from ByHand when it goes to a file; Problem node-not-found when it
// goes to a terminal. Following ends with the process.
func (r *Runtime) LogsByHand(ctx context.Context, id string, o supernode.LogOptions, each func(supernode.Line) error) error {
	p, err := byPid(id)
	if err != nil {
		return problem.New(problem.NodeNotFound, "process "+id+" has ended", "", "")
	}
	path := stderrFile(p.pid)
	if path == "" {
		return problem.New(problem.NodeNotFound, "the log of process "+id+" cannot be read", "it goes to the terminal or the program that started the SuperNode, and is kept nowhere",
			"look there; or have flwrup replace it by its own (restart): that one's log is kept")
	}
	return followFile(ctx, path, o, func() bool { _, err := byPid(id); return err == nil }, each)
}

// UsageByHand sums up a process from ByHand and all its descendants, as Usage does.
func (r *Runtime) UsageByHand(ctx context.Context, id string) (supernode.Usage, error) {
	p, err := byPid(id)
	if err != nil {
		return supernode.Usage{}, problem.New(problem.NodeNotFound, "process "+id+" has ended", "", "")
	}
	return r.measure(ctx, "process "+id, p.pid, p.ident, p.began())
}

// followFile returns a file's lines, the last o.Tail first. With o.Follow it goes on while alive returns
// true.
func followFile(ctx context.Context, path string, o supernode.LogOptions, alive func() bool, each func(supernode.Line) error) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("read the log: %w", err)
	}
	defer f.Close()
	live := false
	lines := splitLines(ctx, "", &live, each)
	if err := backlog(lines, "", f, o.Tail); err != nil || !o.Follow {
		return errors.Join(err, lines.Close())
	}
	live = true
	for going := true; going; {
		going = alive()
		if _, err := io.Copy(lines, f); err != nil {
			return err
		}
		if going {
			if err := safego.Sleep(ctx, 2*logPoll); err != nil {
				return err
			}
		}
	}
	return lines.Close()
}
