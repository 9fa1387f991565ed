//go:build linux

package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"flwrup/internal/fleet"
	"flwrup/internal/site"
)

// planTyped types what `flwrup plan` prints, word for word, into /bin/sh: a key pair, its registration, a
// container. flwrup then goes on from what it finds. Before, rehearse brought three SuperNodes online in dir.
func (h *home) planTyped(dir string, rehearse []string) {
	t := h.t
	t.Helper()
	file := filepath.Join(dir, "flwrup.toml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	more := strings.Replace(string(text), "nodes = 3", "nodes = 4", 1)
	if more == string(text) {
		t.Fatalf("no `nodes = 3` in flwrup.toml:\n%s", text)
	}
	if err := os.WriteFile(file, []byte(more), 0o644); err != nil {
		t.Fatal(err)
	}
	h.referenceTyped(dir)
	typed(t, h, dir, 6)
	key, err := os.ReadFile(filepath.Join(dir, "keys", "client_credentials_4"))
	if err != nil {
		t.Fatal("the plan of step 6 made no key: ", err)
	}
	typed(t, h, dir, 10)
	// flwrup did not see the answer: it has to find the node ID again, and register nothing twice.
	got := parse(t, h.must(append(rehearse, "--nodes", "4")...).out)
	if got.Data.Online != 4 || len(got.Data.Nodes) != 4 {
		t.Errorf("four nodes online wanted, got %+v", got.Data)
	}
	if now, err := os.ReadFile(filepath.Join(dir, "keys", "client_credentials_4")); err != nil || string(now) != string(key) {
		t.Errorf("the key made by hand changed: %v", err)
	}
	if n := h.flwrSays(dir)["registered"]; n != 0 {
		t.Errorf("%d nodes are registered and never came online", n)
	}

	// A container that is gone comes back by what the plan says.
	out, err := exec.Command("docker", "ps", "-q", "--filter", "label=flwrup.project="+projectID(t, dir), "--filter", "label=flwrup.node=supernode_4").Output()
	if err != nil {
		t.Fatal(err)
	}
	container := strings.TrimSpace(string(out))
	for _, args := range [][]string{{"stop", container}, {"rm", "-v", container}} {
		if out, err := exec.Command("docker", args...).CombinedOutput(); err != nil {
			t.Fatalf("docker %v: %v %s", args, err, out)
		}
	}
	typed(t, h, dir, 13)
	eventually(t, 90*time.Second, func() string {
		if n := h.flwrSays(dir)["online"]; n != 4 {
			return "not all online after the plan's commands"
		}
		return ""
	})
}

// typed runs the commands of one step of the plan.
func typed(t *testing.T, h *home, dir string, step int) {
	t.Helper()
	var plan struct {
		Data []struct {
			Step    int
			Why     string
			Actions []struct{ Command string }
		}
	}
	out := h.must("plan", "--json", "--dir", dir).out
	if err := json.Unmarshal([]byte(out), &plan); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	ran := 0
	for _, s := range plan.Data {
		if s.Step != step {
			continue
		}
		for _, a := range s.Actions {
			if a.Command == "" {
				continue
			}
			cmd := exec.Command("sh", "-c", a.Command)
			cmd.Dir, cmd.Env = dir, h.env
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("step %d: %s\n%v\n%s", step, a.Command, err, out)
			}
			ran++
		}
	}
	if ran == 0 {
		t.Fatalf("the plan has no command for step %d:\n%s", step, tail(out))
	}
}

// referenceTyped runs what the quick reference shows, but for what changes something, and follows no log.
func (h *home) referenceTyped(dir string) {
	t := h.t
	t.Helper()
	s, err := site.Open(site.Options{Dir: dir, ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Session(t.Context()); err != nil {
		t.Fatal(err)
	}
	ran := ""
	for _, a := range fleet.Reference(s) {
		if first, _, _ := strings.Cut(a.Says, " "); first == "log" || first == "register" || first == "run" {
			continue
		}
		typed := strings.NewReplacer("docker logs -f ", "docker logs ", "docker stop ", "docker inspect ").Replace(a.Command)
		cmd := exec.Command("sh", "-c", typed)
		cmd.Dir, cmd.Env = dir, h.env
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %s\n%v\n%s", a.Says, a.Command, err, tail(string(out)))
		}
		ran += a.Says + "\n"
	}
	for _, wanted := range []string{"list your SuperNodes", "show the federation", "list the runs", "follow the log of supernode_1", "stop supernode_1"} {
		if !strings.Contains(ran, wanted) {
			t.Errorf("the reference does not show how to %s:\n%s", wanted, ran)
		}
	}
}
