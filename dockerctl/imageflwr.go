package dockerctl

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"

	"flwrup/internal/problem"
	"flwrup/internal/supernode"
)

// LabelFlwr on an image says which flwr it holds.
const LabelFlwr = "flwrup.flwr"

// rightFlwr refuses an image of another flwr than spec's. Where the image's name and labels do not say
// what it holds, the image is asked.
func (r *Runtime) rightFlwr(ctx context.Context, spec supernode.Spec) error {
	have := tagVersion(spec.Image)
	if have == "" && spec.Flwr != "" {
		var err error
		if have, err = r.imageFlwr(ctx, spec.Image); err != nil {
			return err
		}
	}
	if have == "" || spec.Flwr == "" || have == spec.Flwr {
		return nil
	}
	return problem.New(problem.BadInput, fmt.Sprintf("image %s holds flwr %s, not %s", spec.Image, have, spec.Flwr),
		"flwr on this machine, the image and the grid must be of one version",
		"choose the image flwr/supernode:"+spec.Flwr+", or flwr "+have)
}

var bareVersion = regexp.MustCompile(`\b\d+\.\d+\.\d+\S*`)

// imageFlwr gives the version of flwr in an image that is on the daemon: from its label, else from the
// image itself, in a container without network, rights or files. "" where the image does not tell.
func (r *Runtime) imageFlwr(ctx context.Context, name string) (string, error) {
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
	out, err := r.once(ctx, name, "python", "-c", "import importlib.metadata as m; print(m.version('flwr'))")
	if err != nil {
		return "", err
	}
	version = bareVersion.FindString(out)
	r.mu.Lock()
	r.holds[found.ID] = version
	r.mu.Unlock()
	return version, nil
}

// once runs a program of an image and gives what it printed; "" when the program cannot be run.
func (r *Runtime) once(ctx context.Context, image, program string, args ...string) (string, error) {
	made, err := r.cli.ContainerCreate(ctx, &container.Config{Image: image, Entrypoint: []string{program}, Cmd: args, Tty: true,
		Labels: map[string]string{"flwrup.asks": image}},
		&container.HostConfig{NetworkMode: "none", ReadonlyRootfs: true, CapDrop: []string{"ALL"}, SecurityOpt: []string{"no-new-privileges"}}, nil, nil, "")
	if err != nil {
		return "", r.explain(ctx, err, "ask image "+image)
	}
	defer func() {
		_ = r.cli.ContainerRemove(context.WithoutCancel(ctx), made.ID, container.RemoveOptions{Force: true, RemoveVolumes: true})
	}()
	ended, failed := r.cli.ContainerWait(ctx, made.ID, container.WaitConditionNextExit)
	if err := r.cli.ContainerStart(ctx, made.ID, container.StartOptions{}); err != nil {
		return "", nil // no such program in it
	}
	select {
	case err := <-failed:
		return "", r.explain(ctx, err, "ask image "+image)
	case <-ended:
	}
	body, err := r.cli.ContainerLogs(ctx, made.ID, container.LogsOptions{ShowStdout: true})
	if err != nil {
		return "", r.explain(ctx, err, "ask image "+image)
	}
	defer body.Close()
	text, err := io.ReadAll(io.LimitReader(body, 1<<16))
	return strings.TrimSpace(string(text)), err
}
