package dockerctl

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"

	"flwrup/internal/problem"
	"flwrup/internal/safego"
	"flwrup/internal/shell"
	"flwrup/internal/supernode"
)

// Start starts the node's container. It leaves a running one alone, whatever it was made with (compare
// Status.Labels["spec"] with SpecHash to know). It starts a stopped one made with the same spec, and replaces
// any other of ours. It copies the key in before every start, so a container whose creator was killed half
// way is completed.
func (r *Runtime) Start(ctx context.Context, spec supernode.Spec) error {
	if err := r.ready(ctx); err != nil {
		return err
	}
	if err := r.at.secret(); err != nil {
		return err
	}
	proxies, err := r.dockerProxies()
	if err != nil {
		return err
	}
	spec = withProxies(spec, proxies)
	for attempt := 0; ; attempt++ {
		err := startContainer(ctx, r, spec)
		// Another process made, started or removed it between our look and our act: look again.
		if attempt < 5 && (cerrdefs.IsConflict(err) || cerrdefs.IsNotFound(err)) {
			if err := safego.Sleep(ctx, 200*time.Millisecond<<attempt); err != nil {
				return err
			}
			continue
		}
		return err
	}
}

func startContainer(ctx context.Context, r *Runtime, spec supernode.Spec) error {
	doing := "start " + spec.Name
	if _, err := binds(spec); err != nil { // an older container may see folders that are closed by now
		return err
	}
	all, err := ours(ctx, r, spec.Name)
	if err != nil {
		return err
	}
	if err := ofEngine(all, "start "+spec.Name); err != nil {
		return err
	}
	keep := ""
	for _, c := range all {
		if alive(c) {
			return unpause(ctx, r, c)
		}
	}
	fits := func(c container.InspectResponse) bool {
		return reusable(c) && (spec.ImageID == "" || c.Image == spec.ImageID) && c.Config.Labels[LabelSpec] == SpecHash(spec) && strings.TrimPrefix(c.Name, "/") == spec.Container
	}
	if len(spec.Missing) > 0 && !slices.ContainsFunc(all, fits) { // the existing container may be the only one with the values
		return supernode.WithoutValue(spec)
	}
	for _, c := range all {
		if keep == "" && fits(c) {
			keep = c.ID
			continue
		}
		err := r.cli.ContainerRemove(ctx, c.ID, container.RemoveOptions{RemoveVolumes: true, Force: c.State.Restarting || c.State.Dead})
		if err != nil && !cerrdefs.IsNotFound(err) {
			return r.explain(ctx, err, "remove the outdated container of "+spec.Name)
		}
	}
	if err := portFree(r, spec); err != nil {
		return err
	}
	if keep == "" {
		if keep, err = create(ctx, r, spec); err != nil {
			return err
		}
	}
	c, err := r.cli.ContainerInspect(ctx, keep)
	if err != nil {
		return r.explain(ctx, err, doing)
	}
	if err := rebound(ctx, r, c, spec); err != nil {
		return err
	}
	if err := handIn(ctx, r, c, spec); err != nil {
		return err
	}
	if err := r.cli.ContainerStart(ctx, keep, container.StartOptions{}); err != nil {
		return startProblem(ctx, r, spec, err)
	}
	return nil
}

func create(ctx context.Context, r *Runtime, spec supernode.Spec) (id string, err error) {
	if err := nameFree(ctx, r, spec.Container); err != nil {
		return "", err
	}
	image, err := r.imageFor(ctx, spec)
	if err != nil {
		return "", err
	}
	_, forced, err := imageUser(ctx, r, image)
	if err != nil {
		return "", err
	}
	if err := measure(ctx, r); err != nil {
		return "", err
	}
	config, host, err := r.config(spec, forced, entrypoint(r, image))
	if err != nil {
		return "", err
	}
	config.Image = image
	made, err := r.cli.ContainerCreate(ctx, config, host, nil, nil, spec.Container)
	if err != nil {
		return "", r.explain(ctx, err, "create the container of "+spec.Name)
	}
	if spec.ImageID == "" {
		return made.ID, nil
	}
	c, err := r.cli.ContainerInspect(ctx, made.ID)
	if err != nil {
		return "", r.explain(ctx, err, "look at the container of "+spec.Name)
	}
	if c.Image != spec.ImageID { // the name moved between the two calls
		_ = r.cli.ContainerRemove(ctx, made.ID, container.RemoveOptions{RemoveVolumes: true})
		return "", problem.New(problem.Busy, "the image "+spec.Image+" is being changed", "somebody pulls or builds it", "wait for that, then start "+spec.Name+" again")
	}
	return made.ID, nil
}

// ours returns this project's containers of one node: normally none or one.
func ours(ctx context.Context, r *Runtime, node string) ([]container.InspectResponse, error) {
	return inspectAll(ctx, r, LabelProject+"="+r.project, LabelNode+"="+node)
}

// OfEngine is the code of a Problem about a container that another engine runs; see LabelEngine.
const OfEngine problem.Code = "node-engine"

