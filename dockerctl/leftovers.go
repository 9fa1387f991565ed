package dockerctl

import (
	"context"
	"slices"
	"strings"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/volume"
	"github.com/fvbommel/sortorder"

	"flwrup/internal/problem"
	"flwrup/internal/safego"
	"flwrup/internal/shell"
)

// KeyLeft says that a volume with the copy of a key could not be removed.
const KeyLeft problem.Code = "key-left"

// Leftovers names the nodes that have a container or a volume here. `docker rm` without -v leaves the
// volumes; only their labels distinguish them from others. What another engine runs is not left over.
func (r *Runtime) Leftovers(ctx context.Context) ([]string, error) {
	if err := r.ready(ctx); err != nil {
		return nil, err
	}
	all, err := inspectAll(ctx, r, LabelProject+"="+r.project)
	if err != nil {
		return nil, err
	}
	var names []string
	engines := map[string]bool{}
	for _, c := range all {
		if node := c.Config.Labels[LabelNode]; c.Config.Labels[LabelEngine] != "" {
			engines[node] = true
		} else {
			names = append(names, node)
		}
	}
	volumes, err := ownVolumes(ctx, r)
	if err != nil {
		return nil, err
	}
	for _, v := range volumes {
		if !engines[v.Labels[LabelNode]] {
			names = append(names, v.Labels[LabelNode])
		}
	}
	slices.SortFunc(names, sortorder.NaturalCompare)
	return slices.Compact(names), nil
}

// ownVolumes returns the project's volumes.
func ownVolumes(ctx context.Context, r *Runtime) ([]*volume.Volume, error) {
	list, err := r.cli.VolumeList(ctx, volume.ListOptions{Filters: filters.NewArgs(filters.Arg("label", LabelProject+"="+r.project))})
	if err != nil {
		return nil, r.explain(ctx, err, "look for volumes")
	}
	return list.Volumes, nil
}

// volumeBusy is how long a volume may stay in use: Docker needs a moment to remove a container with --rm.
const volumeBusy = 5 * time.Second

// removeVolumes deletes a node's volumes that did not go with a container.
func removeVolumes(ctx context.Context, r *Runtime, node string) error {
	list, err := ownVolumes(ctx, r)
	if err != nil {
		return err
	}
	for _, v := range list {
		if v.Labels[LabelNode] != node {
			continue
		}
		for end := time.Now().Add(volumeBusy); ; {
			err = r.cli.VolumeRemove(ctx, v.Name, false)
			if !cerrdefs.IsConflict(err) || time.Now().After(end) {
				break
			}
			if err := safego.Sleep(ctx, 200*time.Millisecond); err != nil {
				return err
			}
		}
		switch {
		case err == nil, cerrdefs.IsNotFound(err):
		case cerrdefs.IsConflict(err):
			return volumeKept(ctx, r, node, v.Name, err)
		default:
			return r.explain(ctx, err, "remove the copy of the key of "+node)
		}
	}
	return nil
}

// volumeKept says who holds a volume.
func volumeKept(ctx context.Context, r *Runtime, node, name string, cause error) error {
	p := problem.New(KeyLeft, "a volume of "+node+" is left, with the copy of its private key or its data", "volume "+name+" is in use",
		"docker volume rm "+name)
	p.Raw, p.Err = safe(cause), cause
	users, err := r.cli.ContainerList(ctx, container.ListOptions{All: true, Filters: filters.NewArgs(filters.Arg("volume", name))})
	if err != nil || len(users) == 0 {
		return p
	}
	var names []string
	for _, c := range users {
		id := c.ID
		if len(c.Names) > 0 {
			id = strings.TrimPrefix(c.Names[0], "/")
		}
		names = append(names, shell.Word(id))
	}
	list := strings.Join(names, " ")
	p.Why = "volume " + name + " is in use by a container that is not flwrup's: " + list
	p.Fix = "remove that container (docker rm -f " + list + ") where nobody needs it, then run the same again"
	return p
}
