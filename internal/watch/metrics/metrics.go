// Package metrics shows what a watch sees to Prometheus, and whether the watch lives. It reads nothing itself.
package metrics

import (
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"flwrup/internal/front"
	"flwrup/internal/supernode"
	"flwrup/internal/termsafe"
)

// Look is one look of a watch at a project.
type Look struct {
	Dir     string // the project's folder; tells projects of one name apart, and is not shown
	Project string
	ID      string // of the project on this machine
	At      time.Time
	Took    time.Duration
	Over    front.Overview
	Sent    map[string]int // messages that people got, by channel
	Failed  map[string]int // tries that failed
	GivenUp map[string]int
	Waiting map[string]int
}

// Board keeps the last look at each project. Its methods may be called from several goroutines.
type Board struct {
	mu       sync.Mutex
	began    time.Time
	now      func() time.Time
	projects map[string]*project // by folder
	registry *prometheus.Registry
	took     *prometheus.HistogramVec
}

type project struct {
	look     Look
	name     string         // unique among the projects
	restarts map[string]int // by SuperNode
	away     string         // why nobody watches it; "" while somebody does
}

// The metrics. Names are those of https://prometheus.io/docs/practices/naming.
var (
	build       = desc("build_info", "Version of flwrup that watches.", "version", "goversion")
	gridUp      = desc("grid_up", "Whether the grid answered at the last look.", "project")
	runtimeUp   = desc("runtime_up", "Whether Docker, or what else runs SuperNodes, answered at the last look.", "project")
	wanted      = desc("supernode_wanted", "Whether the SuperNode should be up: 0 for one that a person stopped.", "project", "supernode")
	running     = desc("supernode_running", "Whether the SuperNode runs here.", "project", "supernode")
	online      = desc("supernode_online", "Whether the grid calls the SuperNode online; not there while the grid does not answer.", "project", "supernode")
	startTime   = desc("supernode_start_time_seconds", "When the SuperNode was started, in seconds since 1970.", "project", "supernode")
	trouble     = desc("supernode_trouble", "1 for a SuperNode that is not as it should be, with the code of the cause.", "project", "supernode", "code")
	restarts    = desc("supernode_restarts_total", "Restarts by this watch.", "project", "supernode")
	siteOnline  = desc("site_supernode_online", "Whether the grid calls a SuperNode of another site online.", "project", "site", "supernode")
	runs        = desc("runs", "Runs of the account, by status.", "project", "status")
	lookAt      = desc("last_look_timestamp_seconds", "When the watch looked last, in seconds since 1970.", "project")
	watched     = desc("watched", "Whether the folder is watched: 0 for one that cannot be, for now.", "project")
	sent        = desc("messages_sent_total", "Messages that people got.", "project", "channel")
	sendFailed  = desc("message_failures_total", "Tries to send a message that failed.", "project", "channel")
	givenUp     = desc("messages_given_up_total", "Messages that were given up.", "project", "channel")
	waiting     = desc("messages_waiting", "Messages that wait to be sent.", "project", "channel")
	runStatuses = []front.RunStatus{front.RunPending, front.RunStarting, front.RunRunning, front.RunCompleted, front.RunFailed, front.RunStopped}
	all         = []*prometheus.Desc{build, gridUp, runtimeUp, wanted, running, online, startTime, trouble, restarts, siteOnline, runs, lookAt, watched, sent, sendFailed, givenUp, waiting}
)

const prefix = "flwrup_"

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(prefix+name, help, labels, nil)
}

// NewBoard returns a Board without a look; version is flwrup's.
func NewBoard(version string) *Board {
	b := &Board{began: time.Now(), now: time.Now, projects: map[string]*project{}, registry: prometheus.NewRegistry()}
	b.took = prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: prefix + "look_duration_seconds", Help: "How long a look at all of a project takes.",
		Buckets: []float64{.1, .25, .5, 1, 2.5, 5, 10, 30}}, []string{"project"})
	b.registry.MustRegister(b.took, collector{b, version}, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return b
}

// Saw takes a look.
func (b *Board) Saw(l Look) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.of(l.Dir)
	before := p.name
	p.look, p.away = l, ""
	b.name(p)
	if before != "" && before != p.name {
		b.took.DeleteLabelValues(before)
	}
	b.took.WithLabelValues(p.name).Observe(l.Took.Seconds())
}

// Restarted counts a restart of a SuperNode.
func (b *Board) Restarted(dir, node string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.of(dir).restarts[node]++
}

// Away notes that a folder cannot be watched for now.
func (b *Board) Away(dir, why string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.of(dir)
	p.away = why
	b.name(p)
}

func (b *Board) of(dir string) *project {
	p := b.projects[dir]
	if p == nil {
		p = &project{look: Look{Dir: dir}, restarts: map[string]int{}}
		b.projects[dir] = p
	}
	return p
}

// name sets the name that the metrics of a project have: its own, with its ID where another one is called the same.
func (b *Board) name(p *project) {
	name := label(p.look.Project)
	if name == "" {
		name = "not-read"
	}
	taken := func(name string) bool {
		for _, other := range b.projects {
			if other != p && other.name == name {
				return true
			}
		}
		return false
	}
	unique := name
	if taken(unique) {
		unique = name + " (" + label(p.look.ID) + ")"
	}
	for n := 2; taken(unique); n++ { // a copy of a folder
		unique = fmt.Sprintf("%s (%d)", name, n)
	}
	p.name = unique
}

