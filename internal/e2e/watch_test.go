//go:build linux

package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// TestWatch ends a SuperNode behind flwrup's back and has `flwrup watch` bring it back, beside one that a
// person stopped, which must stay down. FLWRUP_WATCH_KILL=1 kills it with SIGKILL, which the grid notices
// after about a minute; without, SIGTERM tells the grid at once.
func TestWatch(t *testing.T) {
	end := syscall.SIGTERM
	if os.Getenv("FLWRUP_WATCH_KILL") != "" {
		end = syscall.SIGKILL
	}
	const version = "1.24.0"
	h := newHome(t, version)
	dir := filepath.Join(h.dir, "rehearsal")
	defer h.run("down", "--dir", dir)
	h.must("rehearse", "--yes", "--json", "--keep", "--nodes", "2", "--flwr", version, "--runtime", "process", "--dir", dir)

	type event struct{ Event, Node, Text string }
	var mu sync.Mutex
	var events []event
	saw := func(kind, node string) bool {
		mu.Lock()
		defer mu.Unlock()
		for _, e := range events {
			if e.Event == kind && e.Node == node {
				return true
			}
		}
		return false
	}
	cmd := h.command(context.Background(), "watch", "--json", "--dir", dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	read := make(chan struct{})
	go func() {
		defer close(read)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			var e event
			if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
				t.Errorf("not one JSON object a line: %s", lines.Text())
			}
			t.Log(lines.Text())
			mu.Lock()
			events = append(events, e)
			mu.Unlock()
		}
	}()
	eventually(t, 20*time.Second, func() string {
		if !saw("watching", "") {
			return "the watch has not begun"
		}
		return ""
	})
	if r := h.run("watch", "--json", "--dir", dir); r.code != 1 || !strings.Contains(r.out, `"busy"`) {
		t.Errorf("a second watch: exit %d, %s", r.code, r.out)
	}

	h.must("stop", "supernode_2", "--dir", dir)
	pid := nodeProcess(t, h, dir, "supernode_1")
	began := time.Now()
	if err := syscall.Kill(pid, end); err != nil {
		t.Fatal(err)
	}
	eventually(t, 100*time.Second, func() string {
		if !saw("node-back", "supernode_1") {
			return "supernode_1 is not back"
		}
		return ""
	})
	t.Logf("back %.1f s after signal %d", time.Since(began).Seconds(), end)
	if now := nodeProcess(t, h, dir, "supernode_1"); now == pid {
		t.Error("supernode_1 has the number of the process that was ended")
	}
	if n := flwrSays(t, h, dir, "online"); n != 1 {
		t.Errorf("flwr calls %d online, 1 wanted", n)
	}
	if saw("node-restart", "supernode_2") || saw("node-down", "supernode_2") {
		t.Error("supernode_2 was stopped by a person, and the watch minds")
	}

	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	<-read
	if _ = cmd.Wait(); cmd.ProcessState.ExitCode() != 130 {
		t.Errorf("the watch ended with %s, 130 wanted", cmd.ProcessState)
	}
	if n := flwrSays(t, h, dir, "online"); n != 1 {
		t.Errorf("after the end of the watch flwr calls %d online, 1 wanted", n)
	}
}

// nodeProcess gives the process of a SuperNode that must be running and online.
func nodeProcess(t *testing.T, h *home, dir, name string) int {
	t.Helper()
	var status struct {
		Data struct {
			Nodes []struct {
				Name, Grid, State string
				ID                string `json:"runtime_id"`
			}
		}
	}
	text := h.must("status", "--json", "--dir", dir).out
	if err := json.Unmarshal([]byte(text), &status); err != nil {
		t.Fatal(err)
	}
	for _, n := range status.Data.Nodes {
		if pid, err := strconv.Atoi(n.ID); n.Name == name && n.Grid == "online" && n.State == "running" && err == nil {
			return pid
		}
	}
	t.Fatalf("%s is not online: %s", name, text)
	return 0
}
