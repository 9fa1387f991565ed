package dockerctl

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/fvbommel/sortorder"

	"flwrup/internal/problem"
	"flwrup/internal/shell"
	"flwrup/internal/supernode"
	"flwrup/internal/termsafe"
)

// NodeAbsent says that there is no container of a node on the daemon.
const NodeAbsent problem.Code = "node-absent"

// Stop sends one SIGTERM and lets Docker kill the container after grace. The container and its log
// stay, unless it was made with AutoRemove.
func (r *Runtime) Stop(ctx context.Context, name string, grace time.Duration) error {
	if err := r.ready(ctx); err != nil {
		return err
	}
	all, err := ours(ctx, r, name)
	if err != nil {
		return err
	}
	if err := ofEngine(all, "stop "+name); err != nil {
		return err
	}
	seconds := int(math.Ceil(grace.Seconds()))
	for _, c := range all {
		if !c.State.Running && !c.State.Restarting {
			continue
		}
		if c.State.Paused { // a paused process cannot act on a signal
			if err := unpause(ctx, r, c); err != nil {
				return err
			}
		}
		err := r.cli.ContainerStop(ctx, c.ID, container.StopOptions{Timeout: &seconds})
		if err != nil && !cerrdefs.IsNotFound(err) {
			return r.explain(ctx, err, "stop "+name)
		}
	}
	return nil
}

// Remove deletes a stopped node's container with its log, its home and the copy of its key, and the volumes
// of earlier containers. A missing node is no error. A running one is, and so is a volume that stays: it may
// hold the key.
func (r *Runtime) Remove(ctx context.Context, name string) error {
	if err := r.ready(ctx); err != nil {
		return err
	}
	all, err := ours(ctx, r, name)
	if err != nil {
		return err
	}
	if err := ofEngine(all, "remove "+name); err != nil {
		return err
	}
	for _, c := range all {
		if alive(c) {
			return problem.New(problem.Busy, name+" still runs", "", "stop it first")
		}
		err := r.cli.ContainerRemove(ctx, c.ID, container.RemoveOptions{RemoveVolumes: true, Force: c.State.Restarting || c.State.Dead})
		if err != nil && !cerrdefs.IsNotFound(err) && !removing(err) {
			return r.explain(ctx, err, "remove "+name)
		}
		r.mu.Lock()
		delete(r.readings, c.ID)
		r.mu.Unlock()
	}
	return removeVolumes(ctx, r, name)
}

// removing reports whether --rm or another process is removing it already.
func removing(err error) bool {
	return cerrdefs.IsConflict(err) && strings.Contains(err.Error(), "already in progress")
}

// List returns one container of each node of the project, running or not, in natural order of the nodes' names. Swarm
// keeps the containers of tasks that ended: a running one is listed before those, and a newer one before an older one.
func (r *Runtime) List(ctx context.Context) ([]supernode.Status, error) {
	if err := r.ready(ctx); err != nil {
		return nil, err
	}
	all, err := inspectAll(ctx, r, LabelProject+"="+r.project)
	if err != nil {
		return nil, err
	}
	out := make([]supernode.Status, 0, len(all))
	for _, c := range all { // the newest first
		st := status(c)
		i := slices.IndexFunc(out, func(o supernode.Status) bool { return o.Name == st.Name })
		if i < 0 {
			out = append(out, st)
		} else if alive(c) && out[i].State != supernode.Running {
			out[i] = st
		}
	}
	slices.SortStableFunc(out, func(a, b supernode.Status) int { return sortorder.NaturalCompare(a.Name, b.Name) })
	return out, nil
}

// Foreign returns those containers of the names that are not this project's, such as containers started by
// hand after the guide. Their Name is the container's, and their Labels are the container's own.
func (r *Runtime) Foreign(ctx context.Context, names []string) ([]supernode.Status, error) {
	if err := r.ready(ctx); err != nil {
		return nil, err
	}
	var out []supernode.Status
	for _, name := range names {
		c, err := r.cli.ContainerInspect(ctx, name)
		if cerrdefs.IsNotFound(err) {
			continue
		}
		if err != nil {
			return nil, r.explain(ctx, err, "look for a container named "+name)
		}
		if strings.TrimPrefix(c.Name, "/") != name || c.Config.Labels[LabelProject] == r.project {
			continue
		}
		s := status(c)
		s.Name, s.Ours, s.Labels = name, false, c.Config.Labels
		out = append(out, s)
	}
	return out, nil
}

