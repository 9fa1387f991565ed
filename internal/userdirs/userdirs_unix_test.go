//go:build unix

package userdirs

import (
	"os"
	"os/user"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"flwrup/internal/problem"
	"flwrup/internal/sourcetest"
)

// This package decides where flwrup keeps files: nothing falls back to the temporary folder, and no folder
// comes from elsewhere.
func TestOnePlace(t *testing.T) {
	for _, u := range sourcetest.Uses(t) {
		if strings.HasPrefix(u.File, "internal/userdirs/") || u.Package != "os" {
			continue
		}
		switch u.Name {
		case "TempDir", "UserHomeDir", "UserCacheDir", "UserConfigDir":
			t.Errorf("%s:%d: os.%s: use internal/userdirs", u.File, u.Line, u.Name)
		case "CreateTemp", "MkdirTemp":
			if lit, ok := u.Arg(0); ok && lit == `""` {
				t.Errorf("%s:%d: os.%s in the temporary folder: name one of internal/userdirs", u.File, u.Line, u.Name)
			}
		}
	}
}

func TestHome(t *testing.T) {
	account, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	for value, want := range map[string]string{home: home, "": account.HomeDir, "relative/home": account.HomeDir} {
		t.Setenv("HOME", value)
		if got, err := Home(); got != want || err != nil {
			t.Errorf("HOME=%q: %q %v", value, got, err)
		}
	}
}

func TestPlaces(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("XDG_CACHE_HOME", "")
	t.Setenv("XDG_STATE_HOME", "")
	cache, err := Cache("envs")
	if err != nil || !strings.HasPrefix(cache, home) || !strings.HasSuffix(cache, filepath.Join("flwrup", "envs")) {
		t.Errorf("%q %v", cache, err)
	}
	state, err := State("trust")
	if err != nil || !strings.HasPrefix(state, home) || !strings.HasSuffix(state, filepath.Join("flwrup", "state", "trust")) {
		t.Errorf("%q %v", state, err)
	}
	if runtime.GOOS == "darwin" {
		return
	}
	other := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", other)
	if cache, err = Cache(); err != nil || cache != filepath.Join(other, "flwrup") {
		t.Errorf("%q %v", cache, err)
	}
	t.Setenv("XDG_CACHE_HOME", "relative")
	if _, err = Cache(); !problem.Is(err, NoPlace) {
		t.Errorf("%v", err)
	}
	work := ""
	t.Setenv("XDG_CACHE_HOME", other)
	if work, err = Work(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(work); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v %v", info, err)
	}
}

func TestCheck(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "a", "b", "c")
	make := func(mode os.FileMode, path string) {
		t.Helper()
		if err := os.MkdirAll(path, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	make(0o700, dir)
	parent := filepath.Join(root, "a")
	for _, c := range []struct {
		parent, dir os.FileMode
		refused     bool
	}{
		{0o755, 0o755, false},
		{0o777, 0o700, true},
		{0o777 | os.ModeSticky, 0o700, false},
		{0o755, 0o777, true},
		{0o755, 0o777 | os.ModeSticky, true}, // its content may be anybody's
		{0o702, 0o700, true},
	} {
		make(c.parent, parent)
		make(c.dir, dir)
		for _, path := range []string{dir, filepath.Join(dir, "not", "there")} {
			err := Check(path)
			if c.dir&os.ModeSticky != 0 && path != dir {
				continue
			}
			if problem.Is(err, Unsafe) != c.refused {
				t.Errorf("%v %v %s: %v", c.parent, c.dir, path, err)
			}
			if err != nil && problem.Of(err).Fix == "" {
				t.Errorf("no remedy: %v", err)
			}
		}
	}
	make(0o755, parent)
	make(0o700, dir)

	// A link counts as the folder that it leads to.
	open := filepath.Join(root, "open")
	make(0o777, open)
	for target, refused := range map[string]bool{dir: false, open: true, "a/b": false, "a/../open": true, "loop": true} {
		link := filepath.Join(root, "loop")
		os.Remove(link)
		if err := os.Symlink(target, link); err != nil {
			t.Fatal(err)
		}
		if err := Check(filepath.Join(link, "below")); problem.Is(err, Unsafe) != refused {
			t.Errorf("link to %s: %v", target, err)
		}
	}
	file := filepath.Join(root, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Check(file); err != nil {
		t.Error(err)
	}
	if err := os.Chmod(file, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := Check(file); !problem.Is(err, Unsafe) {
		t.Errorf("a file that others may write: %v", err)
	}
}

func TestCheckOwner(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root, to make a folder of another user's")
	}
	dir := filepath.Join(t.TempDir(), "theirs")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(dir, 20001, 20001); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{dir, filepath.Join(dir, "flwrup", "envs")} {
		err := Check(path)
		if !problem.Is(err, Unsafe) || !strings.Contains(err.Error(), "belongs to another user (uid 20001)") {
			t.Errorf("%s: %v", path, err)
		}
	}
	t.Setenv("XDG_CACHE_HOME", dir)
	if runtime.GOOS == "linux" {
		if _, err := Cache("envs"); !problem.Is(err, Unsafe) || !strings.Contains(problem.Of(err).Fix, "XDG_CACHE_HOME") {
			t.Errorf("%v", err)
		}
	}
}
