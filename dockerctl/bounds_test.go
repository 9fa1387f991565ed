package dockerctl

import (
	"context"
	"fmt"
	"strings"
	"testing"
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
