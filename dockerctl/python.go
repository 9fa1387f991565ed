package dockerctl

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/pkg/stdcopy"

	"flwrup/internal/problem"
	"flwrup/internal/termsafe"
)

// maxPython is how much output of such a Python is kept.
const maxPython = 1 << 20

// RunPython runs an image's own Python once with args and returns its standard output. It pulls nothing. The
// container has no network, no key and no right, cannot write, and is gone afterwards. It carries no label of
// a SuperNode, so nothing takes it for one.
func (r *Runtime) RunPython(ctx context.Context, image string, args []string) ([]byte, error) {
	if err := r.ready(ctx); err != nil {
		return nil, err
	}
	doing := "run Python in image " + image
	user := strconv.Itoa(userID)
	pids := int64(64)
	made, err := r.cli.ContainerCreate(ctx, &container.Config{
		Image: image, Entrypoint: []string{"python"}, Cmd: args, User: user + ":" + user,
		AttachStdout: true, AttachStderr: true,
	}, &container.HostConfig{
		NetworkMode: "none", ReadonlyRootfs: true, CapDrop: []string{"ALL"}, SecurityOpt: []string{"no-new-privileges"},
		AutoRemove: true, Resources: container.Resources{Memory: 512 << 20, PidsLimit: &pids},
		LogConfig: container.LogConfig{Type: "none"},
	}, nil, nil, "")
	if cerrdefs.IsNotFound(err) {
		return nil, problem.New(problem.ImageMissing, "image "+image+" is not on the daemon", "", "run `docker pull "+image+"`")
	}
	if err != nil {
		return nil, r.explain(ctx, err, doing)
	}
	ended := false
	defer func() {
		if !ended { // even when the user has left
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
			defer cancel()
			_ = r.cli.ContainerRemove(ctx, made.ID, container.RemoveOptions{Force: true, RemoveVolumes: true})
		}
	}()
	stream, err := r.cli.ContainerAttach(ctx, made.ID, container.AttachOptions{Stream: true, Stdout: true, Stderr: true})
	if err != nil {
		return nil, r.explain(ctx, err, doing)
	}
	defer stream.Close()
	defer context.AfterFunc(ctx, stream.Close)() // the read below knows no ctx
	exit, failed := r.cli.ContainerWait(ctx, made.ID, container.WaitConditionNextExit)
	if err := r.cli.ContainerStart(ctx, made.ID, container.StartOptions{}); err != nil {
		return nil, r.explain(ctx, err, doing)
	}
	var out, errs bytes.Buffer
	_, err = stdcopy.StdCopy(&out, &errs, io.LimitReader(stream.Reader, maxPython))
	if err != nil {
		return nil, r.explain(ctx, err, doing)
	}
	select {
	case end := <-exit:
		ended = true
		if end.StatusCode != 0 {
			lines := strings.Split(strings.TrimSpace(errs.String()), "\n")
			return nil, fmt.Errorf("%s: it ended with %d: %s", doing, end.StatusCode, termsafe.Line(lines[len(lines)-1]))
		}
		return out.Bytes(), nil
	case err := <-failed:
		return nil, r.explain(ctx, err, doing)
	}
}
