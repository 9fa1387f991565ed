package dockerctl

import (
	"context"
	"fmt"
	"regexp"
	"time"

	"flwrup/internal/problem"
	"flwrup/internal/supernode"
)

// LabelFlwr on an image says which flwr it holds.
const LabelFlwr = "flwrup.flwr"

// rightFlwr refuses an image of another flwr than spec's. When the image's name and labels do not say, it
// asks the image.
func rightFlwr(ctx context.Context, r *Runtime, spec supernode.Spec) error {
	have := tagVersion(spec.Image)
	if have == "" && spec.Flwr != "" {
		var err error
		if have, err = imageFlwr(ctx, r, spec.Image); err != nil {
			return err
		}
	}
	if have == "" || spec.Flwr == "" || have == spec.Flwr {
		return nil
	}
	return problem.New(supernode.WrongFlwr, fmt.Sprintf("image %s holds flwr %s, not %s", spec.Image, have, spec.Flwr),
		"flwr on this machine, the image and the grid must be of one version",
		"choose the image flwr/supernode:"+spec.Flwr+" (flwrup restart --own-image does), or flwr "+have)
}

var bareVersion = regexp.MustCompile(`\b\d+\.\d+\.\d+\S*`)

// imageFlwr returns the version of flwr in an image on the daemon: from its label, else from the image
// itself, in a container without network, rights or files. It returns "" when the image does not say.
func imageFlwr(ctx context.Context, r *Runtime, name string) (string, error) {
	found, err := r.cli.ImageInspect(ctx, name)
	if err != nil {
		return "", r.explain(ctx, err, "look for image "+name)
	}
	if found.Config != nil && found.Config.Labels[LabelFlwr] != "" {
		return found.Config.Labels[LabelFlwr], nil
	}
	r.mu.Lock()
	version, known := r.holds[found.ID]
	r.mu.Unlock()
	if known {
		return version, nil
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	// An image without Python, or without flwr, does not answer; that is no reason not to start it.
	out, err := r.RunPython(ctx, name, []string{"-c", "import importlib.metadata as m; print(m.version('flwr'))"})
	if err != nil && ctx.Err() != nil {
		return "", err
	}
	version = bareVersion.FindString(string(out))
	r.mu.Lock()
	r.holds[found.ID] = version
	r.mu.Unlock()
	return version, nil
}
