package require

import (
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Daemon is a private dockerd with its own socket and folders, in mount and process namespaces of its own: the
// end of the process namespace ends all that is in it, as a power cut does.
type Daemon struct {
	Dir  string
	Host string // as DOCKER_HOST takes it

	t       testing.TB
	network []string  // arguments
	unshare []string  // more namespaces
	cmd     *exec.Cmd // unshare; dockerd is its child
}

// PrivateDocker starts a second dockerd without a network. It needs root; without, the test is skipped. Where
// the real parts are demanded, root without dockerd fails.
func PrivateDocker(t testing.TB) *Daemon {
	t.Helper()
	// A second dockerd would take docker0 away from the machine's own.
	return private(t, &Daemon{network: []string{"--bridge", "none", "--storage-driver", "vfs"}, unshare: []string{"--net"}})
}

// PrivateDockerHere is PrivateDocker whose containers on the host network share this machine's.
func PrivateDockerHere(t testing.TB) *Daemon {
	t.Helper()
	Docker(t)
	name := "flwrup" + strings.ToLower(rand.Text()[:8]) // an interface has 15 characters at most
	if os.Geteuid() == 0 {
		// It leaves docker0 alone when it has a bridge of its own, which the machine's daemon makes for it.
		if out, err := exec.Command("docker", "network", "create", "-o", "com.docker.network.bridge.name="+name, name).CombinedOutput(); err != nil {
			t.Fatalf("docker network create: %v %s", err, out)
		}
		t.Cleanup(func() {
			if out, err := exec.Command("docker", "network", "rm", name).CombinedOutput(); err != nil {
				t.Errorf("docker network rm: %v %s", err, out)
			}
		})
	}
	return private(t, &Daemon{network: []string{"--bridge", name, "--ip-masq=false"}})
}

func private(t testing.TB, d *Daemon) *Daemon {
	t.Helper()
	Docker(t)
	if os.Geteuid() != 0 {
		t.Skip("needs docker: only root can start a private daemon")
	}
	for _, program := range []string{"dockerd", "unshare"} {
		Tool(t, "docker", program)
	}
	dir, err := os.MkdirTemp("", "flwrup-dockerd") // t.TempDir's path is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	d.t, d.Dir, d.Host = t, dir, "unix://"+dir+"/docker.sock"
	t.Cleanup(func() {
		d.Stop()
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	d.Start()
	return d
}

// Start starts the daemon again, and waits until it answers.
func (d *Daemon) Start() {
	d.t.Helper()
	// A restart of the machine empties these.
	for _, f := range []string{"exec", "pid", "docker.sock"} {
		if err := os.RemoveAll(filepath.Join(d.Dir, f)); err != nil {
			d.t.Fatal(err)
		}
	}
	log, err := os.OpenFile(filepath.Join(d.Dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		d.t.Fatal(err)
	}
	defer log.Close()
	args := append([]string{"--mount", "--pid", "--fork", "--kill-child", "--mount-proc"}, d.unshare...)
	args = append(args, "dockerd", "-H", d.Host, "--data-root", d.Dir+"/data", "--exec-root", d.Dir+"/exec", "--pidfile", d.Dir+"/pid",
		"--iptables=false", "--ip6tables=false")
	d.cmd = exec.Command("unshare", append(args, d.network...)...)
	d.cmd.Stdout, d.cmd.Stderr = log, log
	if err := d.cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	for range 300 {
		if exec.Command("docker", "-H", d.Host, "version").Run() == nil {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	text, _ := os.ReadFile(log.Name())
	d.t.Fatalf("dockerd does not answer: %s", text)
}

// Stop ends the daemon, and with it its containers, as a shutdown of the machine does.
func (d *Daemon) Stop() { d.end(syscall.SIGTERM) }

// Crash kills the daemon and its containers, as a power cut does.
func (d *Daemon) Crash() { d.end(syscall.SIGKILL) }

func (d *Daemon) end(sig syscall.Signal) {
	if d.cmd == nil {
		return
	}
	pid := d.cmd.Process.Pid
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	child, err2 := strconv.Atoi(strings.TrimSpace(string(children)))
	if err != nil || err2 != nil || child <= 1 {
		d.t.Errorf("children of unshare: %q %v", children, err)
		_ = d.cmd.Process.Kill()
	} else if err := syscall.Kill(child, sig); err != nil {
		d.t.Error(err)
	}
	_ = d.cmd.Wait()
	d.cmd = nil
}

// Load copies images of the machine's daemon to this one.
func (d *Daemon) Load(images ...string) {
	d.t.Helper()
	save := exec.Command("docker", append([]string{"save"}, images...)...)
	load := exec.Command("docker", "-H", d.Host, "load", "-q")
	pipe, err := save.StdoutPipe()
	if err != nil {
		d.t.Fatal(err)
	}
	load.Stdin = pipe
	if err := save.Start(); err != nil {
		d.t.Fatal(err)
	}
	if out, err := load.CombinedOutput(); err != nil {
		d.t.Errorf("docker load: %v %s", err, out)
	}
	if err := save.Wait(); err != nil {
		d.t.Fatalf("docker save: %v", err)
	}
}

// Ticker makes a small image on the daemon that does what flwrup needs of a SuperNode's: dockerctl/testdata/ticker
// writes a line every 100 ms. It returns the image's name.
func (d *Daemon) Ticker() string {
	d.t.Helper()
	build := exec.Command("go", "build", "-o", d.Dir+"/image/ticker", "flwrup/dockerctl/testdata/ticker")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		d.t.Fatalf("%v %s", err, out)
	}
	// The starter needs a shell, date and chmod, with what they are linked to.
	sh := exec.Command("/bin/sh", "-c", "set -e; mkdir -p app tmp; chown 49999:49999 app; for p in sh date chmod; do p=$(readlink -f $(command -v $p));"+
		" for f in $p $(ldd $p | grep -o '/[^ )]*'); do mkdir -p ./$(dirname $f); cp -L $f ./$f; done; done; mkdir -p bin; [ -e bin/sh ] || ln -s $(readlink -f /bin/sh) bin/sh;"+
		" [ -e bin/date ] || cp usr/bin/date usr/bin/chmod bin/; tar -c . | docker -H "+d.Host+
		" import -c 'USER 49999' -c 'ENV PATH=/bin:/usr/bin' -c 'ENTRYPOINT [\"/ticker\"]' - flwrup-test/ticker:1")
	sh.Dir = d.Dir + "/image"
	if out, err := sh.CombinedOutput(); err != nil {
		d.t.Fatalf("%v %s", err, out)
	}
	return "flwrup-test/ticker:1"
}
