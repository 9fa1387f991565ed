// Package dockerhosts runs the SuperNodes of one project on several Docker hosts: each on the host that its Spec
// names. A host is the name of a Docker context, or an address; "" is the daemon that the docker command would take.
// It implements supernode.Runtime.
//
// A SuperNode has one key, so it may be on one host at a time. Places keeps on which hosts its container may be; it is
// written before a container is made, and a SuperNode starts on another host only once the old one has been cleared.
package dockerhosts

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/fvbommel/sortorder"

	"flwrup/dockerctl"
	"flwrup/internal/problem"
	"flwrup/internal/safego"
	"flwrup/internal/supernode"
)

// Codes of Problems.
const (
	HostAway problem.Code = "host-away" // a Docker host does not answer
	MayRun   problem.Code = "may-run"   // a SuperNode may still run on a host that does not answer
)

// Places keeps where the SuperNodes of a project are.
type Places interface {
	Hosts() []string            // all that are chosen, and all that may hold a container; sorted
	Of(node string) []string    // the hosts that may hold a container of the node, the likeliest first
	Nodes(host string) []string // the nodes that may have a container on the host
	Begin(node, host string) error
	End(node, host string) error // nothing of the node is left there
}

// Options are those of dockerctl, for all hosts, and where SuperNodes are.
type Options struct {
	Project string
	Dir     string
	Places  Places
}

// Runtime is connections to several Docker daemons. Its methods may be called concurrently.
type Runtime struct {
	o    Options
	mu   sync.Mutex
	open map[string]*dockerctl.Runtime
	away map[string]absence
	ids  map[string]string // host of a container that was started by hand, by its ID
}

// absence is a host's last failure.
type absence struct {
	at time.Time
	p  *problem.Problem
}

var _ supernode.Runtime = (*Runtime)(nil)

// How long a host may take to answer a look, and how long it counts as away without being asked again.
const (
	answersWithin = 8 * time.Second
	awayFor       = 2 * time.Second
)

// New prepares a runtime. It connects to no host yet.
func New(o Options) *Runtime {
	return &Runtime{o: o, open: map[string]*dockerctl.Runtime{}, away: map[string]absence{}, ids: map[string]string{}}
}

// Kind is "docker".
func (r *Runtime) Kind() string { return "docker" }

// On returns the runtime of one host. It fails, with a Problem, when the host's name or address cannot be used.
func (r *Runtime) On(host string) (*dockerctl.Runtime, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if d, ok := r.open[host]; ok {
		return d, nil
	}
	d, err := dockerctl.New(context.Background(), dockerctl.Options{Project: r.o.Project, Host: host, Dir: r.o.Dir})
	if err != nil {
		return nil, err
	}
	r.open[host] = d
	return d, nil
}

// Close closes all connections.
func (r *Runtime) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var errs []error
	for _, d := range r.open {
		errs = append(errs, d.Close())
	}
	clear(r.open)
	return errors.Join(errs...)
}

