package dockerctl

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"flwrup/internal/problem"
	"flwrup/internal/require"
	"flwrup/internal/safego"
	"flwrup/internal/supernode"
)

// A daemon that stops and returns is reported at once. Nodes come back on their own; logs and events go on.
func TestDaemonRestart(t *testing.T) {
	d := require.PrivateDocker(t)
	r, err := New(context.Background(), Options{Project: "restart", Host: d.Host})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	s := node(t, r, "supernode_1", d.Ticker())
	s.Restart = 3
	var changes atomic.Int64
	ended := make(chan error, 1)
	safego.Go("watch", func(err error) { ended <- err }, func() { ended <- r.Watch(ctx, func() { changes.Add(1) }) })
	start(t, r, s)
	got := follow(t, r, s.Name, -1)
	first := take(t, got, 5)

	d.Stop()
	if err := r.Check(ctx); !problem.Is(err, problem.DockerDown) || !strings.Contains(problem.Of(err).Fix, d.Host) {
		t.Errorf("%v, fix %q", err, problem.Of(err).Fix)
	}
	if _, err := r.List(ctx); !problem.Is(err, problem.DockerDown) {
		t.Error(err)
	}
	if err := r.Start(ctx, s); !problem.Is(err, problem.DockerDown) {
		t.Error(err)
	}
	before := changes.Load()
	began := time.Now()
	d.Start()
	// The node ended with the daemon (with status 0), and Docker brings it back with itself.
	back := func(after string) {
		t.Helper()
		for range 100 {
			if st := only(t, r); st.State == supernode.Running {
				return
			}
			time.Sleep(100 * time.Millisecond)
		}
		t.Errorf("after %s: %+v", after, only(t, r))
	}
	back("a shutdown")
	seen := map[string]bool{}
	for _, l := range append(first, take(t, got, 10)...) {
		if seen[l] {
			t.Errorf("%q twice", l)
		}
		seen[l] = true
	}
	for range 100 {
		if changes.Load() > before {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	if changes.Load() <= before {
		t.Error("Watch did not come back")
	}
	// The same when the machine loses power.
	d.Crash()
	d.Start()
	back("a crash")
	// A node that was stopped on purpose stays so.
	if err := r.Stop(ctx, s.Name, 10*time.Second); err != nil {
		t.Fatal(err)
	}
	d.Stop()
	d.Start()
	time.Sleep(2 * time.Second)
	if st := only(t, r); st.State != supernode.Stopped {
		t.Errorf("stopped on purpose, and back after a shutdown: %+v", st)
	}
	t.Logf("daemon and node back after %v", time.Since(began))
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// registry serves one image of one layer, as /v2/ of any registry does.
func registry(t testing.TB) *httptest.Server {
	t.Helper()
	var layer bytes.Buffer
	z := gzip.NewWriter(&layer)
	w := tar.NewWriter(z)
	junk := make([]byte, 3<<20)
	for i := range junk {
		junk[i] = byte(i * i >> 7)
	}
	if err := w.WriteHeader(&tar.Header{Name: "junk", Mode: 0o644, Size: int64(len(junk))}); err != nil {
		t.Fatal(err)
	}
	sum := sha256.New()
	_, _ = w.Write(junk)
	_ = w.Close()
	_ = z.Close()
	plain, _ := gzip.NewReader(bytes.NewReader(layer.Bytes()))
	if _, err := io.Copy(sum, plain); err != nil {
		t.Fatal(err)
	}
	digestOf := func(b []byte) string { s := sha256.Sum256(b); return "sha256:" + hex.EncodeToString(s[:]) }
	config, _ := json.Marshal(map[string]any{"architecture": "amd64", "os": "linux", "config": map[string]any{"User": "49999"},
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{"sha256:" + hex.EncodeToString(sum.Sum(nil))}}})
	const kind = "application/vnd.docker.distribution.manifest.v2+json"
	manifest, _ := json.Marshal(map[string]any{"schemaVersion": 2, "mediaType": kind,
		"config": map[string]any{"mediaType": "application/vnd.docker.container.image.v1+json", "size": len(config), "digest": digestOf(config)},
		"layers": []any{map[string]any{"mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip", "size": layer.Len(), "digest": digestOf(layer.Bytes())}}})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		send := func(kind string, b []byte) {
			w.Header().Set("Content-Type", kind)
			w.Header().Set("Docker-Content-Digest", digestOf(b))
			http.ServeContent(w, q, "", time.Time{}, bytes.NewReader(b))
		}
		fail := func(status int, code string) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			fmt.Fprintf(w, `{"errors":[{"code":%q,"message":"no"}]}`, code)
		}
		switch path := q.URL.Path; {
		case path == "/v2/":
			w.WriteHeader(http.StatusOK)
		case strings.HasSuffix(path, "/manifests/busy"):
			fail(http.StatusTooManyRequests, "TOOMANYREQUESTS")
		case strings.HasSuffix(path, "/manifests/good"), strings.HasSuffix(path, "/manifests/"+digestOf(manifest)):
			send(kind, manifest)
		case strings.HasSuffix(path, digestOf(config)):
			send("application/octet-stream", config)
		case strings.HasSuffix(path, digestOf(layer.Bytes())):
			send("application/octet-stream", layer.Bytes())
		default:
			fail(http.StatusNotFound, "MANIFEST_UNKNOWN")
		}
	}))
	t.Cleanup(s.Close)
	return s
}

func TestPull(t *testing.T) {
	r := real(t)
	at := registry(t).Listener.Addr().String()
	good := at + "/flwrup-test/image:good"
	t.Cleanup(func() { docker(t, "rmi", good) })
	var last supernode.Progress
	err := r.Prepare(context.Background(), supernode.Spec{Image: good}, func(p supernode.Progress) {
		if p.Done < last.Done || p.Done > p.Total {
			t.Errorf("%+v after %+v", p, last)
		}
		last = p
	})
	if err != nil || last.Total == 0 || last.Done != last.Total {
		t.Errorf("%v, last %+v", err, last)
	}
	for image, why := range map[string]string{
		at + "/flwrup-test/image:none":         "no such tag",
		at + "/flwrup-test/image:busy":         "limits how often",
		"127.0.0.1:1/flwrup-test/image:1":      "cannot reach the registry",
		"registry.invalid/flwrup-test/image:1": "cannot reach the registry",
		"UPPER CASE":                           "not an image's name",
	} {
		err := r.Prepare(context.Background(), supernode.Spec{Image: image}, nil)
		if p := problem.Of(err); !strings.Contains(p.Why, why) || p.Fix == "" {
			t.Errorf("%s: %+v", image, p)
		}
	}
}
