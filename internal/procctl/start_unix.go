//go:build linux || darwin

package procctl

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"flwrup/internal/child"
	"flwrup/internal/problem"
	"flwrup/internal/safego"
	"flwrup/internal/shell"
	"flwrup/internal/supernode"
)

// launcher writes its identity to the file $1, then becomes the program in $2 with the rest as arguments.
// Descriptor 3 is the node's lock, 4 a pipe whose end shows Start that the program has taken over.
const launcher = `{ echo $$ && ` + identityScript + ` && ls -i "$1.tmp"; } >"$1.tmp" && mv -f "$1.tmp" "$1" || exit 125
shift
exec "$@" 3>&- 4>&-
`

// Start starts the node's process, detached from this one, and returns once it has become flower-supernode.
// It leaves a running node alone, and waits for one on its way down. Problems: bad-input (name, key),
// flwr-missing, port-taken, internal.
func (r *Runtime) Start(ctx context.Context, spec supernode.Spec) error {
	if err := checkName(spec.Name); err != nil {
		return err
	}
	dir := filepath.Join(r.opts.Dir, spec.Name)
	if err := os.MkdirAll(filepath.Join(dir, homeDir), 0o700); err != nil {
		return fmt.Errorf("make the folder of %s: %w", spec.Name, err)
	}
	lock, err := lockNode(ctx, dir)
	if err != nil {
		return err
	}
	defer lock.Close()

	if rec, ok := readRecord(dir); ok {
		if p, alive := rec.alive(dir); alive {
			if _, ending := readStop(dir, rec); !ending {
				if p.suspended {
					return unix.Kill(p.pid, unix.SIGCONT)
				}
				return nil
			}
			if !waitGone(ctx, dir, rec, time.Now().Add(time.Minute)) {
				if ctx.Err() != nil {
					return ctx.Err()
				}
				return problem.New(problem.Busy, spec.Name+" is still stopping",
					fmt.Sprintf("process %d was asked to stop and has not ended", p.pid), "stop it again, then start it")
			}
		}
	}
	if err := r.ready(spec); err != nil {
		return err
	}
	return r.launch(ctx, spec, dir, lock)
}

// ready checks for faults that would otherwise appear seconds later, in Python.
func (r *Runtime) ready(spec supernode.Spec) error {
	if err := checkProgram(spec.Program); err != nil {
		return err
	}
	if len(spec.Missing) > 0 {
		return supernode.WithoutValue(spec)
	}
	for what, path := range map[string]string{"private key": spec.KeyFile, "CA certificate": spec.CAFile} {
		if path == "" {
			continue
		}
		f, err := os.Open(path)
		if err != nil {
			return &problem.Problem{Code: problem.BadInput, What: "the " + what + " of " + spec.Name + " cannot be read",
				Why: err.Error(), Fix: "put it back, or make it readable for you: ls -l " + shell.Word(path), Err: err}
		}
		f.Close()
	}
	if spec.Port == 0 {
		return nil
	}
	if by := r.portTaken(spec.Port); by != "" {
		return problem.New(problem.PortTaken, fmt.Sprintf("port %d, which %s needs, is taken", spec.Port, spec.Name),
			by+" listens on it", "end that, or choose another port for "+spec.Name)
	}
	return nil
}

// portTaken says who listens on a port of this machine, or "".
func (r *Runtime) portTaken(port int) string {
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	// A wildcard listener does not keep macOS from binding the loopback address: so connect as well.
	if c, err := net.DialTimeout("tcp", address, 200*time.Millisecond); err == nil {
		c.Close()
	} else if l, err := net.Listen("tcp", address); err == nil {
		l.Close()
		return ""
	} else if !errors.Is(err, unix.EADDRINUSE) {
		return ""
	}
	if names, err := r.names(); err == nil {
		for _, name := range names {
			dir := filepath.Join(r.opts.Dir, name)
			var n node
			if rec, ok := readRecord(dir); ok && readJSON(filepath.Join(dir, nodeFile), &n) && n.Port == port {
				if _, alive := rec.alive(dir); alive {
					return name + " (pid " + strconv.Itoa(rec.pid) + ")"
				}
			}
		}
	}
	if by := portOwner(port); by != "" {
		return by
	}
	return "a process that is not yours to look at"
}

