package steps

import (
	"errors"
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
	"flwrup/internal/trust"
	"flwrup/keys"
)

// clone is a folder as it comes out of version control.
func clone(t *testing.T, toml string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(project.File(dir), []byte(toml), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

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

func refusedFor(t *testing.T, err error, keys ...string) []trust.Value {
	t.Helper()
	var u *site.Unaccepted
	if !errors.As(err, &u) || !problem.Is(err, problem.NotAccepted) {
		t.Fatalf("nothing was asked, got %v", err)
	}
	var got []string
	for _, v := range u.Values {
		got = append(got, v.Key)
	}
	if strings.Join(got, " ") != strings.Join(keys, " ") {
		t.Errorf("asked about %q, want %q", got, keys)
	}
	return u.Values
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
			dir := clone(t, c.toml)
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

// What flwrup wrote asks nothing; what was in the file and what came into it later does, once.
func TestAcceptedOnce(t *testing.T) {
	dir := clone(t, "nodes = 1\nimage = \"theirs\"\n[node.all]\nenv = [\"SECRET\"]\n")
	values := refusedFor(t, openTo(t, site.Options{Dir: dir, Create: true}), "image", "node.all.env")
	refusedFor(t, openTo(t, site.Options{Dir: dir, Accept: values[:1]}), "image", "node.all.env")
	// A flag is the person's own word, also where it says what the file says.
	refusedFor(t, openTo(t, site.Options{Dir: dir, Choose: func(c *project.Choices) { c.Image = "theirs" }}), "node.all.env")
	refusedFor(t, openTo(t, site.Options{Dir: dir, Choose: func(c *project.Choices) { c.Image = "mine" }}), "node.all.env")
	if err := openTo(t, site.Options{Dir: dir, Accept: values}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := openTo(t, site.Options{Dir: dir}); err != nil {
			t.Fatal("asked again: ", err)
		}
	}
	if err := openTo(t, site.Options{Dir: dir, Choose: func(c *project.Choices) { c.Image = "mine"; c.All.Args = []string{"-x"} }}); err != nil {
		t.Fatal(err)
	}
	if err := openTo(t, site.Options{Dir: dir}); err != nil {
		t.Fatal("flags ask later: ", err)
	}
	rewrite(t, dir, "\"SECRET\"", "\"SECRET\", \"MORE\"")
	refusedFor(t, openTo(t, site.Options{Dir: dir}), "node.all.env")
	if err := openTo(t, site.Options{Dir: dir, Ending: true}); err != nil {
		t.Error("SuperNodes cannot be stopped: ", err)
	}
	if text, _ := os.ReadFile(project.File(dir)); !strings.Contains(string(text), "MORE") {
		t.Error("stopping changed flwrup.toml")
	}
	if err := openTo(t, site.Options{Dir: dir, Trust: true}); err != nil {
		t.Error(err)
	}
	if err := site.Distrust(dir); err != nil {
		t.Fatal(err)
	}
	refusedFor(t, openTo(t, site.Options{Dir: dir}), "image", "node.all.args", "node.all.env", "node.all.env")
}

// A site that may not look where SuperNodes run does not call them absent, nor well.
func TestUnknownIsNotAbsent(t *testing.T) {
	dir := clone(t, "nodes = 1\n")
	s, err := site.Open(site.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := keys.Generate(t.Context(), site.KeysDir(s), []string{"client_credentials_1"}, nil); err != nil {
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

// Records that came with the folder are not gone by, wherever they come from.
func TestForeignRecords(t *testing.T) {
	dir := clone(t, "nodes = 1\n")
	if err := openTo(t, site.Options{Dir: dir}); err != nil {
		t.Fatal(err)
	}
	copied := clone(t, "nodes = 1\n")
	if err := os.CopyFS(project.StateDir(copied), os.DirFS(project.StateDir(dir))); err != nil {
		t.Fatal(err)
	}
	refusedFor(t, openTo(t, site.Options{Dir: copied}), ".flwrup")
	refusedFor(t, openTo(t, site.Options{Dir: copied, Ending: true}), ".flwrup")
	var asked *site.Unaccepted
	if !errors.As(openTo(t, site.Options{Dir: copied}), &asked) {
		t.Fatal("nothing is asked")
	}
	for _, o := range []site.Options{{Trust: true}, {Accept: asked.Values}} { // what runs is found by the records
		o.Dir, o.Ending = copied, true
		s, err := site.Open(o)
		if err != nil {
			t.Fatal(err)
		}
		if len(site.LeftOut(s)) > 0 || !strings.HasPrefix(s.Ledger.File(), copied) {
			t.Errorf("accepted, and left out all the same: %v", site.LeftOut(s))
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	s, err := site.Open(site.Options{Dir: copied, ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if strings.HasPrefix(s.Ledger.File(), copied) {
		t.Error("the ledger of the folder is read")
	}
	if o := health.Overview(t.Context(), s, 0); !problem.Is(o.GridErr, problem.NotAccepted) {
		t.Errorf("the overview says %v", o.GridErr)
	}
	if err := openTo(t, site.Options{Dir: copied, Trust: true}); err != nil {
		t.Fatal(err)
	}
	if err := openTo(t, site.Options{Dir: copied}); err != nil {
		t.Error("asked again: ", err)
	}
	// Another clone at the same place, with records of its own.
	if err := os.WriteFile(filepath.Join(project.StateDir(copied), "id"), []byte("0badc0de\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := openTo(t, site.Options{Dir: copied, ReadOnly: true}); err != nil {
		t.Error("a look at records of others: ", err)
	}
	refusedFor(t, openTo(t, site.Options{Dir: copied}), ".flwrup")
}

// What lies in a clone is asked about where it does harm under its usual name, too.
func TestForeignKeysAndLinks(t *testing.T) {
	mine := clone(t, "nodes = 1\n")
	s, err := site.Open(site.Options{Dir: mine})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := keys.Generate(t.Context(), filepath.Join(mine, "keys"), []string{"client_credentials_1"}, func(keys.Pair) {}); err != nil {
		t.Fatal(err)
	}
	if err := openAfter(t, s, site.Options{Dir: mine}); err != nil {
		t.Error("the keys that were made here: ", err)
	}
	dir := clone(t, "nodes = 1\n")
	if err := os.CopyFS(filepath.Join(dir, "keys"), os.DirFS(filepath.Join(mine, "keys"))); err != nil {
		t.Fatal(err)
	}
	refusedFor(t, openTo(t, site.Options{Dir: dir}), "keys")
	linked := t.TempDir() // without a flwrup.toml
	if err := os.Symlink(filepath.Join(mine, "keys"), filepath.Join(linked, "keys")); err != nil {
		t.Skip("no links here:", err)
	}
	o := site.Options{Dir: linked, Create: true, Choose: func(c *project.Choices) { c.Nodes = 1 }}
	refusedFor(t, openTo(t, o), "keys")
	o.Choose = func(c *project.Choices) { c.Keys = "keys/" }
	if err := openTo(t, o); err != nil {
		t.Error("the folder of keys that the person named: ", err)
	}

	target := filepath.Join(t.TempDir(), "theirs")
	for name, link := range map[string]string{"pyproject.toml": target, ".gitignore": target, "up": filepath.Dir(target)} {
		if err := os.Symlink(link, filepath.Join(mine, name)); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(mine, name)
		if name == "up" {
			file = filepath.Join(file, "x")
		}
		if site.Stays(s, file) == nil {
			t.Errorf("%s, a link to %s, would be changed", name, link)
		}
	}
	if site.Stays(s, filepath.Join(mine, "new")) != nil || site.Stays(s, target) != nil {
		t.Error("a new file of the project, or one of the person's elsewhere, is refused")
	}
}

// openAfter opens a site that is open already.
func openAfter(t *testing.T, open *site.Site, o site.Options) error {
	t.Helper()
	if err := open.Close(); err != nil {
		t.Fatal(err)
	}
	return openTo(t, o)
}

// An edit beside an open site is told, and changes nothing until it is accepted.
func TestEditIsNotTaken(t *testing.T) {
	dir := clone(t, "nodes = 1\n")
	s, err := site.Open(site.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	rewrite(t, dir, "nodes = 1", "nodes = 1\nimage = \"theirs\"")
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

// A watch goes on with the values before an edit that nobody accepted.
func TestWatchKeepsValues(t *testing.T) {
	dir := clone(t, "nodes = 1\n")
	if err := openTo(t, site.Options{Dir: dir}); err != nil {
		t.Fatal(err)
	}
	var said []health.WatchEvent
	w := &watcher{dir: dir, each: func(e health.WatchEvent) { said = append(said, e) }}
	if err := w.open(); err != nil {
		t.Fatal(err)
	}
	defer func() { w.site.Close() }()
	rewrite(t, dir, "nodes = 1", "nodes = 2\nimage = \"theirs\"")
	for range 2 {
		if err := w.open(); err != nil {
			t.Fatal(err)
		}
	}
	if len(said) != 1 || said[0].Code != problem.NotAccepted || w.site.Choices().Nodes != 1 {
		t.Errorf("said %v, and has %d nodes", said, w.site.Choices().Nodes)
	}
	s, err := site.Open(site.Options{Dir: dir, Instead: w.site.Choices()})
	if err != nil {
		t.Fatal(err)
	}
	if s.Choices().Image != "" || s.Choices().Nodes != 1 {
		t.Error("a restart takes what nobody accepted")
	}
	s.Close()
	if text, _ := os.ReadFile(project.File(dir)); !strings.Contains(string(text), "theirs") {
		t.Error("a restart undid the edit")
	}
	if _, err := site.Trust(dir, must(site.Trust(dir, nil)).Open); err != nil {
		t.Fatal(err)
	}
	if err := w.open(); err != nil || w.site.Choices().Image != "theirs" {
		t.Errorf("accepted, and the watch has %q: %v", w.site.Choices().Image, err)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// openTo opens a site and closes it at once.
func openTo(t *testing.T, o site.Options) error {
	t.Helper()
	s, err := site.Open(o)
	if err != nil {
		return err
	}
	return s.Close()
}

func rewrite(t *testing.T, dir, from, to string) {
	t.Helper()
	text, err := os.ReadFile(project.File(dir))
	if err != nil {
		t.Fatal(err)
	}
	now := strings.Replace(string(text), from, to, 1)
	if now == string(text) {
		t.Fatalf("no %q in\n%s", from, text)
	}
	if err := os.WriteFile(project.File(dir), []byte(now), 0o644); err != nil {
		t.Fatal(err)
	}
}

// A value that is harmless only beside another is asked about once that other one changes, by a flag or in the file.
func TestHarmlessBesideAnother(t *testing.T) {
	const toml = "app = \"none\"\nruntime = \"process\"\nbackup-recipient = \"age1theirs\"\n[grid]\nrehearsal = true\n"
	withApp := site.Options{Choose: func(c *project.Choices) { c.App = "mine" }}
	dir := clone(t, toml)
	withApp.Dir = dir
	refusedFor(t, openTo(t, withApp), "runtime", "grid.rehearsal")

	dir = clone(t, toml)
	s, err := site.Open(site.Options{Dir: dir})
	if err != nil {
		t.Fatal("a rehearsal without an app: ", err)
	}
	if _, err := keys.Generate(t.Context(), filepath.Join(dir, "keys"), []string{"client_credentials_1"}, func(keys.Pair) {}); err != nil {
		t.Fatal(err)
	}
	sitetest.Choose(t, s, func(c *project.Choices) { c.Nodes = 1 })
	if err := openAfter(t, s, site.Options{Dir: dir}); err != nil {
		t.Error("the rehearsal asks about itself: ", err)
	}
	rewrite(t, dir, "rehearsal = true", "rehearsal = false")
	refusedFor(t, openTo(t, site.Options{Dir: dir}), "runtime", "backup-recipient")
}

// Connections in a pyproject.toml that came with the folder lead nowhere unasked.
func TestForeignConnections(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	t.Setenv("FLWR_HOME", "")
	const theirs = "[tool.flwr.federations.supergrid]\naddress = \"grid.example:9093\"\nroot-certificates = \"ca.pem\"\n"
	for text, asks := range map[string]bool{
		theirs: true,
		"[tool.flwr.federations.x]\naddress = \"dns:///grid.example:9093\"\ninsecure = true\n":               true,
		"[tool.flwr.federations.x]\naddress = \"api.flower.ai\"\nroot-certificates = \"ca.pem\"\n":           true,
		"[tool.flwr.federations.x]\noptions.backend.init-args.runtime-env = \"x\"\n":                         true,
		"[tool.flwr.federations]\ndefault = \"l\"\n[tool.flwr.federations.l]\noptions.num-supernodes = 10\n": false,
		"[tool.flwr.federations.supergrid]\naddress = \"supergrid.flower.ai\"\n":                             false,
		"[tool.flwr.federations.r]\naddress = \"<SUPERLINK-ADDRESS>:<PORT>\"\ninsecure = true\n":             false,
		"[tool.flwr.federations.l]\naddress = \"127.0.0.1:9093\"\ninsecure = true\n":                         false,
	} {
		dir := t.TempDir()
		put := func(text string) {
			if err := os.WriteFile(filepath.Join(dir, "pyproject.toml"), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		put(text)
		err := openTo(t, site.Options{Dir: dir, Create: true})
		if !asks {
			if err != nil {
				t.Errorf("%s: %v", text, err)
			}
			continue
		}
		refusedFor(t, err, "pyproject.toml")
		if err := openTo(t, site.Options{Dir: dir, Create: true, Trust: true}); err != nil {
			t.Fatal(err)
		}
		if err := openTo(t, site.Options{Dir: dir}); err != nil {
			t.Error("asked again: ", err)
		}
		put(strings.ReplaceAll(text, "x", "y") + "\n[tool.flwr.federations.z]\naddress = \"other.example\"\n")
		if err := openTo(t, site.Options{Dir: dir}); !problem.Is(err, problem.NotAccepted) {
			t.Errorf("%s: a later connection: %v", text, err)
		}
	}
	// The grid that the person named, as flwr 1.25 keeps it.
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "pyproject.toml"), []byte(theirs), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := openTo(t, site.Options{Dir: dir, Create: true, Choose: func(c *project.Choices) { c.Grid.Control, c.Grid.CA = "grid.example:9093", "ca.pem" }}); err != nil {
		t.Error(err)
	}
}
