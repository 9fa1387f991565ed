package byguide

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"flwrup/internal/project"
	"flwrup/internal/site"
	"flwrup/keys"
)

// folder is a new project in dir, in which nothing was chosen, with a home of its own.
func folder(t *testing.T, dir string) site.Folder {
	t.Helper()
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("FLWR_HOME", filepath.Join(home, ".flwr"))
	return site.Folder{Dir: dir, Choices: project.Defaults(dir)}
}

func put(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func pairs(t *testing.T, dir string, names ...string) {
	t.Helper()
	if _, err := keys.Generate(t.Context(), dir, names, func(keys.Pair) {}); err != nil {
		t.Fatal(err)
	}
}

func TestNothingFound(t *testing.T) {
	dir := t.TempDir()
	f := folder(t, dir)
	put(t, filepath.Join(dir, "pyproject.toml"), "[tool.flwr.federations.supergrid]\nfederation = \"<FEDERATION_NAME>\"\n")
	if found := search(t.Context(), f); found.Any() || len(found.Evidence()) > 0 {
		t.Errorf("%+v", found)
	}
}

func TestFound(t *testing.T) {
	dir := t.TempDir()
	f := folder(t, dir)
	pairs(t, filepath.Join(dir, "keys"), "client_credentials_1", "client_credentials_2", "client_credentials_3")
	put(t, filepath.Join(dir, "pyproject.toml"), "[tool.flwr.federations.supergrid]\naddress = \"supergrid.flower.ai\"\nfederation = \"radiology\"\nenable-account-auth = true\n")
	put(t, filepath.Join(os.Getenv("FLWR_HOME"), "credentials.yaml"), "tokens")
	found := search(t.Context(), f)
	if got, want := found.Question(), "Found 3 keys and federation radiology. Use them?"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	want := []string{"3 key pairs in keys", "federation radiology in pyproject.toml", "a login of flwr's in " + filepath.Join(os.Getenv("FLWR_HOME"), "credentials.yaml")}
	if got := found.Evidence(); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	c := f.Choices.Clone()
	found.Use(c)
	if c.Nodes != 3 || c.Keys != "keys" || c.Federation != "radiology" {
		t.Errorf("used: %+v", c)
	}
	c = f.Choices.Clone()
	c.Nodes, c.Federation = 5, "@ada/study"
	if found.Use(c); c.Nodes != 5 || c.Federation != "@ada/study" {
		t.Errorf("what was chosen is replaced: %+v", c)
	}
	c = f.Choices.Clone()
	if found.Leave(c); c.Keys != OwnKeys || c.Nodes != 0 || c.Federation != "" {
		t.Errorf("left alone: %+v", c)
	}
}

// TestKeysOfTheExample: Flower's example was cloned into the project, and its script ran there.
func TestKeysOfTheExample(t *testing.T) {
	dir := t.TempDir()
	f := folder(t, dir)
	pairs(t, filepath.Join(dir, "flower-authentication", "keys"), "client_credentials_1")
	found := search(t.Context(), f)
	if found.Keys != filepath.Join("flower-authentication", "keys") || found.Question() != "Found 1 key. Use it?" {
		t.Errorf("%+v: %s", found, found.Question())
	}
	elsewhere := t.TempDir()
	pairs(t, elsewhere, "client_credentials_1")
	dir = t.TempDir()
	f = folder(t, dir)
	if err := os.Symlink(elsewhere, filepath.Join(dir, "keys")); err != nil {
		t.Skip(err)
	}
	if found := search(t.Context(), f); found.Any() {
		t.Errorf("keys behind a link out of the project: %+v", found)
	}
}

// TestFlowersOwnConfiguration: a federation there serves all projects, and is no sign that somebody began in this one.
func TestFlowersOwnConfiguration(t *testing.T) {
	f := folder(t, t.TempDir())
	put(t, filepath.Join(os.Getenv("FLWR_HOME"), "config.toml"), "[superlink.supergrid]\naddress = \"api.flower.ai\"\nfederation = \"@ada/study\"\n")
	if found := search(t.Context(), f); found.Any() || found.Federation != "@ada/study" {
		t.Errorf("%+v", found)
	}
}
