package dockerctl

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"golang.org/x/crypto/ssh"

	"flwrup/internal/problem"
	"flwrup/internal/require"
	"flwrup/internal/supernode"
)

// real gives a runtime with a project of its own; all that carries its label is gone after the test.
func real(t testing.TB) *Runtime {
	t.Helper()
	require.Docker(t)
	r, err := New(context.Background(), Options{Project: "test-" + strings.ToLower(rand.Text()[:10])})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		defer r.Close()
		ctx := context.Background()
		all, err := r.inspectAll(ctx, LabelProject+"="+r.project)
		if err != nil {
			t.Error(err)
		}
		for _, c := range all {
			if err := r.cli.ContainerRemove(ctx, c.ID, container.RemoveOptions{RemoveVolumes: true, Force: true}); err != nil {
				t.Error(err)
			}
			if err := r.removeVolumes(ctx, c.Config.Labels[LabelNode]); err != nil {
				t.Error(err)
			}
		}
		if left := volumes(t, r); left != "" {
			t.Errorf("volumes left: %s", left)
		}
	})
	return r
}

func volumes(t testing.TB, r *Runtime) string {
	t.Helper()
	return docker(t, "volume", "ls", "-q", "--filter", "label="+LabelProject+"="+r.project)
}

// docker runs the docker command and gives its output.
func docker(t testing.TB, args ...string) string {
	t.Helper()
	out, err := exec.Command("docker", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("docker %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// python gives an image that runs Python with the container's arguments, as the same user.
func python(t testing.TB, user string) string {
	t.Helper()
	base := require.Image(t, require.Newest)
	name := "flwrup-test/python-" + user + ":1"
	cmd := exec.Command("docker", "build", "-q", "-t", name, "-")
	cmd.Stdin = strings.NewReader("FROM " + base + "\nUSER " + user + "\nENTRYPOINT [\"python\", \"-u\", \"-c\"]\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("docker build: %v\n%s", err, out)
	}
	return name
}

// node is a spec with a key and a CA of its own, in a folder whose name is no easy one.
func node(t testing.TB, r *Runtime, name, image string, args ...string) supernode.Spec {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "Ada's Schlüssel $1")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(key, "")
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "client credentials"), string(pem.EncodeToMemory(block)))
	write(t, filepath.Join(dir, "ca.crt"), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	return supernode.Spec{
		Name: name, Project: r.project, Flwr: require.Newest,
		KeyFile: filepath.Join(dir, "client credentials"), CAFile: filepath.Join(dir, "ca.crt"),
		Container: r.project + "_" + name, Image: image, HostNetwork: true,
		Labels: map[string]string{"fingerprint": "SHA256:" + name},
		Args:   func(key, ca string) []string { return args },
	}
}

// lonely is a SuperNode whose grid does not answer: it tries for ever.
func lonely(t testing.TB, r *Runtime, name, version string) supernode.Spec {
	t.Helper()
	s := node(t, r, name, require.Image(t, version))
	s.Flwr, s.Port = version, freePort(t)
	s.Args = func(key, ca string) []string {
		args := []string{"--superlink", "127.0.0.1:1", "--root-certificates", ca, "--auth-supernode-private-key", key}
		if version < "1.37" {
			return append(args, "--clientappio-api-address", fmt.Sprintf("127.0.0.1:%d", s.Port))
		}
		return append(args, "--host", "127.0.0.1", "--port", fmt.Sprint(s.Port))
	}
	return s
}

func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func start(t testing.TB, r *Runtime, s supernode.Spec) {
	t.Helper()
	if err := r.Start(context.Background(), s); err != nil {
		t.Fatalf("%v (%+v)", err, problem.Of(err))
	}
}

// only gives the project's one status.
func only(t testing.TB, r *Runtime) supernode.Status {
	t.Helper()
	all, err := r.List(context.Background())
	if err != nil || len(all) != 1 {
		t.Fatalf("%d containers, %v", len(all), err)
	}
	return all[0]
}

// ends waits until the project's only container has stopped.
func ends(t testing.TB, r *Runtime) supernode.Status {
	t.Helper()
	for range 300 {
		if s := only(t, r); s.State == supernode.Stopped {
			return s
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("still %s", only(t, r).State)
	return supernode.Status{}
}

var errEnough = errors.New("enough")

// waitLine follows the log until a line holds text.
func waitLine(t testing.TB, r *Runtime, name, text string) supernode.Line {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 40*time.Second)
	defer cancel()
	var found supernode.Line
	var all []string
	err := r.Logs(ctx, name, supernode.LogOptions{Follow: true, Tail: -1}, func(l supernode.Line) error {
		all = append(all, l.Text)
		if strings.Contains(l.Text, text) {
			found = l
			return errEnough
		}
		return nil
	})
	if !errors.Is(err, errEnough) {
		t.Fatalf("no line with %q: %v\n%s", text, err, strings.Join(all, "\n"))
	}
	return found
}

func lines(t testing.TB, r *Runtime, name string, tail int) []string {
	t.Helper()
	var out []string
	err := r.Logs(context.Background(), name, supernode.LogOptions{Tail: tail}, func(l supernode.Line) error {
		out = append(out, l.Text)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// A real SuperNode may do next to nothing, holds one key, and ends gracefully.
func TestSuperNode(t *testing.T) {
	for _, version := range []string{"1.24.0", require.Newest} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			r := real(t)
			s := lonely(t, r, "supernode_1", version)
			start(t, r, s)
			waitLine(t, r, s.Name, "retrying in")
			if st := only(t, r); st.State != supernode.Running || !st.Ours || st.Name != s.Name || st.Labels["fingerprint"] != "SHA256:supernode_1" ||
				st.Labels["spec"] != SpecHash(s) || st.LogKeptFor != "docker logs "+s.Container || time.Since(st.Since) > time.Minute {
				t.Errorf("%+v", st)
			}
			look := docker(t, "exec", s.Container, "python", "-c", `
import os
status = dict(l.split(":", 1) for l in open("/proc/1/status"))
print("uid", os.getuid(), status["Uid"].split())
print("caps", {status[k].strip() for k in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")}, status["NoNewPrivs"].strip())
st = os.stat("/run/supernode/key")
print("key", oct(st.st_mode), st.st_uid, os.listdir("/run/supernode"), len(open("/run/supernode/key").read()) > 100)
for p in ("/x", "/python/x", "/run/supernode/x", "/etc/passwd"):
    try: open(p, "a"); print("wrote", p)
    except OSError as e: print("no", p, e.strerror)
for p in (os.environ["FLWR_HOME"], os.environ["HOME"] + "/.cache", "/tmp/sub"):
    os.makedirs(p, exist_ok=True); open(p + "/x.sh", "w").write("#!/bin/sh\necho ran"); os.chmod(p + "/x.sh", 0o700)
    print(p, os.popen(p + "/x.sh").read().strip())
`)
			want := `uid 49999 ['49999', '49999', '49999', '49999']
caps {'0000000000000000'} 1
key 0o100400 49999 ['ca.crt', 'key'] True
no /x Read-only file system
no /python/x Read-only file system
no /run/supernode/x Permission denied
no /etc/passwd Permission denied
/app/.flwr ran
/app/.cache ran
/tmp/sub ran`
			if strings.ReplaceAll(look, "['key', 'ca.crt']", "['ca.crt', 'key']") != want {
				t.Errorf("got\n%s\nwant\n%s", look, want)
			}
			inspect := docker(t, "inspect", s.Container)
			key, err := os.ReadFile(s.KeyFile)
			if err != nil {
				t.Fatal(err)
			}
			for _, bad := range []string{string(key[60:100]), filepath.Dir(s.KeyFile), `"Privileged": true`, `"Type": "bind"`} {
				if strings.Contains(inspect, bad) {
					t.Errorf("inspect shows %q", bad)
				}
			}
			began := time.Now()
			if err := r.Stop(context.Background(), s.Name, 15*time.Second); err != nil {
				t.Fatal(err)
			}
			if st := only(t, r); st.State != supernode.Stopped || st.ExitCode != 0 || time.Since(began) > 12*time.Second {
				t.Errorf("stopped after %v: %+v\n%s", time.Since(began), st, strings.Join(lines(t, r, s.Name, 5), "\n"))
			}
			if err := r.Stop(context.Background(), s.Name, time.Second); err != nil {
				t.Errorf("stopping twice: %v", err)
			}
			for range 2 {
				if err := r.Remove(context.Background(), s.Name); err != nil {
					t.Errorf("remove: %v", err)
				}
			}
			if left := volumes(t, r); left != "" {
				t.Errorf("the copy of the key is left in %s", left)
			}
		})
	}
}

// The log of a container that dies at once is kept, and its end told.
func TestDiesAtOnce(t *testing.T) {
	t.Parallel()
	r := real(t)
	s := lonely(t, r, "supernode_1", require.Newest)
	write(t, s.KeyFile, "this is no key")
	start(t, r, s)
	st := ends(t, r)
	if st.ExitCode == 0 {
		t.Errorf("%+v", st)
	}
	if all := strings.Join(lines(t, r, s.Name, -1), "\n"); !strings.Contains(all, "Exit Code: 302") {
		t.Errorf("log: %s", all)
	}
	if got := lines(t, r, s.Name, 2); len(got) != 2 {
		t.Errorf("tail 2: %q", got)
	}
}

func TestImageOfRoot(t *testing.T) {
	t.Parallel()
	r := real(t)
	s := node(t, r, "supernode_1", python(t, "root"), `
import os
print(os.getuid(), os.getgid(), os.stat("/run/supernode/key").st_uid, len(open("/run/supernode/key").read()) > 100)
os.makedirs(os.environ["FLWR_HOME"]); print("home is writable")`)
	start(t, r, s)
	ends(t, r)
	if got := strings.Join(lines(t, r, s.Name, -1), "; "); got != "49999 49999 49999 True; home is writable" {
		t.Errorf("%s", got)
	}
}

// A flwrup that was killed between create and the copy of the key is no trouble for the next.
func TestCreatedButIncomplete(t *testing.T) {
	t.Parallel()
	r := real(t)
	s := node(t, r, "supernode_1", python(t, "app"), `print(len(open("/run/supernode/key").read()) > 100)`)
	id, err := r.create(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	if st := only(t, r); st.State != supernode.Starting {
		t.Errorf("%+v", st)
	}
	start(t, r, s)
	st := ends(t, r)
	if got := lines(t, r, s.Name, -1); st.ID != id || len(got) != 1 || got[0] != "True" {
		t.Errorf("%+v %q", st, got)
	}
}

func TestStartAgain(t *testing.T) {
	t.Parallel()
	r := real(t)
	ctx := context.Background()
	s := node(t, r, "supernode_1", python(t, "app"), "import signal, sys, time; signal.signal(15, lambda *a: sys.exit(0)); print('up'); time.sleep(100)")
	start(t, r, s)
	first := only(t, r)
	other := s
	other.Env = map[string]string{"A": "b"}
	start(t, r, s)
	start(t, r, other) // running is left alone
	if now := only(t, r); now.ID != first.ID || !now.Since.Equal(first.Since) {
		t.Errorf("a running container was touched: %+v", now)
	}
	if err := r.Remove(ctx, s.Name); !problem.Is(err, problem.Busy) {
		t.Errorf("remove while it runs: %v", err)
	}
	waitLine(t, r, s.Name, "up")
	stop := func() {
		t.Helper()
		if err := r.Stop(ctx, s.Name, 5*time.Second); err != nil {
			t.Fatal(err)
		}
	}
	stop()
	start(t, r, s)
	if now := only(t, r); now.ID != first.ID || now.State != supernode.Running {
		t.Errorf("the same spec made a new container: %+v", now)
	}
	stop()
	start(t, r, other)
	now := only(t, r)
	if now.ID == first.ID || now.Labels["spec"] != SpecHash(other) {
		t.Errorf("another spec kept the old container: %+v", now)
	}
	if n := len(strings.Fields(volumes(t, r))); n != 2 {
		t.Errorf("%d volumes", n)
	}
	docker(t, "pause", s.Container)
	start(t, r, other)
	if now := only(t, r); now.Reason != "" || now.State != supernode.Running {
		t.Errorf("paused: %+v", now)
	}
	// A container removed by hand without -v leaves the key's copy; Remove takes it away.
	docker(t, "rm", "-f", s.Container)
	if err := r.Remove(ctx, s.Name); err != nil || volumes(t, r) != "" {
		t.Errorf("%v, volumes %q", err, volumes(t, r))
	}
}

func TestNameTaken(t *testing.T) {
	t.Parallel()
	r := real(t)
	s := node(t, r, "supernode_1", python(t, "app"), "print(1)")
	docker(t, "create", "--name", s.Container, s.Image, "print(1)")
	t.Cleanup(func() { docker(t, "rm", "-f", s.Container) })
	err := r.Start(context.Background(), s)
	if p := problem.Of(err); p.Code != problem.NameTaken || !strings.Contains(p.Why, s.Image) || !strings.Contains(p.Why, "not made by flwrup") || !strings.Contains(p.Fix, "docker rename "+s.Container) {
		t.Errorf("%+v", p)
	}
	// Another project's container is not ours either.
	other := real(t)
	theirs := s
	theirs.Container += "_x"
	if err := other.Start(context.Background(), theirs); err != nil {
		t.Fatal(err)
	}
	err = r.Start(context.Background(), theirs)
	if p := problem.Of(err); p.Code != problem.NameTaken || !strings.Contains(p.Why, other.project) {
		t.Errorf("%+v", p)
	}
	if all, err := r.List(context.Background()); err != nil || len(all) != 0 {
		t.Errorf("%v %v", all, err)
	}
	found, err := r.Foreign(context.Background(), []string{s.Container, "nobody-" + s.Container, theirs.Container})
	if err != nil || len(found) != 2 || found[0].Name != s.Container || found[0].Ours || found[1].Project != other.project {
		t.Errorf("%+v %v", found, err)
	}
}

func TestPortTaken(t *testing.T) {
	t.Parallel()
	r := real(t)
	s := lonely(t, r, "supernode_1", require.Newest)
	l, err := net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", s.Port))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	err = r.Start(context.Background(), s)
	if p := problem.Of(err); p.Code != problem.PortTaken || !strings.Contains(p.What, fmt.Sprint(s.Port)) || p.Fix == "" {
		t.Errorf("%+v", p)
	}
}

func TestBadInput(t *testing.T) {
	t.Parallel()
	r := real(t)
	image := python(t, "app")
	for name, c := range map[string]struct {
		change func(*supernode.Spec)
		code   problem.Code
	}{
		"no key":        {func(s *supernode.Spec) { s.KeyFile += "x" }, problem.BadInput},
		"key a folder":  {func(s *supernode.Spec) { s.KeyFile = filepath.Dir(s.KeyFile) }, problem.BadInput},
		"empty CA":      {func(s *supernode.Spec) { s.CAFile = os.DevNull }, problem.BadInput},
		"no such image": {func(s *supernode.Spec) { s.Image = "flwrup-test/none:1" }, problem.ImageMissing},
	} {
		s := node(t, r, "n", image, "print(1)")
		c.change(&s)
		if err := r.Start(context.Background(), s); !problem.Is(err, c.code) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := r.Logs(context.Background(), "nobody", supernode.LogOptions{}, nil); !problem.Is(err, NodeAbsent) {
		t.Error(err)
	}
	if _, err := r.Usage(context.Background(), "nobody"); !problem.Is(err, NodeAbsent) {
		t.Error(err)
	}
	if err := r.Prepare(context.Background(), supernode.Spec{Image: "flwr/supernode:1.24.0", Flwr: "1.42.0"}, nil); !problem.Is(err, problem.BadInput) {
		t.Error(err)
	}
	if err := r.Prepare(context.Background(), supernode.Spec{Image: image, Flwr: "1.42.0"}, nil); err != nil {
		t.Error(err)
	}
	if err := r.Check(context.Background()); err != nil {
		t.Error(err)
	}
}

// Several nodes at once, listed in natural order; starting the same one twice at once is fine.
func TestParallel(t *testing.T) {
	t.Parallel()
	r := real(t)
	image := python(t, "app")
	var specs []supernode.Spec
	for _, n := range []int{1, 2, 10, 3} {
		specs = append(specs, node(t, r, fmt.Sprintf("supernode_%d", n), image, "import time; time.sleep(60)"))
	}
	specs = append(specs, specs[0])
	errs := make([]error, len(specs))
	var wg sync.WaitGroup
	for i, s := range specs {
		wg.Go(func() { errs[i] = r.Start(context.Background(), s) })
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	all, err := r.List(context.Background())
	var names []string
	for _, s := range all {
		names = append(names, s.Name)
	}
	if err != nil || strings.Join(names, " ") != "supernode_1 supernode_2 supernode_3 supernode_10" {
		t.Fatalf("%v %v", names, err)
	}
}

// Docker tries a node that fails again, a limited number of times; --rm takes the volumes along.
func TestRestartPolicy(t *testing.T) {
	t.Parallel()
	r := real(t)
	s := node(t, r, "supernode_1", python(t, "app"), "import sys; print('try'); sys.exit(1)")
	s.Restart = 2
	start(t, r, s)
	for range 100 {
		if st := only(t, r); st.State == supernode.Stopped && st.Restarts == 2 {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	if st := only(t, r); st.Restarts != 2 || st.ExitCode != 1 || len(lines(t, r, s.Name, -1)) != 3 {
		t.Fatalf("%+v", st)
	}
	gone := node(t, r, "supernode_2", s.Image, "print('short')")
	gone.AutoRemove, gone.Restart = true, 5
	start(t, r, gone)
	for range 100 {
		if all, err := r.List(context.Background()); err == nil && len(all) == 1 {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	if err := r.Remove(context.Background(), s.Name); err != nil {
		t.Fatal(err)
	}
	if left := volumes(t, r); left != "" {
		t.Errorf("--rm left %s", left)
	}
}
