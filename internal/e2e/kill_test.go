//go:build linux

package e2e

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"flwrup/internal/require"
)

// TestKill ends flwrup with SIGKILL on its way and runs the same command again: it must end as if nothing had
// happened. CI kills one rehearsal three times: while keys are made, among the registrations, and in its run. SuperNodes
// of that rehearsal are then removed and added, and one gets a new key. FLWRUP_KILLS=20 is the whole test: so many moments spread over the way,
// each on a way of its own (docs/testing.md).
func TestKill(t *testing.T) {
	version, runtime := require.Newest, "process"
	if r := os.Getenv("FLWRUP_KILL_RUNTIME"); r != "" {
		runtime = r
	}
	if v := os.Getenv("FLWRUP_KILL_FLWR"); v != "" {
		version = v
	}
	k := &kills{home: newHome(t, version)}
	k.env = append(k.env, "PATH="+filepath.Dir(binary)+":"+os.Getenv("PATH"))
	k.args = []string{"rehearse", "--yes", "--json", "--nodes", "3", "--flwr", version, "--runtime", runtime, "--dir"}
	if n, err := strconv.Atoi(os.Getenv("FLWRUP_KILLS")); err == nil && n > 0 {
		k.spread(n)
		return
	}

	dir := filepath.Join(k.dir, "rehearsal")
	defer k.run("down", "--dir", dir)
	for _, at := range []struct {
		what string
		come func(events string) bool
	}{
		{"keys are made", func(string) bool {
			public, _ := filepath.Glob(filepath.Join(dir, "keys", "client_credentials_*.pub"))
			return len(public) > 0
		}},
		{"nodes are registered", func(string) bool { return len(ledgerNodes(t, dir)) > 0 }},
		{"the run goes on", func(events string) bool { return strings.Contains(events, `{"event":"run",`) }},
	} {
		if !k.killed(dir, at.come) {
			t.Errorf("it had ended before: %s", at.what)
		}
	}
	k.ends(dir)
	if version == require.Newest { // older ones have no federation that SuperNodes are taken out of
		f := &faults{home: k.home, dir: dir}
		f.removeAndAdd()
		f.rotates(1, "supernode_2", "supernode_3", "supernode_4")
	}
}

// kills is a rehearsal that is killed, and what it had made by then.
type kills struct {
	*home
	args        []string          // without the folder
	keys, nodes map[string]string // contents by file, node IDs by key fingerprint
}

// spread kills at n moments spread over the whole way, each in a folder of its own.
func (k *kills) spread(n int) {
	k.must(append(k.args, filepath.Join(k.dir, "warm"))...) // compiles what Python imports
	began := time.Now()
	k.must(append(k.args, filepath.Join(k.dir, "whole"))...)
	whole := time.Since(began)
	k.t.Logf("the whole way takes %.1f s", whole.Seconds())
	for i := range n {
		moment := whole * time.Duration(2*i+1) / time.Duration(2*n)
		k.t.Run(strconv.Itoa(int(moment.Milliseconds()))+"ms", func(t *testing.T) {
			h := *k.home
			h.t = t
			one, dir := &kills{home: &h, args: k.args}, filepath.Join(h.dir, "kill"+strconv.Itoa(i))
			defer h.run("down", "--dir", dir)
			began := time.Now()
			if !one.killed(dir, func(string) bool { return time.Since(began) > moment }) {
				t.Log("it had ended before the kill")
			}
			one.ends(dir)
		})
	}
}

// killed starts the rehearsal in dir, kills it when its moment has come, and reports whether it had not ended before.
func (k *kills) killed(dir string, come func(events string) bool) bool {
	t := k.t
	t.Helper()
	events, err := os.Create(filepath.Join(t.TempDir(), "events"))
	if err != nil {
		t.Fatal(err)
	}
	defer events.Close()
	cmd := k.command(context.Background(), append(k.args, dir)...)
	cmd.Stderr = events
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	eventually(t, 5*time.Minute, func() string {
		text, _ := os.ReadFile(events.Name())
		select {
		case <-ended:
			return ""
		default:
		}
		if !come(string(text)) {
			return "the moment does not come:\n" + tail(string(text))
		}
		return ""
	})
	alive := cmd.Process.Kill() == nil
	<-ended
	k.kept(dir)
	k.keys, k.nodes = keyFiles(t, dir), ledgerNodes(t, dir)
	t.Logf("killed: %d key files, %d node IDs in the ledger", len(k.keys), len(k.nodes))

	// SuperNodes may go on; nothing else may.
	eventually(t, 15*time.Second, func() string {
		for pid, line := range processesOf(dir) {
			if !strings.Contains(line, "flower-supernode") && !strings.Contains(line, "flower-superexec") && !strings.Contains(line, "flwr-clientapp") {
				return "still acting after the kill: " + strconv.Itoa(pid) + " " + line
			}
		}
		return ""
	})
	return alive
}

// kept fails the test where a key file or a node ID differs from those at the last kill.
func (k *kills) kept(dir string) {
	k.t.Helper()
	for name, before := range k.keys {
		if now, err := os.ReadFile(filepath.Join(dir, "keys", name)); err != nil || string(now) != before {
			k.t.Errorf("key file %s changed: %v", name, err)
		}
	}
	after := ledgerNodes(k.t, dir)
	for key, id := range k.nodes {
		if id != "" && after[key] != id {
			k.t.Errorf("the node ID of %s was %s, now %q", key, id, after[key])
		}
	}
}

// ends runs the same command once more, which ends as if nothing had happened.
func (k *kills) ends(dir string) {
	t := k.t
	t.Helper()
	got := parse(t, k.must(append(k.args, dir, "--keep")...).out)
	if !got.OK || got.Data.Online != 3 || len(got.Data.Nodes) != 3 {
		t.Errorf("three nodes online wanted, got %+v", got.Data)
	}
	completed := 0
	for _, r := range got.Data.Runs {
		if r.Status == "finished:completed" {
			completed++
		}
	}
	if completed == 0 {
		t.Errorf("no completed run: %+v", got.Data.Runs)
	}
	k.kept(dir)
	// A key that was registered twice, or a node whose ID was lost, would show as a fourth node.
	said := k.flwrSays(dir)
	if n := said["online"]; n != 3 {
		t.Errorf("flwr lists %d online nodes, 3 wanted", n)
	}
	for _, status := range []string{"registered", "offline", "unregistered"} {
		if n := said[status]; n != 0 {
			t.Errorf("flwr lists %d %s nodes, none wanted", n, status)
		}
	}
}

// keyFiles returns the pairs that are whole; a half-made one may still be completed.
func keyFiles(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	files, _ := filepath.Glob(filepath.Join(dir, "keys", "client_credentials_*"))
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		found[filepath.Base(f)] = string(text)
	}
	return found
}

// ledgerNodes gives node IDs by key fingerprint.
func ledgerNodes(t *testing.T, dir string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, ".flwrup", "ledger.json"))
	if os.IsNotExist(err) {
		return nil
	}
	var data struct {
		Nodes []struct {
			Key    string `json:"key"`
			NodeID string `json:"node-id"`
		} `json:"nodes"`
	}
	if err == nil {
		err = json.Unmarshal(text, &data)
	}
	if err != nil {
		t.Fatalf("ledger after the kill: %v\n%s", err, text)
	}
	found := map[string]string{}
	for _, n := range data.Nodes {
		found[n.Key] = n.NodeID
	}
	return found
}
