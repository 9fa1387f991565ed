package sitetest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"flwrup/internal/project"
	"flwrup/internal/site"
	"flwrup/internal/supernode"
)

// Runtime keeps the specs that it is to start, and starts nothing. Its SuperNodes log that they are online, with the node
// ID that the grid gave their key. Tests may read and change its fields while no call runs.
type Runtime struct {
	supernode.Runtime // a call that no test makes panics

	Findings []supernode.Finding // of Preflight
	Started  map[string]supernode.Spec

	grid *Grid
	mu   sync.Mutex
}

// RuntimeOf returns the runtime of a site that Open opened.
func RuntimeOf(t *testing.T, s *site.Site) *Runtime {
	t.Helper()
	r, err := s.NodesRuntime(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return r.(*Runtime)
}

// Running returns the names of the SuperNodes that run, sorted.
func (r *Runtime) Running() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Sorted(maps.Keys(r.Started))
}

func (r *Runtime) Kind() string                     { return project.RuntimeProcess }
func (r *Runtime) Close() error                     { return nil }
func (r *Runtime) Commands(supernode.Spec) []string { return nil }
func (r *Runtime) Preflight(context.Context, []supernode.Spec) ([]supernode.Finding, error) {
	return r.Findings, nil
}
func (r *Runtime) Check(context.Context) error { return nil }
func (r *Runtime) Prepare(context.Context, supernode.Spec, func(supernode.Progress)) error {
	return nil
}

func (r *Runtime) Start(_ context.Context, spec supernode.Spec) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Started[spec.Name] = spec
	return nil
}

func (r *Runtime) Stop(_ context.Context, name string, _ time.Duration) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.Started, name)
	return nil
}

func (r *Runtime) Remove(_ context.Context, name string) error {
	return r.Stop(context.Background(), name, 0)
}

func (r *Runtime) Leftovers(context.Context) ([]string, error) { return r.Running(), nil }

func (r *Runtime) List(context.Context) ([]supernode.Status, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []supernode.Status
	for name, spec := range r.Started {
		list = append(list, supernode.Status{Name: name, State: supernode.Running, Labels: spec.Labels})
	}
	return list, nil
}

func (r *Runtime) Logs(_ context.Context, name string, _ supernode.LogOptions, each func(supernode.Line) error) error {
	r.mu.Lock()
	key := r.Started[name].KeyFile + ".pub"
	r.mu.Unlock()
	r.grid.mu.Lock()
	id, ok := r.grid.Keys[key]
	r.grid.mu.Unlock()
	if !ok {
		return each(supernode.Line{Node: name, Text: "[code: 2004] Failed to activate SuperNode."})
	}
	return each(supernode.Line{Node: name, Text: fmt.Sprintf("INFO : SuperNode ID: %d", id)})
}

// Saying is a Runtime whose SuperNodes have logged these lines, by name.
type Saying struct {
	*Runtime
	Lines map[string]string
}

func (r Saying) Logs(_ context.Context, name string, _ supernode.LogOptions, each func(supernode.Line) error) error {
	for text := range strings.SplitSeq(r.Lines[name], "\n") {
		if err := each(supernode.Line{Node: name, Text: text}); err != nil {
			return err
		}
	}
	return nil
}

// Listing is a Runtime that lists Nodes in place of the SuperNodes that were started.
type Listing struct {
	*Runtime
	Nodes []supernode.Status
}

func (r Listing) List(context.Context) ([]supernode.Status, error) { return slices.Clone(r.Nodes), nil }

// Suspend makes both SuperNodes of s run for an hour already, the first of them suspended.
func Suspend(t *testing.T, s *site.Site) {
	t.Helper()
	since := time.Now().Add(-time.Hour)
	site.With(s, site.Backends{Runtime: Listing{RuntimeOf(t, s), []supernode.Status{
		{Name: "supernode_1", State: supernode.Running, Reason: supernode.Suspended, ID: "4711", Since: since, Ours: true},
		{Name: "supernode_2", State: supernode.Running, ID: "4712", Since: since, Ours: true}}}})
}
