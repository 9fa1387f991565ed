package site_test

import (
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"

	"flwrup/internal/byhand"
	"flwrup/internal/require"
	"flwrup/internal/site"
	"flwrup/internal/sitetest"
	"flwrup/internal/supernode"
)

// Where SuperNodes are plain processes, flwrup shows, reads and stops one in a container as that container.
func TestAProcessInAContainerIsTheContainer(t *testing.T) {
	image := require.Image(t, require.Newest)
	ctx := context.Background()
	s := sitetest.WithKeys(t, sitetest.NewGrid(require.Newest), 1)
	list, _, err := site.Members(s)
	if err != nil {
		t.Fatal(err)
	}
	key := list[0].Pair
	name := "flwrup-test-" + s.Choices().ID
	docker := func(args ...string) {
		t.Helper()
		if out, err := exec.Command("docker", args...).CombinedOutput(); err != nil {
			t.Fatalf("docker %q: %v %s", args, err, out)
		}
	}
	docker("run", "-d", "--name", name, "-u", "0", "-v", s.Folder().KeysDir()+":/keys:ro", "--entrypoint", "sh", image,
		"-c", "exec flower-supernode --insecure --superlink 127.0.0.1:1 --auth-supernode-private-key=/keys/"+key.Name)
	t.Cleanup(func() { docker("rm", "-fv", name) })
	site.CloseRuntime(s)
	rt, err := s.NodesRuntime(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var st supernode.Status
	for range 120 { // a minute: the machine may be busy
		states, err := site.States(ctx, s)
		if err != nil {
			t.Fatal(err)
		}
		if st = states[list[0].Name]; st.ByHand != "" {
			break
		}
		time.Sleep(500 * time.Millisecond)
	}
	if st.ByHand != "container "+name || st.EndWith != "docker stop "+name || st.LogKeptFor != "docker logs "+name {
		t.Fatalf("%+v", st)
	}
	var lines []string
	for range 120 { // a minute: the machine may be busy
		lines = nil
		if err := rt.Logs(ctx, list[0].Name, supernode.LogOptions{Tail: -1}, func(l supernode.Line) error {
			lines = append(lines, l.Text)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(strings.Join(lines, "\n"), "Starting Flower SuperNode") {
			break
		}
		time.Sleep(500 * time.Millisecond)
	}
	if !strings.Contains(strings.Join(lines, "\n"), "Starting Flower SuperNode") {
		t.Errorf("its log: %q", lines)
	}
	if err := rt.(*byhand.EveryNode).End(ctx, list[0].Name); err != nil {
		t.Error(err)
	}
	out, err := exec.Command("docker", "inspect", "-f", "{{.State.Running}}", name).CombinedOutput()
	if got := strings.TrimSpace(string(out)); err != nil || got != "false" {
		t.Errorf("stopped: %s %v", got, err)
	}
}
