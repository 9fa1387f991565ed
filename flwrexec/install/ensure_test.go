package install

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"flwrup/flwrexec/flwr"
	"flwrup/internal/problem"
	"flwrup/internal/require"
	"flwrup/internal/userdirs"
)

// wheel makes an empty package, with only its command for flwr.
func wheel(t *testing.T, name, version string, requires ...string) (file string, data []byte) {
	t.Helper()
	info := name + "-" + version + ".dist-info/"
	meta := "Metadata-Version: 2.1\nName: " + name + "\nVersion: " + version + "\n"
	for _, r := range requires {
		meta += "Requires-Dist: " + r + "\n"
	}
	files := [][2]string{
		{name + ".py", "def app():\n    print('Flower version: " + version + "')\n"},
		{info + "METADATA", meta},
		{info + "WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"},
		{info + "entry_points.txt", "[console_scripts]\n" + strings.TrimSuffix(name, "_nightly") + " = " + name + ":app\n"},
	}
	record := ""
	for _, f := range files {
		record += f[0] + ",,\n"
	}
	files = append(files, [2]string{info + "RECORD", record + info + "RECORD,,\n"})
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, f := range files {
		w, err := z.Create(f[0])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(f[1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return name + "-" + version + "-py3-none-any.whl", b.Bytes()
}

// index is a package index in the test's own process; uv and pip use it.
func index(t *testing.T, packages ...[]string) *httptest.Server {
	t.Helper()
	all := map[string]map[string][]byte{}
	for _, p := range packages {
		file, data := wheel(t, p[0], p[1], p[2:]...)
		name := strings.ReplaceAll(p[0], "_", "-")
		if all[name] == nil {
			all[name] = map[string][]byte{}
		}
		all[name][file] = data
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
		switch {
		case len(parts) == 2 && parts[0] == "simple" && all[parts[1]] != nil:
			w.Header().Set("Content-Type", "text/html")
			for file := range all[parts[1]] {
				fmt.Fprintf(w, "<a href=\"/files/%s/%s\">%s</a>\n", parts[1], file, file)
			}
		case len(parts) == 3 && parts[0] == "files" && all[parts[1]][parts[2]] != nil:
			w.Write(all[parts[1]][parts[2]]) //nolint:errcheck
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(srv.Close)
	useIndex(t, srv.URL)
	return srv
}

func useIndex(t *testing.T, url string) {
	t.Helper()
	for name, value := range map[string]string{
		"UV_DEFAULT_INDEX": url + "/simple", "UV_INDEX_URL": "", "UV_INDEX": "", "UV_EXTRA_INDEX_URL": "", "UV_NO_CONFIG": "1",
		"UV_CACHE_DIR": t.TempDir(), "UV_HTTP_TIMEOUT": "5", "UV_HTTP_RETRIES": "0", "PIP_FIND_LINKS": "", "UV_OFFLINE": "", "UV_FIND_LINKS": "", "UV_PYTHON_DOWNLOADS": "never",
		"PIP_INDEX_URL": url + "/simple", "PIP_EXTRA_INDEX_URL": "", "PIP_CONFIG_FILE": os.DevNull, "PIP_RETRIES": "0",
		"PIP_NO_CACHE_DIR": "1", "PIP_TRUSTED_HOST": "127.0.0.1", "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1",
	} {
		if value == "" {
			t.Setenv(name, "") // so that it is restored
			os.Unsetenv(name)
			continue
		}
		t.Setenv(name, value)
	}
}

// withUV skips without uv; in needsPip, which hides uv, one Python remains.
func withUV(t *testing.T) {
	t.Helper()
	require.Flwr(t, "1.24.0") // a machine with flwr must have uv
	require.Tool(t, "flwr", "uv")
}

func withPip(t *testing.T) {
	t.Helper()
	python := foundReal(t, "1.24.0").Python
	bin := t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, "python3"), []byte("#!/bin/sh\nexec '"+python+"' \"$@\"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin)
}

func TestInstall(t *testing.T) {
	for _, with := range []string{"uv", "pip"} {
		t.Run(with, func(t *testing.T) {
			index(t, []string{"flwr", "1.41.7"}, []string{"flwr", "1.42.7"}, []string{"numpy", "2.0.0"})
			map[string]func(*testing.T){"uv": withUV, "pip": withPip}[with](t)
			root := filepath.Join(t.TempDir(), "a folder, ünïcode")
			// The rest of a killed installation is replaced.
			env := filepath.Join(root, "flwr-1.42.7")
			if err := os.MkdirAll(filepath.Join(env, "junk"), 0o755); err != nil {
				t.Fatal(err)
			}
			var mu sync.Mutex
			var said []string
			say := func(s string) {
				mu.Lock()
				defer mu.Unlock()
				said = append(said, s)
			}
			var wg sync.WaitGroup
			for range 2 { // two at once: one works, the other waits
				wg.Add(1)
				go func() {
					defer wg.Done()
					f, err := Ensure(t.Context(), Options{Root: root, Version: "newest", Say: say})
					if err != nil || f.Version.String() != "1.42.7" || f.Source != SourceOwn || !strings.HasPrefix(f.Program, env) {
						t.Errorf("%+v %v\n%+v", f, err, problem.Of(err))
						return
					}
					if out, err := exec.Command(f.Program, "--version").CombinedOutput(); err != nil || !strings.Contains(string(out), "1.42.7") {
						t.Errorf("%v %s", err, out)
					}
				}()
			}
			wg.Wait()
			all := strings.Join(said, "\n")
			if n := strings.Count(all, "making an environment"); n != 1 || !strings.Contains(all, "installing flwr==1.42.7") {
				t.Errorf("made %d times: %s", n, all)
			}
			if _, err := os.Stat(filepath.Join(env, "junk")); err == nil {
				t.Error("the leftover is there")
			}
			// A further package goes into the same environment; then nothing is left to do.
			said = nil
			if _, err := Ensure(t.Context(), Options{Root: root, Version: "1.42.7", Packages: []string{"numpy"}, Say: say}); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(strings.Join(said, "\n"), "making") || !have(env, []string{"numpy"}) {
				t.Errorf("%q", said)
			}
			said = nil
			begun := time.Now()
			if _, err := Ensure(t.Context(), Options{Root: root, Version: "1.42.7", Packages: []string{"numpy"}, Say: say}); err != nil || len(said) > 0 || time.Since(begun) > time.Second {
				t.Errorf("%v %q", err, said)
			}
			_, err := Ensure(t.Context(), Options{Root: root, Version: "1.39.7", Say: say})
			if !problem.Is(err, problem.FlwrInstall) || !strings.Contains(err.Error(), "no such version") {
				t.Errorf("%v\n%s", err, problem.Of(err).Raw)
			}
			if _, err := os.Stat(filepath.Join(root, "flwr-1.39.7")); err == nil {
				t.Error("a failed installation left its folder")
			}
			if found, _ := Find(t.Context(), FindOptions{OwnRoot: root}); len(found) == 0 || found[len(found)-1].Program != program(binOf(env), "flwr") {
				t.Errorf("not found: %+v", found)
			}
		})
	}
}

func TestInstallOddCertifi(t *testing.T) {
	withUV(t)
	index(t, []string{"flwr", "1.42.7", "certifi>=2099"}, []string{"certifi", "2026.1.1"})
	var said []string
	_, err := Ensure(t.Context(), Options{Root: t.TempDir(), Version: "1.42.7", Say: func(s string) { said = append(said, s) }})
	if err != nil {
		t.Fatalf("%v\n%s", err, problem.Of(err).Raw)
	}
	if !strings.Contains(strings.Join(said, "\n"), "lacks the certifi") {
		t.Errorf("%q", said)
	}
}

// The index comes from the user's own settings, never from those of the current folder or of a shared
// temporary one. Settings that others can write end the installation before anything runs.
func TestInstallSettings(t *testing.T) {
	unixOnly(t)
	for _, with := range []string{"uv", "pip"} {
		t.Run(with, func(t *testing.T) {
			srv := index(t, []string{"flwr", "1.42.7"})
			map[string]func(*testing.T){"uv": withUV, "pip": withPip}[with](t)
			home, shared := t.TempDir(), t.TempDir()
			for name, value := range map[string]string{"HOME": home, "XDG_CONFIG_HOME": "", "XDG_CONFIG_DIRS": t.TempDir(), "XDG_CACHE_HOME": "", "TMPDIR": shared,
				"UV_NO_CONFIG": "", "UV_DEFAULT_INDEX": "", "PIP_CONFIG_FILE": "", "PIP_INDEX_URL": ""} {
				t.Setenv(name, value)
				if value == "" {
					os.Unsetenv(name)
				}
			}
			settings := func(dir, url string) string {
				file, text := filepath.Join(dir, "uv.toml"), fmt.Sprintf("index-url = %q\n", url)
				if with == "pip" {
					file, text = filepath.Join(dir, "pip.conf"), "[global]\nindex-url = "+url+"\n"
				}
				if err := os.MkdirAll(dir, 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
				return file
			}
			var hits atomic.Int32
			evil := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { hits.Add(1); http.NotFound(w, r) }))
			defer evil.Close()
			own := settings(filepath.Join(home, ".config", with), srv.URL+"/simple")
			settings(shared, evil.URL+"/simple")
			if err := os.WriteFile(filepath.Join(shared, "venv.py"), []byte("raise SystemExit('code of another user')"), 0o600); err != nil {
				t.Fatal(err)
			}
			t.Chdir(shared)
			var said []string
			version := map[string]string{"uv": "newest", "pip": "1.42.7"}[with] // pip needs an environment to look for the newest
			install := func() error {
				said = nil
				_, err := Ensure(t.Context(), Options{Root: t.TempDir(), Version: version, Say: func(s string) { said = append(said, s) }})
				return err
			}
			if err := install(); err != nil || hits.Load() > 0 || !strings.Contains(strings.Join(said, "\n"), "takes its settings from "+own) {
				t.Errorf("%v, %d calls to the other index\n%s", err, hits.Load(), strings.Join(said, "\n"))
			}
			if left, _ := filepath.Glob(filepath.Join(shared, "*")); len(left) != 2 {
				t.Errorf("written to the shared folder: %q", left)
			}
			if err := os.Chmod(own, 0o666); err != nil {
				t.Fatal(err)
			}
			if err := install(); !problem.Is(err, userdirs.Unsafe) || strings.Contains(strings.Join(said, "\n"), "$ ") {
				t.Errorf("settings that others can write: %v\n%s", err, strings.Join(said, "\n"))
			}
		})
	}
}

// A known flwr is installed file by file from its lock, and from nothing else.
func TestInstallLocked(t *testing.T) {
	for _, with := range []string{"uv", "pip"} {
		t.Run(with, func(t *testing.T) {
			// flwr asks for a package that the index lacks: the lock decides, not flwr.
			index(t, []string{"flwr", "1.42.7", "certifi>=2099"}, []string{"certifi", "2026.1.1"}, []string{"certifi", "2026.2.2"},
				[]string{"numpy", "2.0.0"}, []string{"extra", "1.0.0", "certifi"})
			map[string]func(*testing.T){"uv": withUV, "pip": withPip}[with](t)
			line := func(name, version string, requires ...string) string {
				_, data := wheel(t, name, version, requires...)
				return fmt.Sprintf("%s==%s \\\n    --hash=sha256:%x\n", name, version, sha256.Sum256(data))
			}
			good := line("certifi", "2026.1.1") + line("flwr", "1.42.7", "certifi>=2099") + line("numpy", "2.0.0")
			install := func(lock string, packages ...string) (Found, string, error) {
				var said []string
				f, err := Ensure(t.Context(), Options{Root: t.TempDir(), Version: "1.42.7", Packages: packages,
					Say: func(s string) { said = append(said, s) }, locks: fstest.MapFS{"1.42.7.txt": {Data: []byte(lock)}}})
				return f, strings.Join(said, "\n"), err
			}
			f, said, err := install(good, "numpy", "extra")
			if err != nil {
				t.Fatalf("%v\n%s", err, said)
			}
			if !strings.Contains(said, "--require-hashes") || strings.Contains(said, "no hashes") {
				t.Error(said)
			}
			for _, name := range []string{"certifi-2026.1.1", "numpy-2.0.0", "extra-1.0.0"} {
				if m, _ := filepath.Glob(filepath.Join(filepath.Dir(f.Bin), "lib", "python3*", "site-packages", name+".dist-info")); len(m) != 1 {
					t.Errorf("%s is not there", name)
				}
			}
			exchanged := strings.Replace(good, "--hash=sha256:", "--hash=sha256:"+strings.Repeat("0", 8), 1)
			exchanged = regexp.MustCompile(`sha256:(0{8}.{56}).{8}`).ReplaceAllString(exchanged, "sha256:$1")
			if _, said, err = install(exchanged); !problem.Is(err, problem.FlwrInstall) || !strings.Contains(err.Error(), "not the one flwrup knows") {
				t.Errorf("%v\n%s", err, said)
			}
		})
	}
}

// The locks are complete: every line of a package has hashes, and flwr itself is in it.
func TestLocks(t *testing.T) {
	entries, err := lockFiles.ReadDir("locks")
	if err != nil || len(entries) < 20 {
		t.Fatalf("%d locks, %v", len(entries), err)
	}
	entry := regexp.MustCompile(`^[a-z0-9-]+==[0-9a-z.]+( ; [^\\#]+)? \\\n(    --hash=sha256:[0-9a-f]{64}( \\)?\n)+$`)
	for _, e := range entries {
		v, err := flwr.ParseVersion(strings.TrimSuffix(e.Name(), ".txt"))
		if err != nil {
			t.Fatal(err)
		}
		lock := lockOf(embeddedLocks(), v)
		for _, part := range regexp.MustCompile(`(?m)^[^ ].*\n( .*\n)*`).FindAllString(lock, -1) {
			if !entry.MatchString(part) {
				t.Errorf("%s: %s", e.Name(), part)
			}
		}
		if !strings.Contains(lock, "flwr=="+v.String()+" ") || strings.Contains(pins(lock), "--hash") || len(notLocked(lock, []string{"numpy", "torch"})) != 1 {
			t.Error(e.Name())
		}
	}
	oldest, err := flwr.ParseVersion(flwr.Oldest)
	if err != nil {
		t.Fatal(err)
	}
	for minor := oldest.Minor; minor <= flwr.Latest().Version.Minor; minor++ {
		if lockOf(embeddedLocks(), flwr.Version{Major: 1, Minor: minor}) == "" {
			t.Errorf("no lock for flwr 1.%d.0: run flwrexec/install/locks/update.sh 1.%d.0", minor, minor)
		}
	}
}

func TestInstallCannot(t *testing.T) {
	withUV(t)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, o := range map[string]Options{
		"root is a file": {Root: file, Version: "1.42.0"},
		"too old":        {Root: t.TempDir(), Version: "1.20.0"},
		"no version":     {Root: t.TempDir(), Version: "latest please"},
		"an option":      {Root: t.TempDir(), Version: "1.42.0", Packages: []string{"numpy", "--index-url=http://127.0.0.1:1"}},
	} {
		if _, err := Ensure(t.Context(), o); !problem.Is(err, problem.FlwrInstall, problem.BadInput) {
			t.Errorf("%s: %v", name, err)
		}
	}

	useIndex(t, "http://127.0.0.1:1")
	root := t.TempDir()
	for _, version := range []string{"1.42.0", "newest"} {
		_, err := Ensure(t.Context(), Options{Root: root, Version: version})
		if !problem.Is(err, problem.FlwrInstall) || !strings.Contains(err.Error(), "cannot be reached") {
			t.Errorf("no network, %s: %v\n%s", version, err, problem.Of(err).Raw)
		}
	}

	// The user stops it while the index is silent: nothing stays.
	hang := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-hang }))
	defer srv.Close()
	defer close(hang)
	useIndex(t, srv.URL)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	if _, err := Ensure(ctx, Options{Root: root, Version: "1.42.0"}); !problem.Is(err, problem.Cancelled) {
		t.Errorf("%v", err)
	}
	left, _ := filepath.Glob(filepath.Join(root, "flwr-1.42.0", "*"))
	if len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

func TestInstallWithoutPython(t *testing.T) {
	bin := t.TempDir()
	t.Setenv("PATH", bin)
	_, err := Ensure(t.Context(), Options{Root: t.TempDir(), Version: "1.42.0"})
	if !problem.Is(err, problem.PythonMissing) || !strings.Contains(err.Error(), "no Python") {
		t.Errorf("%v", err)
	}
	if err := os.WriteFile(filepath.Join(bin, "python3"), []byte("#!/bin/sh\necho 3.9\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	_, err = Ensure(t.Context(), Options{Root: t.TempDir(), Version: "1.42.0"})
	if !problem.Is(err, problem.PythonMissing) || !strings.Contains(err.Error(), "too old") || !strings.Contains(err.Error(), "3.11") {
		t.Errorf("%v", err)
	}
}

func TestInstallRules(t *testing.T) {
	for text, says := range map[string]string{
		"error: No space left on device (os error 28)": "disk is full",
		"  × No solution found when resolving dependencies:\n  ╰─▶ Because there is no version of flwr==1.99.0 and you":      "no such version",
		"ERROR: Could not find a version that satisfies the requirement flwr==1.99.0 (from versions: 1.0)":                   "no such version",
		"  × Failed to fetch: `https://index/simple/flwr/`\n  ├─▶ client error (Connect)\n  ╰─▶ dns error":                   "cannot be reached",
		"NewConnectionError: Failed to establish a new connection: [Errno -3] Temporary failure in name resolution":          "cannot be reached",
		"The virtual environment was not created successfully because ensurepip is not\navailable. apt install python3-venv": "cannot make environments",
		"error: No interpreter found for Python >=3.11 in managed installations or search path":                              "no Python here",
	} {
		p := installProblem("install flwr", text, os.ErrInvalid)
		if !strings.Contains(p.Error(), says) || p.Fix == "" {
			t.Errorf("%s: %v", text, p)
		}
	}
}
