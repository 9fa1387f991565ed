package dockerctl

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"path"
	"regexp"
	"runtime"
	"strconv"
	"strings"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/image"

	"flwrup/internal/problem"
	"flwrup/internal/supernode"
	"flwrup/internal/termsafe"
)

// Prepare makes sure that the image is on the daemon and fits spec. It pulls a missing image (say gets bytes
// over all layers), and reports an image of another flwr or another architecture.
func (r *Runtime) Prepare(ctx context.Context, spec supernode.Spec, say func(supernode.Progress)) error {
	if say == nil {
		say = func(supernode.Progress) {}
	}
	if tagVersion(spec.Image) != "" {
		if err := rightFlwr(ctx, r, spec); err != nil {
			return err
		}
	}
	if err := r.ready(ctx); err != nil {
		return err
	}
	found, err := r.cli.ImageInspect(ctx, spec.Image)
	if cerrdefs.IsNotFound(err) {
		if err := pull(ctx, r, spec.Image, say); err != nil {
			return err
		}
		found, err = r.cli.ImageInspect(ctx, spec.Image)
	}
	if err != nil && strings.Contains(err.Error(), "invalid reference format") {
		return pullProblem(ctx, r, spec.Image, err)
	}
	if err != nil {
		return r.explain(ctx, err, "look for image "+spec.Image)
	}
	if err := fits(ctx, r, spec.Image, found, say); err != nil {
		return err
	}
	return rightFlwr(ctx, r, spec)
}

// HasImage reports whether an image is on the daemon already.
func (r *Runtime) HasImage(ctx context.Context, name string) (bool, error) {
	if err := r.ready(ctx); err != nil {
		return false, err
	}
	_, err := r.cli.ImageInspect(ctx, name)
	if cerrdefs.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, r.explain(ctx, err, "look for image "+name)
	}
	return true, nil
}

// fits refuses an image that cannot run, and warns of one that runs slowly.
func fits(ctx context.Context, r *Runtime, name string, found image.InspectResponse, say func(supernode.Progress)) error {
	if found.Os != "" && found.Os != "linux" {
		return problem.New(problem.BadInput, "image "+name+" is for "+found.Os, "SuperNode images are for Linux", "choose an image such as flwr/supernode:VERSION")
	}
	info, err := r.cli.Info(ctx)
	if err != nil {
		return r.explain(ctx, err, "ask the daemon for its architecture")
	}
	have, want := found.Architecture, architecture(info.Architecture)
	if have == "" || want == "" || have == want {
		return nil
	}
	if runtime.GOOS == "linux" && r.at.remote() == "" {
		return problem.New(problem.BadInput, "image "+name+" is for "+have+", this machine is "+want,
			"its programs cannot run here", "run `docker rmi "+name+"`, then let flwrup pull it again, or choose an image for "+want)
	}
	say(supernode.Progress{Text: "image " + name + " is for " + have + ", the daemon is " + want + ": it will be slow"})
	return nil
}

// architecture translates the names of uname into those of images.
func architecture(machine string) string {
	switch machine {
	case "x86_64":
		return "amd64"
	case "aarch64":
		return "arm64"
	}
	return machine
}

var versionInTag = regexp.MustCompile(`^(\d+\.\d+\.\d+)(-.*)?$`)

// tagVersion returns the version of flwr in an image's name, "" when it has none.
func tagVersion(image string) string {
	repo, tag, _ := strings.Cut(path.Base(image), ":")
	tag, _, _ = strings.Cut(tag, "@")
	if m := versionInTag.FindStringSubmatch(tag); m != nil && repo == "supernode" {
		return m[1]
	}
	return ""
}

// pullEvent is a line of the daemon's answer to a pull. https://docs.docker.com/reference/api/engine/
type pullEvent struct {
	ID       string `json:"id"`
	Status   string `json:"status"`
	Progress struct {
		Current int64 `json:"current"`
		Total   int64 `json:"total"`
	} `json:"progressDetail"`
	Error string `json:"error"`
}

func pull(ctx context.Context, r *Runtime, name string, say func(supernode.Progress)) error {
	say(supernode.Progress{Text: "pulling " + name})
	body, err := r.cli.ImagePull(ctx, name, image.PullOptions{})
	if err != nil {
		return pullProblem(ctx, r, name, err)
	}
	defer body.Close()
	var sum pullSum
	dec := json.NewDecoder(body)
	for {
		var e pullEvent
		if err := dec.Decode(&e); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return pullProblem(ctx, r, name, err)
		}
		if e.Error != "" {
			return pullProblem(ctx, r, name, errors.New(e.Error))
		}
		if p, changed := sum.add(e); changed {
			p.Text = "pulling " + name
			say(p)
		}
	}
}