// ask calls do for the host within answersWithin. A host that has just failed is not asked.
func (r *Runtime) ask(ctx context.Context, host string, do func(context.Context, *dockerctl.Runtime) error) error {
	r.mu.Lock()
	last := r.away[host]
	r.mu.Unlock()
	if last.p != nil && time.Since(last.at) < awayFor {
		return last.p
	}
	limited, cancel := context.WithTimeout(ctx, answersWithin)
	defer cancel()
	d, err := r.On(host)
	if err == nil {
		err = do(limited, d)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil && limited.Err() != nil {
		err = problem.New(problem.DockerDown, "Docker "+at(host)+" does not answer", "it gave no answer within "+answersWithin.String(), "make sure that it runs there, and that this machine reaches it")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !isAway(err) {
		delete(r.away, host)
		return err
	}
	var p *problem.Problem
	errors.As(err, &p) // without the words for the call that failed: every call would
	r.away[host] = absence{time.Now(), p}
	return p
}

// isAway reports whether an error says that a daemon cannot be used at all.
func isAway(err error) bool {
	return problem.Is(err, problem.DockerDown, problem.DockerDenied, problem.DockerMissing)
}

// at names a host in a sentence.
func at(host string) string {
	if host == "" {
		return "on this machine"
	}
	return "on " + host
}

// each calls do for all hosts at the same time, and returns what went wrong, by host.
func each(hosts []string, do func(host string) error) map[string]error {
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		errs = map[string]error{}
	)
	for _, h := range hosts {
		wg.Add(1)
		var once sync.Once
		report := func(err error) {
			once.Do(func() {
				mu.Lock()
				errs[h] = err
				mu.Unlock()
				wg.Done()
			})
		}
		safego.Go("docker "+at(h), report, func() { report(do(h)) })
	}
	wg.Wait()
	return errs
}

// Check returns nil as long as one of the hosts can be used; the SuperNodes of the others are left out by Preflight.
func (r *Runtime) Check(ctx context.Context) error {
	hosts := r.o.Places.Hosts()
	errs := each(hosts, func(h string) error {
		return r.ask(ctx, h, func(ctx context.Context, d *dockerctl.Runtime) error { return d.Check(ctx) })
	})
	for _, h := range hosts {
		if errs[h] == nil {
			return nil
		}
	}
	return cmp.Or(ctx.Err(), errs[hosts[0]])
}

// Prepare provides the image on spec's host.
func (r *Runtime) Prepare(ctx context.Context, spec supernode.Spec, say func(supernode.Progress)) error {
	d, err := r.On(spec.Host)
	if err != nil {
		return err
	}
	return d.Prepare(ctx, spec, say)
}

// Preflight reports obstacles to containers that do not run yet, on each one's host.
func (r *Runtime) Preflight(ctx context.Context, specs []supernode.Spec) ([]supernode.Finding, error) {
	byHost := map[string][]supernode.Spec{}
	var hosts []string
	for _, s := range specs {
		if byHost[s.Host] == nil {
			hosts = append(hosts, s.Host)
		}
		byHost[s.Host] = append(byHost[s.Host], s)
	}
	found := map[string][]supernode.Finding{}
	var mu sync.Mutex
	errs := each(hosts, func(h string) error {
		d, err := r.On(h)
		if err == nil {
			err = d.Check(ctx)
		}
		var list []supernode.Finding
		if err == nil {
			list, err = d.Preflight(ctx, byHost[h])
		}
		mu.Lock()
		found[h] = list
		mu.Unlock()
		return err
	})
	var all []supernode.Finding
	for _, h := range hosts {
		err := errs[h]
		switch p := problem.Of(err); {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case err != nil && (len(hosts) == 1 || p.Code == problem.Internal):
			return nil, err
		case err != nil:
			all = append(all, of(byHost[h], p)...)
		}
		for _, f := range found[h] {
			if f.Node != "" || f.Warning || len(hosts) == 1 {
				all = append(all, f)
			} else { // the other hosts' SuperNodes may start
				all = append(all, of(byHost[h], f.Problem)...)
			}
		}
	}
	return all, nil
}

// of makes a finding about each SuperNode.
func of(specs []supernode.Spec, p *problem.Problem) (list []supernode.Finding) {
	for _, s := range specs {
		list = append(list, supernode.Finding{Node: s.Name, Problem: p})
	}
	return list
}

// Start starts the node on its host. It leaves one alone that runs, on whichever host. What it left on another host is
// removed first; it returns Problem may-run while that host does not answer.
func (r *Runtime) Start(ctx context.Context, spec supernode.Spec) error {
	for _, h := range r.o.Places.Of(spec.Name) {
		if h == spec.Host {
			continue
		}
		runs := false
		err := r.ask(ctx, h, func(ctx context.Context, d *dockerctl.Runtime) error {
			list, err := d.List(ctx)
			runs = slices.ContainsFunc(list, func(st supernode.Status) bool {
				return st.Name == spec.Name && st.State != supernode.Stopped
			})
			return err
		})
		if isAway(err) {
			p := problem.Of(err)
			return problem.New(MayRun, spec.Name+" may still run "+at(h), p.Error(), "bring that host back, and flwrup moves it; or "+p.Fix)
		}
		if err != nil || runs {
			return err
		}
		if err := r.removeFrom(ctx, spec.Name, h); err != nil {
			return err
		}
	}
	d, err := r.On(spec.Host)
	if err != nil {
		return err
	}
	if err := r.o.Places.Begin(spec.Name, spec.Host); err != nil {
		return err
	}
	return d.Start(ctx, spec)
}

func (r *Runtime) removeFrom(ctx context.Context, node, host string) error {
	d, err := r.On(host)
	if err != nil {
		return err
	}
	if err := d.Remove(ctx, node); err != nil {
		return err
	}
	return r.o.Places.End(node, host)
}

// Stop stops the node wherever it may run.
func (r *Runtime) Stop(ctx context.Context, name string, grace time.Duration) error {
	hosts := r.o.Places.Of(name)
	errs := each(hosts, func(h string) error {
		d, err := r.On(h)
		if err != nil {
			return err
		}
		return d.Stop(ctx, name, grace)
	})
	var all []error
	for _, h := range hosts {
		all = append(all, errs[h])
	}
	return join(all)
}

// join returns a single error as it is, so that its Problem is found.
func join(errs []error) error {
	errs = slices.DeleteFunc(errs, func(err error) bool { return err == nil })
	if len(errs) == 1 {
		return errs[0]
	}
	return errors.Join(errs...)
}

// Remove deletes everything of a stopped node, wherever it may be.
func (r *Runtime) Remove(ctx context.Context, name string) error {
	var errs []error
	for _, h := range r.o.Places.Of(name) {
		errs = append(errs, r.removeFrom(ctx, name, h))
	}
	return join(errs)
}

// Leftovers names the nodes that have a container or a volume on any host. It fails while a host does not answer.
func (r *Runtime) Leftovers(ctx context.Context) ([]string, error) {
	var all []string
	for _, h := range r.o.Places.Hosts() {
		d, err := r.On(h)
		if err != nil {
			return nil, err
		}
		list, err := d.Leftovers(ctx)
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
	}
	slices.SortFunc(all, sortorder.NaturalCompare)
	return slices.Compact(all), nil
}

// List returns every node of the project that a host knows. A node whose host does not answer is Unknown. It fails
// when no host answers.
func (r *Runtime) List(ctx context.Context) ([]supernode.Status, error) {
	hosts := r.o.Places.Hosts()
	var mu sync.Mutex
	lists := map[string][]supernode.Status{}
	errs := each(hosts, func(h string) error {
		return r.ask(ctx, h, func(ctx context.Context, d *dockerctl.Runtime) error {
			list, err := d.List(ctx)
			mu.Lock()
			lists[h] = list
			mu.Unlock()
			return err
		})
	})
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	var all []supernode.Status
	failed := 0
	for _, h := range hosts {
		if errs[h] != nil {
			failed++
		}
		for _, st := range lists[h] {
			st.Host = h
			all = add(all, st)
		}
	}
	if failed > 0 && failed == len(hosts) {
		return nil, errs[hosts[0]]
	}
	for _, h := range hosts {
		if errs[h] == nil {
			continue
		}
		if !isAway(errs[h]) {
			return nil, errs[h]
		}
		p := problem.Of(errs[h])
		for _, name := range r.o.Places.Nodes(h) {
			all = add(all, supernode.Status{Name: name, Project: r.o.Project, State: supernode.Unknown, Host: h, Ours: true,
				Away: &problem.Problem{Code: HostAway, What: p.What, Why: p.Why, Fix: p.Fix, Raw: p.Raw, Err: p.Err}})
		}
	}
	slices.SortFunc(all, func(a, b supernode.Status) int { return sortorder.NaturalCompare(a.Name, b.Name) })
	return all, nil
}

// add puts a status into a list that has each node once: one that runs is listed before one whose host is away, and
// that one before a stopped one.
func add(list []supernode.Status, st supernode.Status) []supernode.Status {
	i := slices.IndexFunc(list, func(o supernode.Status) bool { return o.Name == st.Name })
	rank := func(s supernode.State) int {
		switch s {
		case supernode.Stopped, supernode.Absent:
			return 0
		case supernode.Unknown:
			return 1
		}
		return 2
	}
	if i < 0 {
		return append(list, st)
	}
	if rank(st.State) > rank(list[i].State) {
		list[i] = st
	}
	return list
}

// of one node: on which host it is, as far as that is known.
func (r *Runtime) hostOf(ctx context.Context, name string) (*dockerctl.Runtime, error) {
	hosts := r.o.Places.Of(name)
	host := hosts[0]
	if len(hosts) > 1 {
		list, err := r.List(ctx)
		if err != nil {
			return nil, err
		}
		for _, st := range list {
			if st.Name == name {
				host = st.Host
			}
		}
	}
	return r.On(host)
}

// Logs sends the node's lines to each, from the host that has it.
func (r *Runtime) Logs(ctx context.Context, name string, o supernode.LogOptions, each func(supernode.Line) error) error {
	d, err := r.hostOf(ctx, name)
	if err != nil {
		return err
	}
	return d.Logs(ctx, name, o, each)
}

// Usage reads what a running node takes.
func (r *Runtime) Usage(ctx context.Context, name string) (supernode.Usage, error) {
	d, err := r.hostOf(ctx, name)
	if err != nil {
		return supernode.Usage{}, err
	}
	return d.Usage(ctx, name)
}

// lookForHosts is how often Watch looks for hosts that were chosen meanwhile.
const lookForHosts = 5 * time.Second

// Watch calls changed after any node's state may have changed on any host, until ctx ends.
func (r *Runtime) Watch(ctx context.Context, changed func()) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	watched := map[string]bool{}
	for {
		for _, h := range r.o.Places.Hosts() {
			d, err := r.On(h)
			if err != nil || watched[h] {
				continue
			}
			watched[h] = true
			wg.Add(1)
			done := sync.OnceFunc(wg.Done)
			safego.Go("watch docker "+at(h), func(error) { done() }, func() {
				defer done()
				_ = d.Watch(ctx, changed) // ends with ctx alone
			})
		}
		if safego.Sleep(ctx, lookForHosts) != nil {
			return nil
		}
	}
}

