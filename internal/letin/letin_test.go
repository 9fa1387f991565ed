package letin

import (
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// TestOnlyDataIsOpened: a command is named for folders of data alone, and it opens nothing to everybody.
func TestOnlyDataIsOpened(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no access lists of this kind")
	}
	root, err := os.MkdirTemp("/tmp", "letin-") // below a folder whose own name decides nothing
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(root) })
	t.Setenv("HOME", filepath.Join(root, "people", "ada"))
	write := func(name, text string) string {
		p := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	at := func(name string) string { return filepath.Join(root, name) }
	key := write("project/keys/client_credentials_1", "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n")
	write("patients/scan 1.csv", "1,2\n")
	write("-patients/a.csv", "1,2\n")
	write("mixed/sub/id", "-----BEGIN EC PRIVATE KEY-----\n")
	write("mixed2/.ssh/known_hosts", "x")
	write("people/ada/.ssh/config", "x")
	write("people/ada/data/x.csv", "1")
	write("age/key.txt", "AGE-SECRET-KEY-1XXX")
	sock, err := net.Listen("unix", at("sock"))
	if err != nil {
		t.Fatal(err)
	}
	defer sock.Close()
	for link, target := range map[string]string{"to-etc": "/etc", "to-root": "/", "to-keys": at("project/keys"), "to-sock": at("sock")} {
		if err := os.Symlink(target, at(link)); err != nil {
			t.Fatal(err)
		}
	}
	never := []string{key, filepath.Dir(key)}
	for _, path := range []string{"/", "//", "/.", "/tmp/..", "/etc", "/etc/ssl", "/usr/share", "/var/run/docker.sock", "/run", "/var", "/var/lib/docker", "/dev/null", "/dev",
		"/proc/1", "/sys", "/home", "/home/somebody", "/Users/x", "/root", "/root/data", "/tmp", "/mnt", "/opt", "/srv", "/boot", "/lib",
		at("sock"), at("to-etc"), at("to-root"), at("to-keys"), at("to-sock"), key, at("project/keys"), at("project"), root, at("mixed"), at("mixed2"), at("age"),
		at("people/ada"), at("people"), at("people/ada/.ssh"), at("not-there"), at("patients/../project/keys"), "", "."} {
		if path == "." {
			t.Chdir(at("project"))
		}
		for _, w := range []bool{false, true} {
			fix := Fix(Request{Path: path, Write: w, User: 49999, Never: never})
			for _, bad := range []string{"chmod", "setfacl", "chown", "o+"} {
				if strings.Contains(fix, bad) {
					t.Errorf("%q: %s", path, fix)
				}
			}
			if !strings.Contains(fix, "flwrup.toml") {
				t.Errorf("%q: nothing to do in %q", path, fix)
			}
		}
	}
	t.Chdir(root)
	for path, want := range map[string]string{
		at("patients"):            "setfacl -R -m u:49999:rX " + at("patients"),
		at("patients/scan 1.csv"): "setfacl -R -m u:49999:rX '" + at("patients/scan 1.csv") + "'",
		"-patients":               "setfacl -R -m u:49999:rX " + at("-patients"),
		at("people/ada/data"):     "setfacl -R -m u:49999:rX " + at("people/ada/data"),
	} {
		if fix := Fix(Request{Path: path, User: 49999, Never: never}); !strings.HasSuffix(fix, ": "+want) {
			t.Errorf("%q: %s, want %s", path, fix, want)
		}
	}
	if fix := Fix(Request{Path: at("patients"), Write: true, User: 49999}); !strings.Contains(fix, "u:49999:rwX") {
		t.Error(fix)
	}
}
