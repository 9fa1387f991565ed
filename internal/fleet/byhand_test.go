//go:build linux

package fleet_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"flwrup/internal/fleet"
	"flwrup/internal/front"
	"flwrup/internal/health"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/require"
	"flwrup/internal/site"
	"flwrup/internal/sitetest"
	"flwrup/internal/supernode"
	"flwrup/steps"
)

// replacing answers one question its own way, all others by their defaults.
type replacing struct {
	sitetest.Heard
	asked []string
}

func (r *replacing) Ask(ctx context.Context, q front.Question) (string, error) {
	if q.ID == "by-hand" {
		r.asked = append(r.asked, q.Ask)
		return "replace", nil
	}
	return r.Heard.Ask(ctx, q)
}

// flwrup finds a SuperNode that somebody started as the guide says, by its key and not by its name. It reads its log,
// starts no second one, and replaces it only when the person says so.
func TestStartedByHand(t *testing.T) {
	image := require.Image(t, "1.24.0")
	ctx := context.Background()
	g := sitetest.NewGrid("1.24.0")
	s := sitetest.Registered(t, g, 2)
	site.CloseRuntime(s)
	sitetest.Choose(t, s, func(c *project.Choices) {
		c.Runtime, c.Grid.Fleet, c.HostNetwork = project.RuntimeDocker, "127.0.0.1:1", true
		c.ContainerPrefix = "byhand_" + strings.ToLower(rand.Text()[:8]) + "_"
	})
	byHand := s.Choices().ContainerPrefix + "guide"
	docker := func(args ...string) string {
		t.Helper()
		out, err := exec.Command("docker", args...).CombinedOutput()
		if err != nil {
			t.Fatalf("docker %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		return strings.TrimSpace(string(out))
	}
	t.Cleanup(func() {
		_ = exec.Command("docker", "rm", "-f", byHand).Run()
		rt, err := s.NodesRuntime(ctx)
		if err != nil {
			t.Error(err)
			return
		}
		for _, name := range []string{"supernode_1", "supernode_2"} {
			if err := rt.Stop(ctx, name, 0); err != nil {
				t.Error(err)
			}
			if err := rt.Remove(ctx, name); err != nil {
				t.Error(err)
			}
		}
	})
	port := freePort(t)
	// As the guide says, and --user, without which the image's user cannot read the key.
	docker("run", "--rm", "-d", "--name", byHand, "--user", fmt.Sprintf("%d:%d", os.Getuid(), os.Getgid()), "--env", "FLWR_HOME=/tmp/flwr",
		"--volume", s.Folder().KeysDir()+"/:/app/keys/:ro", "--network", "host", "-it", image,
		"--superlink", "127.0.0.1:1", "--clientappio-api-address", fmt.Sprintf("127.0.0.1:%d", port), "--auth-supernode-private-key", "keys/client_credentials_1")

	st, err := steps.Inspect(ctx, s, front.StepStart)
	if err != nil || st.Short != "1/2" || !strings.Contains(st.Items[0].Text, "by hand as container "+byHand) || st.Items[1].State == front.ItemDone {
		t.Errorf("%+v %v", st, err)
	}
	o := health.States(ctx, s)
	if n := o.Nodes[0].Runtime; o.RuntimeErr != nil || n.ByHand != "container "+byHand || n.Ours || n.State != supernode.Running || n.Image != image {
		t.Errorf("%+v %v", n, o.RuntimeErr)
	}
	own := func() string {
		return docker("ps", "--filter", "label=flwrup.project="+s.Choices().ID, "--format", `{{.Label "flwrup.node"}}`)
	}
	h := &sitetest.Heard{}
	if err := steps.Act(ctx, s, front.StartNodes, nil, h); err != nil {
		t.Fatal(err)
	}
	if got := own(); got != "supernode_2" {
		t.Errorf("flwrup's own containers: %q", got)
	}
	rt, err := s.NodesRuntime(ctx)
	if err != nil {
		t.Fatal(err)
	}
	m, err := site.MemberNamed(s, "supernode_1")
	if err != nil {
		t.Fatal(err)
	}
	if err := fleet.StartOne(ctx, s, rt, m, h); err != nil || own() != "supernode_2" {
		t.Errorf("a second one with the same key: %q %v", own(), err)
	}
	if err := steps.Act(ctx, s, front.StopNodes, []string{"supernode_1"}, h); err != nil || docker("inspect", "--format", "{{.State.Running}}", byHand) != "true" {
		t.Errorf("the container of somebody else was touched: %v", err)
	}
	read, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	canBeRead(read, t, s)

	r := &replacing{}
	if err := steps.Act(ctx, s, front.RestartNodes, []string{"supernode_1"}, r); err != nil {
		t.Fatal(err)
	}
	if got := strings.Fields(own()); len(got) != 2 || len(r.asked) != 1 || !strings.Contains(r.asked[0], byHand) {
		t.Errorf("flwrup's own containers: %q; asked %q", got, r.asked)
	}
	if out, err := exec.Command("docker", "inspect", byHand).Output(); err == nil {
		t.Errorf("the replaced container is still there: %s", out)
	}
}

// freePort returns a port of this machine that nothing listens on.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// canBeRead fails the test unless the log of supernode_1, which has no grid to reach, and what it takes can be
// seen before ctx ends.
func canBeRead(ctx context.Context, t *testing.T, s *site.Site) {
	t.Helper()
	var log []string
	err := site.Logs(ctx, s, "supernode_1", supernode.LogOptions{Follow: true, Tail: -1}, func(l supernode.Line) error {
		if log = append(log, l.Text); l.Node != "supernode_1" {
			t.Errorf("line of %q", l.Node)
		}
		if strings.Contains(l.Text, "retrying in") {
			return sitetest.ErrCut
		}
		return nil
	})
	if !problem.Is(err, problem.Unreachable) {
		t.Errorf("no line of the SuperNode's: %v\n%s", err, strings.Join(log, "\n"))
	}
	if u, err := site.Usage(ctx, s, "supernode_1"); err != nil || u.Memory == 0 {
		t.Errorf("%+v %v", u, err)
	}
}

// flwrup finds a SuperNode that somebody started in a terminal, by its key's file, which may be a relative path. It reads
// its log where that goes to a file, and starts no second one.
func TestProcessStartedByHand(t *testing.T) {
	program := require.Program(require.Flwr(t, "1.24.0"), "flower-supernode")
	ctx := context.Background()
	g := sitetest.NewGrid("1.24.0")
	s := sitetest.Registered(t, g, 1)
	site.CloseRuntime(s)
	port := freePort(t)
	log, err := os.Create(filepath.Join(t.TempDir(), "by hand.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd := exec.Command(program, "--superlink", "127.0.0.1:1", "--clientappio-api-address", fmt.Sprintf("127.0.0.1:%d", port),
		"--auth-supernode-private-key=keys/client_credentials_1")
	cmd.Dir, cmd.Stdout, cmd.Stderr = s.Dir, log, log
	cmd.Env = append(os.Environ(), "FLWR_TELEMETRY_ENABLED=0", "FLWR_HOME="+t.TempDir(), "PATH="+filepath.Dir(program)+":"+os.Getenv("PATH"))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	gone := make(chan error, 1)
	go func() { gone <- cmd.Wait() }()
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	name := fmt.Sprintf("process %d", cmd.Process.Pid)

	read, cancel := context.WithTimeout(ctx, 60*time.Second)
	defer cancel()
	for seen := false; !seen; time.Sleep(50 * time.Millisecond) { // until it is flower-supernode and no fork of ours
		st, err := steps.Inspect(ctx, s, front.StepStart)
		if err != nil || read.Err() != nil {
			t.Fatalf("%+v %v", st, err)
		}
		seen = st.State == front.Done && st.Items[0].Text == "running, started by hand as "+name
	}
	canBeRead(read, t, s)
	rt, err := s.NodesRuntime(ctx)
	if err != nil {
		t.Fatal(err)
	}
	m, err := site.MemberNamed(s, "supernode_1")
	if err != nil {
		t.Fatal(err)
	}
	h := &sitetest.Heard{}
	if err := steps.Act(ctx, s, front.StartNodes, nil, h); err != nil {
		t.Fatal(err)
	}
	if err := fleet.StartOne(ctx, s, rt, m, h); err != nil {
		t.Fatal(err)
	}
	if own, err := site.At(rt, "").List(ctx); err != nil || len(own) != 0 {
		t.Errorf("a second one with the same key: %+v %v", own, err)
	}
	if err := steps.Act(ctx, s, front.StopNodes, nil, h); err != nil || !strings.Contains(h.Said(), "kill "+fmt.Sprint(cmd.Process.Pid)) {
		t.Errorf("%v\n%s", err, h.Said())
	}
	select {
	case err := <-gone:
		t.Errorf("the process of somebody else was ended: %v", err)
	default:
	}
	r := &replacing{}
	left, err := fleet.KeepOrReplace(ctx, s, []site.Member{m}, r)
	if err != nil || len(left) != 1 || len(r.asked) != 1 || !strings.Contains(r.asked[0], name) {
		t.Errorf("%v %v, asked %q", left, err, r.asked)
	}
	if err := <-gone; err != nil {
		t.Errorf("it did not end gracefully: %v", err)
	}
	if states, err := site.States(ctx, s); err != nil || states["supernode_1"].State == supernode.Running {
		t.Errorf("%+v %v", states, err)
	}
}
