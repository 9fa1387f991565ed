//go:build linux || darwin

package procctl

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"flwrup/internal/problem"
	"flwrup/internal/safego"
)

// Stop sends SIGTERM to the node's own process, once, however often and by whomever Stop is called: a second
// signal would end it without telling the grid. A node that still runs when grace is over is killed with all
// its descendants. Only then is the node down while Stop returns a Problem, with code Killed: the grid takes
// it for online for about a minute more. A node that does not run, or was never started, is no error.
func (r *Runtime) Stop(ctx context.Context, name string, grace time.Duration) error {
	if err := checkName(name); err != nil {
		return err
	}
	dir := filepath.Join(r.opts.Dir, name)
	if _, ok := readRecord(dir); !ok {
		return nil
	}
	lock, err := lockNode(ctx, dir)
	if err != nil {
		return err
	}
	defer lock.Close()
	rec, ok := readRecord(dir)
	if !ok {
		return nil
	}
	p, sent, err := r.terminate(dir, rec)
	if err != nil {
		return fmt.Errorf("stop %s: %w", name, err)
	}
	if p.pid == 0 {
		return nil
	}
	deadline := sent.Add(grace)
	if soon := time.Now().Add(time.Second); deadline.Before(soon) && grace >= time.Second {
		deadline = soon
	}
	if waitGone(ctx, dir, rec, deadline) {
		endGroup(ctx, p, 3*time.Second)
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err() // it has its SIGTERM and is ending; nothing is killed
	}
	if err := r.kill(ctx, dir, rec, p); err != nil {
		return fmt.Errorf("stop %s: %w", name, err)
	}
	return problem.New(Killed, name+" had to be killed",
		fmt.Sprintf("it did not end within %s of being asked to", grace),
		"the grid shows it as online and refuses its key for about a minute: wait that long before starting it again")
}

// terminate sends SIGTERM unless it was sent before, and returns when that was; process 0 when there is
// nothing to stop. The note about it comes first: sending none is a pause, sending two is a kill.
func (r *Runtime) terminate(dir string, rec record) (process, time.Time, error) {
	// Found before it is checked: on Linux the handle stays with this very process.
	handle, err := os.FindProcess(rec.pid)
	if err != nil {
		return process{}, time.Time{}, nil
	}
	defer func() { _ = handle.Release() }()
	p, alive := rec.alive(dir)
	if !alive {
		return process{}, time.Time{}, nil
	}
	if s, ok := readStop(dir, rec); ok {
		return p, s.At, nil
	}
	now := time.Now()
	if err := writeJSON(filepath.Join(dir, stopFile), stopping{Pid: rec.pid, Ident: rec.ident, At: now.UTC()}); err != nil {
		return process{}, time.Time{}, err
	}
	appendMark(dir, "asked process "+strconv.Itoa(rec.pid)+" to stop", now)
	if err := handle.Signal(unix.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		_ = os.Remove(filepath.Join(dir, stopFile))
		return process{}, time.Time{}, err
	}
	if p.suspended { // it cannot act on a signal until it continues
		_ = handle.Signal(unix.SIGCONT)
	}
	return p, now, nil
}

func (r *Runtime) kill(ctx context.Context, dir string, rec record, p process) error {
	now := time.Now()
	stop, _ := readStop(dir, rec)
	stop.Pid, stop.Ident, stop.Kill = rec.pid, rec.ident, true
	if err := writeJSON(filepath.Join(dir, stopFile), stop); err != nil {
		return err
	}
	appendMark(dir, "killed process "+strconv.Itoa(rec.pid), now)
	if _, alive := rec.alive(dir); alive {
		if err := unix.Kill(rec.pid, unix.SIGKILL); err != nil && !errors.Is(err, unix.ESRCH) {
			return err
		}
	}
	endGroup(ctx, p, 0)
	if !waitGone(ctx, dir, rec, time.Now().Add(5*time.Second)) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("process %d does not end, not even when killed", rec.pid)
	}
	return nil
}

// endGroup ends the children of an ended node (flower-superexec, a running ClientApp): they are of no use
// without it and would notice within seconds. They get SIGTERM, and SIGKILL when patience is over. A group
// keeps its number for as long as it has a member, so it cannot belong to anyone else. Nodes started by hand
// have no group of their own.
func endGroup(ctx context.Context, p process, patience time.Duration) {
	if p.pgid != p.pid || !groupLives(p.pgid) {
		return
	}
	if patience > 0 {
		_ = unix.Kill(-p.pgid, unix.SIGTERM)
	}
	end := time.Now().Add(patience)
	for groupLives(p.pgid) && time.Now().Before(end) && ctx.Err() == nil {
		_ = safego.Sleep(ctx, 30*time.Millisecond)
	}
	for end = time.Now().Add(2 * time.Second); groupLives(p.pgid) && time.Now().Before(end); {
		_ = unix.Kill(-p.pgid, unix.SIGKILL)
		time.Sleep(20 * time.Millisecond) // a killed process is not gone at once
	}
}

func groupLives(pgid int) bool {
	if unix.Kill(-pgid, 0) != nil {
		return false
	}
	for _, p := range processes() { // zombies answer signal 0
		if p.pgid == pgid && !p.zombie {
			return true
		}
	}
	return false
}

func waitGone(ctx context.Context, dir string, rec record, deadline time.Time) bool {
	for {
		if _, alive := rec.alive(dir); !alive {
			return true
		}
		if !time.Now().Before(deadline) || safego.Sleep(ctx, 30*time.Millisecond) != nil {
			return false
		}
	}
}

func appendMark(dir, what string, at time.Time) {
	if f, err := os.OpenFile(filepath.Join(dir, logFile), os.O_WRONLY|os.O_APPEND, 0o600); err == nil {
		_, _ = f.WriteString(mark(what, at)) // a remark: the stop goes on without it
		f.Close()
	}
}

// Remove deletes the folder of a node that does not run: home, log, notes. Problem busy when it runs. It
// leaves a folder that is not a node's alone; a missing node is no error.
func (r *Runtime) Remove(ctx context.Context, name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	dir := filepath.Join(r.opts.Dir, name)
	if !known(dir) {
		return nil
	}
	lock, err := lockNode(ctx, dir)
	if err != nil {
		return err
	}
	defer lock.Close()
	if rec, ok := readRecord(dir); ok {
		if p, alive := rec.alive(dir); alive {
			return problem.New(problem.Busy, name+" is running", fmt.Sprintf("process %d", p.pid), "stop it first")
		}
	}
	r.mu.Lock()
	delete(r.usage, name)
	r.mu.Unlock()
	for try := 0; ; try++ { // a ClientApp that is ending may still be writing
		err := os.RemoveAll(dir)
		if err == nil || try == 10 || ctx.Err() != nil {
			return err
		}
		_ = safego.Sleep(ctx, 100*time.Millisecond)
	}
}

// Leftovers names the nodes that have a folder: home, log, notes.
func (r *Runtime) Leftovers(context.Context) ([]string, error) { return r.names() }
