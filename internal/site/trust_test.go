package site_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"flwrup/internal/health"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/site"
	"flwrup/internal/sitetest"
	"flwrup/keys"
)

// flwrup asks once about each value that was in the file, or came into it later. It does not ask about its own values.
func TestAcceptedOnce(t *testing.T) {
	dir := sitetest.Clone(t, "nodes = 1\nimage = \"theirs\"\n[node.all]\nenv = [\"SECRET\"]\n")
	values := sitetest.Refused(t, sitetest.Try(site.Options{Dir: dir, Create: true}), "image", "node.all.env")
	sitetest.Refused(t, sitetest.Try(site.Options{Dir: dir, Accept: values[:1]}), "image", "node.all.env")
	// A flag is the person's own word, also where it says what the file says.
	sitetest.Refused(t, sitetest.Try(site.Options{Dir: dir, Choose: func(c *project.Choices) { c.Image = "theirs" }}), "node.all.env")
	sitetest.Refused(t, sitetest.Try(site.Options{Dir: dir, Choose: func(c *project.Choices) { c.Image = "mine" }}), "node.all.env")
	if err := sitetest.Try(site.Options{Dir: dir, Accept: values}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := sitetest.Try(site.Options{Dir: dir}); err != nil {
			t.Fatal("asked again: ", err)
		}
	}
	if err := sitetest.Try(site.Options{Dir: dir, Choose: func(c *project.Choices) { c.Image = "mine"; c.All.Args = []string{"-x"} }}); err != nil {
		t.Fatal(err)
	}
	if err := sitetest.Try(site.Options{Dir: dir}); err != nil {
		t.Fatal("flags ask later: ", err)
	}
	sitetest.Rewrite(t, dir, "\"SECRET\"", "\"SECRET\", \"MORE\"")
	sitetest.Refused(t, sitetest.Try(site.Options{Dir: dir}), "node.all.env")
	if err := sitetest.Try(site.Options{Dir: dir, Ending: true}); err != nil {
		t.Error("SuperNodes cannot be stopped: ", err)
	}
	if text, _ := os.ReadFile(project.File(dir)); !strings.Contains(string(text), "MORE") {
		t.Error("stopping changed flwrup.toml")
	}
	if err := sitetest.Try(site.Options{Dir: dir, Trust: true}); err != nil {
		t.Error(err)
	}
	if err := site.Distrust(dir); err != nil {
		t.Fatal(err)
	}
	sitetest.Refused(t, sitetest.Try(site.Options{Dir: dir}), "image", "node.all.args", "node.all.env", "node.all.env")
}

// flwrup does not use records that came with the folder until the person accepts them.
func TestForeignRecords(t *testing.T) {
	dir := sitetest.Clone(t, "nodes = 1\n")
	if err := sitetest.Try(site.Options{Dir: dir}); err != nil {
		t.Fatal(err)
	}
	copied := sitetest.Clone(t, "nodes = 1\n")
	if err := os.CopyFS(project.StateDir(copied), os.DirFS(project.StateDir(dir))); err != nil {
		t.Fatal(err)
	}
	sitetest.Refused(t, sitetest.Try(site.Options{Dir: copied}), ".flwrup")
	sitetest.Refused(t, sitetest.Try(site.Options{Dir: copied, Ending: true}), ".flwrup")
	var asked *site.Unaccepted
	if !errors.As(sitetest.Try(site.Options{Dir: copied}), &asked) {
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
	if err := sitetest.Try(site.Options{Dir: copied, Trust: true}); err != nil {
		t.Fatal(err)
	}
	if err := sitetest.Try(site.Options{Dir: copied}); err != nil {
		t.Error("asked again: ", err)
	}
	// Another clone at the same place, with records of its own.
	if err := os.WriteFile(filepath.Join(project.StateDir(copied), "id"), []byte("0badc0de\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := sitetest.Try(site.Options{Dir: copied, ReadOnly: true}); err != nil {
		t.Error("a look at records of others: ", err)
	}
	sitetest.Refused(t, sitetest.Try(site.Options{Dir: copied}), ".flwrup")
}

// flwrup asks about keys of a clone, also under their usual name, and follows no link out of the project.
func TestForeignKeysAndLinks(t *testing.T) {
	mine := sitetest.Clone(t, "nodes = 1\n")
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
	dir := sitetest.Clone(t, "nodes = 1\n")
	if err := os.CopyFS(filepath.Join(dir, "keys"), os.DirFS(filepath.Join(mine, "keys"))); err != nil {
		t.Fatal(err)
	}
	sitetest.Refused(t, sitetest.Try(site.Options{Dir: dir}), "keys")
	linked := t.TempDir() // without a flwrup.toml
	if err := os.Symlink(filepath.Join(mine, "keys"), filepath.Join(linked, "keys")); err != nil {
		t.Skip("no links here:", err)
	}
	o := site.Options{Dir: linked, Create: true, Choose: func(c *project.Choices) { c.Nodes = 1 }}
	sitetest.Refused(t, sitetest.Try(o), "keys")
	o.Choose = func(c *project.Choices) { c.Keys = "keys/" }
	if err := sitetest.Try(o); err != nil {
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

// openAfter closes a site and tries to open it with o.
func openAfter(t *testing.T, open *site.Site, o site.Options) error {
	t.Helper()
	if err := open.Close(); err != nil {
		t.Fatal(err)
	}
	return sitetest.Try(o)
}

// flwrup asks about a value that is harmless only together with another, once that other one changes: by a flag or in the file.
func TestHarmlessBesideAnother(t *testing.T) {
	const toml = "app = \"none\"\nruntime = \"process\"\nbackup-recipient = \"age1theirs\"\n[grid]\nrehearsal = true\n"
	withApp := site.Options{Choose: func(c *project.Choices) { c.App = "mine" }}
	dir := sitetest.Clone(t, toml)
	withApp.Dir = dir
	sitetest.Refused(t, sitetest.Try(withApp), "runtime", "grid.rehearsal")

	dir = sitetest.Clone(t, toml)
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
	sitetest.Rewrite(t, dir, "rehearsal = true", "rehearsal = false")
	sitetest.Refused(t, sitetest.Try(site.Options{Dir: dir}), "runtime", "backup-recipient")
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
		err := sitetest.Try(site.Options{Dir: dir, Create: true})
		if !asks {
			if err != nil {
				t.Errorf("%s: %v", text, err)
			}
			continue
		}
		sitetest.Refused(t, err, "pyproject.toml")
		if err := sitetest.Try(site.Options{Dir: dir, Create: true, Trust: true}); err != nil {
			t.Fatal(err)
		}
		if err := sitetest.Try(site.Options{Dir: dir}); err != nil {
			t.Error("asked again: ", err)
		}
		put(strings.ReplaceAll(text, "x", "y") + "\n[tool.flwr.federations.z]\naddress = \"other.example\"\n")
		if err := sitetest.Try(site.Options{Dir: dir}); !problem.Is(err, problem.NotAccepted) {
			t.Errorf("%s: a later connection: %v", text, err)
		}
	}
	// The grid that the person named, as flwr 1.25 keeps it.
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "pyproject.toml"), []byte(theirs), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := sitetest.Try(site.Options{Dir: dir, Create: true, Choose: func(c *project.Choices) { c.Grid.Control, c.Grid.CA = "grid.example:9093", "ca.pem" }}); err != nil {
		t.Error(err)
	}
}
