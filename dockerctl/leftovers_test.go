package dockerctl

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"flwrup/internal/problem"
)

// A container removed by hand leaves its volume with the key. The volume is found by its label and removed; a
// volume that cannot be removed is an error that says who holds it.
func TestRemovedByHandLeavesNoKey(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	r := real(t)
	s := node(t, r, "supernode_1", python(t, "app"), `import time; time.sleep(300)`)
	start(t, r, s)
	key := docker(t, "inspect", "-f", `{{range .Mounts}}{{if eq .Destination "`+KeyDir+`"}}{{.Name}}{{end}}{{end}}`, s.Container)
	docker(t, "rm", "-f", s.Container) // without -v
	if all, err := r.List(ctx); err != nil || len(all) != 0 {
		t.Fatalf("%+v %v", all, err)
	}
	if names, err := r.Leftovers(ctx); err != nil || !slices.Equal(names, []string{s.Name}) {
		t.Fatalf("left over: %q %v", names, err)
	}
	thief := r.project + "-thief"
	docker(t, "run", "-d", "--name", thief, "-v", key+":/k", "--entrypoint", "sleep", s.Image, "300")
	t.Cleanup(func() { docker(t, "rm", "-f", thief) })
	began := time.Now()
	err := r.Remove(ctx, s.Name)
	if p := problem.Of(err); p.Code != KeyLeft || !strings.Contains(p.Why, key) || !strings.Contains(p.Why, thief) || time.Since(began) > 2*volumeBusy {
		t.Errorf("%+v", p)
	}
	if volumes(t, r) == "" {
		t.Fatal("the volume was removed under a running container")
	}
	docker(t, "rm", "-f", thief)
	docker(t, "create", "--name", thief, "--entrypoint", "true", s.Image)
	if err := r.Remove(ctx, s.Name); err != nil {
		t.Error(err)
	}
	if names, err := r.Leftovers(ctx); err != nil || len(names) != 0 || volumes(t, r) != "" {
		t.Errorf("left over: %q %v %s", names, err, volumes(t, r))
	}
}
