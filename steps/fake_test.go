package steps

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"flwrup/flwrexec"
	"flwrup/flwrexec/flwr"
	"flwrup/flwrexec/install"
	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/site"
	"flwrup/internal/supernode"
)

// fakeGrid is a grid and the flwr that talks to it: what it registers stays registered, whatever it
// answers. Its real twin is tried in internal/e2e.
type fakeGrid struct {
	site.Flwr // what a test does not use panics

	mu       sync.Mutex
	version  string
	python   string // that reads an app; "" for none
	loggedIn bool
	nodes    []flwrexec.Node
	keys     map[string]flwr.NodeID // public key file → node
	members  []flwrexec.Node
	faults   map[string][]fault // by operation, used up in order
	logins   int
	calls    []string
}

// fault is what one call of an operation answers instead of success; done tells whether the work was
// done all the same.
type fault struct {
	err   error
	done  bool
	after func() // called before the answer
}

func newFakeGrid(version string) *fakeGrid {
	return &fakeGrid{version: version, loggedIn: true, keys: map[string]flwr.NodeID{}, faults: map[string][]fault{}}
}

func (g *fakeGrid) Version() flwr.Version {
	v, err := flwr.ParseVersion(g.version)
	if err != nil {
		panic(err)
	}
	return v
}
func (g *fakeGrid) Dialect() flwr.Dialect { return flwr.DialectOf(g.Version()) }
func (g *fakeGrid) Found() install.Found {
	return install.Found{Program: "/usr/bin/flwr", Version: g.Version(), Source: install.SourcePath, Python: g.python}
}
func (g *fakeGrid) Close() error                                { return nil }
func (g *fakeGrid) Warm(context.Context) (time.Duration, error) { return 0, nil }

// take notes the call and gives the fault that is due.
func (g *fakeGrid) take(op string) (fault, bool) {
	g.calls = append(g.calls, op)
	if !g.loggedIn && op != "login" {
		return fault{err: problem.New(problem.NotLoggedIn, "not logged in", "", "")}, true
	}
	list := g.faults[op]
	if len(list) == 0 {
		return fault{}, false
	}
	g.faults[op] = list[1:]
	if list[0].after != nil {
		list[0].after()
	}
	return list[0], list[0].err != nil
}

func (g *fakeGrid) Login(ctx context.Context, _ flwr.Connection, _ func(flwrexec.LoginPrompt), _ func(string)) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.take("login")
	g.logins++
	g.loggedIn = true
	return nil
}

func (g *fakeGrid) Nodes(context.Context, flwr.Connection) ([]flwrexec.Node, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if f, ok := g.take("nodes"); ok {
		return nil, f.err
	}
	return slices.Clone(g.nodes), nil
}

func (g *fakeGrid) Register(_ context.Context, _ flwr.Connection, key, name string) (flwr.NodeID, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	f, bad := g.take("register")
	if bad && !f.done {
		return 0, f.err
	}
	if _, ok := g.keys[key]; ok {
		return 0, problem.New(problem.KeyInUse, "the public key is in use", "", "")
	}
	id := flwr.NodeID(1<<63 + uint64(len(g.keys)) + 1)
	g.keys[key] = id
	node := flwrexec.Node{ID: id, Owner: "ada", Status: flwrexec.StatusRegistered}
	if g.Dialect().RegisterName {
		node.Name = name
	}
	g.nodes = append(g.nodes, node)
	return id, f.err
}

func (g *fakeGrid) Federations(context.Context, flwr.Connection) ([]flwrexec.Federation, error) {
	return []flwrexec.Federation{{ID: "@ada/study"}}, nil
}

func (g *fakeGrid) FederationDetails(context.Context, flwr.Connection, string) (flwrexec.FederationDetails, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if f, ok := g.take("details"); ok {
		return flwrexec.FederationDetails{}, f.err
	}
	return flwrexec.FederationDetails{Nodes: slices.Clone(g.members)}, nil
}

func (g *fakeGrid) AddToFederation(_ context.Context, _ flwr.Connection, id flwr.NodeID, _ string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if f, ok := g.take("add"); ok {
		return f.err
	}
	for _, n := range g.members {
		if n.ID == id {
			return problem.New(problem.AlreadyMember, "the SuperNode is already part of the federation", "", "")
		}
	}
	g.members = append(g.members, flwrexec.Node{ID: id})
	return nil
}

func (g *fakeGrid) RemoveFromFederation(_ context.Context, _ flwr.Connection, id flwr.NodeID, _ string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	f, bad := g.take("leave")
	if bad && !f.done {
		return f.err
	}
	g.members = slices.DeleteFunc(g.members, func(n flwrexec.Node) bool { return n.ID == id })
	return f.err
}

func (g *fakeGrid) Unregister(_ context.Context, _ flwr.Connection, id flwr.NodeID) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	f, bad := g.take("unregister")
	if bad && !f.done {
		return f.err
	}
	for i, n := range g.nodes {
		if n.ID == id {
			g.nodes[i].Status = flwrexec.StatusUnregistered
		}
	}
	return f.err
}

