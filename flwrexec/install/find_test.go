package install

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"flwrup/internal/problem"
	"flwrup/internal/require"
	"flwrup/internal/userdirs"
)

// fakeEnv imitates a virtual environment with flwr.
func fakeEnv(t *testing.T, env, version, shebang string) string {
	t.Helper()
	meta := filepath.Join(env, "lib", "python3.12", "site-packages", "flwr-"+version+".dist-info")
	for _, dir := range []string{binOf(env), meta} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if shebang == "" {
		shebang = "#!" + filepath.Join(binOf(env), "python")
	}
	for path, text := range map[string]string{
		filepath.Join(meta, "METADATA"):     "Metadata-Version: 2.4\nName: flwr\nVersion: " + version + "\n\nVersion: 9.9.9\n",
		program(binOf(env), "flwr"):         shebang + "\nexit 1\n",
		filepath.Join(binOf(env), "python"): "",
	} {
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return env
}

func unixOnly(t *testing.T) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the layout of an environment is another one on Windows")
	}
}

func TestFindOrder(t *testing.T) {
	unixOnly(t)
	root := t.TempDir()
	home := filepath.Join(root, "home")
	for name, value := range map[string]string{"HOME": home, "XDG_DATA_HOME": "", "UV_TOOL_DIR": "", "PIPX_HOME": "", "CONDA_PREFIX": "", "APPDATA": ""} {
		t.Setenv(name, value)
	}
	t.Setenv("VIRTUAL_ENV", fakeEnv(t, filepath.Join(root, "active"), "1.42.0", ""))
	fakeEnv(t, filepath.Join(root, "project", ".venv"), "1.26.1", "")
	fakeEnv(t, filepath.Join(root, "onpath"), "1.33.0", "")
	fakeEnv(t, filepath.Join(root, "old"), "1.20.0", "")
	fakeEnv(t, filepath.Join(home, ".local", "share", "uv", "tools", "flwr"), "1.37.0", "")
	// uv puts a link to its tool on PATH: Find returns it once, as found on PATH.
	linked := filepath.Join(root, "linked")
	os.Mkdir(linked, 0o755)
	os.Symlink(filepath.Join(home, ".local", "share", "uv", "tools", "flwr", "bin", "flwr"), filepath.Join(linked, "flwr"))
	t.Setenv("PATH", strings.Join([]string{"relative", binOf(filepath.Join(root, "old")), binOf(filepath.Join(root, "onpath")), linked}, string(os.PathListSeparator)))
	own := filepath.Join(root, "own")
	for _, v := range []string{"1.24.0", "1.41.0"} {
		os.WriteFile(marker(fakeEnv(t, filepath.Join(own, "flwr-"+v), v, "")), nil, 0o644)
	}
	fakeEnv(t, filepath.Join(own, "flwr-1.40.0"), "1.40.0", "") // no marker: left incomplete

	begun := time.Now()
	found, errs := Find(t.Context(), FindOptions{ProjectDir: filepath.Join(root, "project"), OwnRoot: own})
	if took := time.Since(begun); took > time.Second {
		t.Errorf("took %v", took)
	}
	var got []string
	for _, f := range found {
		got = append(got, f.Version.String()+" "+f.Source)
		if f.Python != filepath.Join(f.Bin, "python") {
			t.Errorf("%+v", f)
		}
	}
	want := []string{"1.42.0 " + SourceActive, "1.26.1 " + SourceProject, "1.33.0 " + SourcePath, "1.37.0 " + SourcePath, "1.41.0 " + SourceOwn, "1.24.0 " + SourceOwn}
	if strings.Join(got, ", ") != strings.Join(want, ", ") {
		t.Errorf("found %q", got)
	}
	if len(errs) != 1 || !strings.Contains(errs[0].Error(), "1.20.0") {
		t.Errorf("%v", errs)
	}
}

func TestFindGiven(t *testing.T) {
	unixOnly(t)
	env := fakeEnv(t, filepath.Join(t.TempDir(), "a b"), "1.43.0.dev20261101", "#!/bin/sh\n'''exec' \"/usr/bin/env\" \"$0\" \"$@\"\n' '''")
	for _, path := range []string{env, filepath.Join(env, "bin", "flwr")} {
		found, errs := Find(t.Context(), FindOptions{Path: path})
		if len(errs) > 0 || len(found) != 1 || found[0].Source != SourceGiven || found[0].Python != "/usr/bin/env" || !found[0].Version.Dev {
			t.Errorf("%+v %v", found, errs)
		}
	}
	_, errs := Find(t.Context(), FindOptions{Path: filepath.Join(env, "nothing")})
	if len(errs) != 1 || !problem.Is(errs[0], problem.FlwrMissing) {
		t.Errorf("%v", errs)
	}
	broken := fakeEnv(t, filepath.Join(t.TempDir(), "broken"), "1.42.0", "")
	os.Remove(filepath.Join(broken, "bin", "python"))
	_, errs = Find(t.Context(), FindOptions{Path: broken})
	if len(errs) != 1 || !strings.Contains(errs[0].Error(), "is gone") {
		t.Errorf("%v", errs)
	}
}

