package dockerctl

import (
	"bytes"
	"encoding/csv"
	"maps"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"

	"flwrup/internal/shell"
	"flwrup/internal/supernode"
)

// Commands returns the command lines with the same effect as Start of a new node: docker create, the key (and
// CA, and starter) as tar streams, docker start. It does not ask the daemon. So it assumes that an image it
// has not inspected runs flower-supernode as uid 49999, as flwr/supernode does. The lines hold no value that
// only the node may see: they take it from the environment of the shell.
func (r *Runtime) Commands(spec supernode.Spec) []string {
	return r.commands(spec, runtime.GOOS)
}

func (r *Runtime) commands(spec supernode.Spec, goos string) []string {
	if _, err := binds(spec); err != nil {
		return []string{"# " + strings.ReplaceAll(err.Error(), "\n", " ")}
	}
	docker := append([]string{"docker"}, r.at.flags()...)
	out := []string{shell.Line(append(slices.Clone(docker), r.createArgs(spec)...))}
	hand := func(path, name, mode string) {
		cp := append(slices.Clone(docker), "cp", "-", spec.Container+":"+KeyDir)
		out = append(out, shell.Line(tarArgs(goos, path, name, mode))+" | "+shell.Line(cp))
	}
	hand(spec.KeyFile, "key", "0400")
	if spec.CAFile != "" {
		hand(spec.CAFile, "ca.crt", "0444")
	}
	if needsStarter(spec) {
		out = append(out, handStarter(goos, r.dir, spec, docker)...)
	}
	return append(out, shell.Line(append(slices.Clone(docker), "start", spec.Container)))
}

// createArgs translates config from the API into flags.
func (r *Runtime) createArgs(spec supernode.Spec) []string {
	proxies, _ := r.dockerProxies() // Start reports their faults
	c, h, err := r.config(withProxies(spec, proxies), false, entrypoint(r, spec.Image))
	if err != nil {
		return nil
	}
	args := []string{"create", "--name", spec.Container}
	for _, k := range slices.Sorted(maps.Keys(c.Labels)) {
		args = append(args, "--label", k+"="+c.Labels[k])
	}
	args = append(args, "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--read-only", "--tmpfs", "/tmp:"+h.Tmpfs["/tmp"])
	for _, m := range h.Mounts {
		if m.Type == mount.TypeBind {
			fields := []string{"type=bind", "src=" + m.Source, "dst=" + m.Target}
			if m.ReadOnly {
				fields = append(fields, "readonly")
			}
			args = append(args, "--mount", csvLine(fields))
			continue
		}
		fields := []string{"type=volume", "dst=" + m.Target}
		for _, k := range slices.Sorted(maps.Keys(m.VolumeOptions.Labels)) {
			fields = append(fields, "volume-label="+k+"="+m.VolumeOptions.Labels[k])
		}
		args = append(args, "--mount", csvLine(fields))
	}
	for _, e := range environment(spec) {
		args = append(args, "--env", e)
	}
	args = append(args, proxyArgs(proxies, withProxies(spec, proxies).Env)...)
	args = append(args, "--log-driver", h.LogConfig.Type)
	for _, k := range slices.Sorted(maps.Keys(h.LogConfig.Config)) {
		args = append(args, "--log-opt", k+"="+h.LogConfig.Config[k])
	}
	if h.NetworkMode != "" {
		args = append(args, "--network", string(h.NetworkMode))
	}
	if h.AutoRemove {
		args = append(args, "--rm")
	}
	if h.RestartPolicy.Name == container.RestartPolicyUnlessStopped {
		args = append(args, "--restart", string(h.RestartPolicy.Name))
	}
	if spec.CPUs > 0 {
		args = append(args, "--cpus", strconv.FormatFloat(spec.CPUs, 'f', -1, 64))
	}
	if h.Memory > 0 {
		args = append(args, "--memory", strconv.FormatInt(h.Memory, 10))
	}
	args = append(args, "--pids-limit", strconv.FormatInt(*h.PidsLimit, 10))
	if spec.GPUs != "" {
		args = append(args, "--gpus", gpuFlag(spec.GPUs))
	}
	if len(c.Entrypoint) > 0 {
		args = append(args, "--entrypoint", c.Entrypoint[0])
	}
	return append(append(args, spec.Image), c.Cmd...)
}

// tarArgs packs one file under another name, owner and mode, with GNU tar, or with the bsdtar of
// macOS and Windows, which keeps the file's own mode.
func tarArgs(goos, path, name, mode string) []string {
	args := tarOwned(goos, mode)
	if goos == "linux" {
		args = append(args, "--transform=s|.*|"+name+"|")
	} else {
		args = append(args, "-s", "|.*|"+name+"|")
	}
	// ./ keeps a leading dash from being an option, and a leading @ from being an archive.
	return append(args, "-C", filepath.Dir(path), "-chf", "-", "./"+filepath.Base(path))
}

func tarOwned(goos, mode string) []string {
	id := strconv.Itoa(userID)
	if goos == "linux" {
		return []string{"tar", "--owner=" + id, "--group=" + id, "--numeric-owner", "--mode=" + mode}
	}
	return []string{"tar", "--uid", id, "--gid", id, "--uname", "", "--gname", ""}
}

func csvLine(fields []string) string {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	_ = w.Write(fields) // a buffer takes all
	w.Flush()
	return strings.TrimSuffix(b.String(), "\n")
}
