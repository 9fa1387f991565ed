package install

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"flwrup/flwrexec/flwr"
	"flwrup/internal/problem"
)

// TestScratch installs what a person names with the real uv, from an index on loopback, and leaves nothing behind.
func TestScratch(t *testing.T) {
	withUV(t)
	index(t, []string{"flwr", "1.41.7"}, []string{"flwr", "1.42.7"}, []string{"flwr_nightly", "1.43.0.dev20270101"})
	cache := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", cache)
	name, data := wheel(t, "flwr", "1.44.0")
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	nightly := func(context.Context) (flwr.Version, error) { return flwr.ParseVersion("1.43.0.dev20270101") }
	for text, want := range map[string]string{"1.41.7": "1.41.7", Newest: "1.42.7", Nightly: "1.43.0.dev20270101", file: "1.44.0"} {
		var said []string
		found, release, err := Scratch(t.Context(), text, nightly, func(l string) { said = append(said, l) })
		if err != nil || found.Version.String() != want {
			t.Errorf("%s: %+v %v\n%s", text, found, err, strings.Join(said, "\n"))
			continue
		}
		if _, err := os.Stat(found.Program); err != nil {
			t.Error(err)
		}
		release()
		left, _ := filepath.Glob(filepath.Join(cache, "flwrup", "installing", "*"))
		envs, _ := filepath.Glob(filepath.Join(cache, "flwrup", "envs", "*"))
		if len(left)+len(envs) > 0 {
			t.Errorf("%s left %q %q", text, left, envs)
		}
	}
	// flwrup's own environment is taken as it is, and stays.
	own, err := Ensure(t.Context(), Options{Version: "1.41.7", locks: os.DirFS(t.TempDir())})
	if err != nil {
		t.Fatal(err)
	}
	found, release, err := Scratch(t.Context(), "1.41.7", nightly, nil)
	release()
	if _, serr := os.Stat(own.Program); err != nil || found.Program != own.Program || serr != nil {
		t.Errorf("%+v %v %v", found, err, serr)
	}
	if found, _, err := Scratch(t.Context(), filepath.Dir(filepath.Dir(own.Program)), nightly, nil); err != nil || found.Program != own.Program {
		t.Errorf("by its folder: %+v %v", found, err)
	}
	if _, _, err := Scratch(t.Context(), "1.40.7", nightly, nil); !problem.Is(err, problem.FlwrInstall) {
		t.Errorf("a release that the index does not have: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(cache, "flwrup", "installing", "*")); len(left) > 0 {
		t.Errorf("a failure left %q", left)
	}
}

func TestNames(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "flwr-1.44.0-py3-none-any.whl")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for text, good := range map[string]bool{"1.42.0": true, "1.43.0.dev20270101": true, Newest: true, Nightly: true, dir: true, file: true, "https://example.org/a/flwr_nightly-1.43.0.dev1-py3-none-any.whl": true,
		"http://example.org/flwr-1.44.0-py3-none-any.whl": false, "https://example.org/other-1.0.0-py3-none-any.whl": false, "--index-url=x": false, "latest": false, "flwr-1.44.0-py3-none-any.whl": false,
		dir + "x": false, "git+https://example.org/flower": false} {
		if got := Names(text) == ""; got != good {
			t.Errorf("%s: %q", text, Names(text))
		}
	}
}