const mostLabel = 100

// label makes foreign text the value of a label.
func label(text string) string {
	text = termsafe.Line(text)
	if r := []rune(text); len(r) > mostLabel {
		text = string(r[:mostLabel])
	}
	return text
}

// collector makes the metrics of the last looks.
type collector struct {
	*Board
	version string
}

func (c collector) Describe(to chan<- *prometheus.Desc) {
	for _, d := range all {
		to <- d
	}
}

func (c collector) Collect(to chan<- prometheus.Metric) {
	c.mu.Lock()
	defer c.mu.Unlock()
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	counter := func(d *prometheus.Desc, v int, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), labels...)
	}
	gauge(build, 1, c.version, runtime.Version())
	for _, p := range c.projects {
		gauge(watched, truth(p.away == ""), p.name)
		for _, node := range keysOf(p.restarts) {
			counter(restarts, p.restarts[node], p.name, label(node))
		}
		if p.look.At.IsZero() {
			continue
		}
		p.collect(gauge, counter)
	}
}

// collect makes the metrics of one project.
func (p *project) collect(gauge func(*prometheus.Desc, float64, ...string), counter func(*prometheus.Desc, int, ...string)) {
	o := p.look.Over
	gauge(lookAt, float64(p.look.At.UnixMilli())/1000, p.name)
	if !o.FromLogs {
		gauge(gridUp, truth(o.GridErr == nil), p.name)
	}
	gauge(runtimeUp, truth(o.RuntimeErr == nil), p.name)
	seen := map[string]bool{}
	for _, v := range o.Nodes {
		name := label(v.Name)
		if seen[name] { // two that differ in what a label cannot have
			continue
		}
		seen[name] = true
		gauge(wanted, truth(v.Wanted == front.WantedUp), p.name, name)
		if o.RuntimeErr == nil && v.Engine == nil {
			up := v.Runtime.State == supernode.Running
			gauge(running, truth(up), p.name, name)
			if up && !v.Runtime.Since.IsZero() {
				gauge(startTime, float64(v.Runtime.Since.Unix()), p.name, name)
			}
		}
		if o.GridErr == nil {
			gauge(online, truth(v.Grid == front.GridOnline), p.name, name)
		}
		if v.Diagnosis != nil {
			gauge(trouble, 1, p.name, name, label(string(v.Diagnosis.Code)))
		}
		if p.restarts[v.Name] == 0 { // a counter is there from the beginning
			counter(restarts, 0, p.name, name)
		}
	}
	for _, site := range o.Sites {
		for _, v := range site.Nodes {
			if key := "\x00" + site.Name + "\x00" + v.Name; o.GridErr == nil && !seen[key] {
				seen[key] = true
				gauge(siteOnline, truth(v.Grid == front.GridOnline), p.name, label(site.Name), label(v.Name))
			}
		}
	}
	if o.GridErr == nil && !o.FromLogs {
		count := map[front.RunStatus]int{}
		for _, r := range o.Runs {
			count[r.Status]++
		}
		for _, status := range runStatuses {
			gauge(runs, float64(count[status]), p.name, status.Outcome())
		}
	}
	for _, m := range []struct {
		d     *prometheus.Desc
		count map[string]int
		gauge bool
	}{{sent, p.look.Sent, false}, {sendFailed, p.look.Failed, false}, {givenUp, p.look.GivenUp, false}, {waiting, p.look.Waiting, true}} {
		for channel, n := range m.count {
			if m.gauge {
				gauge(m.d, float64(n), p.name, channel)
			} else {
				counter(m.d, n, p.name, channel)
			}
		}
	}
}

func truth(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

func keysOf(m map[string]int) []string {
	var list []string
	for k := range m {
		list = append(list, k)
	}
	slices.Sort(list)
	return list
}

// Health is what /healthz says.
type Health struct {
	OK       bool            `json:"ok"`
	Projects []ProjectHealth `json:"projects"`
}

// ProjectHealth says of one project whether it is watched.
type ProjectHealth struct {
	Project string  `json:"project"`
	OK      bool    `json:"ok"`
	Ago     float64 `json:"last_look_seconds_ago"` // -1: it was not looked at so far
	Why     string  `json:"why,omitempty"`
}

// lateAfter is how old a look of a watch that lives may be: a restart takes three minutes at most.
const lateAfter = 5 * time.Minute

// health says whether each project is watched: by looks that are young, whatever they saw.
func (b *Board) health() Health {
	b.mu.Lock()
	defer b.mu.Unlock()
	h := Health{OK: true, Projects: []ProjectHealth{}}
	now := b.now()
	for _, p := range b.projects {
		one := ProjectHealth{Project: p.name, OK: p.away == "", Why: p.away, Ago: -1}
		since := b.began
		if !p.look.At.IsZero() {
			since = p.look.At
			one.Ago = now.Sub(since).Round(100 * time.Millisecond).Seconds()
		}
		if one.OK && now.Sub(since) > lateAfter {
			one.OK, one.Why = false, "the last look is too old"
		}
		h.OK = h.OK && one.OK
		h.Projects = append(h.Projects, one)
	}
	slices.SortFunc(h.Projects, func(a, b ProjectHealth) int {
		if a.Project < b.Project {
			return -1
		}
		return 1
	})
	if now.Sub(b.began) > lateAfter && len(h.Projects) == 0 {
		h.OK = false
	}
	return h
}