// pullSum adds up the layers of a pull.
type pullSum struct {
	done, total map[string]int64
}

// add adds one event; changed is false when the sum stays the same.
func (s *pullSum) add(e pullEvent) (p supernode.Progress, changed bool) {
	if s.done == nil {
		s.done, s.total = map[string]int64{}, map[string]int64{}
	}
	switch {
	case e.Status == "Downloading" && e.Progress.Total > 0:
		s.done[e.ID], s.total[e.ID] = e.Progress.Current, e.Progress.Total
	case e.Status == "Download complete", e.Status == "Pull complete":
		if s.done[e.ID] == s.total[e.ID] {
			return p, false
		}
		s.done[e.ID] = s.total[e.ID]
	default:
		return p, false
	}
	for id, n := range s.total {
		p.Total += n
		p.Done += s.done[id]
	}
	return p, true
}

func pullProblem(ctx context.Context, r *Runtime, name string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	raw := termsafe.Line(err.Error())
	low := strings.ToLower(raw)
	has := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(low, w) {
				return true
			}
		}
		return false
	}
	p := problem.New(problem.ImageMissing, "image "+name+" cannot be pulled", "", "")
	p.Raw, p.Err = raw, err
	switch {
	case has("toomanyrequests", "too many requests", "rate limit"):
		p.Why = "the registry limits how often this address may pull"
		p.Fix = "run `docker login` with a free account, or wait an hour, then try again"
	case has("no space left"):
		p.Why = "the daemon's disk is full"
		p.Fix = "free some space: `docker system df` shows what takes it, `docker image prune` removes unused images"
	case has("manifest unknown", "manifest for", "not found: manifest", "no matching manifest"):
		p.Why = "the registry has no such tag for this machine"
		p.Fix = "look at https://hub.docker.com/r/flwr/supernode/tags and choose one that is there"
	case has("access denied", "unauthorized", "authentication required", "denied:"):
		p.Why = "there is no such image, or it is private"
		p.Fix = "check the name; for a private image run `docker login` and `docker pull " + name + "`"
	case has("invalid reference format"):
		p.Code, p.Why = problem.BadInput, "that is not an image's name"
		p.Fix = "give one such as flwr/supernode:1.42.0-py3.13-ubuntu24.04"
	case has("no such host", "i/o timeout", "connection refused", "network is unreachable", "tls handshake timeout",
		"timeout exceeded", "proxyconnect", "connection reset", "temporary failure in name resolution", "server misbehaving", "eof"):
		p.Why = "the daemon cannot reach the registry"
		p.Fix = "check the network, and the proxy in Docker's own settings; or bring the image with `docker save` and `docker load`"
	default:
		if q := r.explain(ctx, err, "pull "+name); problem.Is(q, problem.DockerDown, problem.DockerDenied, problem.DockerMissing) {
			return q
		}
		p.Why, p.Fix = raw, "try `docker pull "+name+"` by hand"
	}
	return p
}

// imageUser returns the uid that an image runs as, and whether flwrup must force it because the image would
// run as root. It looks a user's name up in the stopped container's own passwd file.
func imageUser(ctx context.Context, r *Runtime, name string) (user string, forced bool, err error) {
	found, err := r.cli.ImageInspect(ctx, name)
	if cerrdefs.IsNotFound(err) {
		return "", false, problem.New(problem.ImageMissing, "image "+name+" is not on the daemon", "", "run `docker pull "+name+"`")
	}
	if err != nil {
		return "", false, r.explain(ctx, err, "look for image "+name)
	}
	if found.Config != nil {
		r.mu.Lock()
		r.entries[name] = found.Config.Entrypoint
		r.mu.Unlock()
		user, _, _ = strings.Cut(found.Config.User, ":")
	}
	if n, err := strconv.Atoi(user); user == "" || user == "root" || (err == nil && n == 0) {
		return "", true, nil
	}
	return user, false, nil
}

// uidOf resolves a user's name (or number) in a created container.
func uidOf(ctx context.Context, r *Runtime, c container.InspectResponse) (int, error) {
	user, _, _ := strings.Cut(c.Config.User, ":")
	if n, err := strconv.Atoi(user); err == nil {
		return n, nil
	}
	r.mu.Lock()
	uid, known := r.users[c.Image]
	r.mu.Unlock()
	if known {
		return uid, nil
	}
	uid, err := passwd(ctx, r, c.ID, user)
	if err != nil {
		return 0, err
	}
	r.mu.Lock()
	r.users[c.Image] = uid
	r.mu.Unlock()
	return uid, nil
}

// entrypoint returns the entrypoint of an image that was inspected before, else that of flwr/supernode.
func entrypoint(r *Runtime, image string) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e, known := r.entries[image]; known {
		return e
	}
	return []string{"flower-supernode"}
}
