package dockerctl

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"flwrup/internal/require"
)

// A container does not depend on who asks for it: a plain user in the group of Docker's socket sees the same
// as root in TestSuperNode and TestSettings.
func TestPlainUser(t *testing.T) {
	require.Docker(t)
	if os.Geteuid() != 0 {
		t.Skip("needs docker: only root can become another user; the other tests run as one already")
	}
	info, err := os.Stat("/var/run/docker.sock")
	if err != nil {
		require.Missing(t, "docker", "the daemon's socket in its usual place: %v", err)
	}
	const nobody = 65534
	dir, err := os.MkdirTemp("", "flwrup-user")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	self, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "test")
	if err := os.WriteFile(program, self, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{dir, program} {
		if err := os.Chown(name, nobody, nobody); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(program, "-test.run", "^(TestSuperNode|TestSettings)$", "-test.v")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "HOME="+dir, "TMPDIR="+dir, "USER=nobody", "FLWRUP_REQUIRE=docker")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody,
		Groups: []uint32{info.Sys().(*syscall.Stat_t).Gid}}}
	out, err := cmd.CombinedOutput()
	if err != nil || strings.Count("\n"+string(out), "\n--- PASS: Test") != 2 {
		t.Errorf("%v\n%s", err, out)
	}
}
