package dockerctl

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"

	"flwrup/internal/problem"
	"flwrup/internal/safego"
	"flwrup/internal/supernode"
	"flwrup/internal/termsafe"
)

func frame(stream byte, text string) []byte {
	head := make([]byte, 8)
	head[0] = stream
	binary.BigEndian.PutUint32(head[4:], uint32(len(text)))
	return append(head, text...)
}

const (
	t1 = "2026-09-01T10:00:00.000000001Z "
	t2 = "2026-09-01T10:00:00.000000002Z "
)

func TestReadFrames(t *testing.T) {
	piece := strings.Repeat("a", pieceSize)
	for name, c := range map[string]struct {
		in   [][]byte
		want []string
	}{
		"lines":             {[][]byte{frame(1, t1+"a\n"), frame(2, t2+"b\n")}, []string{"1 a", "2 b"}},
		"empty line":        {[][]byte{frame(1, t1+"\n")}, []string{"1 "}},
		"no time":           {[][]byte{frame(1, "plain text\n")}, []string{"- plain text"}},
		"no end":            {[][]byte{frame(2, t1+"Traceback")}, []string{"1 Traceback"}},
		"cut by Docker":     {[][]byte{frame(1, t1+piece), frame(1, t2+piece), frame(1, t2+"c\n")}, []string{"1 " + (piece + piece + "c")[:maxKept]}},
		"interleaved":       {[][]byte{frame(1, t1+piece), frame(2, t2+"err\n"), frame(1, t2+"bbb\n")}, []string{"2 err", "1 " + piece + "bbb"}},
		"next program":      {[][]byte{frame(1, t1+"Killed"), frame(1, t2+"start\n")}, []string{"1 Killed", "2 start"}},
		"carriage return":   {[][]byte{frame(1, t1+"a\r\n")}, []string{"1 a"}},
		"space in the text": {[][]byte{frame(1, t1+"a b  c\n")}, []string{"1 a b  c"}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			err := readFrames(bytes.NewReader(bytes.Join(c.in, nil)), func(at time.Time, text string) error {
				mark := "-"
				if !at.IsZero() {
					mark = fmt.Sprint(at.Nanosecond())
				}
				got = append(got, mark+" "+text)
				return nil
			})
			if err != nil || !slices.Equal(got, c.want) {
				t.Fatalf("got %q, %v; want %q", got, err, c.want)
			}
		})
	}
}

func TestReadFramesBroken(t *testing.T) {
	none := func(time.Time, string) error { return nil }
	whole := frame(1, t1+"abc\n")
	for name, in := range map[string][]byte{
		"head cut": whole[:5], "text cut": whole[:len(whole)-2], "not frames": []byte("hello, this is a terminal\r\n"),
		"daemon's error": frame(3, "error from daemon in stream"),
	} {
		if err := readFrames(bytes.NewReader(in), none); !errors.Is(err, errCut) {
			t.Errorf("%s: %v", name, err)
		}
	}
	stop := errors.New("stop")
	if err := readFrames(bytes.NewReader(whole), func(time.Time, string) error { return stop }); !errors.Is(err, stop) {
		t.Error(err)
	}
}

// endless repeats chunk until it has sent left bytes.
type endless struct {
	left, at int
	chunk    []byte
}

func (e *endless) Read(p []byte) (int, error) {
	if e.left <= 0 {
		return 0, errors.New("over")
	}
	n := copy(p, e.chunk[e.at:])
	e.at = (e.at + n) % len(e.chunk)
	e.left -= n
	return n, nil
}

func TestReadFramesBounded(t *testing.T) {
	for name, chunk := range map[string][]byte{
		"one line in many frames": frame(1, t1+strings.Repeat("x", 16<<10)),
		"frames of 8 MiB":         frame(1, t1+strings.Repeat("x", 8<<20)),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_ = readFrames(&endless{left: 64 << 20, chunk: chunk}, func(time.Time, string) error { return nil })
		runtime.ReadMemStats(&after)
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 1<<20 {
			t.Errorf("%s: 64 MiB took %d bytes", name, grown)
		}
	}
	// One frame of 1 MiB, then another line.
	var got []string
	in := append(frame(1, t1+strings.Repeat("x", 1<<20)+"\n"), frame(1, t2+"next\n")...)
	err := readFrames(bytes.NewReader(in), func(_ time.Time, text string) error { got = append(got, termsafe.Line(text)); return nil })
	if err != nil || len(got) != 2 || len(got[0]) > termsafe.MaxLine || got[1] != "next" {
		t.Fatalf("%d lines, %v", len(got), err)
	}
}

func TestReadRaw(t *testing.T) {
	var got []string
	in := t1 + "a\r\n" + t2 + strings.Repeat("y", 100<<10) + "\r\n" + t2 + "last"
	err := readRaw(strings.NewReader(in), func(at time.Time, text string) error {
		got = append(got, fmt.Sprint(at.Nanosecond(), " ", len(text), " ", text[:1]))
		return nil
	})
	want := []string{"1 1 a", fmt.Sprint("2 ", maxKept, " y"), "2 4 l"}
	if err != nil || !slices.Equal(got, want) {
		t.Fatalf("got %q, %v; want %q", got, err, want)
	}
}

