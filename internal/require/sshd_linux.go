package require

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// SSHD is an sshd of its own on loopback, with its own host key, that lets this user in with one key.
type SSHD struct {
	Address string // ssh://USER@127.0.0.1:PORT; a path behind it is the socket of a Docker daemon there
	Bin     string // folder with an `ssh` that knows host and key, for the front of PATH

	t    testing.TB
	dir  string
	port int
	cmd  *exec.Cmd
}

// SSH starts an sshd. It ends with the test, with all its sessions.
func SSH(t testing.TB) *SSHD {
	t.Helper()
	sshd := "/usr/sbin/sshd" // it wants to be called by its whole path, and is on no user's PATH
	if _, err := os.Stat(sshd); err != nil {
		Missing(t, "docker", "no %s", sshd)
	}
	ssh := Tool(t, "docker", "ssh")
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &SSHD{t: t, dir: t.TempDir(), port: l.Addr().(*net.TCPAddr).Port}
	l.Close()
	s.Address, s.Bin = fmt.Sprintf("ssh://%s@127.0.0.1:%d", me.Username, s.port), filepath.Join(s.dir, "bin")
	for _, name := range []string{"host", "user"} {
		if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", filepath.Join(s.dir, name)).CombinedOutput(); err != nil {
			t.Fatalf("ssh-keygen: %v %s", err, out)
		}
	}
	host, err := os.ReadFile(filepath.Join(s.dir, "host.pub"))
	if err != nil {
		t.Fatal(err)
	}
	s.file("known_hosts", 0o600, fmt.Sprintf("[127.0.0.1]:%d %s", s.port, host))
	s.file("config", 0o600, "Host *\n  IdentityFile "+s.dir+"/user\n  IdentitiesOnly yes\n  UserKnownHostsFile "+s.dir+"/known_hosts\n")
	s.file("bin/ssh", 0o755, "#!/bin/sh\nexec "+ssh+" -F "+s.dir+"/config \"$@\"\n")
	s.file("sshd_config", 0o600, fmt.Sprintf("Port %d\nListenAddress 127.0.0.1\nHostKey %s/host\nPidFile none\nAuthorizedKeysFile %s/user.pub\n"+
		"StrictModes no\nUsePAM no\nPasswordAuthentication no\nPermitRootLogin prohibit-password\n", s.port, s.dir, s.dir))
	if os.Geteuid() == 0 {
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil { // sshd's own, empty
			t.Fatal(err)
		}
	}
	t.Cleanup(s.Stop)
	s.Start()
	return s
}

func (s *SSHD) file(name string, mode os.FileMode, text string) {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		s.t.Fatal(err)
	}
}

// Forget makes ssh forget the host's key, as on a machine that has never been there.
func (s *SSHD) Forget() { s.file("known_hosts", 0o600, "") }

// Start starts the sshd again, and waits until it listens.
func (s *SSHD) Start() {
	s.t.Helper()
	var said bytes.Buffer
	s.cmd = exec.Command("/usr/sbin/sshd", "-D", "-e", "-f", filepath.Join(s.dir, "sshd_config"))
	s.cmd.Stderr = &said
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	for range 100 {
		if c, err := net.Dial("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port))); err == nil {
			c.Close()
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	s.t.Fatalf("sshd does not listen: %s", said.String())
}

// Stop ends the sshd with all its sessions: the machine is gone.
func (s *SSHD) Stop() {
	if s.cmd == nil {
		return
	}
	for _, pid := range descendants(s.cmd.Process.Pid) {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
	s.cmd = nil
}

// descendants returns the processes below pid.
func descendants(pid int) (all []int) {
	children, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	for _, text := range strings.Fields(string(children)) {
		if child, err := strconv.Atoi(text); err == nil {
			all = append(append(all, child), descendants(child)...)
		}
	}
	return all
}
