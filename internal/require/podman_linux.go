package require

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// Podman starts a Podman service with folders of its own, and returns its address as DOCKER_HOST takes it. It needs
// root; without, the test is skipped. The service and its containers end with the test.
func Podman(t testing.TB) string {
	t.Helper()
	Docker(t)
	if os.Geteuid() != 0 {
		t.Skip("needs docker: only root can start Podman's service here")
	}
	podman := Tool(t, "docker", "podman")
	Tool(t, "docker", "runc")
	dir, err := os.MkdirTemp("", "flwrup-podman") // t.TempDir's path is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	// crun, Podman's own choice, refuses machines with both versions of cgroups; without limits Podman asks for more
	// processes than a container of a CI may have.
	conf := filepath.Join(dir, "containers.conf")
	text := "[engine]\nruntime = \"runc\"\nevents_logger = \"file\"\ncgroup_manager = \"cgroupfs\"\n[containers]\ndefault_ulimits = [\"nofile=1024:1024\", \"nproc=4096:4096\"]\n"
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	where := []string{"--root", filepath.Join(dir, "data"), "--runroot", filepath.Join(dir, "run"), "--tmpdir", filepath.Join(dir, "tmp")}
	command := func(args ...string) *exec.Cmd {
		cmd := exec.Command(podman, append(where, args...)...)
		cmd.Env = append(os.Environ(), "CONTAINERS_CONF="+conf)
		return cmd
	}
	address := "unix://" + dir + "/podman.sock"
	service := command("system", "service", "--time", "0", address)
	var said bytes.Buffer
	service.Stderr = &said
	if err := service.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if out, err := command("rm", "--all", "--force", "--volumes").CombinedOutput(); err != nil {
			t.Errorf("podman rm: %v %s", err, out)
		}
		_ = service.Process.Signal(syscall.SIGTERM)
		_ = service.Wait()
		if out, err := command("system", "reset", "--force").CombinedOutput(); err != nil {
			t.Errorf("podman system reset: %v %s", err, out)
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	for range 100 {
		if exec.Command("docker", "-H", address, "version").Run() == nil {
			return address
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("podman's service does not answer: %s", said.String())
	return ""
}

// LoadInto copies an image of the machine's own daemon to the one at an address.
func LoadInto(t testing.TB, address, image string) {
	t.Helper()
	d := &Daemon{t: t, Host: address}
	d.Load(image)
}