func TestPullSum(t *testing.T) {
	var s pullSum
	ev := func(id, status string, done, total int64) pullEvent {
		e := pullEvent{ID: id, Status: status}
		e.Progress.Current, e.Progress.Total = done, total
		return e
	}
	for i, c := range []struct {
		e           pullEvent
		done, total int64
		changed     bool
	}{
		{ev("", "Pulling from flwr/supernode", 0, 0), 0, 0, false},
		{ev("a", "Already exists", 0, 0), 0, 0, false},
		{ev("b", "Downloading", 10, 100), 10, 100, true},
		{ev("c", "Downloading", 5, 50), 15, 150, true},
		{ev("b", "Download complete", 0, 0), 105, 150, true},
		{ev("b", "Extracting", 50, 100), 0, 0, false},
		{ev("b", "Pull complete", 0, 0), 0, 0, false},
		{ev("c", "Pull complete", 0, 0), 150, 150, true},
	} {
		p, changed := s.add(c.e)
		if changed != c.changed || changed && (p.Done != c.done || p.Total != c.total) {
			t.Errorf("%d: %+v %v", i, p, changed)
		}
	}
}

func TestUsageFigures(t *testing.T) {
	at := time.Unix(100, 0)
	for _, c := range []struct {
		before, now reading
		want        float64
	}{
		{reading{at, 0}, reading{at.Add(time.Second), 5e8}, 50},
		{reading{at, 1e9}, reading{at.Add(2 * time.Second), 5e9}, 200},
		{reading{at, 5}, reading{at, 6}, 0},
		{reading{at, 9}, reading{at.Add(time.Second), 6}, 0},
		{reading{}, reading{at, 6}, 0},
	} {
		if got := cpuPercent(c.before, c.now); got != c.want {
			t.Errorf("%v %v: %v", c.before, c.now, got)
		}
	}
	for _, c := range []struct {
		m    container.MemoryStats
		want uint64
	}{
		{container.MemoryStats{Usage: 100}, 100},
		{container.MemoryStats{Usage: 100, Stats: map[string]uint64{"total_inactive_file": 30, "inactive_file": 10}}, 70},
		{container.MemoryStats{Usage: 100, Stats: map[string]uint64{"inactive_file": 10}}, 90},
		{container.MemoryStats{Usage: 100, Stats: map[string]uint64{"inactive_file": 200}}, 100},
	} {
		if got := memory(c.m); got != c.want {
			t.Errorf("%v: %d", c.m, got)
		}
	}
}

