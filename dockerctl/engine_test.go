package dockerctl

import (
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"

	"flwrup/internal/problem"
	"flwrup/internal/require"
	"flwrup/internal/supernode"
)

// TestEngineIsLeftAlone: no call starts, stops or removes what another engine runs, nor counts it as left over. It is
// listed, and of several containers of one SuperNode the running one.
func TestEngineIsLeftAlone(t *testing.T) {
	r := real(t)
	ctx := context.Background()
	image := require.Image(t, require.Newest)
	made := func(args ...string) string {
		t.Helper()
		args = append([]string{"run", "-d", "--label", LabelProject + "=" + r.project, "--label", LabelNode + "=supernode_1", "--label", LabelEngine + "=swarm",
			"--network", "none", "--entrypoint", "sleep"}, args...)
		out, err := exec.Command("docker", args...).CombinedOutput()
		if err != nil {
			t.Fatalf("docker run: %v %s", err, out)
		}
		return strings.TrimSpace(string(out))
	}
	id := made(image, "300")
	made(image, "0") // a task that has ended, and is newer
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		all, err := inspectAll(ctx, r, LabelProject+"="+r.project)
		if err != nil || len(all) != 2 || time.Now().After(deadline) {
			t.Fatalf("%d containers, and the newer one should have ended: %v", len(all), err)
		}
		if !all[0].State.Running {
			break
		}
	}
	if list, err := r.List(ctx); err != nil || len(list) != 1 || list[0].ID != id || list[0].State != supernode.Running {
		t.Fatalf("listed %+v: %v", list, err)
	}
	for doing, err := range map[string]error{
		"start":  r.Start(ctx, supernode.Spec{Name: "supernode_1", Project: r.project, Container: "x", Image: image}),
		"stop":   r.Stop(ctx, "supernode_1", time.Second),
		"remove": r.Remove(ctx, "supernode_1"),
	} {
		if !problem.Is(err, OfEngine) || !strings.Contains(err.Error(), "swarm runs its container") {
			t.Errorf("%s: %v", doing, err)
		}
	}
	if left, err := r.Leftovers(ctx); err != nil || len(left) > 0 {
		t.Errorf("left over: %v %v", left, err)
	}
	if list, err := r.List(ctx); err != nil || len(list) != 1 || list[0].State != supernode.Running {
		t.Errorf("after all: %+v, %v", list, err)
	}
}

// TestConfigured: what other engines are given is what flwrup asks Docker for, without its starter.
func TestConfigured(t *testing.T) {
	spec := supernode.Spec{Name: "supernode_1", Project: "p", Restart: 10, Secrets: map[string]string{"TOKEN": "secret"}, EnvFile: "/x", Args: func(key, _ string) []string { return []string{"--key", key} }}
	c, h, err := Configured(spec)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Entrypoint) > 0 || c.User != "49999:49999" || !h.ReadonlyRootfs || strings.Join(h.CapDrop, "") != "ALL" || strings.Join(h.SecurityOpt, "") != "no-new-privileges" || *h.PidsLimit != defaultPIDs {
		t.Errorf("%+v\n%+v", c, h)
	}
	for _, e := range c.Env {
		if strings.Contains(e, "secret") {
			t.Errorf("a secret variable: %s", e)
		}
	}
}
