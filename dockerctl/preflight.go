package dockerctl

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	cerrdefs "github.com/containerd/errdefs"

	"flwrup/internal/letin"
	"flwrup/internal/machine"
	"flwrup/internal/problem"
	"flwrup/internal/shell"
	"flwrup/internal/supernode"
)

// imageRoom is the space of an unpacked SuperNode image on the daemon's disk, and a little more; in bytes.
const imageRoom = 1 << 30

// Preflight reports obstacles to containers that do not run yet.
func (r *Runtime) Preflight(ctx context.Context, specs []supernode.Spec) ([]supernode.Finding, error) {
	if err := r.ready(ctx); err != nil || len(specs) == 0 {
		return nil, err
	}
	info, err := r.cli.Info(ctx)
	if err != nil {
		return nil, r.explain(ctx, err, "ask the daemon what it has")
	}
	proxies, err := r.dockerProxies()
	if err != nil {
		return nil, err
	}
	var found []supernode.Finding
	add := func(node string, warning bool, p *problem.Problem) {
		found = append(found, supernode.Finding{Node: node, Warning: warning, Problem: p})
	}
	here := r.at.remote() == "" && runtime.GOOS == "linux"
	if r.at.remote() != "" {
		for _, spec := range specs {
			if p := outOfReach(r.at, spec); p != nil {
				add(spec.Name, false, p)
			}
		}
	}
	images := map[string]bool{}
	for _, spec := range specs {
		if images[spec.Image] {
			continue
		}
		images[spec.Image] = true
		if tagVersion(spec.Image) != "" { // the name shows it before anything is pulled
			if err := rightFlwr(ctx, r, spec); err != nil {
				add("", false, problem.Of(err))
				continue
			}
		}
		image, err := r.cli.ImageInspect(ctx, spec.Image)
		switch {
		case cerrdefs.IsNotFound(err):
			add("", true, problem.New(problem.ImageMissing, "image "+spec.Image+" is not on "+r.at.where()+" yet", "", "flwrup pulls it first: "+shell.Line(append(append([]string{"docker"}, r.at.flags()...), "pull", spec.Image))))
			if free, err := machine.DiskFree(info.DockerRootDir); here && err == nil && free < imageRoom {
				add("", false, problem.New(DiskFull, fmt.Sprintf("%.1f GB free in %s", float64(free)/1e9, info.DockerRootDir), "the image takes about a gigabyte",
					"free some space: `docker system df` shows what takes it, `docker image prune` removes unused images"))
			}
		case err != nil:
			return nil, r.explain(ctx, err, "look for image "+spec.Image)
		default:
			if err := fits(ctx, r, spec.Image, image, func(p supernode.Progress) {
				add("", true, problem.New(problem.BadInput, p.Text, "", "choose an image for this machine"))
			}); err != nil {
				add("", false, problem.Of(err))
			}
			if err := rightFlwr(ctx, r, spec); err != nil {
				if ctx.Err() != nil {
					return nil, ctx.Err()
				}
				add("", false, problem.Of(err))
			}
		}
	}
	have := info.MemTotal
	if free, ok := machine.MemoryFree(); ok && here {
		have = free
	} else if have == 0 {
		have = -1
	}
	found = append(found, supernode.LoadOf(specs).Short(have, info.NCPU)...)
	for _, spec := range specs {
		for _, p := range r.ofNode(ctx, withProxies(spec, proxies), info.NCPU, here) {
			add(spec.Name, p.Code == supernode.ValueMissing, p)
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// outOfReach returns the Problem of a SuperNode on another machine whose grid answers on this machine alone.
func outOfReach(at endpoint, spec supernode.Spec) *problem.Problem {
	fleet := spec.Labels["fleet"]
	host, _, err := net.SplitHostPort(fleet)
	if ip := net.ParseIP(host); err != nil || host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil
	}
	return problem.New(problem.BadInput, spec.Name+" on "+at.where()+" cannot reach the grid", "the grid at "+fleet+" answers on this machine only",
		"run it on this machine: take host out of flwrup.toml")
}

// ofNode returns the obstacles to one container.
func (r *Runtime) ofNode(ctx context.Context, spec supernode.Spec, cores int, here bool) []*problem.Problem {
	var all []*problem.Problem
	keep := func(err error) {
		if err != nil {
			all = append(all, problem.Of(err))
		}
	}
	_, err := readSmall("private key", spec.KeyFile)
	keep(err)
	if spec.CAFile != "" {
		_, err := readSmall("CA certificate", spec.CAFile)
		keep(err)
	}
	ours, err := ours(ctx, r, spec.Name)
	keep(err)
	mine, same := false, false
	for _, c := range ours {
		mine = mine || strings.TrimPrefix(c.Name, "/") == spec.Container
		same = same || c.Config.Labels[LabelSpec] == SpecHash(spec)
	}
	if err == nil && !mine {
		keep(nameFree(ctx, r, spec.Container))
	}
	keep(portFree(r, spec))
	if _, err := binds(spec); err != nil {
		keep(err)
		return all
	}
	if len(spec.Missing) > 0 && !same {
		keep(supernode.WithoutValue(spec))
	}
	if cores > 0 && spec.CPUs > float64(cores) {
		keep(problem.New(problem.BadInput, fmt.Sprintf("%s asks for %g processor cores", spec.Name, spec.CPUs), fmt.Sprintf("Docker has %d here", cores),
			fmt.Sprintf("write cpus = \"%d\" or less into flwrup.toml", cores)))
	}
	if least := spec.Takes; spec.Memory > 0 && spec.Memory < least {
		keep(problem.New(problem.BadInput, fmt.Sprintf("%s asks for %d MB of memory", spec.Name, spec.Memory>>20),
			fmt.Sprintf("a SuperNode takes about %d MB before its app takes any, and is killed when it wants more than its limit", least>>20), "raise memory in flwrup.toml"))
	}
	for _, d := range spec.Data {
		if !here {
			break // the folders are on the daemon's machine
		}
		if _, err := os.Stat(d.Host); err != nil && os.IsNotExist(err) {
			keep(problem.New(problem.BadInput, "the data folder "+d.Host+" of "+spec.Name+" is missing", "Docker would refuse it", "make it, or correct data in flwrup.toml"))
		} else if err == nil && !readable(d.Host, d.Write) {
			can := "read"
			if d.Write {
				can = "write"
			}
			keep(problem.New(problem.BadInput, fmt.Sprintf("%s cannot %s its data folder %s", spec.Name, can, d.Host),
				fmt.Sprintf("in the container it is user %d, whom the folder's mode does not let in", userID),
				letin.Fix(letin.Request{Path: d.Host, Write: d.Write, User: userID, Never: []string{spec.KeyFile, filepath.Dir(spec.KeyFile)}})))
		}
	}
	return all
}
