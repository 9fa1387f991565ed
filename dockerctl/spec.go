package dockerctl

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"

	"flwrup/internal/plainfile"
	"flwrup/internal/supernode"
)

// layout changes when containers of an older flwrup must be replaced.
const layout = "3"

// SpecHash returns the value of LabelSpec, which shows whether a container was made with the same spec. It
// covers the image, arguments, environment, network, folders, limits, restarts, CA and key fingerprint. It
// leaves out other labels, which may be learnt later (a node ID). It leaves out the key and the values of
// secrets, which are copied in again at every start, and bounds that nobody chose: those are renewed.
func SpecHash(spec supernode.Spec) string {
	ca := ""
	if spec.CAFile != "" {
		if data, err := plainfile.Read(spec.CAFile); err == nil {
			ca = digest(data)
		}
	}
	data, err := json.Marshal([]any{layout, spec.Container, spec.Image, arguments(spec), environment(spec), ca,
		spec.Labels["fingerprint"], spec.Labels[LabelFingerprint], spec.HostNetwork, spec.AutoRemove, spec.Restart,
		secretNames(spec), spec.EnvFile != "", spec.Data, spec.CPUs, spec.Memory, spec.PIDs, spec.Tmp, spec.GPUs})
	if err != nil {
		panic(err) // strings, numbers and lists of them always marshal
	}
	return digest(data)[:16]
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func arguments(spec supernode.Spec) []string {
	if spec.Args == nil {
		return nil
	}
	ca := ""
	if spec.CAFile != "" {
		ca = CAPath
	}
	return spec.Args(KeyPath, ca)
}

// environment returns the sorted environment, with the variables of the container's layout at the end.
func environment(spec supernode.Spec) []string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(spec.Env)) {
		if k != "FLWR_HOME" && k != "HOME" {
			out = append(out, k+"="+spec.Env[k])
		}
	}
	return append(out, "HOME="+HomeDir, "FLWR_HOME="+HomePath)
}

// labels returns the labels of the container. A key of Spec.Labels without a dot gets the prefix "flwrup.".
func (r *Runtime) labels(spec supernode.Spec) map[string]string {
	out := map[string]string{}
	for k, v := range spec.Labels {
		if !strings.Contains(k, ".") {
			k = labelPrefix + k
		}
		out[k] = v
	}
	maps.Copy(out, r.owned(spec.Name))
	out[LabelSpec], out[LabelImage] = SpecHash(spec), spec.Image
	return out
}

// owned returns the labels by which a node's container and volumes are found.
func (r *Runtime) owned(node string) map[string]string {
	return map[string]string{LabelProject: r.project, LabelNode: node}
}

// config returns the request to the daemon. uid is the image's user; forced says that it must be named
// because the image would run as root. entrypoint is the image's own. A folder that no SuperNode may see is a
// Problem.
func (r *Runtime) config(spec supernode.Spec, forced bool, entrypoint []string) (*container.Config, *container.HostConfig, error) {
	entry, args := program(spec, entrypoint)
	c := &container.Config{
		Image:      spec.Image,
		Entrypoint: entry,
		Cmd:        args,
		Env:        environment(spec),
		Labels:     r.labels(spec),
		// As docker create sets them; they only matter to a user who attaches.
		AttachStdout: true,
		AttachStderr: true,
	}
	within := boundsFor(r, spec)
	tmp := tmpfsOpt + ",size=" + strconv.FormatInt(within.tmp, 10)
	owned := &mount.VolumeOptions{Labels: r.owned(spec.Name)}
	h := &container.HostConfig{
		CapDrop:        []string{"ALL"},
		SecurityOpt:    []string{"no-new-privileges"},
		ReadonlyRootfs: true,
		Tmpfs:          map[string]string{"/tmp": tmp},
		Mounts: []mount.Mount{
			{Type: mount.TypeVolume, Target: KeyDir, VolumeOptions: owned},
			{Type: mount.TypeVolume, Target: HomeDir, VolumeOptions: owned},
		},
		LogConfig:     container.LogConfig{Type: "json-file", Config: map[string]string{"max-size": logSize, "max-file": logFiles}},
		AutoRemove:    spec.AutoRemove,
		RestartPolicy: container.RestartPolicy{Name: container.RestartPolicyDisabled},
	}
	if forced {
		id := strconv.Itoa(userID)
		c.User = id + ":" + id
		// Such an image has no folder that this user owns, from which a volume could take its owner.
		h.Mounts = h.Mounts[:1]
		h.Tmpfs[HomeDir] = tmp + ",mode=0700,uid=" + id + ",gid=" + id
	}
	if spec.HostNetwork {
		h.NetworkMode = "host"
	}
	if again(spec) > 0 {
		h.RestartPolicy = container.RestartPolicy{Name: container.RestartPolicyUnlessStopped} // the starter limits it
	}
	data, err := binds(spec)
	if err != nil {
		return nil, nil, err
	}
	h.Mounts = append(h.Mounts, data...)
	h.Resources = container.Resources{NanoCPUs: int64(math.Round(spec.CPUs * 1e9)), Memory: within.memory, PidsLimit: &within.pids, DeviceRequests: GPUs(spec.GPUs)}
	return c, h, nil
}

// Configured returns what the daemon would be asked for a container of spec, for files from which another engine makes
// one: without the starter and the restarts, which are the engine's, and without a limit of memory that nobody chose.
func Configured(spec supernode.Spec) (*container.Config, *container.HostConfig, error) {
	spec.Restart, spec.Secrets, spec.EnvNames, spec.Missing, spec.EnvFile = 0, nil, nil, nil, ""
	r := &Runtime{project: spec.Project}
	c, h, err := r.config(spec, false, nil)
	if err != nil {
		return nil, nil, err
	}
	c.User = strconv.Itoa(userID) + ":" + strconv.Itoa(userID)
	delete(c.Labels, LabelSpec) // no container is compared with it
	delete(c.Labels, LabelImage)
	return c, h, nil
}

// GPUs reads a value of docker's --gpus: "all", a number, or "device=0,1".
func GPUs(value string) []container.DeviceRequest {
	if value == "" {
		return nil
	}
	q := container.DeviceRequest{Capabilities: [][]string{{"gpu"}}}
	if ids, ok := strings.CutPrefix(value, "device="); ok {
		q.DeviceIDs = strings.Split(ids, ",")
	} else if n, err := strconv.Atoi(value); err == nil {
		q.Count = n
	} else {
		q.Count = -1
	}
	return []container.DeviceRequest{q}
}

// gpuFlag writes it for the docker command, which reads commas as its own.
func gpuFlag(value string) string {
	if strings.Contains(value, ",") {
		return `"` + value + `"`
	}
	return value
}
