package dockerctl

import (
	"context"
	"encoding/json"
	"io"
	"time"

	"github.com/docker/docker/api/types/container"

	"flwrup/internal/problem"
	"flwrup/internal/supernode"
)

// A CPU figure needs two readings: not closer than the daemon's own clock allows, and not so far apart that
// the figure is out of date.
const (
	minApart = 200 * time.Millisecond
	maxApart = time.Minute
)

// reading is one look at a container's counters.
type reading struct {
	at  time.Time
	cpu uint64 // nanoseconds of CPU time, all cores
}

// Usage reads CPU (percent of one core, over the time since the last call) and memory without page
// cache, as `docker stats` shows it. The first call for a container takes one to two seconds.
func (r *Runtime) Usage(ctx context.Context, name string) (supernode.Usage, error) {
	if err := r.ready(ctx); err != nil {
		return supernode.Usage{}, err
	}
	c, err := find(ctx, r, name)
	if err != nil {
		return supernode.Usage{}, err
	}
	if !c.State.Running {
		return supernode.Usage{}, problem.New(NodeAbsent, name+" does not run", "", "start it")
	}
	s, err := r.stats(ctx, c.ID, true)
	if err != nil {
		return supernode.Usage{}, r.explain(ctx, err, "read what "+name+" takes")
	}
	now := reading{at: s.Read, cpu: s.CPUStats.CPUUsage.TotalUsage}
	r.mu.Lock()
	before, ok := r.readings[c.ID]
	r.mu.Unlock()
	if apart := now.at.Sub(before.at); !ok || apart < minApart || apart > maxApart || now.cpu < before.cpu {
		if s, err = r.stats(ctx, c.ID, false); err != nil {
			return supernode.Usage{}, r.explain(ctx, err, "read what "+name+" takes")
		}
		now = reading{at: s.Read, cpu: s.CPUStats.CPUUsage.TotalUsage}
		before = reading{at: s.PreRead, cpu: s.PreCPUStats.CPUUsage.TotalUsage}
	}
	r.mu.Lock()
	r.readings[c.ID] = now
	r.mu.Unlock()
	return supernode.Usage{At: now.at, CPU: cpuPercent(before, now), Memory: memory(s.MemoryStats)}, nil
}

// stats takes one reading at once, or (not once) lets the daemon take two.
func (r *Runtime) stats(ctx context.Context, id string, once bool) (s container.StatsResponse, err error) {
	get := func() (container.StatsResponseReader, error) { return r.cli.ContainerStats(ctx, id, false) }
	if once {
		get = func() (container.StatsResponseReader, error) { return r.cli.ContainerStatsOneShot(ctx, id) }
	}
	answer, err := get()
	if err != nil {
		return s, err
	}
	defer answer.Body.Close()
	defer func() { _, _ = io.Copy(io.Discard, answer.Body) }() // read to its end, the connection serves the next call
	err = json.NewDecoder(answer.Body).Decode(&s)
	return s, err
}

// cpuPercent is 100 for one core fully taken.
func cpuPercent(before, now reading) float64 {
	wall := now.at.Sub(before.at)
	if before.at.IsZero() || wall <= 0 || now.cpu < before.cpu {
		return 0
	}
	return float64(now.cpu-before.cpu) / float64(wall) * 100
}

// memory leaves out the page cache that the kernel can take back, as the docker command does:
// total_inactive_file with cgroup v1, inactive_file with v2.
func memory(m container.MemoryStats) uint64 {
	for _, k := range []string{"total_inactive_file", "inactive_file"} {
		if cache, ok := m.Stats[k]; ok {
			if cache < m.Usage {
				return m.Usage - cache
			}
			return m.Usage
		}
	}
	return m.Usage
}
