package dockerctl

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/container"

	"flwrup/internal/supernode"
)

// The bounds hold in a real container. A stopped one gets another share of the memory at its next start, in
// the same container.
func TestBoundsHold(t *testing.T) {
	t.Parallel()
	r := real(t)
	s := node(t, r, "supernode_1", python(t, "app"), `
import os, subprocess
try:
    with open("/tmp/full", "wb") as f:
        for _ in range(64): f.write(b"x" * (1 << 20))
except OSError as e: print("tmp", e.strerror)
children = []
try:
    for _ in range(200): children.append(subprocess.Popen(["sleep", "5"]))
except OSError as e: print("pids", e.strerror, len(children) < 100)
for c in children: c.kill()`)
	s.Tmp, s.PIDs, s.Sharers = 16<<20, 100, 2
	start(t, r, s)
	ends(t, r)
	if got := strings.Join(lines(t, r, s.Name, -1), "; "); got != "tmp No space left on device; pids Resource temporarily unavailable True" {
		t.Error(got)
	}
	memory := func() string { return docker(t, "inspect", "-f", "{{.Id}} {{.HostConfig.Memory}}", s.Container) }
	id := only(t, r).ID
	info, err := r.cli.Info(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, s.Sharers = range []int{2, 4, 3} { // less, and more again
		start(t, r, s)
		if got, want := memory(), fmt.Sprint(id, " ", share(info.MemTotal, s.Sharers, s.Takes)); got != want {
			t.Errorf("%d share: %s, want %s", s.Sharers, got, want)
		}
		ends(t, r)
	}
}

// TestNoUpdate: Podman's service has no call that changes a container. The container starts with the limit it has; one
// that is gone is looked for again.
func TestNoUpdate(t *testing.T) {
	gone := false
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if strings.HasSuffix(q.URL.Path, "/update") || gone {
			w.WriteHeader(http.StatusNotFound)
		}
		fmt.Fprint(w, `{}`)
	}))
	defer s.Close()
	r, err := New(t.Context(), Options{Project: "update", Host: "tcp://" + s.Listener.Addr().String()})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	r.memory = 8 << 30
	c := container.InspectResponse{ContainerJSONBase: &container.ContainerJSONBase{ID: "c1", HostConfig: &container.HostConfig{}}}
	if err := rebound(t.Context(), r, c, supernode.Spec{Name: "n"}); err != nil {
		t.Errorf("a container without a new limit does not start: %v", err)
	}
	gone = true
	if err := rebound(t.Context(), r, c, supernode.Spec{Name: "n"}); err == nil {
		t.Error("a container that is gone is started")
	}
}
