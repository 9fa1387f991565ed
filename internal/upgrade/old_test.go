package upgrade

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"flwrup/flwrexec/flwr"
	"flwrup/flwrexec/install"
	"flwrup/internal/ledger"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/site"
	"flwrup/internal/sitetest"
	"flwrup/internal/supernode"
)

// withImages is a runtime in memory that has images.
type withImages struct {
	*sitetest.Runtime
	images map[string]int64
	used   string // image that a container was made from
}

func (r *withImages) Kind() string { return project.RuntimeDocker }
func (r *withImages) ImageSize(_ context.Context, name string) (int64, error) {
	return r.images[name], nil
}
func (r *withImages) RemoveImage(_ context.Context, name string) error {
	if name == r.used {
		return problem.New(problem.Busy, "the image "+name+" stays", "a container was made from it", "")
	}
	delete(r.images, name)
	return nil
}

// afterUpgrades is a set-up on 1.42.0 that came there by 1.24.0 and 1.26.1, with what these left.
func afterUpgrades(t *testing.T) (*site.Site, *withImages, func(version string) bool) {
	t.Helper()
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	root, err := install.OwnRoot()
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []string{"1.24.0", "1.26.1", "1.42.0"} {
		env := filepath.Join(root, "flwr-"+v)
		if err := os.MkdirAll(filepath.Join(env, "bin"), 0o700); err != nil {
			t.Fatal(err)
		}
		for name, text := range map[string]string{".complete": "", "bin/flwr": strings.Repeat("x", 3_000_000)} {
			if err := os.WriteFile(filepath.Join(env, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	g := sitetest.NewGrid("1.42.0")
	s, rt := sitetest.Up(t, g, 2)
	sitetest.Choose(t, s, func(c *project.Choices) { c.Flwr.Version, c.Runtime = "1.42.0", project.RuntimeDocker })
	r := &withImages{Runtime: rt, images: map[string]int64{}}
	for _, v := range []string{"1.24.0", "1.26.1", "1.42.0"} {
		r.images[site.OfficialImage(v)] = 400_000_000
	}
	r.images["flwrup/app:"+s.Choices().ID], r.images["hospital/own:7"] = 500_000_000, 500_000_000
	site.With(s, site.Backends{Flwr: g, Runtime: r})
	if err := s.Ledger.Change(func(d *ledger.Data) error {
		d.Kept = []ledger.Kept{{From: "1.24.0", Image: "flwrup/app:" + s.Choices().ID, At: time.Now()}, {From: "1.24.0", Image: "hospital/own:7"}, {From: "1.26.1"}}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return s, r, func(version string) bool {
		v, _ := flwr.ParseVersion(version)
		_, there := install.OwnFolder("", v)
		return there
	}
}

// TestOldReleases: the release before stays for a way back. One before that goes after a yes, with its size shown; the
// images of others stay.
func TestOldReleases(t *testing.T) {
	s, r, there := afterUpgrades(t)
	no := &sitetest.Scripted{}
	if err := clearOld(t.Context(), s, false, no); err != nil {
		t.Fatal(err)
	}
	want := "flwr 1.24.0: its environment (up to 3 MB), the image " + site.OfficialImage("1.24.0") + " (up to 400 MB), the image flwrup/app:" + s.Choices().ID + " (up to 500 MB)"
	if !slices.Equal(no.Asked, []string{AsksOld}) || !strings.Contains(no.Last[AsksOld].Help, want) || !strings.Contains(no.Said(), "kept "+want) {
		t.Errorf("asked %v: %s\nsaid %s\nwant %s", no.Asked, no.Last[AsksOld].Help, no.Said(), want)
	}
	if len(r.images) != 5 || !there("1.24.0") || len(s.Ledger.Data().Kept) != 3 {
		t.Errorf("removed without a yes: %v", r.images)
	}
	yes := &sitetest.Scripted{Answers: map[string]string{AsksOld: "yes"}}
	if err := clearOld(t.Context(), s, false, yes); err != nil {
		t.Fatal(err)
	}
	if there("1.24.0") || !there("1.26.1") || !there("1.42.0") {
		t.Errorf("environments: %v %v %v", there("1.24.0"), there("1.26.1"), there("1.42.0"))
	}
	for name, stays := range map[string]bool{site.OfficialImage("1.24.0"): false, "flwrup/app:" + s.Choices().ID: false, site.OfficialImage("1.26.1"): true, site.OfficialImage("1.42.0"): true, "hospital/own:7": true} {
		if _, is := r.images[name]; is != stays {
			t.Errorf("%s is there: %v", name, is)
		}
	}
	if d := s.Ledger.Data().Kept; len(d) != 1 || d[0].From != "1.26.1" {
		t.Errorf("the ledger keeps %+v", d)
	}
	if again := (&sitetest.Scripted{}); clearOld(t.Context(), s, false, again) != nil || len(again.Asked) > 0 {
		t.Errorf("asks again: %v", again.Asked)
	}
}

// TestOldReleaseInUse: a release that a SuperNode of the set-up has is no old one, and an image that somebody's
// container was made from stays.
func TestOldReleaseInUse(t *testing.T) {
	s, r, there := afterUpgrades(t)
	r.used = site.OfficialImage("1.24.0")
	heard := &sitetest.Heard{}
	if err := clearOld(t.Context(), s, true, heard); err != nil {
		t.Fatal(err)
	}
	if _, is := r.images[r.used]; !is || !strings.Contains(heard.Said(), r.used+" stays: a container was made from it") || len(s.Ledger.Data().Kept) != 3 {
		t.Errorf("%v, said %s", r.images, heard.Said())
	}
	spec := r.Started["supernode_1"]
	spec.Labels["flwr"] = "1.24.0"
	r.Started["supernode_1"] = spec
	if list := olds(t.Context(), s); len(list) > 0 || !there("1.42.0") {
		t.Errorf("supernode_1 runs it: %v", list)
	}
}

// TestForgetsWhatDidNotWork: after a release was taken back, a mended image under the same name is taken without a
// question; that of a release that SuperNodes had once is not.
func TestForgetsWhatDidNotWork(t *testing.T) {
	s, _, _ := afterUpgrades(t)
	for _, version := range []string{"1.43.0", "1.26.1"} {
		if err := site.NoteImage(s, "", site.OfficialImage(version), supernode.Image{ID: "sha256:" + version}); err != nil {
			t.Fatal(err)
		}
		if err := (work{s: s}).forgetImage(version); err != nil {
			t.Fatal(err)
		}
		if _, known := site.KnownImage(s.Ledger.Data(), "", site.OfficialImage(version)); known != (version == "1.26.1") {
			t.Errorf("%s is known: %v", version, known)
		}
	}
}
