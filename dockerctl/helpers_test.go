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
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"golang.org/x/crypto/ssh"

	"flwrup/internal/problem"
	"flwrup/internal/require"
	"flwrup/internal/supernode"
)

// real returns a runtime with a project of its own; everything with its label is gone after the test.
func real(t testing.TB) *Runtime {
	t.Helper()
	require.Docker(t)
	r, err := New(context.Background(), Options{Project: "test-" + strings.ToLower(rand.Text()[:10]), Dir: filepath.Join(t.TempDir(), "starter")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		defer r.Close()
		ctx := context.Background()
		all, err := inspectAll(ctx, r, LabelProject+"="+r.project)
		if err != nil {
			t.Error(err)
		}
		for _, c := range all {
			if err := r.cli.ContainerRemove(ctx, c.ID, container.RemoveOptions{RemoveVolumes: true, Force: true}); err != nil {
				t.Error(err)
			}
			if err := removeVolumes(ctx, r, c.Config.Labels[LabelNode]); err != nil {
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

// docker runs the docker command and returns its output.
func docker(t testing.TB, args ...string) string {
	t.Helper()
	out, err := exec.Command("docker", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("docker %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// python returns an image that runs Python with the container's arguments, as the same user.
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

// node returns a spec with a key and a CA of its own, in a folder with a difficult name.
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
		Name: name, Project: r.project, Flwr: require.Newest, Takes: 190 << 20,
		KeyFile: filepath.Join(dir, "client credentials"), CAFile: filepath.Join(dir, "ca.crt"),
		Container: r.project + "_" + name, Image: image, HostNetwork: true,
		Labels: map[string]string{"fingerprint": "SHA256:" + name},
		Args:   func(key, ca string) []string { return args },
	}
}

// lonely returns a SuperNode whose grid does not answer: it tries for ever.
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

// only returns the project's one status.
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