// Commands returns shell commands with the same effect as Start.
func (r *Runtime) Commands(spec supernode.Spec) []string {
	d, err := r.On(spec.Host)
	if err != nil {
		return []string{"# " + problem.Of(err).Error()}
	}
	return d.Commands(spec)
}

// ByHand finds SuperNodes that somebody started with one of keys in a container on any host; see dockerctl.
func (r *Runtime) ByHand(ctx context.Context, keys map[string]string) (map[string]supernode.Status, error) {
	out := map[string]supernode.Status{}
	var mu sync.Mutex
	hosts := r.o.Places.Hosts()
	errs := each(hosts, func(h string) error {
		return r.ask(ctx, h, func(ctx context.Context, d *dockerctl.Runtime) error {
			found, err := d.ByHand(ctx, keys)
			mu.Lock()
			defer mu.Unlock()
			for fingerprint, st := range found {
				st.Host = h
				out[fingerprint] = st
				r.ids[st.ID] = h
			}
			return err
		})
	})
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	for _, h := range hosts {
		if errs[h] != nil && (len(hosts) == 1 || !isAway(errs[h])) {
			return nil, errs[h]
		}
	}
	return out, nil
}

// withID returns the runtime of the host that has a container.
func (r *Runtime) withID(id string) (*dockerctl.Runtime, error) {
	r.mu.Lock()
	h := r.ids[id]
	r.mu.Unlock()
	return r.On(h)
}

// StopByHand, LogsByHand and UsageByHand are dockerctl's, on the host that ByHand found the container on.
func (r *Runtime) StopByHand(ctx context.Context, id string, grace time.Duration) error {
	d, err := r.withID(id)
	if err != nil {
		return err
	}
	return d.StopByHand(ctx, id, grace)
}

// LogsByHand is Logs of a container from ByHand, by its ID.
func (r *Runtime) LogsByHand(ctx context.Context, id string, o supernode.LogOptions, each func(supernode.Line) error) error {
	d, err := r.withID(id)
	if err != nil {
		return err
	}
	return d.LogsByHand(ctx, id, o, each)
}

// UsageByHand is Usage of a container from ByHand, by its ID.
func (r *Runtime) UsageByHand(ctx context.Context, id string) (supernode.Usage, error) {
	d, err := r.withID(id)
	if err != nil {
		return supernode.Usage{}, err
	}
	return d.UsageByHand(ctx, id)
}

// Container returns the status of a container whose SuperNode was found by its process, which is on this machine.
func (r *Runtime) Container(ctx context.Context, id string) (supernode.Status, error) {
	d, err := r.On("")
	if err != nil {
		return supernode.Status{}, err
	}
	return d.Container(ctx, id)
}