func TestTagVersion(t *testing.T) {
	for in, want := range map[string]string{
		"flwr/supernode:1.42.0-py3.13-ubuntu24.04": "1.42.0", "flwr/supernode:1.24.0": "1.24.0", "flwr/supernode": "",
		"flwr/supernode:latest": "", "me/other:1.2.3": "", "localhost:5000/flwr/supernode:1.26.1": "1.26.1", "flwr/supernode:1.42.0@sha256:00": "1.42.0",
	} {
		if got := tagVersion(in); got != want {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
}

func TestUIDIn(t *testing.T) {
	const passwd = "root:x:0:0::/root:/bin/sh\napp:x:49999:49999::/app:/bin/sh\nbroken:x\nother:x:abc:1::\n"
	for user, want := range map[string]int{"app": 49999, "root": -1, "broken": -1, "other": -1, "none": -1} {
		uid, ok := uidIn(passwd, user)
		if !ok {
			uid = -1
		}
		if uid != want {
			t.Errorf("%s: %d", user, uid)
		}
	}
}

func TestFamily(t *testing.T) {
	for in, want := range map[string]string{
		"NAME=x\nID=debian\n": "debian", "ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n": "debian", "ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n": "fedora",
		"ID=arch": "arch", "ID=alpine": "alpine", "ID=\"opensuse-leap\"\nID_LIKE=\"suse opensuse\"": "suse", "ID=nixos": "", "": "",
	} {
		if got := family(in); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
}

func TestSpecHash(t *testing.T) {
	dir := t.TempDir()
	ca := filepath.Join(dir, "ca.crt")
	write(t, ca, "one")
	base := supernode.Spec{Name: "supernode_1", Container: "c", Image: "i", CAFile: ca, Env: map[string]string{"A": "1", "B": "2"},
		Labels: map[string]string{"fingerprint": "f"}, Restart: 3,
		Args: func(key, ca string) []string { return []string{"--key", key, "--ca", ca} }}
	h := SpecHash(base)
	if h != SpecHash(base) || len(h) != 16 {
		t.Fatal(h)
	}
	for name, change := range map[string]func(*supernode.Spec){
		"args":  func(s *supernode.Spec) { s.Args = func(key, ca string) []string { return []string{key} } },
		"image": func(s *supernode.Spec) { s.Image = "j" },
		"env":   func(s *supernode.Spec) { s.Env = map[string]string{"A": "1"} },
		"key":   func(s *supernode.Spec) { s.Labels = map[string]string{"fingerprint": "g"} },
		"net":   func(s *supernode.Spec) { s.HostNetwork = true },
		"rm":    func(s *supernode.Spec) { s.AutoRemove = true },
		"tries": func(s *supernode.Spec) { s.Restart = 4 },
		"name":  func(s *supernode.Spec) { s.Container = "d" },
		"data":  func(s *supernode.Spec) { s.Data = []supernode.Folder{{Host: "/a", Inside: "/b"}} },
		"cpus":  func(s *supernode.Spec) { s.CPUs = 1 },
		"mem":   func(s *supernode.Spec) { s.Memory = 1 },
		"pids":  func(s *supernode.Spec) { s.PIDs = 100 },
		"tmp":   func(s *supernode.Spec) { s.Tmp = 1 << 20 },
		"gpus":  func(s *supernode.Spec) { s.GPUs = "all" },
		"vars":  func(s *supernode.Spec) { s.EnvNames = []string{"A"} },
		"no ca": func(s *supernode.Spec) { s.CAFile = "" },
	} {
		s := base
		if change(&s); SpecHash(s) == h {
			t.Errorf("%s: the same hash", name)
		}
	}
	more := base
	if more.Sharers = 7; SpecHash(more) != h {
		t.Error("another number of SuperNodes would replace the container")
	}
	later := base
	later.Labels = map[string]string{"fingerprint": "f", "node-id": "123"}
	if SpecHash(later) != h {
		t.Error("a node ID learnt later would make the container anew")
	}
	write(t, ca, "two")
	if SpecHash(base) == h {
		t.Error("another CA: the same hash")
	}
}

// Every SuperNode has bounds, and together they leave something of the machine.
func TestBounds(t *testing.T) {
	const takes, gib = 190 << 20, int64(1 << 30)
	for _, c := range []struct {
		total int64
		n     int
		want  int64
	}{
		{16 * gib, 1, 16 * gib / 10 * 9}, {16 * gib, 0, 16 * gib / 10 * 9}, {16 * gib, 4, 16 * gib / 10 * 9 / 4},
		{4 * gib, 50, takes + appRoom}, {gib / 4, 1, gib / 4 / 10 * 9}, {0, 3, 0},
	} {
		if got := share(c.total, c.n, takes); got != c.want {
			t.Errorf("%d of %d: %d, want %d", c.n, c.total, got, c.want)
		}
	}
	r := &Runtime{memory: 10 * gib}
	for _, c := range []struct {
		spec supernode.Spec
		want bounds
	}{
		{supernode.Spec{Sharers: 3}, bounds{3 * gib, defaultPIDs, defaultTmp}},
		{supernode.Spec{Memory: gib, PIDs: 100, Tmp: 5}, bounds{gib, 100, 5}},
		{supernode.Spec{Memory: supernode.Unlimited, PIDs: supernode.Unlimited}, bounds{0, -1, defaultTmp}},
	} {
		if got := boundsFor(r, c.spec); got != c.want {
			t.Errorf("%+v: %+v, want %+v", c.spec, got, c.want)
		}
	}
}

func TestCommandsMacOS(t *testing.T) {
	r := &Runtime{project: "p", at: endpoint{host: "unix:///x y/docker.sock", from: "found"}, cli: offline(t).cli}
	got := r.commands(supernode.Spec{Name: "supernode_1", Container: "supernode_1", Image: "flwr/supernode:1.42.0", KeyFile: "/Users/Ada B/keys/k"}, "darwin")
	want := "tar --uid 49999 --gid 49999 --uname '' --gname '' -s '|.*|key|' -C '/Users/Ada B/keys' -chf - ./k" +
		" | docker --host 'unix:///x y/docker.sock' cp - supernode_1:/run/supernode"
	if len(got) != 3 || got[1] != want {
		t.Fatalf("%s\nwant\n%s", strings.Join(got, "\n"), want)
	}
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestBackoff(t *testing.T) {
	b := backoff{first: time.Second, most: 3 * time.Second}
	got := []time.Duration{b.next(), b.next(), b.next()}
	b.reset()
	got = append(got, b.next())
	if !slices.Equal(got, []time.Duration{time.Second, 2 * time.Second, 3 * time.Second, time.Second}) {
		t.Fatal(got)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := safego.Sleep(ctx, time.Hour); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}

// A line that pip would take for an option never reaches the build; no daemon is asked.
func TestBuildRefusesOptions(t *testing.T) {
	for _, line := range []string{"-r /etc/passwd", "--index-url https://evil.example", "-e .", "numpy --pre", "numpy\n--pre", "https://evil.example/x.whl"} {
		err := (&Runtime{}).Build(t.Context(), ImageBuild{Packages: []string{"numpy>=1", line}}, func(string) {})
		if !problem.Is(err, problem.BadInput) || problem.Of(err).Fix == "" {
			t.Errorf("%q: %v", line, err)
		}
	}
}
