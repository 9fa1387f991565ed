package dockerctl

import (
	"context"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/image"

	"flwrup/internal/problem"
)

// ImageSize returns the bytes of an image on the daemon, the layers that other images have as well included. It returns 0
// when the image is not there.
func (r *Runtime) ImageSize(ctx context.Context, name string) (int64, error) {
	if err := r.ready(ctx); err != nil {
		return 0, err
	}
	found, err := r.cli.ImageInspect(ctx, name)
	if cerrdefs.IsNotFound(err) {
		return 0, nil
	}
	if err != nil {
		return 0, r.explain(ctx, err, "look for image "+name)
	}
	return found.Size, nil
}

// RemoveImage removes an image from the daemon. One that a container was made from, whoever made it and whether it runs
// or not, stays: Problem busy. An image that is not there is no error.
func (r *Runtime) RemoveImage(ctx context.Context, name string) error {
	if err := r.ready(ctx); err != nil {
		return err
	}
	found, err := r.cli.ImageInspect(ctx, name)
	if cerrdefs.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return r.explain(ctx, err, "look for image "+name)
	}
	// The daemon takes away a name that has containers as long as the image has another one.
	users, err := r.cli.ContainerList(ctx, container.ListOptions{All: true, Filters: filters.NewArgs(filters.Arg("ancestor", found.ID))})
	if err != nil {
		return r.explain(ctx, err, "look for containers of "+name)
	}
	if len(users) > 0 {
		return imageUsed(name)
	}
	_, err = r.cli.ImageRemove(ctx, name, image.RemoveOptions{PruneChildren: true})
	switch {
	case err == nil || cerrdefs.IsNotFound(err):
		return nil
	case cerrdefs.IsConflict(err):
		return imageUsed(name)
	}
	return r.explain(ctx, err, "remove image "+name)
}

func imageUsed(name string) error {
	return problem.New(problem.Busy, "the image "+name+" stays", "a container was made from it", "`docker ps -a --filter ancestor="+name+"` lists them")
}
