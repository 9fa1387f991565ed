package dockerctl

import (
	"context"
	"math"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"

	"flwrup/internal/safego"
	"flwrup/internal/supernode"
)

// ByHand gives the containers that run with one of the keys and are not this project's: started by hand
// after the guide, or by another flwrup project with the same keys. keys has the absolute path of each
// private key by its fingerprint; the answer goes by fingerprint. A key is recognised by the file that
// the container's argument comes from on this machine, whatever the container is called; on a daemon
// elsewhere, whose files are not ours, by flwrup's label alone.
func (r *Runtime) ByHand(ctx context.Context, keys map[string]string) (map[string]supernode.Status, error) {
	out := map[string]supernode.Status{}
	if len(keys) == 0 {
		return out, nil
	}
	if err := r.ready(ctx); err != nil {
		return nil, err
	}
	list, err := r.cli.ContainerList(ctx, container.ListOptions{}) // those that run
	if err != nil {
		return nil, r.explain(ctx, err, "list the containers")
	}
	for _, s := range list {
		if s.Labels[LabelProject] == r.project || !strings.Contains(s.Command, supernode.KeyFlag) {
			continue
		}
		c, err := r.cli.ContainerInspect(ctx, s.ID)
		if cerrdefs.IsNotFound(err) {
			continue // gone since
		}
		if err != nil {
			return nil, r.explain(ctx, err, "look at container "+s.ID)
		}
		fingerprint := c.Config.Labels[LabelFingerprint]
		if _, ok := keys[fingerprint]; !ok && r.at.remote() == "" {
			fingerprint = whose(keyOnHost(c), keys)
		}
		if _, ok := keys[fingerprint]; !ok {
			continue
		}
		st := r.status(c)
		name := strings.TrimPrefix(c.Name, "/")
		st.Ours, st.ByHand, st.EndWith = false, "container "+name, "docker stop "+name
		out[fingerprint] = st
	}
	return out, nil
}

// StopByHand ends a container that ByHand gave, by its ID: one SIGTERM, then up to grace. One that was
// started with --rm is gone with its log then; any other stays, stopped.
func (r *Runtime) StopByHand(ctx context.Context, id string, grace time.Duration) error {
	if err := r.ready(ctx); err != nil {
		return err
	}
	seconds := int(math.Ceil(grace.Seconds()))
	err := r.cli.ContainerStop(ctx, id, container.StopOptions{Timeout: &seconds})
	if err != nil && !cerrdefs.IsNotFound(err) {
		return r.explain(ctx, err, "stop the container "+id)
	}
	for range 50 { // --rm goes on after the stop, and keeps the name meanwhile
		c, err := r.cli.ContainerInspect(ctx, id)
		if err != nil || !c.HostConfig.AutoRemove {
			return nil
		}
		if err := safego.Sleep(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

// LogsByHand is Logs for a container that ByHand gave, by its ID.
func (r *Runtime) LogsByHand(ctx context.Context, id string, o supernode.LogOptions, each func(supernode.Line) error) error {
	return r.Logs(ctx, id, o, each)
}

// UsageByHand is Usage for a container that ByHand gave, by its ID.
func (r *Runtime) UsageByHand(ctx context.Context, id string) (supernode.Usage, error) {
	return r.Usage(ctx, id)
}

// keyOnHost is the file on this machine that holds the key of the SuperNode in c; "" when it is not
// bind-mounted.
func keyOnHost(c container.InspectResponse) string {
	key := supernode.KeyIn(c.Args)
	if key == "" {
		return ""
	}
	if !path.IsAbs(key) {
		key = path.Join("/", c.Config.WorkingDir, key)
	}
	key = path.Clean(key)
	host, longest := "", 0
	for _, m := range c.Mounts {
		at := path.Clean(m.Destination)
		rest, inside := strings.CutPrefix(key, strings.TrimSuffix(at, "/")+"/")
		if key == at {
			rest, inside = "", true
		}
		if inside && len(at) > longest { // a mount inside of another one hides what is below it
			host, longest = "", len(at)
			if m.Type == "bind" {
				// Docker Desktop sees this machine's files below /host_mnt.
				host = filepath.Join(filepath.FromSlash(strings.TrimPrefix(m.Source, "/host_mnt")), filepath.FromSlash(rest))
			}
		}
	}
	return host
}

// whose gives the fingerprint of the key that lies in file; "" when it is none of keys.
func whose(file string, keys map[string]string) string {
	if file == "" {
		return ""
	}
	there, err := os.Stat(file)
	for fingerprint, key := range keys {
		if key == file {
			return fingerprint
		}
		if here, e := os.Stat(key); e == nil && err == nil && os.SameFile(here, there) { // through links
			return fingerprint
		}
	}
	return ""
}
