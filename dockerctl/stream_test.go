package dockerctl

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"flwrup/internal/safego"
	"flwrup/internal/supernode"
	"flwrup/internal/termsafe"
)

// follow sends a node's lines to a channel until the test ends.
func follow(t testing.TB, r *Runtime, name string, tail int) <-chan supernode.Line {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	got, done := make(chan supernode.Line, 1000), make(chan error, 1)
	safego.Go("follow", func(err error) { done <- err }, func() {
		done <- r.Logs(ctx, name, supernode.LogOptions{Follow: true, Tail: tail}, func(l supernode.Line) error {
			got <- l
			return nil
		})
	})
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("Logs ended with %v", err)
			}
		case <-time.After(10 * time.Second):
			t.Error("Logs did not end with its context")
		}
	})
	return got
}

func take(t testing.TB, from <-chan supernode.Line, n int) []string {
	t.Helper()
	var out []string
	for len(out) < n {
		select {
		case l := <-from:
			if l.Time.IsZero() {
				t.Errorf("line without a time: %+v", l)
			}
			out = append(out, l.Text)
		case <-time.After(20 * time.Second):
			t.Fatalf("after %q nothing more came", out)
		}
	}
	return out
}

// A follower that begins before the first start sees every line once: over a restart, a crash, a new
// container, lines without an end and lines in bursts.
func TestFollow(t *testing.T) {
	t.Parallel()
	r := real(t)
	s := node(t, r, "supernode_1", python(t, "app"), `
import os, sys, time
p = os.environ["HOME"] + "/count"
n = int(open(p).read()) + 1 if os.path.exists(p) else 1
open(p, "w").write(str(n))
for i in range(50): print(os.environ.get("SAY", "old"), n, i)
sys.stderr.write("no end")
`)
	got := follow(t, r, s.Name, -1)
	want := func(word string, n int) (out []string) {
		for i := range 50 {
			out = append(out, fmt.Sprint(word, " ", n, " ", i))
		}
		return append(out, "no end")
	}
	check := func(word string, n int) {
		t.Helper()
		start(t, r, s)
		lines := take(t, got, 51)
		// Docker keeps the order of each of the two streams, not between them.
		if i := slices.Index(lines, "no end"); i >= 0 {
			lines = append(slices.Delete(lines, i, i+1), "no end")
		}
		if !slices.Equal(lines, want(word, n)) {
			t.Fatalf("round %s %d: %q", word, n, lines)
		}
		ends(t, r)
	}
	check("old", 1)
	check("old", 2)
	s.Env = map[string]string{"SAY": "new"}
	check("new", 1) // its home was new as well
	time.Sleep(time.Second)
	select {
	case l := <-got:
		t.Fatalf("repeated: %+v", l)
	default:
	}
	if tail := take(t, follow(t, r, s.Name, 1), 1); !strings.HasPrefix(tail[0], "new 1 49") && tail[0] != "no end" {
		t.Errorf("%q", tail)
	}
}

// Hostile and huge output, without and with a terminal (the guide starts its nodes with -it).
func TestHostileLog(t *testing.T) {
	t.Parallel()
	r := real(t)
	const script = `
import sys
sys.stdout.write("\x1b]52;c;ZXZpbA==\x07\x1b[2Jplain \x1b[31mred\x1b[0m\n" + "x" * (1 << 20) + "\n" + "after\n")`
	s := node(t, r, "supernode_1", python(t, "app"), script)
	start(t, r, s)
	ends(t, r)
	name := s.Container + "-by-hand"
	byHand := docker(t, "run", "-d", "-t", "--name", name, s.Image, script) // of no project: known by its ID alone
	t.Cleanup(func() { docker(t, "rm", "-f", name) })
	docker(t, "wait", name)
	for _, n := range []string{s.Name, byHand} {
		got := lines(t, r, n, -1)
		if len(got) != 3 || got[0] != "plain red" || got[2] != "after" {
			t.Fatalf("%s: %d lines, %.80q", n, len(got), got)
		}
		if len(got[1]) > termsafe.MaxLine || !strings.HasPrefix(got[1], "xxxx") {
			t.Errorf("%s: long line of %d bytes: %.60q", n, len(got[1]), got[1])
		}
	}
}

func TestUsage(t *testing.T) {
	t.Parallel()
	r := real(t)
	s := node(t, r, "supernode_1", python(t, "app"), "b = bytearray(50 << 20)\nprint('busy')\nwhile True: pass")
	start(t, r, s)
	waitLine(t, r, s.Name, "busy")
	for range 2 {
		u, err := r.Usage(context.Background(), s.Name)
		if err != nil || u.CPU < 5 || u.CPU > 130 || u.Memory < 50<<20 || u.Memory > 100<<20 || time.Since(u.At) > time.Minute {
			t.Errorf("%+v %v", u, err)
		}
		time.Sleep(300 * time.Millisecond)
	}
	best := time.Hour
	for range 5 {
		began := time.Now()
		if _, err := r.Usage(context.Background(), s.Name); err != nil {
			t.Fatal(err)
		}
		best = min(best, time.Since(began))
		time.Sleep(300 * time.Millisecond)
	}
	if best > 900*time.Millisecond { // the daemon takes at least a second for two readings
		t.Errorf("a later reading took %v", best)
	}
}

