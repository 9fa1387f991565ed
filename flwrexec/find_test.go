package flwrexec

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"flwrup/internal/problem"
	"flwrup/internal/require"
)

// fakeEnv makes what a virtual environment with flwr looks like.
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
	// uv puts a link to its tool on PATH: found once, as what stands on PATH.
	linked := filepath.Join(root, "linked")
	os.Mkdir(linked, 0o755)
	os.Symlink(filepath.Join(home, ".local", "share", "uv", "tools", "flwr", "bin", "flwr"), filepath.Join(linked, "flwr"))
	t.Setenv("PATH", strings.Join([]string{"relative", binOf(filepath.Join(root, "old")), binOf(filepath.Join(root, "onpath")), linked}, string(os.PathListSeparator)))
	own := filepath.Join(root, "own")
	for _, v := range []string{"1.24.0", "1.41.0"} {
		os.WriteFile(marker(fakeEnv(t, filepath.Join(own, "flwr-"+v), v, "")), nil, 0o644)
	}
	fakeEnv(t, filepath.Join(own, "flwr-1.40.0"), "1.40.0", "") // no marker: left half made

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

func TestFindReal(t *testing.T) {
	for _, version := range realVersions {
		begun := time.Now()
		f := realFlwr(t, version)
		if f.Version.String() != version || f.Python == "" || time.Since(begun) > time.Second {
			t.Errorf("%+v after %v", f, time.Since(begun))
		}
		if _, err := os.Stat(f.SuperNode()); err != nil {
			t.Error(err)
		}
	}
}

// A project's pyproject.toml in the working folder is none of a session's business.
func TestRealLeavesPyprojectAlone(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	const text = "[tool.flwr.federations.supergrid]\naddress = \"supergrid.flower.ai\"\nfederation = \"flowerlabs\"\nenable-account-auth = true\n"
	if err := os.WriteFile("pyproject.toml", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, version := range []string{"1.26.1", require.Newest} {
		s, c := realSession(t, version, SessionOptions{})
		if _, err := s.Nodes(t.Context(), c("dead")); !problem.Is(err, problem.Unreachable) {
			t.Errorf("%s: %v", version, err)
		}
		if b, _ := os.ReadFile("pyproject.toml"); string(b) != text {
			t.Errorf("%s changed it:\n%s", version, b)
		}
		s.Close()
	}
}
