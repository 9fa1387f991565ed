package steps

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"flwrup/internal/front"
	"flwrup/internal/health"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/site"
	"flwrup/internal/sitetest"
	"flwrup/keys"
)

// trap puts a flwr into env that leaves a mark when it, or its Python, is run.
func trap(t *testing.T, env string) (mark string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("a shell script")
	}
	mark = filepath.Join(t.TempDir(), "ran")
	meta := filepath.Join(env, "lib", "python3.11", "site-packages", "flwr-1.42.0.dist-info")
	for _, d := range []string{filepath.Join(env, "bin"), meta} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for file, text := range map[string]string{
		filepath.Join(meta, "METADATA"):      "Name: flwr\nVersion: 1.42.0\n",
		filepath.Join(env, "bin", "flwr"):    "#!" + env + "/bin/python\n",
		filepath.Join(env, "bin", "python"):  "#!/bin/sh\necho ran > " + mark + "\nexit 1\n",
		filepath.Join(env, "bin", "python3"): "#!/bin/sh\necho ran > " + mark + "\nexit 1\n",
	} {
		if err := os.WriteFile(file, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return mark
}

// A site that only looks runs nothing that came with the folder, and says what it leaves out.
func TestLookingRunsNothingForeign(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	t.Setenv("VIRTUAL_ENV", "")
	t.Setenv("CONDA_PREFIX", "")
	for name, c := range map[string]struct{ toml, env string }{
		"path":           {"nodes = 1\nfederation = \"@a/b\"\n[flwr]\npath = \"tools\"\n", "tools"},
		"path, program":  {"nodes = 1\nfederation = \"@a/b\"\n[flwr]\npath = \"tools/bin/flwr\"\n", "tools"},
		".venv":          {"nodes = 1\nfederation = \"@a/b\"\n", ".venv"},
		"venv":           {"nodes = 1\nfederation = \"@a/b\"\n", "venv"},
		"env":            {"nodes = 1\nfederation = \"@a/b\"\n", "env"},
		"rehearsal path": {"app = \"none\"\n[flwr]\npath = \"tools\"\n[grid]\nrehearsal = true\n", "tools"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := sitetest.Clone(t, c.toml)
			mark := trap(t, filepath.Join(dir, c.env))
			s, err := site.Open(site.Options{Dir: dir, ReadOnly: true})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if !problem.Is(site.Withheld(s), problem.NotAccepted) {
				t.Error("nothing is said to be left out")
			}
			if o := health.Overview(t.Context(), s, 0); o.GridErr == nil || o.FileErr == nil {
				t.Errorf("the overview says %v and %v", o.GridErr, o.FileErr)
			}
			Doctor(t.Context(), s, func(Finding) {})
			for n := range front.StepID(front.StepTotal) {
				_, _ = Plan(t.Context(), s, n+1)
				_, _ = Inspect(t.Context(), s, n+1)
			}
			if _, err := os.Stat(mark); err == nil {
				t.Error("a program of the folder was run")
			}
			if fresh, err := project.Fresh(dir); !fresh || err != nil {
				t.Errorf("looking made records: %v", err)
			}
			_, err = site.Open(site.Options{Dir: dir})
			if !problem.Is(err, problem.NotAccepted) {
				t.Errorf("it may act: %v", err)
			}
			if fresh, err := project.Fresh(dir); !fresh || err != nil {
				t.Errorf("a site that was refused made records: %v", err)
			}
		})
	}
}

// A site that may not look where SuperNodes run does not call them absent, nor well.
func TestUnknownIsNotAbsent(t *testing.T) {
	dir := sitetest.Clone(t, "nodes = 1\n")
	s, err := site.Open(site.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := keys.Generate(t.Context(), s.Folder().KeysDir(), []string{"client_credentials_1"}, nil); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	elsewhere := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(elsewhere, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ dir, toml string }{
		{dir, "nodes = 1\nruntime = \"process\"\n"}, // by hand, since
		{elsewhere, "nodes = 1\n"},                  // with the records of another folder
	} {
		if err := os.WriteFile(project.File(c.dir), []byte(c.toml), 0o644); err != nil {
			t.Fatal(err)
		}
		s, err := site.Open(site.Options{Dir: c.dir, ReadOnly: true})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		o := health.Overview(t.Context(), s, 0)
		if len(o.Nodes) != 1 || o.Nodes[0].Runtime.State != "" || !problem.Is(o.RuntimeErr, problem.NotAccepted) {
			t.Errorf("%s: the overview says %+v, %v", c.toml, o.Nodes, o.RuntimeErr)
		}
		Doctor(t.Context(), s, func(f Finding) {
			if strings.HasPrefix(f.What, "supernode") && f.State != front.Unknown {
				t.Errorf("%s: doctor calls %s %s", c.toml, f.What, f.State)
			}
		})
	}
}

// An edit of an open site's flwrup.toml shows as a problem, and changes nothing until it is accepted.
func TestEditIsNotTaken(t *testing.T) {
	dir := sitetest.Clone(t, "nodes = 1\n")
	s, err := site.Open(site.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	sitetest.Rewrite(t, dir, "nodes = 1", "nodes = 1\nimage = \"theirs\"")
	if o := health.Overview(t.Context(), s, 0); !problem.Is(o.FileErr, problem.NotAccepted) {
		t.Errorf("the overview says %v", o.FileErr)
	}
	if err := Apply(t.Context(), s, 5, front.Unattended(nil)); !problem.Is(err, problem.NotAccepted) || s.Choices().Image != "" {
		t.Errorf("%v; the image is %q", err, s.Choices().Image)
	}
	for _, n := range []front.StepID{front.StepOnline, front.StepMonitor} {
		if err := Apply(t.Context(), s, n, front.Unattended(nil)); problem.Is(err, problem.NotAccepted) || s.Choices().Image != "" {
			t.Errorf("step %d only looks, and ends with %v; the image is %q", n, err, s.Choices().Image)
		}
	}
	err = s.Change(func(c *project.Choices) error { c.Nodes = 2; return nil })
	if !problem.Is(err, problem.NotAccepted) || s.Choices().Nodes != 1 {
		t.Errorf("saved over the edit: %v; %d SuperNodes", err, s.Choices().Nodes)
	}
	open, err := site.Trust(dir, nil)
	if err != nil || len(open.Open) != 1 {
		t.Fatalf("%v %v", open, err)
	}
	if _, err := site.Trust(dir, open.Open); err != nil {
		t.Fatal(err)
	}
	if o := health.Overview(t.Context(), s, 0); o.FileErr != nil {
		t.Errorf("accepted, and the overview says %v", o.FileErr)
	}
	if err := s.TakeEdits(); err != nil || s.Choices().Image != "theirs" {
		t.Errorf("%v; the image is %q", err, s.Choices().Image)
	}
	for _, broken := range []string{"nodes = = 1\n", "nodez = 1\n"} {
		if err := os.WriteFile(project.File(dir), []byte(broken), 0o644); err != nil {
			t.Fatal(err)
		}
		if o := health.Overview(t.Context(), s, 0); !problem.Is(o.FileErr, problem.BadInput) {
			t.Errorf("%s: the overview says %v", broken, o.FileErr)
		}
	}
	if err := os.WriteFile(project.File(dir), []byte("nodes = 3\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if o := health.Overview(t.Context(), s, 0); o.FileErr != nil {
		t.Errorf("mended, and the overview says %v", o.FileErr)
	}
}