// fakeRuntime starts nothing; its nodes log that they are online with the ID that the grid gave the key.
type fakeRuntime struct {
	supernode.Runtime
	grid     *fakeGrid
	findings []supernode.Finding

	mu      sync.Mutex
	started map[string]supernode.Spec
}

func (r *fakeRuntime) Kind() string                     { return project.RuntimeProcess }
func (r *fakeRuntime) Close() error                     { return nil }
func (r *fakeRuntime) Commands(supernode.Spec) []string { return nil }
func (r *fakeRuntime) Preflight(context.Context, []supernode.Spec) ([]supernode.Finding, error) {
	return r.findings, nil
}

func (r *fakeRuntime) Check(context.Context) error { return nil }
func (r *fakeRuntime) Prepare(context.Context, supernode.Spec, func(supernode.Progress)) error {
	return nil
}
func (r *fakeRuntime) Stop(_ context.Context, name string, _ time.Duration) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.started, name)
	return nil
}
func (r *fakeRuntime) Remove(_ context.Context, name string) error {
	return r.Stop(context.Background(), name, 0)
}
func (r *fakeRuntime) Leftovers(context.Context) ([]string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Sorted(maps.Keys(r.started)), nil
}
func (r *fakeRuntime) List(context.Context) ([]supernode.Status, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []supernode.Status
	for name, spec := range r.started {
		list = append(list, supernode.Status{Name: name, State: supernode.Running, Labels: spec.Labels})
	}
	return list, nil
}
func (r *fakeRuntime) Start(_ context.Context, spec supernode.Spec) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.started[spec.Name] = spec
	return nil
}

func (r *fakeRuntime) Logs(_ context.Context, name string, _ supernode.LogOptions, each func(supernode.Line) error) error {
	r.mu.Lock()
	key := r.started[name].KeyFile + ".pub"
	r.mu.Unlock()
	id, ok := r.grid.keys[key]
	if !ok {
		return each(supernode.Line{Node: name, Text: "[code: 2004] Failed to activate SuperNode."})
	}
	return each(supernode.Line{Node: name, Text: fmt.Sprintf("INFO : SuperNode ID: %d", id)})
}

// heard is a Sink that keeps what it hears and answers defaults.
type heard struct {
	mu     sync.Mutex
	events []front.Event
}

// said gives the sentences that were heard.
func (h *heard) said() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var lines []string
	for _, e := range h.events {
		switch e := e.(type) {
		case front.Says:
			lines = append(lines, e.Text)
		case front.Output:
			lines = append(lines, e.Text)
		case front.ItemChanged:
			lines = append(lines, e.Item.Name+": "+e.Item.Text)
		}
	}
	return strings.Join(lines, "\n")
}

func (h *heard) Event(e front.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.events = append(h.events, e)
}

func (h *heard) Ask(_ context.Context, q front.Question) (string, error) {
	if q.Default == "" {
		return "", problem.New(problem.NeedsPerson, q.Ask, "", "")
	}
	return q.Default, nil
}

// scripted is a Sink that gives answers by question, else the default, and notes what was asked.
type scripted struct {
	heard
	answers map[string]string
	asked   []string
	last    map[string]front.Question
}

func (p *scripted) Ask(ctx context.Context, q front.Question) (string, error) {
	p.asked = append(p.asked, q.ID)
	if p.last == nil {
		p.last = map[string]front.Question{}
	}
	p.last[q.ID] = q
	a, ok := p.answers[q.ID]
	if !ok {
		return p.heard.Ask(ctx, q)
	}
	if q.Validate != nil {
		if err := q.Validate(a); err != nil {
			return "", err
		}
	}
	return a, nil
}

// siteOn opens a site in a new folder with n keys on the fake grid.
func siteOn(t *testing.T, g *fakeGrid, n int) *site.Site {
	t.Helper()
	home := t.TempDir()
	s, err := site.Open(site.Options{Dir: t.TempDir(), Create: true, Choose: func(c *project.Choices) {
		c.Nodes, c.Federation, c.Runtime = n, "@ada/study", project.RuntimeProcess
		c.Flwr.Home = home
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	s.Flwr = g
	s.Runtime = &fakeRuntime{grid: g, started: map[string]supernode.Spec{}}
	for _, step := range []front.StepID{front.StepKeys, front.StepConfigure} {
		if err := Apply(context.Background(), s, step, &heard{}); err != nil {
			t.Fatalf("step %d: %v", step, err)
		}
	}
	return s
}

// reopened is the site after flwrup has ended and was started again, on the same grid and runtime.
func reopened(t *testing.T, s *site.Site) *site.Site {
	t.Helper()
	flwr, runtime := s.Flwr, s.Runtime
	s.Close()
	again, err := site.Open(site.Options{Dir: s.Dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { again.Close() })
	again.Flwr, again.Runtime = flwr, runtime
	return again
}

var errCut = &problem.Problem{Code: problem.Unreachable, What: "unreachable", Raw: "Socket closed", Err: errors.New("cut")}

// choose changes the choices of s.
func choose(t *testing.T, s *site.Site, change func(*project.Choices)) {
	t.Helper()
	if err := s.Change(func(c *project.Choices) error { change(c); return nil }); err != nil {
		t.Fatal(err)
	}
}
