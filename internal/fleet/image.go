package fleet

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"flwrup/dockerctl"
	"flwrup/flwrexec/app"
	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/site"
	"flwrup/internal/supernode"
)

// imageBuilder is a runtime that makes images; *dockerctl.Runtime is one.
type imageBuilder interface {
	Build(ctx context.Context, b dockerctl.ImageBuild, say func(line string)) error
}

// BuildImage makes a SuperNode image with the packages that the app's pyproject.toml asks for, and notes it
// in flwrup.toml: SuperNodes have it from their next start on. It gives the image's name.
func BuildImage(ctx context.Context, s *site.Site, to front.Sink) (string, error) {
	a, err := app.Read(s.AppDir())
	if err != nil {
		return "", err
	}
	packages, err := a.Requirements()
	if err != nil {
		return "", err
	}
	packages = slices.DeleteFunc(packages, isFlwr)
	if len(packages) == 0 {
		return "", problem.New(problem.BadInput, a.Title()+" needs no packages except flwr", "", "the official image is enough")
	}
	if s.RuntimeKind() != project.RuntimeDocker {
		return "", problem.New(problem.NotSupported, "SuperNodes run as plain processes here", "images are for containers", "flwrup up --runtime docker, or install the packages next to flwr")
	}
	f, err := s.Session(ctx)
	if err != nil {
		return "", err
	}
	rt, err := s.NodesRuntime(ctx)
	if err != nil {
		return "", err
	}
	version := f.Version().String()
	b := dockerctl.ImageBuild{Base: site.OfficialImage(version), Flwr: version, Packages: packages, CA: os.Getenv("PIP_CERT"),
		Tag: "flwrup/" + strings.ToLower(site.SuggestName(a.Name)) + ":" + s.Choices().ID}
	for _, h := range site.Hosts(s) {
		if err := buildOn(ctx, s, rt, h, b, to); err != nil {
			return "", err
		}
	}
	return b.Tag, s.Change(func(c *project.Choices) error { c.Image = b.Tag; return nil })
}

// buildOn makes the image on one Docker host.
func buildOn(ctx context.Context, s *site.Site, rt supernode.Runtime, host string, b dockerctl.ImageBuild, to front.Sink) error {
	builder, ok := site.At(rt, host).(imageBuilder)
	if !ok {
		return problem.New(problem.NotSupported, "this runtime builds no images", "", "")
	}
	if err := rt.Prepare(ctx, supernode.Spec{Flwr: b.Flwr, Image: b.Base, Host: host}, func(p supernode.Progress) {
		to.Event(front.Progress{Label: p.Text + on(host), Done: p.Done, Total: p.Total, Bytes: true})
	}); err != nil {
		return err
	}
	to.Event(front.Says{Text: fmt.Sprintf("building %s%s from %s with %s", b.Tag, on(host), b.Base, strings.Join(b.Packages, ", "))})
	if err := builder.Build(ctx, b, func(line string) { to.Event(front.Output{Text: line}) }); err != nil {
		return err
	}
	if r, ok := site.At(rt, host).(site.ImageResolver); ok { // this change of the name is the person's own
		made, err := r.ResolveImage(ctx, b.Tag)
		if err != nil {
			return err
		}
		return site.NoteImage(s, host, b.Tag, made)
	}
	return nil
}

// isFlwr reports whether a requirement is about flwr itself, which the image has.
func isFlwr(requirement string) bool {
	i := strings.IndexAny(requirement, " [<>=!~;@")
	if i >= 0 {
		requirement = requirement[:i]
	}
	return strings.EqualFold(strings.TrimSpace(requirement), "flwr")
}
