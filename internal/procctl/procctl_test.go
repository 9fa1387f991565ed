package procctl

import (
	"slices"
	"testing"
	"time"

	"flwrup/internal/supernode"
)

func TestCheckName(t *testing.T) {
	for name, good := range map[string]bool{
		"supernode_1": true, "a.b-c": true, "": false, "..": false, ".hidden": false, "a/b": false, "-x": false, "a b": false, "ü": false,
	} {
		if (checkName(name) == nil) != good {
			t.Errorf("%q: good %v", name, !good)
		}
	}
}

func TestParsePS(t *testing.T) {
	// As macOS 14 and procps-ng 4 print it.
	out := "    1     0     1 Ss    12345   3:04.50 Mon Nov 23 02:15:10 2026\n" +
		"54321   1 54321 SN 98304 1-02:03:04 Tue Dec  1 12:00:00 2026\n" +
		"  777   1   777 Z  0 00:00:00 Tue Dec  1 12:00:00 2026\nnonsense\n"
	got := parsePS([]byte(out))
	if len(got) != 3 {
		t.Fatalf("%d processes: %+v", len(got), got)
	}
	p := got[0]
	if p.pid != 1 || p.memory != 12345<<10 || p.cpu != 184500*time.Millisecond || p.ident != "Mon Nov 23 02:15:10 2026" ||
		!p.start.Equal(time.Date(2026, 11, 23, 2, 15, 10, 0, time.UTC)) {
		t.Errorf("%+v", p)
	}
	p = got[1]
	if p.pid != 54321 || p.ppid != 1 || p.pgid != 54321 || p.cpu != 26*time.Hour+3*time.Minute+4*time.Second || p.zombie {
		t.Errorf("%+v", p)
	}
	if !got[2].zombie {
		t.Errorf("%+v", got[2])
	}
}

func TestFamily(t *testing.T) {
	all := []process{
		{pid: 10, ppid: 1, pgid: 10}, {pid: 12, ppid: 11, pgid: 10}, {pid: 13, ppid: 1, pgid: 10}, // 11 has ended
		{pid: 14, ppid: 13, pgid: 14}, {pid: 15, ppid: 10, pgid: 10, zombie: true}, {pid: 20, ppid: 1, pgid: 20},
	}
	var pids []int
	for _, p := range family(all, 10) {
		pids = append(pids, p.pid)
	}
	slices.Sort(pids)
	if !slices.Equal(pids, []int{10, 12, 13, 14}) {
		t.Errorf("got %v", pids)
	}
}

func TestMark(t *testing.T) {
	at := time.Date(2026, 11, 23, 2, 15, 10, 0, time.FixedZone("", 3600))
	line := mark("supernode_1 started: x", at)
	if want := "=== flwrup 2026-11-23T01:15:10Z supernode_1 started: x\n"; line != want {
		t.Errorf("got %q", line)
	}
	if !markTime(line).Equal(at) || !markTime("INFO : x").IsZero() || !markTime("=== flwrup 2026 x").IsZero() {
		t.Error("time of a mark")
	}
	if !Began(mark("supernode_1 "+startWord+": /bin/flower-supernode", at)) ||
		Began(mark("asked process 12 to stop", at)) || Began("INFO : supernode_1 started: x") {
		t.Error("the mark of a start")
	}
}

func TestCommands(t *testing.T) {
	r, err := New(Options{Dir: "/p/a b/.flwrup/nodes", Project: "p"})
	if err != nil {
		t.Fatal(err)
	}
	got := r.Commands(supernode.Spec{Name: "supernode_1", KeyFile: "/p/a b/keys/k", Program: "/env/bin/flower-supernode",
		Env: map[string]string{"FLWR_TELEMETRY_ENABLED": "0"},
		Args: func(key, ca string) []string {
			return []string{"--superlink", "h:1", "--auth-supernode-private-key", key}
		}})
	want := []string{
		"mkdir -p '/p/a b/.flwrup/nodes/supernode_1/home'",
		"FLWR_HOME='/p/a b/.flwrup/nodes/supernode_1/home' FLWR_TELEMETRY_ENABLED=0 PYTHONUNBUFFERED=1 " +
			`PATH=/env/bin:"$PATH" nohup /env/bin/flower-supernode --superlink h:1 --auth-supernode-private-key '/p/a b/keys/k'` +
			" </dev/null >>'/p/a b/.flwrup/nodes/supernode_1/supernode.log' 2>&1 & echo $! >'/p/a b/.flwrup/nodes/supernode_1/pid'",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}
