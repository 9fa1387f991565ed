package dockerctl

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/docker/docker/api/types/build"

	"flwrup/internal/pep508"
	"flwrup/internal/problem"
	"flwrup/internal/termsafe"
)

// ImageBuild describes an image to make.
type ImageBuild struct {
	Base     string   // SuperNode image to build on; it must be on the daemon, see Prepare
	Flwr     string   // version of flwr in Base, which stays
	Tag      string   // name of the new image
	Packages []string // requirements as in pyproject.toml, without flwr
	CA       string   // certificates to check the package index with; "" for the image's own
}

// Build makes an image with Packages on top of a SuperNode image; say gets the lines of the build. The image
// runs as Base's user, with Base's entrypoint, and its label says which flwr it holds.
func (r *Runtime) Build(ctx context.Context, b ImageBuild, say func(line string)) error {
	packages, err := pep508.Lines(b.Packages)
	if err != nil {
		return problem.New(problem.BadInput, "image "+b.Tag+" is not built", err.Error(), "write requirements as pyproject.toml takes them, such as torch>=2.4")
	}
	b.Packages = packages
	if err := r.ready(ctx); err != nil {
		return err
	}
	base, err := r.cli.ImageInspect(ctx, b.Base)
	if err != nil {
		return r.explain(ctx, err, "look for image "+b.Base)
	}
	user := "root"
	if base.Config != nil && base.Config.User != "" {
		user = base.Config.User
	}
	files := []file{
		{name: "Dockerfile", mode: 0o644, data: []byte(dockerfile(b, user))},
		{name: "requirements.txt", mode: 0o644, data: []byte(strings.Join(b.Packages, "\n") + "\n")},
		{name: "constraints.txt", mode: 0o644, data: []byte("flwr==" + b.Flwr + "\n")},
	}
	if b.CA != "" {
		ca, err := readSmall("certificates file", b.CA)
		if err != nil {
			return err
		}
		files = append(files, file{name: "ca.crt", mode: 0o644, data: ca})
	}
	stream, err := tarOf(0, files)
	if err != nil {
		return err
	}
	proxies, err := r.dockerProxies()
	if err != nil {
		return err
	}
	options := build.ImageBuildOptions{Tags: []string{b.Tag}, Remove: true, ForceRemove: true, BuildArgs: map[string]*string{}}
	for name, value := range proxies { // as `docker build`; the image does not keep them
		options.BuildArgs[name] = &value
	}
	answer, err := r.cli.ImageBuild(ctx, stream, options)
	if err != nil {
		return r.explain(ctx, err, "build image "+b.Tag)
	}
	defer answer.Body.Close()
	var last string
	for dec := json.NewDecoder(answer.Body); ; {
		var e struct {
			Stream string `json:"stream"`
			Error  string `json:"error"`
		}
		if err := dec.Decode(&e); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return r.explain(ctx, err, "build image "+b.Tag)
		}
		for line := range strings.SplitSeq(strings.TrimSpace(e.Stream), "\n") {
			if line = veil(termsafe.Line(line), proxies); line != "" {
				say(line)
				if strings.HasPrefix(line, "ERROR") {
					last = line
				}
			}
		}
		if e.Error != "" {
			p := problem.New(problem.BadInput, "image "+b.Tag+" cannot be built", last, "see the lines above: a package that is not there, or an index that the build cannot reach")
			p.Raw = veil(termsafe.Line(e.Error), proxies)
			return p
		}
	}
}

// dockerfile installs into the environment of flwr. No file of the build stays in a layer except the
// certificates, which are public.
func dockerfile(b ImageBuild, user string) string {
	cert := ""
	if b.CA != "" {
		cert = " --cert /tmp/flwrup/ca.crt"
	}
	return fmt.Sprintf(`FROM %s
USER root
COPY . /tmp/flwrup/
RUN python -m pip install --no-cache-dir --disable-pip-version-check%s -c /tmp/flwrup/constraints.txt -r /tmp/flwrup/requirements.txt
USER %s
LABEL %s=%s
`, b.Base, cert, user, LabelFlwr, b.Flwr)
}
