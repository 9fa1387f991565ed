//go:build linux

package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// inbox is a real webhook receiver on loopback.
type inbox struct {
	t       *testing.T
	url     string
	mu      sync.Mutex
	refuses int // so many of the next requests get a 503
	refused int
	ids     map[string]int // how often a message was taken, by its ID
	order   []string       // "lost supernode_1", in the order of arrival
}

func newInbox(t *testing.T) *inbox {
	in := &inbox{t: t, ids: map[string]int{}}
	srv := httptest.NewServer(in)
	t.Cleanup(srv.Close)
	in.url = srv.URL + "/flwrup"
	return in
}

func (in *inbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	text, err := io.ReadAll(r.Body)
	var m struct {
		ID, Title, Text string
		Attempt         int
		Entries         []struct{ Kind, What, Name, Cause, Fix string }
	}
	if err == nil {
		err = json.Unmarshal(text, &m)
	}
	if err != nil || r.Method != http.MethodPost || m.ID == "" || m.Title == "" || len(m.Entries) == 0 {
		in.t.Errorf("%s %s: %v", r.Method, text, err)
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.refuses > 0 {
		in.refuses--
		in.refused++
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	in.t.Logf("%s attempt %d: %s", time.Now().Format(time.TimeOnly), m.Attempt, m.Text)
	in.ids[m.ID]++
	for _, e := range m.Entries {
		name := e.Name
		if name == "" {
			name = e.What
		}
		in.order = append(in.order, e.Kind+" "+name)
		if strings.HasPrefix(e.Kind, "lost") && (e.Cause == "" || e.Fix == "") {
			in.t.Errorf("no cause or remedy: %+v", e)
		}
	}
}

// has is how often something arrived.
func (in *inbox) has(what string) (n int) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for _, have := range in.order {
		if have == what {
			n++
		}
	}
	return n
}

func (in *inbox) waits(within time.Duration, what string, times int) {
	in.t.Helper()
	eventually(in.t, within, func() string {
		if n := in.has(what); n < times {
			return fmt.Sprintf("%q arrived %d times, %d wanted", what, n, times)
		}
		return ""
	})
}

// TestNotify counts what arrives at a webhook while things are lost and come back on a real rehearsal: one and one, none
// twice, none lost, whatever happens to the watch meanwhile.
func TestNotify(t *testing.T) {
	t.Parallel() // it waits more than it works
	const version = "1.42.0"
	h := newHome(t, version)
	dir := filepath.Join(h.dir, "rehearsal")
	defer func() { h.run("down", "--yes", "--dir", dir) }()
	h.must("rehearse", "--yes", "--keep", "--nodes", "2", "--flwr", version, "--runtime", "process", "--dir", dir)
	began := time.Now()
	in := newInbox(t)
	file := filepath.Join(dir, "flwrup.toml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	set := strings.NewReplacer("\nwebhook = \"\"", "\nwebhook = \""+in.url+"\"", "\nafter = \"\"", "\nafter = \"6s\"").Replace(string(text))
	if err := os.WriteFile(file, []byte(set), 0o600); err != nil {
		t.Fatal(err)
	}
	if r := h.run("watch", "--test-notify", "--dir", dir); r.code != 3 || len(in.order) > 0 {
		t.Errorf("an address that nobody accepted: exit code %d, %v arrived", r.code, in.order)
	}
	h.must("trust", "--yes", "--dir", dir)
	h.must("watch", "--test-notify", "--dir", dir)
	if len(in.order) != 1 || !strings.HasPrefix(in.order[0], "test") {
		t.Errorf("the test message: %v", in.order)
	}

	w := h.watching(dir)
	killed := func() { // as the kernel does it, at any moment
		t.Helper()
		if err := w.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		<-w.read
		_ = w.cmd.Wait()
		w = h.watching(dir)
	}

	// status answers from the watch's last look, and never with something that flwrup itself has changed since
	asOf := func(args ...string) bool {
		t.Helper()
		return strings.Contains(h.must(append([]string{"status", "--json", "--dir", dir}, args...)...).out, `"as_of"`)
	}
	eventually(t, 30*time.Second, func() string {
		if !asOf() {
			return "the grid is asked all the same"
		}
		return ""
	})
	if asOf("--fresh") {
		t.Error("--fresh did not ask the grid")
	}
	h.must("stop", "supernode_2", "--dir", dir)
	if out := h.must("status", "--dir", dir).out; !strings.Contains(out, "stopped by you") {
		t.Errorf("status does not know of the stop:\n%s", out)
	}
	h.must("start", "supernode_2", "--dir", dir)
	if r := parse(t, h.must("status", "--json", "--dir", dir).out); len(r.Data.Nodes) != 2 || r.Data.Nodes[1].State != "running" {
		t.Errorf("status does not know of the start: %+v", r.Data)
	}

	// a SuperNode ends; the watch is killed while it is lost, and the next one brings it back
	end := func(name string) {
		t.Helper()
		if err := syscall.Kill(nodeProcess(t, h, dir, name), syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
	}
	end("supernode_1")
	in.waits(30*time.Second, "lost supernode_1", 1)
	killed()
	in.waits(60*time.Second, "back supernode_1", 1)

	// the machine sleeps, and meanwhile another one ends; the webhook is down at first
	in.mu.Lock()
	in.refuses = 2
	in.mu.Unlock()
	pid := nodeProcess(t, h, dir, "supernode_2")
	if err := w.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	time.Sleep(10 * time.Second)
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	time.Sleep(5 * time.Second)
	if in.has("lost supernode_2") > 0 || in.refused > 0 {
		t.Error("told while the watch slept")
	}
	if err := w.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	in.waits(60*time.Second, "lost supernode_2", 1)
	in.waits(60*time.Second, "back supernode_2", 1)
	if in.refused != 2 {
		t.Errorf("the webhook refused %d times", in.refused)
	}

	// the grid stops; the watch is killed again and again
	one := faults{home: h, dir: dir}
	if err := syscall.Kill(one.gridPID(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	in.waits(30*time.Second, "lost grid", 1)
	killed()
	time.Sleep(time.Second)
	killed()
	h.must("start", "--grid", "--dir", dir)
	in.waits(60*time.Second, "back grid", 1)
	eventually(t, 60*time.Second, func() string {
		if r := parse(t, h.run("status", "--json", "--dir", dir).out); r.Data.Online != 2 {
			return fmt.Sprintf("%d are online", r.Data.Online)
		}
		return ""
	})

	// a run
	h.must("run", "--detach", "--dir", dir)
	eventually(t, 90*time.Second, func() string {
		for _, what := range []string{"run-finished", "run-failed"} {
			for name := range maps.Keys(in.counts()) {
				if strings.HasPrefix(name, what+" ") {
					return ""
				}
			}
		}
		return "no run has ended"
	})
	time.Sleep(8 * time.Second) // a second message would come now
	w.end()

	counts := in.counts()
	t.Logf("%v in %s", counts, time.Since(began).Round(time.Second))
	for _, name := range []string{"supernode_1", "supernode_2", "grid"} {
		most := 1
		if name != "grid" {
			most = 2 // a SuperNode may take longer than six seconds to find a grid that is back: lost once more
		}
		lost, back := counts["lost "+name], counts["back "+name]
		if lost < 1 || lost > most || back != lost {
			t.Errorf("%s: lost %d times, back %d times", name, lost, back)
		}
	}
	alternates(t, in.order)
	for id, n := range in.ids {
		if n != 1 {
			t.Errorf("message %s arrived %d times", id, n)
		}
	}
	started, ended := 0, 0
	for what, n := range counts {
		switch kind, _, _ := strings.Cut(what, " "); kind {
		case "run-started":
			started += n
		case "run-finished", "run-failed":
			ended += n
		}
	}
	if started != 1 || ended != 1 {
		t.Errorf("the run started %d times and ended %d times", started, ended)
	}
	if took := time.Since(began); took > 3*time.Minute {
		t.Errorf("it took %s", took)
	}
}

func (in *inbox) counts() map[string]int {
	in.mu.Lock()
	defer in.mu.Unlock()
	counts := map[string]int{}
	for _, what := range in.order {
		counts[what]++
	}
	return counts
}

// alternates fails unless each thing was lost, back, lost, back.
func alternates(t *testing.T, order []string) {
	t.Helper()
	last := map[string]string{}
	for _, what := range order {
		kind, name, _ := strings.Cut(what, " ")
		if !slices.Contains([]string{"lost", "back"}, kind) {
			continue
		}
		if kind == last[name] || kind == "back" && last[name] == "" {
			t.Errorf("%s: %s after %q in %v", name, kind, last[name], order)
		}
		last[name] = kind
	}
}
