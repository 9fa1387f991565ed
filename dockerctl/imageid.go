package dockerctl

import (
	"context"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/distribution/reference"

	"flwrup/internal/problem"
	"flwrup/internal/supernode"
)

// ResolveImage returns the image that a name leads to on the daemon now. It pulls nothing; without such an
// image it returns Problem image-missing.
func (r *Runtime) ResolveImage(ctx context.Context, name string) (supernode.Image, error) {
	if err := r.ready(ctx); err != nil {
		return supernode.Image{}, err
	}
	found, err := r.cli.ImageInspect(ctx, name)
	if cerrdefs.IsNotFound(err) {
		return supernode.Image{}, problem.New(problem.ImageMissing, "image "+name+" is not on the daemon", "", "run `docker pull "+name+"`")
	}
	if err != nil {
		return supernode.Image{}, r.explain(ctx, err, "look for image "+name)
	}
	return supernode.Image{ID: found.ID, Digest: repoDigest(name, found.RepoDigests)}, nil
}

// repoDigest returns the image's digest in the registry of name; "" for an image that was built here.
func repoDigest(name string, all []string) string {
	named, err := reference.ParseNormalizedNamed(name)
	for _, d := range all {
		if has, e := reference.ParseNormalizedNamed(d); err == nil && e == nil && has.Name() == named.Name() {
			return d
		}
	}
	if len(all) > 0 {
		return all[0]
	}
	return ""
}

// imageFor returns the source of a container: the name, as long as it leads to the same image as before; else
// that image itself.
func (r *Runtime) imageFor(ctx context.Context, spec supernode.Spec) (string, error) {
	if spec.ImageID == "" {
		return spec.Image, nil
	}
	if now, err := r.ResolveImage(ctx, spec.Image); err == nil && now.ID == spec.ImageID {
		return spec.Image, nil
	} else if err != nil && !problem.Is(err, problem.ImageMissing) {
		return "", err
	}
	_, err := r.ResolveImage(ctx, spec.ImageID)
	return spec.ImageID, err
}
