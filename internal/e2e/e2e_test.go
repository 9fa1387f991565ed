//go:build linux

// Package e2e goes the whole way with the built binary on the real parts: the rehearsal grid, real flwr
// of several versions, a Docker daemon, real SuperNodes. Its tests run one after the other.
package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"flwrup/internal/require"
)

var binary string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "flwrup-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	binary = filepath.Join(dir, "flwrup")
	if out, err := exec.Command("go", "build", "-o", binary, "flwrup").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build: %v\n%s", err, out)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// home is a HOME for one test: a person's first day with flwrup. Only the cache is shared, where
// flwrup keeps its environments, so that each flwr is installed once, by flwrup itself.
type home struct {
	t    *testing.T
	dir  string
	env  []string
	flwr map[string]string // how a person types `supernode list`, by folder
}

func newHome(t *testing.T, versions ...string) *home {
	t.Helper()
	for _, v := range versions {
		require.Flwr(t, v)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	h := &home{t: t, dir: t.TempDir(), flwr: map[string]string{}}
	for _, v := range os.Environ() {
		switch name, _, _ := strings.Cut(v, "="); name {
		case "HOME", "XDG_CACHE_HOME", "FLWR_HOME", "VIRTUAL_ENV", "COLUMNS", "BROWSER":
		default:
			h.env = append(h.env, v)
		}
	}
	h.env = append(h.env, "HOME="+h.dir, "XDG_CACHE_HOME="+cache)
	return h
}

// result is how one call of flwrup ended.
type result struct {
	code     int
	out, err string
}

func (h *home) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Env, cmd.Dir = h.env, h.dir
	return cmd
}

// run runs flwrup to its end, five minutes at most.
func (h *home) run(args ...string) result {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	cmd := h.command(ctx, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	began := time.Now()
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		h.t.Fatalf("flwrup %s: %v", strings.Join(args, " "), err)
	}
	h.t.Logf("flwrup %s: exit %d after %.1f s", strings.Join(args, " "), cmd.ProcessState.ExitCode(), time.Since(began).Seconds())
	return result{cmd.ProcessState.ExitCode(), out.String(), errs.String()}
}

// must runs flwrup and fails the test when it does not exit with 0.
func (h *home) must(args ...string) result {
	h.t.Helper()
	r := h.run(args...)
	if r.code != 0 {
		h.t.Fatalf("flwrup %s: exit %d\n%s\n%s", strings.Join(args, " "), r.code, tail(r.out), tail(r.err))
	}
	return r
}

func tail(s string) string {
	if len(s) > 6000 {
		return "…" + s[len(s)-6000:]
	}
	return s
}

// rehearsal is the part of `flwrup rehearse --json` and `status --json` that tests look at.
type rehearsal struct {
	OK   bool
	Data struct {
		Online int
		Flwr   string
		Nodes  []struct {
			Name, NodeID, Fingerprint, Grid, State, RuntimeID, Host string
			Diagnosis                                               *struct{ Code, Message string }
		}
		Runs    []struct{ ID, Status string }
		Run     struct{ ID, Status string }
		Metrics map[string]map[string]float64
	}
	Error *struct{ Code, Message, Fix string }
}

func parse(t *testing.T, text string) rehearsal {
	t.Helper()
	// node_id and key_fingerprint have names of their own in JSON
	text = strings.NewReplacer(`"node_id"`, `"NodeID"`, `"key_fingerprint"`, `"Fingerprint"`, `"runtime_id"`, `"RuntimeID"`).Replace(text)
	var r rehearsal
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		t.Fatalf("not the JSON envelope: %v\n%s", err, tail(text))
	}
	return r
}

// flwrDoes runs a command of flwr itself in dir, with flags after the connection. How flwr is called there it takes
// from the `supernode list` that `flwrup plan --all` writes; the plan is asked once for each folder.
func (h *home) flwrDoes(dir, command, flags string) string {
	h.t.Helper()
	const list = " supernode list "
	if h.flwr[dir] == "" {
		for line := range strings.Lines(h.must("plan", "--all", "--dir", dir).out) {
			if strings.Contains(line, list) && !strings.HasPrefix(line, "#") {
				h.flwr[dir] = strings.TrimSpace(line)
			}
		}
	}
	cmd := exec.Command("sh", "-c", strings.Replace(h.flwr[dir], list, " "+command+" ", 1)+" "+flags)
	cmd.Dir, cmd.Env = dir, h.env
	out, err := cmd.CombinedOutput()
	if err != nil || h.flwr[dir] == "" {
		h.t.Fatalf("%s: %v\n%s", cmd, err, out)
	}
	return string(out)
}

// flwrSays asks flwr itself how many nodes have each status.
func (h *home) flwrSays(dir string) map[string]int {
	h.t.Helper()
	nodes := map[string]int{}
	for _, status := range nodeStatus.FindAllStringSubmatch(h.flwrDoes(dir, "supernode list", "--format json"), -1) {
		nodes[status[1]]++
	}
	return nodes
}

var nodeStatus = regexp.MustCompile(`"status": "([a-z]+)"`)

// processesOf returns the command lines of all processes that have dir in their arguments or environment.
func processesOf(dir string) map[int]string {
	found := map[int]string{}
	procs, _ := filepath.Glob("/proc/[0-9]*")
	for _, p := range procs {
		args, _ := os.ReadFile(filepath.Join(p, "cmdline"))
		env, _ := os.ReadFile(filepath.Join(p, "environ"))
		if len(args) > 0 && (bytes.Contains(args, []byte(dir)) || bytes.Contains(env, []byte(dir))) {
			pid, _ := strconv.Atoi(filepath.Base(p))
			if pid != os.Getpid() {
				found[pid] = string(bytes.ReplaceAll(args, []byte{0}, []byte{' '}))
			}
		}
	}
	return found
}

// eventually tries until check gives "", and fails the test with what it last gave.
func eventually(t *testing.T, within time.Duration, check func() string) {
	t.Helper()
	limit := time.Now().Add(within)
	for {
		wrong := check()
		if wrong == "" {
			return
		}
		if time.Now().After(limit) {
			t.Fatalf("still after %s: %s", within, wrong)
		}
		time.Sleep(200 * time.Millisecond)
	}
}
