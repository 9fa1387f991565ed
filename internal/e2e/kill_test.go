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

// TestKill ends flwrup with SIGKILL at moments spread over the whole way, then runs the same command
// again: it must end as if nothing had happened. FLWRUP_KILLS says how many moments; twenty are the
// whole test, a few of them its sample.
func TestKill(t *testing.T) {
	kills, sample := 3, true
	if n, err := strconv.Atoi(os.Getenv("FLWRUP_KILLS")); err == nil && n > 0 {
		kills, sample = n, false
	}
	version, runtime := require.Newest, "process"
	if r := os.Getenv("FLWRUP_KILL_RUNTIME"); r != "" {
		runtime = r
	}
	if v := os.Getenv("FLWRUP_KILL_FLWR"); v != "" {
		version = v
	}
	h := newHome(t, version)
	args := func(dir string) []string {
		return []string{"rehearse", "--yes", "--json", "--nodes", "3", "--flwr", version, "--runtime", runtime, "--dir", dir}
	}
	// Once without a kill: how long is the way? The whole test first compiles what Python imports.
	if !sample {
		h.must(args(filepath.Join(h.dir, "warm"))...)
	}
	began := time.Now()
	h.must(args(filepath.Join(h.dir, "whole"))...)
	whole := time.Since(began)
	t.Logf("the whole way takes %.1f s", whole.Seconds())
	for i := range kills {
		moment := whole * time.Duration(2*i+1) / time.Duration(2*kills)
		t.Run(strconv.Itoa(int(moment.Milliseconds()))+"ms", func(t *testing.T) {
			h := *h
			h.t = t
			h.killAt(filepath.Join(h.dir, "kill"+strconv.Itoa(i)), moment, args)
		})
	}
}

func (h *home) killAt(dir string, moment time.Duration, args func(string) []string) {
	t := h.t
	cmd := h.command(context.Background(), args(dir)...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer h.run("down", "--dir", dir)
	time.Sleep(moment)
	if err := cmd.Process.Kill(); err != nil {
		t.Logf("it had ended before the kill: %v", err)
	}
	_ = cmd.Wait()
	keys, nodes := keyFiles(t, dir), ledgerNodes(t, dir)
	t.Logf("killed after %s: %d key files, %d node IDs in the ledger", moment, len(keys), len(nodes))

	// SuperNodes may go on; nothing else may.
	eventually(t, 15*time.Second, func() string {
		for pid, line := range processesOf(dir) {
			if !strings.Contains(line, "flower-supernode") && !strings.Contains(line, "flower-superexec") && !strings.Contains(line, "flwr-clientapp") {
				return "still acting after the kill: " + strconv.Itoa(pid) + " " + line
			}
		}
		return ""
	})

	got := parse(t, h.must(append(args(dir), "--keep")...).out)
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
	for name, before := range keys {
		if now, err := os.ReadFile(filepath.Join(dir, "keys", name)); err != nil || string(now) != before {
			t.Errorf("key file %s changed: %v", name, err)
		}
	}
	after := ledgerNodes(t, dir)
	for key, id := range nodes {
		if id != "" && after[key] != id {
			t.Errorf("the node ID of %s was %s, now %q", key, id, after[key])
		}
	}
	// A key that was registered twice, or a node whose ID was lost, would show as a fourth node.
	if n := flwrSays(t, h, dir, "online"); n != 3 {
		t.Errorf("flwr lists %d online nodes, 3 wanted", n)
	}
	for _, status := range []string{"registered", "offline", "unregistered"} {
		if n := flwrSays(t, h, dir, status); n != 0 {
			t.Errorf("flwr lists %d %s nodes, none wanted", n, status)
		}
	}
}

// keyFiles gives the pairs that are whole; a half-made one may still be completed.
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
