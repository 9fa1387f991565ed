//go:build linux

package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// watched ends a SuperNode behind flwrup's back and has `flwrup watch` bring it back, next to one that a
// person stopped, which must stay down. FLWRUP_WATCH_KILL=1 kills it with SIGKILL, which the grid notices
// after about a minute; without, SIGTERM tells the grid at once.
func (h *home) watched(dir string) {
	t := h.t
	t.Helper()
	end := syscall.SIGTERM
	if os.Getenv("FLWRUP_WATCH_KILL") != "" {
		end = syscall.SIGKILL
	}
	w := h.watching(dir)
	if r := h.run("watch", "--json", "--dir", dir); r.code != 1 || !strings.Contains(r.out, `"busy"`) {
		t.Errorf("a second watch: exit %d, %s", r.code, r.out)
	}

	h.must("stop", "supernode_2", "--dir", dir)
	pid := nodeProcess(t, h, dir, "supernode_1")
	began := time.Now()
	if err := syscall.Kill(pid, end); err != nil {
		t.Fatal(err)
	}
	w.waits(100*time.Second, "node-back", "supernode_1")
	t.Logf("back %.1f s after signal %d", time.Since(began).Seconds(), end)
	if now := nodeProcess(t, h, dir, "supernode_1"); now == pid {
		t.Error("supernode_1 has the number of the process that was ended")
	}
	if n := h.flwrSays(dir)["online"]; n != 1 {
		t.Errorf("flwr calls %d online, 1 wanted", n)
	}
	if w.saw("node-restart", "supernode_2") || w.saw("node-down", "supernode_2") {
		t.Error("supernode_2 was stopped by a person, and the watch minds")
	}

	w.end()
	if n := h.flwrSays(dir)["online"]; n != 1 {
		t.Errorf("after the end of the watch flwr calls %d online, 1 wanted", n)
	}
	h.remembered(dir)
}

// watching is a `flwrup watch --json` that runs during a test.
type watching struct {
	t      *testing.T
	cmd    *exec.Cmd
	read   chan struct{}
	mu     sync.Mutex
	events []watchEvent
}

type watchEvent struct{ Event, Node, Text, Code string }

// watching starts it, and waits until it has begun.
func (h *home) watching(dir string) *watching {
	h.t.Helper()
	w := &watching{t: h.t, cmd: h.command(context.Background(), "watch", "--json", "--dir", dir), read: make(chan struct{})}
	out, err := w.cmd.StdoutPipe()
	if err != nil {
		h.t.Fatal(err)
	}
	if err := w.cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = w.cmd.Process.Kill(); <-w.read })
	go func() {
		defer close(w.read)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			var e watchEvent
			if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
				h.t.Errorf("not one JSON object a line: %s", lines.Text())
			}
			h.t.Log(lines.Text())
			w.mu.Lock()
			w.events = append(w.events, e)
			w.mu.Unlock()
		}
	}()
	w.waits(20*time.Second, "watching", "")
	return w
}

// times is how often it told of an event.
func (w *watching) times(kind, node string) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range w.events {
		if e.Event == kind && e.Node == node {
			n++
		}
	}
	return n
}

func (w *watching) saw(kind, node string) bool { return w.times(kind, node) > 0 }

func (w *watching) waits(within time.Duration, kind, node string) {
	w.t.Helper()
	eventually(w.t, within, func() string {
		if !w.saw(kind, node) {
			return strings.TrimSpace("the watch has not told of " + kind + " " + node)
		}
		return ""
	})
}

// end ends it as Ctrl-C does.
func (w *watching) end() {
	w.t.Helper()
	if err := w.cmd.Process.Signal(os.Interrupt); err != nil {
		w.t.Fatal(err)
	}
	<-w.read
	if _ = w.cmd.Wait(); w.cmd.ProcessState.ExitCode() != 130 {
		w.t.Errorf("the watch ended with %s, 130 wanted", w.cmd.ProcessState)
	}
}

// nodeProcess returns the process of a SuperNode that must be running and online.
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
