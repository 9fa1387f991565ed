//go:build linux

package e2e

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"

	"flwrup/dockerctl"
	"flwrup/internal/export"
	"flwrup/internal/require"
	"flwrup/internal/supernode"
)

// TestExportCompose moves the three SuperNodes of a rehearsal to Docker Compose and back. They come online from the
// exported file with the same node IDs, a run reaches them there, and no key is registered again.
func TestExportCompose(t *testing.T) {
	compose := require.Tool(t, "docker", "docker-compose")
	require.Image(t, require.Newest)
	h := newHome(t, require.Newest)
	dir := filepath.Join(h.dir, "rehearsal")
	out := filepath.Join(dir, "flwrup-export", "compose")
	docker := func(args ...string) {
		t.Helper()
		cmd := exec.Command(compose, args...)
		cmd.Dir, cmd.Env = out, h.env
		if text, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("docker-compose %s: %v\n%s", strings.Join(args, " "), err, text)
		}
	}
	defer func() {
		if _, err := os.Stat(out); err == nil {
			docker("down", "-v")
		}
		if _, err := os.Stat(dir); err == nil {
			h.run("down", "--yes", "--dir", dir)
		}
	}()
	h.must("rehearse", "--yes", "--json", "--keep", "--flwr", require.Newest, "--runtime", "docker", "--nodes", "3", "--dir", dir)
	ids := ledgerNodes(t, dir)
	online := func(engine string) {
		t.Helper()
		eventually(t, 2*time.Minute, func() string {
			r := h.run("status", "--json", "--dir", dir)
			if got := parse(t, r.out); got.Data.Online != 3 {
				return r.out
			}
			if n := strings.Count(r.out, `"kind": "compose"`); engine != "" && n != 3 || engine == "" && n != 0 {
				t.Errorf("%d run by compose, says status", n)
			}
			return ""
		})
		if n := h.flwrSays(dir)["online"]; n != 3 {
			t.Errorf("flwr calls %d online, 3 wanted", n)
		}
	}

	h.must("export", "compose", "--move", "--dir", dir)
	if left := containersOf(t, dir, ""); len(left) > 0 {
		t.Errorf("flwrup left %v of its own", left)
	}
	docker("up", "-d")
	online("compose")
	if r := h.run("start", "supernode_1", "--dir", dir); r.code == 0 || !strings.Contains(r.err, "compose") {
		t.Errorf("a second supernode_1 is started: exit %d\n%s", r.code, r.err)
	}
	h.must("stop", "--dir", dir)
	online("compose") // all the same
	for _, name := range containersOf(t, dir, "running") {
		seen, err := exec.Command("docker", "exec", name, "sh", "-c", "id -u; stat -c '%u %a' /run/supernode/key; grep CapBnd /proc/1/status; touch /x 2>&1").CombinedOutput()
		if got := string(seen); err == nil || !strings.HasPrefix(got, "49999\n49999 400\nCapBnd:\t0000000000000000\n") || !strings.Contains(got, "Read-only") {
			t.Errorf("%s is not as flwrup's own: %v\n%s", name, err, got)
		}
	}
	h.must("run", "-c", "num-server-rounds=1", "--json", "--dir", dir)

	docker("down", "-v")
	h.must("start", "supernode_1", "supernode_2", "supernode_3", "--dir", dir)
	online("")
	for key, id := range ledgerNodes(t, dir) {
		if ids[key] != id {
			t.Errorf("the key %s has node ID %s, before %s", key, id, ids[key])
		}
	}
	if n := len(h.flwrSays(dir)); n != 1 {
		t.Errorf("flwr lists nodes of %d kinds: %v", n, h.flwrSays(dir))
	}
}

