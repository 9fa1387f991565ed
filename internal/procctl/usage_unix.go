//go:build linux || darwin

package procctl

import (
	"context"
	"path/filepath"
	"time"

	"flwrup/internal/problem"
	"flwrup/internal/supernode"
)

// reading is an earlier reading of a node's processor time.
type reading struct {
	ident string
	at    time.Time
	cpu   time.Duration
	last  float64
}

// Usage sums up the node's process and all its descendants (flower-superexec, a ClientApp). CPU is since the
// previous call, the first time since the start. Problem node-not-found when it does not run.
func (r *Runtime) Usage(ctx context.Context, name string) (supernode.Usage, error) {
	if err := checkName(name); err != nil {
		return supernode.Usage{}, err
	}
	dir := filepath.Join(r.opts.Dir, name)
	rec, ok := readRecord(dir)
	if ok {
		_, ok = rec.alive(dir)
	}
	if !ok {
		return supernode.Usage{}, problem.New(problem.NodeNotFound, name+" does not run", "", "start it")
	}
	return r.measure(ctx, name, rec.pid, rec.ident, rec.at)
}

// measure reads the resources of a process and its descendants. It compares them with the last reading of
// name.
func (r *Runtime) measure(ctx context.Context, name string, pid int, ident string, began time.Time) (supernode.Usage, error) {
	now := time.Now()
	u := supernode.Usage{At: now}
	var cpu time.Duration
	for _, p := range family(r.processes(now), pid) {
		cpu += p.cpu
		u.Memory += memory(p)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	before, again := r.usage[name]
	if !again || before.ident != ident || cpu < before.cpu {
		before = reading{ident: ident, at: began}
	}
	if past := now.Sub(before.at); past >= 200*time.Millisecond {
		before.last = 100 * float64(cpu-before.cpu) / float64(past)
		before.at, before.cpu = now, cpu
	}
	before.ident = ident
	u.CPU = max(0, before.last)
	r.usage[name] = before
	return u, ctx.Err()
}

// processes reads the process table, at most once in 300 ms: callers ask for fifty nodes at a time.
func (r *Runtime) processes(now time.Time) []process {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now.Sub(r.tableAt) > 300*time.Millisecond {
		r.table, r.tableAt = processes(), now
	}
	return r.table
}