func TestWatch(t *testing.T) {
	t.Parallel()
	r := real(t)
	ctx, cancel := context.WithCancel(context.Background())
	events, done := make(chan struct{}, 1000), make(chan error, 1)
	safego.Go("watch", func(err error) { done <- err }, func() { done <- r.Watch(ctx, func() { events <- struct{}{} }) })
	until := func(what string, ok func() bool) {
		t.Helper()
		for deadline := time.After(10 * time.Second); !ok(); {
			select {
			case <-events:
			case <-deadline:
				t.Fatalf("nobody said that %s", what)
			}
		}
	}
	s := node(t, r, "supernode_1", python(t, "app"), "import signal, sys, time; signal.signal(15, lambda *a: sys.exit(3)); time.sleep(100)")
	state := func(want supernode.State) func() bool {
		return func() bool { all, err := r.List(ctx); return err == nil && len(all) == 1 && all[0].State == want }
	}
	start(t, r, s)
	until("it runs", state(supernode.Running))
	docker(t, "kill", s.Container)
	until("it was killed", state(supernode.Stopped))
	if st := only(t, r); st.ExitCode != 137 || !strings.Contains(st.Reason, "SIGKILL") {
		t.Errorf("%+v", st)
	}
	cancel()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(5 * time.Second):
		t.Error("Watch did not end with its context")
	}
}

// The lines of Commands make the same container as Start.
func TestCommands(t *testing.T) {
	t.Parallel()
	r := real(t)
	script := `
import os
st = os.stat("/run/supernode/key")
print(oct(st.st_mode), st.st_uid, st.st_gid, len(open("/run/supernode/key").read()) > 100, os.stat("/run/supernode/ca.crt").st_size > 100)
os.makedirs(os.environ["FLWR_HOME"], exist_ok=True); print("it's", os.environ["WORD"], os.environ["TOKEN"], oct(os.stat("/run/supernode/env").st_mode))`
	s := node(t, r, "supernode_1", python(t, "app"), script)
	s.Restart = 1
	s.EnvFile = filepath.Join(t.TempDir(), "node's.env")
	write(t, s.EnvFile, "# ours\nTOKEN=a 'b\" $c")
	s.Secrets = map[string]string{"TOKEN": "a 'b\" $c"}
	s.Data = []supernode.Folder{{Host: filepath.Dir(s.EnvFile), Inside: "/data, too"}}
	s.CPUs, s.Memory = 1.5, 200<<20
	s.Env = map[string]string{"WORD": "Ada's \"$HOME\" `id`"}
	s.Labels["note"] = "two, words"
	look := func() (picture, log string) {
		t.Helper()
		ends(t, r)
		var all []struct {
			Path       string
			Args       []string
			Config     map[string]any
			HostConfig map[string]any
			Mounts     []map[string]any
		}
		if err := json.Unmarshal([]byte(docker(t, "inspect", s.Container)), &all); err != nil {
			t.Fatal(err)
		}
		c := all[0]
		delete(c.Config, "Hostname")
		if env, ok := c.Config["Env"].([]any); ok { // the docker command sends it in no fixed order
			slices.SortFunc(env, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
		}
		for _, m := range c.Mounts {
			delete(m, "Name")
			delete(m, "Source")
		}
		slices.SortFunc(c.Mounts, func(a, b map[string]any) int {
			return strings.Compare(fmt.Sprint(a["Destination"]), fmt.Sprint(b["Destination"]))
		})
		c.Config, _ = pruned(c.Config).(map[string]any)
		c.HostConfig, _ = pruned(c.HostConfig).(map[string]any)
		out, err := json.MarshalIndent(c, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		return string(out), strings.Join(lines(t, r, s.Name, -1), "; ")
	}
	start(t, r, s)
	want, log := look()
	if err := r.Remove(context.Background(), s.Name); err != nil {
		t.Fatal(err)
	}
	for _, line := range r.Commands(s) {
		if out, err := exec.Command("/bin/sh", "-c", line).CombinedOutput(); err != nil {
			t.Fatalf("%s\n%v %s", line, err, out)
		}
	}
	got, log2 := look()
	if got != want {
		a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
		for i := range min(len(a), len(b)) {
			if a[i] != b[i] {
				t.Errorf("by hand %s, by Start %s", a[i], b[i])
			}
		}
		t.Errorf("%d lines by hand, %d by Start", len(a), len(b))
	}
	once := "0o100400 49999 49999 True True; it's " + s.Env["WORD"] + " " + s.Secrets["TOKEN"] + " 0o100400; "
	if log != log2 || !strings.HasPrefix(log, once+once+"flwrup: gave up") {
		t.Errorf("by hand %q, by Start %q", log2, log)
	}
	start(t, r, s) // and flwrup takes it for its own
	if len(r.Commands(s)) != 7 {
		t.Errorf("%q", r.Commands(s))
	}
}

// pruned removes empty values: the docker command sends [] and {} where the client sends nothing.
func pruned(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, e := range v {
			if e = pruned(e); e != nil {
				out[k] = e
			}
		}
		if len(out) > 0 {
			return out
		}
		return nil
	case []any:
		var out []any
		for _, e := range v {
			out = append(out, pruned(e))
		}
		if len(out) > 0 {
			return out
		}
		return nil
	}
	return v
}