// TestExportSwarm moves the SuperNodes of a rehearsal to Docker Swarm on a Docker of its own, and back. They come online
// from the exported stack with the same node IDs, again after an update has replaced a task, and a run reaches them.
// A SuperNode that wants GPUs waits for a machine that has some.
func TestExportSwarm(t *testing.T) {
	image := require.Image(t, require.Newest)
	daemon := require.PrivateDockerHere(t)
	daemon.Load(image)
	h := newHome(t, require.Newest)
	h.env = append(h.env, "DOCKER_HOST="+daemon.Host)
	dir := filepath.Join(h.dir, "rehearsal")
	out := filepath.Join(dir, "flwrup-export", "swarm")
	typed := func(command string) string {
		t.Helper()
		cmd := exec.Command("/bin/sh", "-c", command)
		cmd.Dir, cmd.Env = out, h.env
		text, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", command, err, text)
		}
		return strings.TrimSpace(string(text))
	}
	defer func() {
		if _, err := os.Stat(out); err == nil {
			typed("docker swarm leave --force || true")
			eventually(t, time.Minute, func() string { return typed("docker ps -aq --filter label=com.docker.stack.namespace") })
		}
		if _, err := os.Stat(dir); err == nil {
			h.run("down", "--yes", "--dir", dir)
		}
	}()
	h.must("rehearse", "--yes", "--json", "--keep", "--flwr", require.Newest, "--runtime", "docker", "--nodes", "2", "--dir", dir)
	ids := ledgerNodes(t, dir)
	online := func(engine string) {
		t.Helper()
		eventually(t, 3*time.Minute, func() string {
			r := h.run("status", "--json", "--dir", dir)
			if got := parse(t, r.out); got.Data.Online != 2 || strings.Count(r.out, `"kind": "`+engine+`"`) != map[bool]int{true: 2}[engine != ""] {
				return r.out
			}
			return ""
		})
	}

	var moved struct {
		Data struct {
			Before []string
			Start  string
		}
	}
	if err := json.Unmarshal([]byte(h.must("export", "swarm", "--move", "--json", "--dir", dir).out), &moved); err != nil {
		t.Fatal(err)
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	free.Close()
	typed("docker swarm init --advertise-addr " + address + " --listen-addr " + address)
	for _, command := range append(moved.Data.Before, moved.Data.Start) {
		typed(command)
	}
	online("swarm")
	if r := h.run("start", "supernode_1", "--dir", dir); r.code == 0 || !strings.Contains(r.err, "swarm") {
		t.Errorf("a second supernode_1 is started: exit %d\n%s", r.code, r.err)
	}
	service := typed("docker service ls --format '{{.Name}}' | grep 'supernode-1$'")
	task := func() string { return typed("docker ps -q --filter label=com.docker.swarm.service.name=" + service) }
	seen := typed("docker exec " + task() + " sh -c \"id -u; stat -L -c '%u %a' /run/secrets/key; grep CapBnd /proc/1/status; touch /x 2>&1 || true\"")
	if !strings.HasPrefix(seen, "49999\n49999 400\nCapBnd:\t0000000000000000\n") || !strings.Contains(seen, "Read-only") {
		t.Errorf("a task is not as flwrup's own:\n%s", seen)
	}
	before := task()
	typed("docker service update --quiet --force " + service)
	eventually(t, time.Minute, func() string {
		if now := task(); now == "" || strings.Contains(now, before) {
			return "the task is not replaced: " + now
		}
		return ""
	})
	online("swarm")
	h.must("run", "-c", "num-server-rounds=1", "--json", "--dir", dir)

	stack, _, _ := strings.Cut(service, "_")
	typed("docker stack rm " + stack)
	eventually(t, time.Minute, func() string { return typed("docker ps -aq --filter label=com.docker.stack.namespace=" + stack) }) // the command does not wait
	h.must("start", "supernode_1", "supernode_2", "--dir", dir)
	online("")
	for key, id := range ledgerNodes(t, dir) {
		if ids[key] != id {
			t.Errorf("the key %s has node ID %s, before %s", key, id, ids[key])
		}
	}

	toml := filepath.Join(dir, "flwrup.toml")
	text, err := os.ReadFile(toml)
	if err == nil {
		err = os.WriteFile(toml, append(text, "\n[node.supernode_1]\ngpus = \"2\"\n"...), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	h.must("export", "swarm", "--node", "supernode_1", "--overwrite", "--trust", "--dir", dir)
	typed(moved.Data.Start)
	if got := typed("docker service inspect --format '{{json .Spec.TaskTemplate.Resources.Reservations.GenericResources}}' " + service); got != `[{"DiscreteResourceSpec":{"Kind":"NVIDIA-GPU","Value":2}}]` {
		t.Errorf("GPUs reserved: %s", got)
	}
	eventually(t, time.Minute, func() string {
		if got := typed("docker service ps --no-trunc --format '{{.CurrentState}} {{.Error}}' " + service); !strings.Contains(got, "Pending") || !strings.Contains(got, "insufficient resources") {
			return "a task without its GPUs: " + got
		}
		return ""
	})
}

// TestExportedGPUs: docker-compose asks Docker for the GPUs that flwrup asks it for.
func TestExportedGPUs(t *testing.T) {
	compose := require.Tool(t, "docker", "docker-compose")
	image := require.Image(t, require.Newest)
	dir := t.TempDir()
	s := export.Set{Project: "gpus", ID: strings.ToLower(rand.Text()[:8]), Root: dir, Dir: dir}
	wanted := []string{"all", "2", "device=0,1"}
	for i, gpus := range wanted {
		key := filepath.Join(dir, fmt.Sprint("key", i))
		if err := os.WriteFile(key, []byte("no key"), 0o600); err != nil {
			t.Fatal(err)
		}
		name := fmt.Sprint("supernode_", i)
		s.Nodes = append(s.Nodes, export.Node{Spec: supernode.Spec{Name: name, Project: s.ID, Container: "gpus_" + s.ID + "_" + name, KeyFile: key, Image: image, GPUs: gpus,
			Args: func(string, string) []string { return nil }}})
	}
	files, _, err := export.Files(export.Compose, s)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(dir, f.Name), f.Data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	typed := func(args ...string) {
		t.Helper()
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		cmd := exec.CommandContext(ctx, compose, args...)
		cmd.Dir = dir
		if text, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("docker-compose %v: %v\n%s", args, err, text)
		}
	}
	defer typed("down", "-v")
	typed("up", "--no-start", "--no-deps", "supernode-0", "supernode-1", "supernode-2") // with them it waits for their end
	for i, n := range s.Nodes {
		text, err := exec.Command("docker", "inspect", "--format", "{{json .HostConfig.DeviceRequests}}", n.Container).Output()
		var got []container.DeviceRequest
		if err == nil {
			err = json.Unmarshal(text, &got)
		}
		want := dockerctl.GPUs(wanted[i])
		if err != nil || len(got) != 1 || got[0].Count != want[0].Count || !slices.Equal(got[0].DeviceIDs, want[0].DeviceIDs) || fmt.Sprint(got[0].Capabilities) != "[[gpu]]" {
			t.Errorf("%s: %s, flwrup's own %+v: %v", wanted[i], text, want, err)
		}
	}
}
