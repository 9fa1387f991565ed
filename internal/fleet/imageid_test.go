package fleet

import (
	"context"
	"strings"
	"testing"

	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/site"
	"flwrup/internal/sitetest"
	"flwrup/internal/supernode"
)

// imageful is a runtime of containers with images by name and by ID.
type imageful struct {
	*sitetest.Runtime
	images map[string]supernode.Image
}

func (imageful) Kind() string { return project.RuntimeDocker }
func (r imageful) ResolveImage(_ context.Context, name string) (supernode.Image, error) {
	i, ok := r.images[name]
	if !ok {
		return i, problem.New(problem.ImageMissing, "image "+name+" is not on the daemon", "", "")
	}
	return i, nil
}

// flwrup resolves an image's name once. It names a later change, asks about it, and uses the new image only after a yes.
func TestAChangedImageIsTold(t *testing.T) {
	ctx := context.Background()
	s, rt := sitetest.Up(t, sitetest.NewGrid("1.42.0"), 1)
	sitetest.Choose(t, s, func(c *project.Choices) { c.Runtime = project.RuntimeDocker })
	f, err := s.Session(ctx)
	if err != nil {
		t.Fatal(err)
	}
	name := site.Image(s.Choices(), f.Version().String())
	first := supernode.Image{ID: "sha256:aaa", Digest: "flwr/supernode@sha256:111"}
	second := supernode.Image{ID: "sha256:bbb", Digest: "flwr/supernode@sha256:222"}
	r := imageful{rt, map[string]supernode.Image{name: first, first.ID: first}}
	site.With(s, site.Backends{Runtime: r})
	start := func(to front.Sink) (string, error) {
		t.Helper()
		delete(rt.Started, "supernode_1")
		err := Operate(ctx, s, front.StartNodes, nil, to)
		return rt.Started["supernode_1"].ImageID, err
	}
	if got, err := start(&sitetest.Heard{}); err != nil || got != first.ID {
		t.Fatalf("first: %q %v", got, err)
	}
	if got := site.DigestOf(s.Ledger.Data(), supernode.Status{Image: name, ImageID: first.ID}); got != first.Digest {
		t.Errorf("shown: %q", got)
	}
	if got := site.DigestOf(s.Ledger.Data(), supernode.Status{Image: name, ImageID: "sha256:other"}); got != "sha256:other" {
		t.Errorf("shown of a container of another image: %q", got)
	}

	r.images[name] = second
	to := &sitetest.Heard{}
	if got, err := start(to); err != nil || got != first.ID || !strings.Contains(to.Said(), first.Digest) || !strings.Contains(to.Said(), second.Digest) {
		t.Errorf("unattended: %q %v\n%s", got, err, to.Said())
	}
	found, err := Preflight(ctx, s, must1(site.Members(s)))
	if err != nil || len(found) != 1 || found[0].Problem.Code != site.ImageChanged || !found[0].Warning {
		t.Errorf("%+v %v", found, err)
	}
	delete(r.images, first.ID)
	if got, err := start(&sitetest.Heard{}); !problem.Is(err, problem.NeedsPerson) || got != "" {
		t.Errorf("unattended, the former gone: %q %v", got, err)
	}
	answers := &sitetest.Scripted{Answers: map[string]string{"image-changed": "take"}}
	if got, err := start(answers); err != nil || got != second.ID || len(answers.Asked) != 1 {
		t.Errorf("taken: %q %v %q", got, err, answers.Asked)
	}
	if got, err := start(answers); err != nil || got != second.ID || len(answers.Asked) != 1 {
		t.Errorf("asked again: %q %v %q", got, err, answers.Asked)
	}

	// The same image under another ID: Docker stores images in more than one way.
	r.images[name] = supernode.Image{ID: "sha256:ccc", Digest: second.Digest}
	if got, err := start(answers); err != nil || got != "sha256:ccc" || len(answers.Asked) != 1 {
		t.Errorf("another store: %q %v %q", got, err, answers.Asked)
	}
}

func must1(list []site.Member, _ any, err error) []site.Member {
	if err != nil {
		panic(err)
	}
	return list
}
