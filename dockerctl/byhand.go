package dockerctl

import (
	"context"
	"math"
	"path"
	"path/filepath"
	"strings"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"

	"flwrup/internal/problem"
	"flwrup/internal/safego"
	"flwrup/internal/shell"
	"flwrup/internal/supernode"
	"flwrup/internal/termsafe"
)

// ByHand returns the containers that run with one of the keys and are not this project's. They were started
// by hand after the guide, or by another flwrup project with the same keys. keys maps fingerprints to
// absolute paths of private keys; the result is also keyed by fingerprint. ByHand recognises a key by the
// file on this machine behind the container's argument, whatever the container is called. On a daemon
// elsewhere, whose files are not ours, it goes by flwrup's label alone.
func (r *Runtime) ByHand(ctx context.Context, keys map[string]string) (map[string]supernode.Status, error) {
	out := map[string]supernode.Status{}
	if len(keys) == 0 {
		return out, nil
	}
	if err := r.ready(ctx); err != nil {
		return nil, err
	}
	list, err := r.cli.ContainerList(ctx, container.ListOptions{}) // running ones
	if err != nil {
		return nil, r.explain(ctx, err, "list the containers")
	}
	for _, s := range list {
		if s.Labels[LabelProject] == r.project || !mayHoldKey(r, s, keys) {
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
			fingerprint = keyOf(ctx, r, c, keys)
		}
		if _, ok := keys[fingerprint]; !ok {
			continue
		}
		if first, twice := out[fingerprint]; !twice || when(c.State.StartedAt).Before(first.Since) { // the grid let in the first one
			out[fingerprint] = byHand(r, c)
		}
	}
	return out, nil
}

// byHand returns the status of a container that flwrup did not start.
func byHand(r *Runtime, c container.InspectResponse) supernode.Status {
	st := status(c)
	name := termsafe.Line(strings.TrimPrefix(c.Name, "/"))
	st.Ours, st.ByHand, st.EndWith = false, "container "+name, "docker stop "+shell.Word(name)
	return st
}

// Container returns the status of the container with this ID, whose SuperNode was found by its process. It
// returns Problem node-absent when this daemon has no such container, or when it is the project's own.
func (r *Runtime) Container(ctx context.Context, id string) (supernode.Status, error) {
	if err := r.ready(ctx); err != nil {
		return supernode.Status{}, err
	}
	c, err := r.cli.ContainerInspect(ctx, id)
	if cerrdefs.IsNotFound(err) || err == nil && c.Config.Labels[LabelProject] == r.project {
		return supernode.Status{}, problem.New(NodeAbsent, "there is no container "+id, "", "")
	}
	if err != nil {
		return supernode.Status{}, r.explain(ctx, err, "look at container "+id)
	}
	return byHand(r, c), nil
}

// mayHoldKey reports whether a container is worth a closer look: its command names a key, or one of the keys
// lies below a mount from this machine. A shell or a script may stand in between.
func mayHoldKey(r *Runtime, s container.Summary, keys map[string]string) bool {
	if strings.Contains(s.Command, supernode.KeyFlag) {
		return true
	}
	for _, m := range s.Mounts {
		if m.Type != "bind" || r.at.remote() != "" {
			continue
		}
		source := filepath.FromSlash(strings.TrimPrefix(m.Source, "/host_mnt"))
		for _, key := range keys {
			if key == source || strings.HasPrefix(key, strings.TrimSuffix(source, "/")+"/") {
				return true
			}
			if resolved, err := filepath.EvalSymlinks(key); err == nil && strings.HasPrefix(resolved, strings.TrimSuffix(source, "/")) {
				return true
			}
		}
	}
	return false
}

// keyOf returns the fingerprint of the key of the SuperNode in c. It looks at the arguments, the text of a
// shell, and the processes in it, whose command lines have every variable expanded.
func keyOf(ctx context.Context, r *Runtime, c container.InspectResponse, keys map[string]string) string {
	if f := supernode.KeyAt(keyOnHost(c, supernode.KeyIn(c.Args)), keys); f != "" {
		return f
	}
	texts := []string{strings.Join(c.Args, " ")}
	if top, err := r.cli.ContainerTop(ctx, c.ID, []string{"-eo", "pid,args"}); err == nil {
		for _, row := range top.Processes {
			if len(row) > 1 {
				texts = append(texts, row[len(row)-1])
			}
		}
	}
	for _, text := range texts {
		for _, key := range keysIn(text) {
			if f := supernode.KeyAt(keyOnHost(c, key), keys); f != "" {
				return f
			}
		}
	}
	return ""
}

// keysIn returns candidates for a key file in a line of shell, or in a process's arguments joined by blanks:
// quoted, up to a blank, up to the next option.
func keysIn(text string) []string {
	var found []string
	for {
		_, rest, ok := strings.Cut(text, supernode.KeyFlag)
		if !ok {
			return found
		}
		text = rest
		rest = strings.TrimLeft(strings.TrimPrefix(rest, "="), " ")
		if rest == "" {
			continue
		}
		if quote := rest[:1]; quote == `"` || quote == "'" {
			if value, _, closed := strings.Cut(rest[1:], quote); closed {
				found = append(found, value)
			}
			continue
		}
		upToOption, _, _ := strings.Cut(rest, " --")
		upToBlank, _, _ := strings.Cut(rest, " ")
		found = append(found, strings.TrimRight(upToBlank, `;&|)"'`), strings.TrimSpace(upToOption))
	}
}

// StopByHand stops a container from ByHand by its ID: one SIGTERM, then up to grace. A container with --rm
// disappears with its log; any other stays, stopped.
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

// LogsByHand is Logs for a container from ByHand, by its ID.
func (r *Runtime) LogsByHand(ctx context.Context, id string, o supernode.LogOptions, each func(supernode.Line) error) error {
	return r.Logs(ctx, id, o, each)
}

// UsageByHand is Usage for a container from ByHand, by its ID.
func (r *Runtime) UsageByHand(ctx context.Context, id string) (supernode.Usage, error) {
	return r.Usage(ctx, id)
}

// keyOnHost returns the file on this machine behind key of the SuperNode in c; "" when it is not
// bind-mounted.
func keyOnHost(c container.InspectResponse, key string) string {
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
		if inside && len(at) > longest { // a mount inside another one hides files below it
			host, longest = "", len(at)
			if m.Type == "bind" {
				// Docker Desktop sees this machine's files below /host_mnt.
				host = filepath.Join(filepath.FromSlash(strings.TrimPrefix(m.Source, "/host_mnt")), filepath.FromSlash(rest))
			}
		}
	}
	return host
}
