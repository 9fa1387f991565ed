//go:build unix

package hostpath

import (
	"net"
	"os"
	"path/filepath"
	"testing"
)

func TestClosed(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("DOCKER_HOST", "unix://"+filepath.Join(home, "engine", "d.sock"))
	project := filepath.Join(home, "project")
	keys, state := filepath.Join(project, "keys"), filepath.Join(project, ".flwrup")
	for _, d := range []string{keys, state, filepath.Join(project, "data"), filepath.Join(home, ".ssh"), filepath.Join(home, "engine")} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	link := func(name, to string) string {
		path := filepath.Join(project, name)
		if err := os.Symlink(to, path); err != nil {
			t.Fatal(err)
		}
		return path
	}
	short, err := os.MkdirTemp("", "s") // a socket's path is short
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(short)
	l, err := net.Listen("unix", filepath.Join(short, "x"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, path := range []string{
		"/", "//", "/proc", "/proc/1/root", "/sys", "/dev", "/dev/shm", "/etc", "/etc/ssl", "/home/../etc", "/proc/self/root", "/proc/self/cwd",
		"/run", "/var/run", "/var/run/docker.sock", "/run/docker.sock", "/var", "/var/lib", "/var/lib/docker", "/var/lib/docker/volumes", "/run/user/1000",
		keys, filepath.Join(keys, "client_credentials_1"), state, project, home, filepath.Dir(home), filepath.Join(home, ".ssh"), filepath.Join(home, ".ssh", "id"),
		filepath.Join(home, "engine"), filepath.Join(home, ".config"), filepath.Join(home, ".cache"), short + "/x",
		link("a", "/"), link("b", "/etc"), link("c", "keys"), link("d", "../.ssh/new"), link("e", "/var/run"), filepath.Join(link("f", "/"), "etc"),
		filepath.Join(project, "data", "..", "keys"), "relative",
	} {
		if Closed(path, keys, state) == "" {
			t.Errorf("%s may be shown to a SuperNode", path)
		}
	}
	for _, path := range []string{filepath.Join(project, "data"), filepath.Join(project, "data", "new"), "/srv/data", "/mnt", "/opt/data",
		"/run/media/ada/disk", filepath.Join(home, "other"), "/var/lib/flower", "/etcetera", link("g", "/srv/data"), filepath.Join(home, ".sshfs")} {
		if why := Closed(path, keys, state); why != "" {
			t.Errorf("%s: %s", path, why)
		}
	}
}

func TestReal(t *testing.T) {
	dir := Real(t.TempDir())
	if err := os.Symlink("nowhere/x", filepath.Join(dir, "dangling")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("loop", filepath.Join(dir, "loop")); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{"a/b": "a/b", "dangling": "nowhere/x", "dangling/y": "nowhere/x/y", "loop": "loop"} {
		if got := Real(filepath.Join(dir, path)); got != filepath.Join(dir, want) {
			t.Errorf("%s leads to %s, not to %s", path, got, want)
		}
	}
}