// foundReal finds a real flwr.
func foundReal(t *testing.T, version string) Found {
	t.Helper()
	found, errs := Find(t.Context(), FindOptions{Path: require.Flwr(t, version)})
	if len(errs) > 0 || len(found) != 1 {
		t.Fatal(found, errs)
	}
	return found[0]
}

func TestFindReal(t *testing.T) {
	for _, version := range []string{"1.24.0", "1.26.1", require.Newest} {
		begun := time.Now()
		f := foundReal(t, version)
		if f.Version.String() != version || f.Python == "" || time.Since(begun) > time.Second {
			t.Errorf("%+v after %v", f, time.Since(begun))
		}
		if _, err := os.Stat(f.SuperNode()); err != nil {
			t.Error(err)
		}
	}
}

// Missing, broken and not permitted are three causes, and Find gives up on a program that hangs.
func TestFindCauses(t *testing.T) {
	unixOnly(t)
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, c := range []struct {
		path string
		code problem.Code
		says string
	}{
		{filepath.Join(dir, "none"), problem.FlwrMissing, "there is no flwr at"},
		{write("fails", "#!/bin/sh\necho cannot import flwr >&2\nexit 3\n", 0o755), problem.FlwrBroken, "does not work: exit status 3: cannot import flwr"},
		{write("silent", "#!/bin/sh\nexit 0\n", 0o755), problem.FlwrBroken, "does not work: it does not say its version"},
		{write("hangs", "#!/bin/sh\nsleep 1000\n", 0o755), problem.FlwrBroken, "does not work: it gave no answer"},
		{write("nothing", "", 0o755), problem.FlwrBroken, "does not work"},
		{write("elf", "\x7fELF", 0o755), problem.FlwrBroken, "does not work"},
		{write("lost", "#!/no/such/python\n", 0o755), problem.FlwrBroken, "does not work"},
		{write("closed", "#!/bin/sh\necho 1.42.0\n", 0o644), problem.FlwrDenied, "may not be run by this account"},
	} {
		var seen Seen
		begun := time.Now()
		_, errs := Find(t.Context(), FindOptions{Path: c.path, Seen: &seen})
		if len(errs) != 1 || !problem.Is(errs[0], c.code) || !strings.Contains(errs[0].Error(), c.says) || problem.Of(errs[0]).Fix == "" {
			t.Errorf("%s: %v", filepath.Base(c.path), errs)
		}
		if took := time.Since(begun); took > answerWait+3*time.Second {
			t.Errorf("%s took %v", filepath.Base(c.path), took)
		}
		if filepath.Base(c.path) != "hangs" {
			continue
		}
		begun = time.Now()
		if _, again := Find(t.Context(), FindOptions{Path: c.path, Seen: &seen}); len(again) != 1 || time.Since(begun) > answerWait/2 {
			t.Errorf("asked again: %v after %v", again, time.Since(begun))
		}
		write("hangs", "#!/bin/sh\necho Flower version: 1.42.0\n", 0o755)
		if found, again := Find(t.Context(), FindOptions{Path: c.path, Seen: &seen}); len(found) != 1 {
			t.Errorf("mended and not seen: %v", again)
		}
	}
}

// A "flwr" that another user could have put among flwrup's own never runs.
func TestFindPlanted(t *testing.T) {
	unixOnly(t)
	shared := filepath.Join(t.TempDir(), "shared")
	if err := os.Mkdir(shared, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(shared, 0o777|os.ModeSticky); err != nil {
		t.Fatal(err)
	}
	plant := func(root string) {
		env := fakeEnv(t, filepath.Join(root, "flwr-1.42.0"), "1.42.0", "#!/bin/sh")
		if err := os.WriteFile(marker(env), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	home := t.TempDir()
	for _, name := range []string{"XDG_CACHE_HOME", "XDG_DATA_HOME", "VIRTUAL_ENV", "CONDA_PREFIX", "UV_TOOL_DIR", "PIPX_HOME", "APPDATA"} {
		t.Setenv(name, "")
	}
	t.Setenv("HOME", home)
	t.Setenv("PATH", "/usr/bin:/bin")
	t.Setenv("TMPDIR", shared)
	plant(filepath.Join(shared, "flwrup", "envs"))
	for _, value := range []string{home, ""} {
		t.Setenv("HOME", value)
		found, _ := Find(t.Context(), FindOptions{})
		for _, f := range found {
			if strings.HasPrefix(f.Program, shared) {
				t.Errorf("HOME=%q: found %+v", value, f)
			}
		}
	}
	// A cache folder that others may write to is refused with its reason.
	open := filepath.Join(shared, "cache")
	if err := os.Mkdir(open, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(open, 0o777); err != nil {
		t.Fatal(err)
	}
	plant(filepath.Join(open, "flwrup", "envs"))
	t.Setenv("HOME", home)
	found, errs := Find(t.Context(), FindOptions{OwnRoot: filepath.Join(open, "flwrup", "envs")})
	if len(found) > 0 || len(errs) != 1 || !problem.Is(errs[0], userdirs.Unsafe) || !strings.Contains(errs[0].Error(), "others may write to "+open) {
		t.Errorf("%+v %v", found, errs)
	}
	if _, err := Ensure(t.Context(), Options{Root: filepath.Join(open, "flwrup", "envs"), Version: "1.42.0"}); !problem.Is(err, userdirs.Unsafe) {
		t.Errorf("%v", err)
	}
}