// ofEngine returns the Problem about the first container that another engine runs: that engine would bring it back.
func ofEngine(list []container.InspectResponse, doing string) error {
	for _, c := range list {
		if engine := c.Config.Labels[LabelEngine]; engine != "" {
			name := strings.TrimPrefix(c.Name, "/")
			return problem.New(OfEngine, "cannot "+doing, safe(errors.New(engine))+" runs its container "+name, "end it there first; the README of its export has the command")
		}
	}
	return nil
}

func alive(c container.InspectResponse) bool {
	return c.State.Running && !c.State.Restarting
}

// reusable reports whether a stopped container can be started again.
func reusable(c container.InspectResponse) bool {
	return !c.State.Dead && !c.State.Restarting && c.State.Status != "removing"
}

func unpause(ctx context.Context, r *Runtime, c container.InspectResponse) error {
	if !c.State.Paused {
		return nil
	}
	if err := r.cli.ContainerUnpause(ctx, c.ID); err != nil {
		return r.explain(ctx, err, "unpause "+c.Name)
	}
	return nil
}

// nameFree says who has the name when it is taken. Our own containers of this node are gone by now.
func nameFree(ctx context.Context, r *Runtime, name string) error {
	c, err := r.cli.ContainerInspect(ctx, name)
	if cerrdefs.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return r.explain(ctx, err, "look for a container named "+name)
	}
	if strings.TrimPrefix(c.Name, "/") != name {
		return nil // the name is a prefix of some container's ID
	}
	whose := "it was not made by flwrup"
	if p, ok := c.Config.Labels[LabelProject]; ok {
		whose = "it is " + strconv.Quote(c.Config.Labels[LabelNode]) + " of the flwrup project " + strconv.Quote(p)
	}
	state := c.State.Status
	if t := when(c.Created); !t.IsZero() {
		state += ", made " + t.Local().Format("2006-01-02 15:04")
	}
	q := shell.Word(name)
	return problem.New(problem.NameTaken, "the container name "+name+" is taken",
		fmt.Sprintf("container %.12s (image %s, %s) has it, and %s", c.ID, c.Config.Image, state, whose),
		"choose another name, or keep that container under another one: docker rename "+q+" "+shell.Word(name+"_old")+
			"; if nobody needs it: docker rm -f "+q)
}

// portFree checks this machine's ports before a container on the host network takes one. Docker would report
// the container as up, and only its log would show the failure.
func portFree(r *Runtime, spec supernode.Spec) error {
	if !spec.HostNetwork || spec.Port <= 0 || r.at.remote() != "" {
		return nil
	}
	for _, host := range []string{"127.0.0.1", "0.0.0.0"} {
		l, err := net.Listen("tcp4", net.JoinHostPort(host, strconv.Itoa(spec.Port)))
		if err == nil {
			l.Close()
			continue
		}
		if errors.Is(err, syscall.EADDRINUSE) || strings.Contains(err.Error(), "in use") || strings.Contains(err.Error(), "Only one usage") {
			p := problem.New(problem.PortTaken, fmt.Sprintf("port %d for %s is in use on this machine", spec.Port, spec.Name),
				"every SuperNode on the host network needs a port of its own",
				fmt.Sprintf("choose another port, or end the program that has it: %s", portOwner(spec.Port)))
			p.Err = err
			return p
		}
	}
	return nil
}

func startProblem(ctx context.Context, r *Runtime, spec supernode.Spec, err error) error {
	text := strings.ToLower(err.Error())
	if strings.Contains(text, "executable file not found") || strings.Contains(text, "exec format error") {
		p := problem.New(problem.BadInput, "the container of "+spec.Name+" cannot start", "image "+spec.Image+" holds no flower-supernode for this machine",
			"choose an image such as flwr/supernode:"+spec.Flwr)
		p.Raw, p.Err = safe(err), err
		return p
	}
	if strings.Contains(text, "could not select device driver") {
		p := problem.New(problem.BadInput, "Docker has no GPU for "+spec.Name, "its NVIDIA Container Toolkit is not installed, or there is no GPU",
			"install the toolkit (https://docs.nvidia.com/datacenter/cloud-native/container-toolkit/), or take gpus out of flwrup.toml")
		p.Raw, p.Err = safe(err), err
		return p
	}
	if strings.Contains(text, "setting rlimit") {
		p := problem.New(problem.BadInput, "the container of "+spec.Name+" cannot start", "Podman asks for more processes or files than this machine lets it have",
			"write default_ulimits = [\"nofile=1024:1024\", \"nproc=4096:4096\"] below [containers] into containers.conf, restart Podman's service, then run `flwrup down` and start again")
		p.Raw, p.Err = safe(err), err
		return p
	}
	return r.explain(ctx, err, "start "+spec.Name)
}

// when parses a time of the daemon's; zero when there is none.
func when(s string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil || t.Year() <= 1 {
		return time.Time{}
	}
	return t
}
