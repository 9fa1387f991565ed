package hostpath

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A bind mount makes another name for a folder above a closed one; only the kernel knows that they are the
// same.
func TestFolderUnderAnotherName(t *testing.T) {
	const inside = "HOSTPATH_TEST_MOUNTS"
	if os.Getenv(inside) == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^TestFolderUnderAnotherName$", "-test.v")
		cmd.Env = append(os.Environ(), inside+"=1")
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
		if os.Geteuid() != 0 {
			cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
			cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
			cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
		}
		switch out, err := cmd.CombinedOutput(); {
		case err != nil && len(out) == 0:
			t.Skip("no mounts here:", err)
		case strings.Contains(string(out), "no mounts here"):
			t.Skip("no mounts here")
		case err != nil:
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	dir := t.TempDir()
	private, other := filepath.Join(dir, "site", "project", "keys"), filepath.Join(dir, "other")
	for _, d := range []string{private, other, filepath.Join(dir, "site", "data")} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		t.Skip("no mounts here:", err)
	}
	if err := syscall.Mount(filepath.Join(dir, "site"), other, "", syscall.MS_BIND, ""); err != nil {
		t.Skip("no mounts here:", err)
	}
	defer syscall.Unmount(other, syscall.MNT_DETACH) //nolint:errcheck // the name space ends with the test
	for _, p := range []string{"", "project", "project/keys"} {
		if Closed(filepath.Join(other, p), private) == "" {
			t.Errorf("%q under another name is open", p)
		}
	}
	if why := Closed(filepath.Join(other, "data"), private); why != "" {
		t.Errorf("data beside it: %s", why)
	}
}
