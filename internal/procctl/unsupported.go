//go:build !linux && !darwin

package procctl

import (
	"context"
	"runtime"
	"time"

	"flwrup/internal/problem"
	"flwrup/internal/supernode"
)

// Runtime answers every call that would touch a process with a Problem, code unsupported-platform.
type Runtime struct{ opts Options }

// New returns a Runtime whose Check says why it cannot be used.
func New(o Options) (*Runtime, error) { return &Runtime{opts: o}, nil }

func unsupported() error {
	return problem.New(problem.Unsupported, "SuperNodes cannot run as plain processes on "+runtime.GOOS,
		"flwrup knows how to keep them apart and stop them gracefully on Linux and macOS only",
		"use the Docker runtime: --runtime docker")
}

// Check says that this platform cannot do it.
func (r *Runtime) Check(context.Context) error { return unsupported() }

// Prepare says that this platform cannot do it.
func (r *Runtime) Prepare(context.Context, supernode.Spec, func(supernode.Progress)) error {
	return unsupported()
}

// Preflight says that this platform cannot do it.
func (r *Runtime) Preflight(context.Context, []supernode.Spec) ([]supernode.Finding, error) {
	return nil, unsupported()
}

// Start says that this platform cannot do it.
func (r *Runtime) Start(context.Context, supernode.Spec) error { return unsupported() }

// Stop says that this platform cannot do it.
func (r *Runtime) Stop(context.Context, string, time.Duration) error { return unsupported() }

// Remove finds nothing to remove: nothing was ever started here.
func (r *Runtime) Remove(context.Context, string) error { return nil }

// Leftovers finds none: nothing was ever started here.
func (r *Runtime) Leftovers(context.Context) ([]string, error) { return nil, nil }

// List says that this platform cannot do it.
func (r *Runtime) List(context.Context) ([]supernode.Status, error) { return nil, unsupported() }

// Logs says that this platform cannot do it.
func (r *Runtime) Logs(context.Context, string, supernode.LogOptions, func(supernode.Line) error) error {
	return unsupported()
}

// Usage says that this platform cannot do it.
func (r *Runtime) Usage(context.Context, string) (supernode.Usage, error) {
	return supernode.Usage{}, unsupported()
}

// RunningWith finds none.
func RunningWith(context.Context, map[string]string) (map[string]supernode.Status, error) {
	return nil, nil
}

// Using finds none.
func Using(string) []int { return nil }

// ByHand finds none.
func (r *Runtime) ByHand(context.Context, map[string]string) (map[string]supernode.Status, error) {
	return nil, nil
}

// StopByHand says that this platform cannot do it.
func (r *Runtime) StopByHand(context.Context, string, time.Duration) error { return unsupported() }

// LogsByHand says that this platform cannot do it.
func (r *Runtime) LogsByHand(context.Context, string, supernode.LogOptions, func(supernode.Line) error) error {
	return unsupported()
}

// UsageByHand says that this platform cannot do it.
func (r *Runtime) UsageByHand(context.Context, string) (supernode.Usage, error) {
	return supernode.Usage{}, unsupported()
}

// Watch says that this platform cannot do it.
func (r *Runtime) Watch(context.Context, func()) error { return unsupported() }
