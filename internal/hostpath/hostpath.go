// Package hostpath knows the places of a machine that no SuperNode may see: the system's own, the sockets and
// storage of container runtimes, the user's credentials, and flwrup's keys and records. Code from the grid
// would read them, or leave its container through them.
package hostpath

import (
	"os"
	"os/user"
	"path/filepath"
	"strings"
)

// system is closed with everything below it.
var system = []string{"/proc", "/sys", "/dev", "/etc", "/boot"}

// runtimes are sockets and storage of container runtimes: closed, and so is every folder above them.
var runtimes = []string{
	"/run/docker.sock", "/var/run/docker.sock", "/run/docker", "/run/containerd", "/run/podman", "/run/crio", "/run/user",
	"/var/lib/docker", "/var/lib/containerd", "/var/lib/containers", "/var/lib/kubelet", "/private/var/run/docker.sock",
}

// credentials lie below the home of an account: closed, and so is every folder above them.
var credentials = []string{".ssh", ".gnupg", ".aws", ".kube", ".docker", ".flwr", ".colima", ".rd",
	".config/gcloud", ".config/flwrup", ".local/state/flwrup", ".cache/flwrup"}

// Real returns where path leads: it follows symlinks as far as the path exists.
func Real(path string) string {
	path = filepath.Clean(path)
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	if to, err := os.Readlink(path); err == nil { // it leads nowhere yet
		if !filepath.IsAbs(to) {
			to = filepath.Join(filepath.Dir(path), to)
		}
		if to = filepath.Clean(to); to != path && filepath.Dir(to) != path {
			return filepath.Join(Real(filepath.Dir(to)), filepath.Base(to))
		}
	}
	parent := filepath.Dir(path)
	if parent == path {
		return path
	}
	return filepath.Join(Real(parent), filepath.Base(path))
}

// Within reports whether path is folder, or lies below it.
func Within(path, folder string) bool {
	rel, err := filepath.Rel(folder, path)
	return err == nil && (rel == "." || filepath.IsLocal(rel))
}

// Closed says why the folder or file at an absolute path must not be shown to a SuperNode; "" when it may.
// private are folders of keys and records that are closed as well. Links, "..", and other names of the same
// folder (a bind mount) make no difference.
func Closed(path string, private ...string) (why string) {
	if !filepath.IsAbs(path) {
		return "it is not an absolute path"
	}
	for _, p := range []string{filepath.Clean(path), Real(path)} {
		if why := closed(p, private); why != "" {
			return why
		}
	}
	return ""
}

func closed(path string, private []string) string {
	if path == filepath.VolumeName(path)+string(filepath.Separator) {
		return "it is the whole machine"
	}
	info, err := os.Stat(path)
	if err == nil && info.Mode()&os.ModeSocket != 0 {
		return "it is a socket"
	}
	same := func(other string) bool {
		o, e := os.Stat(other)
		return err == nil && e == nil && os.SameFile(info, o)
	}
	if same("/") {
		return "it is the whole machine"
	}
	inside := func(closed string) bool { // even when a folder above path is the closed one under another name
		return Within(path, closed) || Within(path, Real(closed)) || same(closed)
	}
	around := func(closed string) bool {
		if inside(closed) || Within(closed, path) || Within(Real(closed), path) {
			return true
		}
		for up := filepath.Dir(Real(closed)); up != filepath.Dir(up); up = filepath.Dir(up) { // path is a folder above it under another name
			if same(up) {
				return true
			}
		}
		return false
	}
	for _, s := range system {
		if around(s) {
			return s + " belongs to the operating system"
		}
	}
	for _, r := range append(sockets(), runtimes...) {
		if around(r) {
			return r + " belongs to the container runtime: with it a container rules this machine"
		}
	}
	for _, p := range private {
		if p != "" && around(p) {
			return p + " holds private keys or flwrup's own records"
		}
	}
	for _, home := range homes() {
		if Within(home, path) || Within(Real(home), path) || around(home) && !inside(home) {
			return "it holds your whole home folder, with your logins and keys"
		}
		for _, c := range credentials {
			if around(filepath.Join(home, c)) {
				return "~/" + c + " holds your logins and keys"
			}
		}
	}
	for _, dir := range []string{os.Getenv("XDG_STATE_HOME"), os.Getenv("XDG_CACHE_HOME"), os.Getenv("FLWR_HOME"), os.Getenv("XDG_RUNTIME_DIR")} {
		if filepath.IsAbs(dir) && Within(filepath.Clean(dir), path) {
			return dir + " holds records and logins of yours"
		}
	}
	return ""
}

// sockets returns the sockets that the environment names.
func sockets() []string {
	var list []string
	for _, name := range []string{"DOCKER_HOST", "CONTAINER_HOST", "SSH_AUTH_SOCK"} {
		v := strings.TrimPrefix(os.Getenv(name), "unix://")
		if filepath.IsAbs(v) {
			list = append(list, filepath.Clean(v))
		}
	}
	return list
}

// homes returns the account's home and $HOME.
func homes() []string {
	var list []string
	add := func(home string) {
		if filepath.IsAbs(home) && filepath.Clean(home) != "/" {
			list = append(list, filepath.Clean(home))
		}
	}
	add(os.Getenv("HOME"))
	if u, err := user.Current(); err == nil {
		add(u.HomeDir)
	}
	return list
}