func (r *Runtime) launch(ctx context.Context, spec supernode.Spec, dir string, lock *os.File) error {
	args := arguments(spec)
	now := time.Now()
	if err := removeFiles(dir, pidFile, pidFile+".tmp", stopFile, exitFile); err != nil {
		return err
	}
	err := writeJSON(filepath.Join(dir, nodeFile), node{Name: spec.Name, Project: r.opts.Project, Flwr: spec.Flwr,
		Program: spec.Program, Args: args, Port: spec.Port, Labels: spec.Labels, Made: now.UTC()})
	if err != nil {
		return fmt.Errorf("note what %s is made of: %w", spec.Name, err)
	}
	log, err := openLog(dir)
	if err != nil {
		return fmt.Errorf("open the log of %s: %w", spec.Name, err)
	}
	defer log.Close()
	if _, err := log.WriteString(mark(spec.Name+" "+startWord+": "+shown(spec.Program, args), now)); err != nil {
		return fmt.Errorf("write the log of %s: %w", spec.Name, err)
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		return err
	}
	defer null.Close()
	taken, give, err := os.Pipe()
	if err != nil {
		return err
	}
	defer taken.Close()

	work := r.opts.Work
	if work == "" {
		work = dir
	}
	cmd := child.Detached(work, "/bin/sh", append([]string{"-c", launcher, "flwrup", filepath.Join(dir, pidFile), spec.Program}, args...)...)
	cmd.Env = environment(spec, dir)
	cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = null, log, log, []*os.File{lock, give}
	err = cmd.Start()
	give.Close()
	if err != nil {
		return fmt.Errorf("start %s: %w", spec.Name, err)
	}
	pid := cmd.Process.Pid
	_ = cmd.Process.Release() // collected by pid, by the first method that sees its end

	// The pipe ends when the shell has become the program, or is gone.
	_ = taken.SetReadDeadline(time.Now().Add(10 * time.Second))
	stop := context.AfterFunc(ctx, func() { _ = taken.SetReadDeadline(time.Now()) })
	defer stop()
	_, rerr := io.Copy(io.Discard, taken)
	rec, ok := readRecord(dir)
	if ok && rec.pid == pid {
		time.Sleep(5 * time.Millisecond) // a failed exec ends the shell right after the pipe
		if _, alive := rec.alive(dir); alive {
			return nil
		}
	}
	if rerr != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	why := r.status(spec.Name).Reason
	if !ok {
		rec = record{pid: pid}
		if _, seen := rec.collect(dir); seen || why == "" {
			why = "its pid could not be noted in " + dir
		}
	}
	return &problem.Problem{Code: problem.FlwrFailed, What: spec.Name + " did not start", Why: why,
		Fix: "see its log: " + filepath.Join(dir, logFile), Err: rerr}
}

// openLog opens the log to append, whole lines first, and sets a long one aside.
func openLog(dir string) (*os.File, error) {
	path := filepath.Join(dir, logFile)
	if info, err := os.Stat(path); err == nil && info.Size() > maxLog {
		if err := os.Rename(path, path+".1"); err != nil {
			return nil, err
		}
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	last := make([]byte, 1)
	if size, err := f.Seek(0, io.SeekEnd); err == nil && size > 0 {
		if _, err := f.ReadAt(last, size-1); err == nil && last[0] != '\n' {
			_, _ = f.WriteString("\n")
		}
	}
	return f, nil
}

// environment returns flwrup's own environment, with the node's variables and the program's folder first on
// PATH, so that the node finds flower-superexec of the same flwr. child.Environ lists variables that do not
// reach the node.
func environment(spec supernode.Spec, dir string) []string {
	set := variables(spec, dir)
	for _, name := range slices.Sorted(maps.Keys(spec.Secrets)) {
		if _, ours := spec.Env[name]; !ours && name != "FLWR_HOME" && name != "PATH" {
			set = append(set, name+"="+spec.Secrets[name])
		}
	}
	path := filepath.Dir(spec.Program)
	var env []string
	own := map[string]bool{"PATH": true}
	for _, kv := range set {
		name, _, _ := strings.Cut(kv, "=")
		own[name] = true
	}
	for _, kv := range child.Environ() {
		name, value, _ := strings.Cut(kv, "=")
		if name == "PATH" && value != "" {
			path += string(os.PathListSeparator) + value
		}
		if !own[name] {
			env = append(env, kv)
		}
	}
	return append(append(env, set...), "PATH="+path)
}

// lockNode takes the node's lock. The folder may be removed and recreated while it waits.
func lockNode(ctx context.Context, dir string) (*os.File, error) {
	path := filepath.Join(dir, lockFile)
	for {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return nil, fmt.Errorf("lock %s: %w", filepath.Base(dir), err)
		}
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			mine, merr := f.Stat()
			there, terr := os.Stat(path)
			if merr == nil && terr == nil && os.SameFile(mine, there) {
				return f, nil
			}
			f.Close()
			if errors.Is(terr, os.ErrNotExist) {
				if _, derr := os.Stat(dir); derr != nil {
					return nil, derr
				}
			}
			continue
		}
		f.Close()
		if !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR) {
			return nil, fmt.Errorf("lock %s: %w", filepath.Base(dir), err)
		}
		if err := safego.Sleep(ctx, 50*time.Millisecond); err != nil {
			return nil, err
		}
	}
}
