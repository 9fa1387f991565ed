//go:build linux || darwin

package procctl

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/fvbommel/sortorder"

	"flwrup/internal/child"
	"flwrup/internal/problem"
	"flwrup/internal/safego"
	"flwrup/internal/supernode"
	"flwrup/internal/termsafe"
)

// Runtime is made by New. Its methods may be called by several goroutines at once, and by several flwrups at
// once.
type Runtime struct {
	opts Options

	mu      sync.Mutex
	runs    map[string]bool    // programs that Prepare has seen running
	usage   map[string]reading // last reading of each node
	table   []process
	tableAt time.Time
}

// New returns the runtime of the project's nodes. It touches nothing on disk.
func New(o Options) (*Runtime, error) {
	if !filepath.IsAbs(o.Dir) {
		return nil, fmt.Errorf("procctl: folder of the nodes %q is not absolute", o.Dir)
	}
	return &Runtime{opts: o, runs: map[string]bool{}, usage: map[string]reading{}}, nil
}

// Check returns nil: a Unix always runs processes.
func (r *Runtime) Check(context.Context) error { return nil }

// Prepare makes sure that spec.Program exists and runs (`--help`; 2 to 5 s of Python imports, once a
// program). It installs nothing.
func (r *Runtime) Prepare(ctx context.Context, spec supernode.Spec, say func(supernode.Progress)) error {
	r.mu.Lock()
	known := r.runs[spec.Program]
	r.mu.Unlock()
	if known {
		return nil
	}
	if err := checkProgram(spec.Program); err != nil {
		return err
	}
	if say != nil {
		say(supernode.Progress{Text: "checking that " + filepath.Base(spec.Program) + " runs"})
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	cmd := child.Tool(ctx, spec.Program, "--help")
	cmd.Env = environment(spec, filepath.Join(r.opts.Dir, spec.Name))
	var raw []string
	out := &termsafe.Splitter{Each: func(line string) error {
		if raw = append(raw, line); len(raw) > 100 {
			raw = raw[50:]
		}
		return nil
	}}
	cmd.Stdout, cmd.Stderr = out, out
	err := cmd.Run()
	out.Close() //nolint:errcheck // Each never fails
	if ctx.Err() != nil && !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return ctx.Err()
	}
	if err != nil {
		why := err.Error()
		if len(raw) > 0 {
			why = raw[len(raw)-1]
		}
		return &problem.Problem{Code: problem.FlwrMissing, What: "flower-supernode does not run", Why: why,
			Fix: "install flwr again: flwrup up makes a new environment once " + filepath.Dir(filepath.Dir(spec.Program)) + " is gone",
			Raw: strings.Join(raw, "\n"), Err: err}
	}
	r.mu.Lock()
	r.runs[spec.Program] = true
	r.mu.Unlock()
	return nil
}

func checkProgram(program string) error {
	info, err := os.Stat(program)
	switch {
	case err != nil:
		return &problem.Problem{Code: problem.FlwrMissing, What: "flower-supernode is not there", Why: err.Error(),
			Fix: "install flwr of the wanted version", Err: err}
	case info.IsDir() || info.Mode().Perm()&0o111 == 0:
		return problem.New(problem.FlwrMissing, "cannot run "+program, "it is not executable", "install flwr of the wanted version")
	}
	return nil
}

// List returns every node that has a folder, sorted by name (supernode_2 before supernode_10).
func (r *Runtime) List(ctx context.Context) ([]supernode.Status, error) {
	names, err := r.names()
	if err != nil {
		return nil, err
	}
	list := make([]supernode.Status, 0, len(names))
	for _, name := range names {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		list = append(list, r.status(name))
	}
	return list, nil
}

func (r *Runtime) names() ([]string, error) {
	entries, err := os.ReadDir(r.opts.Dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the folder of the nodes: %w", err)
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() && goodName.MatchString(e.Name()) && known(filepath.Join(r.opts.Dir, e.Name())) {
			names = append(names, e.Name())
		}
	}
	slices.SortFunc(names, sortorder.NaturalCompare)
	return names, nil
}

// Watch looks at the nodes once a second (every two seconds while none runs) and calls changed when one has
// started, ended, appeared or gone. It returns the error of ctx.
func (r *Runtime) Watch(ctx context.Context, changed func()) error {
	last, running := r.signature()
	for {
		pause := time.Second
		if !running {
			pause *= 2
		}
		if err := safego.Sleep(ctx, pause); err != nil {
			return err
		}
		var now []string
		if now, running = r.signature(); !slices.Equal(now, last) {
			last = now
			changed()
		}
	}
}

// signature returns a line for each node that differs once its state does; cheaper than List.
func (r *Runtime) signature() (lines []string, running bool) {
	names, err := r.names()
	if err != nil {
		return []string{err.Error()}, false
	}
	for _, name := range names {
		dir := filepath.Join(r.opts.Dir, name)
		rec, ok := readRecord(dir)
		alive := false
		if ok {
			_, alive = rec.alive(dir)
		}
		running = running || alive
		_, stopping := readStop(dir, rec)
		lines = append(lines, fmt.Sprint(name, rec.pid, rec.ident, alive, stopping))
	}
	return lines, running
}