// inspectAll returns the containers that carry all of the labels.
func inspectAll(ctx context.Context, r *Runtime, labels ...string) ([]container.InspectResponse, error) {
	args := filters.NewArgs()
	for _, l := range labels {
		args.Add("label", l)
	}
	list, err := r.cli.ContainerList(ctx, container.ListOptions{All: true, Filters: args})
	if err != nil {
		return nil, r.explain(ctx, err, "list the containers")
	}
	out := make([]container.InspectResponse, 0, len(list))
	for _, s := range list {
		c, err := r.cli.ContainerInspect(ctx, s.ID)
		if cerrdefs.IsNotFound(err) {
			continue // gone since
		}
		if err != nil {
			return nil, r.explain(ctx, err, "look at container "+s.ID)
		}
		out = append(out, c)
	}
	return out, nil
}

// find returns the container of a node of the project, or the one with that ID, whosever it is.
func find(ctx context.Context, r *Runtime, name string) (container.InspectResponse, error) {
	all, err := ours(ctx, r, name)
	if err != nil {
		return container.InspectResponse{}, err
	}
	for _, c := range all {
		if alive(c) {
			return c, nil
		}
	}
	if len(all) > 0 {
		return all[0], nil
	}
	c, err := r.cli.ContainerInspect(ctx, name)
	if err == nil && c.ID == name {
		return c, nil
	}
	if err != nil && !cerrdefs.IsNotFound(err) {
		return c, r.explain(ctx, err, "look for "+name)
	}
	return c, problem.New(NodeAbsent, "there is no container of "+name, "it was not started here, or was removed", "start it")
}

// status translates the daemon's answer into flwrup's terms.
func status(c container.InspectResponse) supernode.Status {
	s := supernode.Status{
		Name:       c.Config.Labels[LabelNode],
		Project:    c.Config.Labels[LabelProject],
		ID:         c.ID,
		Restarts:   c.RestartCount,
		Image:      cmp.Or(c.Config.Labels[LabelImage], c.Config.Image),
		ImageID:    c.Image,
		Labels:     map[string]string{},
		Ours:       true,
		LogKeptFor: "docker logs " + shell.Word(strings.TrimPrefix(c.Name, "/")),
	}
	if c.HostConfig != nil && keepsNothing(c.HostConfig.LogConfig.Type) {
		s.LogKeptFor = "nowhere: Docker's log driver " + c.HostConfig.LogConfig.Type + " keeps nothing here"
	}
	for k, v := range c.Config.Labels {
		if k, ok := strings.CutPrefix(k, labelPrefix); ok {
			s.Labels[k] = v
		}
	}
	switch st := c.State; {
	case st.Restarting:
		s.State, s.Since, s.ExitCode = supernode.Restarting, when(st.FinishedAt), st.ExitCode
		s.Reason = "ended with status " + strconv.Itoa(st.ExitCode) + "; Docker starts it again"
	case st.Running:
		s.State, s.Since = supernode.Running, when(st.StartedAt)
		if st.Paused {
			s.Reason = supernode.Suspended
		}
	case st.Status == "created" && st.Error == "":
		s.State, s.Since = supernode.Starting, when(c.Created)
	default:
		s.State, s.Since, s.ExitCode = supernode.Stopped, when(st.FinishedAt), st.ExitCode
		if s.Since.IsZero() {
			s.Since = when(c.Created)
		}
		s.Reason = ended(st)
	}
	termsafe.Value(&s) // labels and errors hold any text that the container's maker wrote
	return s
}

// ended says why a container does not run, where that can be seen from outside.
func ended(st *container.State) string {
	switch {
	case st.OOMKilled:
		return "killed: out of memory"
	case strings.Contains(st.Error, startPath) && strings.Contains(st.Error, "permission denied"):
		return "gave up: Docker started it again and again, and it never stayed up"
	case st.Error != "":
		return safe(errors.New(st.Error))
	case st.Dead:
		return "dead: Docker could not remove it"
	case st.ExitCode == 137:
		return "killed (SIGKILL)"
	case st.ExitCode > 128 && st.ExitCode < 160:
		return fmt.Sprintf("ended by signal %d", st.ExitCode-128)
	}
	return ""
}
