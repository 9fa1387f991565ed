// Package letin decides how a container's user may be let into a person's data folder, and where no
// advice is given at all: advice that is typed in must never open more than that folder.
package letin

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"flwrup/internal/hostpath"
	"flwrup/internal/shell"
)

// Request says which user is to read, or also write, which folder. Never are folders and files that no
// container may see, such as those with the keys.
type Request struct {
	Path  string
	Write bool
	User  int
	Never []string
}

// system are folders that belong to the machine, with all that lies in them: more than those that no
// SuperNode sees at all (package hostpath).
var system = []string{"/bin", "/lib", "/lib32", "/lib64", "/libx32", "/root", "/run", "/sbin", "/usr", "/var", "/snap",
	"/System", "/Library", "/Applications", "/private/etc", "/private/var", "/nix", "/gnu"}

// shared are folders that hold much more than one project's data; folders in them may be opened.
var shared = []string{"/", "/home", "/Users", "/mnt", "/media", "/opt", "/srv", "/tmp", "/var/tmp", "/private/tmp", "/private/var/tmp", "/data", "/Volumes"}

// private are folders of a person's settings and keys, wherever they lie.
var private = []string{".ssh", ".gnupg", ".age", ".aws", ".azure", ".kube", ".docker", ".config", ".flwr", ".flwrup", ".password-store", ".pki", ".netrc"}

// Fix says what to do so that the user gets in. It names a command only for a folder or a file that holds
// data alone, and that command opens it to that user alone.
func Fix(r Request) string {
	if why := refuse(r); why != "" {
		return "flwrup gives no command that opens it, for " + why + ": put the data into a folder of its own, and name that in flwrup.toml"
	}
	mode := "rX"
	if r.Write {
		mode = "rwX"
	}
	path, err := filepath.Abs(r.Path)
	if err != nil {
		path = r.Path
	}
	return fmt.Sprintf("let that user alone in: setfacl -R -m u:%d:%s %s", r.User, mode, shell.Path(path))
}

// refuse says why nothing is advised; "" where there is no reason.
func refuse(r Request) string {
	path, err := filepath.Abs(r.Path)
	if err != nil || r.Path == "" {
		return "its path is not known"
	}
	if why := hostpath.Closed(path, r.Never...); why != "" {
		return why
	}
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "it cannot be looked at"
	}
	for _, p := range []string{path, real} {
		if why := byName(p); why != "" {
			return why
		}
	}
	info, err := os.Stat(real)
	switch {
	case err != nil:
		return "it cannot be looked at"
	case !info.IsDir() && !info.Mode().IsRegular():
		return "it is a socket, a device or a pipe"
	}
	if holdsKeys(real) {
		return "it holds private keys"
	}
	return ""
}

func byName(path string) string {
	if slices.Contains(shared, path) || filepath.Dir(path) == path {
		return "it is more than a data folder"
	}
	if dir := filepath.Dir(path); dir == "/home" || dir == "/Users" {
		return "a home folder is more than a data folder"
	}
	for _, s := range system {
		if hostpath.Within(path, s) && !hostpath.Within(path, "/var/tmp") && !hostpath.Within(path, "/private/var/folders") {
			return "it belongs to the system"
		}
	}
	for _, part := range strings.Split(filepath.ToSlash(path), "/") {
		if slices.Contains(private, strings.ToLower(part)) {
			return "it is a folder of settings and keys"
		}
	}
	return ""
}

// Bounds of the look for keys in a folder.
const (
	mostEntries = 5000
	deepest     = 4
	head        = 64 // bytes of a file that show whether it is a key
)

var keyHeads = [][]byte{[]byte("PRIVATE KEY-----"), []byte("AGE-SECRET-KEY-"), []byte("PuTTY-User-Key-File")}

// holdsKeys reports whether path is a private key, or holds one or a folder of settings.
func holdsKeys(path string) bool {
	found, seen := false, 0
	base := strings.Count(path, string(filepath.Separator))
	_ = filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
		seen++
		switch {
		case err != nil && d != nil && d.IsDir():
			return fs.SkipDir
		case err != nil:
			return nil
		case seen > mostEntries:
			return fs.SkipAll
		case d.IsDir() && p != path && slices.Contains(private, strings.ToLower(d.Name())), isKey(p, d):
			found = true
			return fs.SkipAll
		case d.IsDir() && strings.Count(p, string(filepath.Separator))-base >= deepest:
			return fs.SkipDir
		}
		return nil
	})
	return found
}

func isKey(path string, d fs.DirEntry) bool {
	if !d.Type().IsRegular() {
		return false
	}
	if info, err := d.Info(); err != nil || info.Size() > 64<<10 {
		return false
	}
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	b := make([]byte, head)
	n, _ := f.Read(b)
	return slices.ContainsFunc(keyHeads, func(h []byte) bool { return bytes.Contains(b[:n], h) })
}
