//go:build linux

package e2e

import (
	"context"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"flwrup/internal/require"
)

// TestRotate gives SuperNodes new keys on a real grid and kills flwrup meanwhile, at FLWRUP_KILLS moments spread over the
// way. TestKill does the same with one kill, on the rehearsal that it has.
func TestRotate(t *testing.T) {
	n, err := strconv.Atoi(os.Getenv("FLWRUP_KILLS"))
	if err != nil || n < 1 {
		t.Skip("in TestKill with one kill; FLWRUP_KILLS=10 kills it ten times, in about 5 minutes")
	}
	runtime := "process"
	if r := os.Getenv("FLWRUP_KILL_RUNTIME"); r != "" {
		runtime = r
	}
	h := newHome(t, require.Newest)
	dir := filepath.Join(h.dir, "rehearsal")
	defer h.run("down", "--dir", dir)
	h.must("rehearse", "--yes", "--json", "--keep", "--nodes", "2", "--flwr", require.Newest, "--runtime", runtime, "--dir", dir)
	(&faults{home: h, dir: dir}).rotates(n, "supernode_1", "supernode_2")
}

// rotates has the last of names get a new key, once in peace and then with so many kills, each followed by the same
// command. names are all SuperNodes, which are online. The backup is verified before and after, and a run completes.
func (f *faults) rotates(kills int, names ...string) {
	t, h := f.t, f.home
	t.Helper()
	name := names[len(names)-1]
	f.verified("verified", 0)
	f.are(names...)
	old, gone := f.nodeID(name), h.flwrSays(f.dir)["unregistered"]
	ids, files := ledgerNodes(t, f.dir), keysBelow(t, f.dir)

	if r := h.run("rotate", name, "--dir", f.dir); r.code != 3 || !strings.Contains(r.out, old) || !strings.Contains(r.out, "never be registered again") {
		t.Errorf("nobody said yes: exit %d\n%s\n%s", r.code, r.out, r.err)
	}
	began := time.Now()
	h.must("rotate", name, "--yes", "--dir", f.dir)
	whole := time.Since(began)
	t.Logf("a rotation takes %.1f s", whole.Seconds())
	check := func() {
		t.Helper()
		f.are(names...)
		if id := f.nodeID(name); id == old || strings.Contains(f.federation, old) {
			t.Errorf("%s was node %s, now %s; the federation: %s", name, old, id, f.federation)
		}
		for key, id := range ids {
			if now := ledgerNodes(t, f.dir)[key]; now != id {
				t.Errorf("the key %s has node ID %q, before %q", key, now, id)
			}
		}
		now := keysBelow(t, f.dir)
		for text, file := range files {
			if now[text] == "" {
				t.Errorf("the key %s is lost", file)
			}
		}
		said := h.flwrSays(f.dir)
		if said["online"] != len(names) || said["registered"]+said["offline"] > 0 || said["unregistered"] <= gone {
			t.Errorf("flwr lists %v", said)
		}
		old, gone, ids, files = f.nodeID(name), said["unregistered"], ledgerNodes(t, f.dir), now
	}
	check()
	for i := range kills {
		moment := whole * time.Duration(2*i+1) / time.Duration(2*kills)
		ctx, end := context.WithTimeout(context.Background(), moment)
		cmd := h.command(ctx, "rotate", name, "--yes", "--dir", f.dir) // killed when ctx ends
		killed := cmd.Run() != nil
		end()
		t.Logf("killed after %d ms: %v", moment.Milliseconds(), killed)
		for key, id := range ledgerNodes(t, f.dir) {
			ids[key] = id
		}
		for text, file := range keysBelow(t, f.dir) {
			files[text] = file
		}
		if killed {
			h.must("rotate", name, "--yes", "--dir", f.dir)
		}
		check()
	}
	f.verified("verified", 0)
	if r := h.must("run", "--json", "--dir", f.dir); !strings.Contains(r.out, `"finished:completed"`) {
		t.Errorf("the run after the rotation: %s", tail(r.out))
	}

	backups, err := filepath.Glob(filepath.Join(f.dir, "keys-backup-*.age"))
	if err != nil || len(backups) == 0 {
		t.Fatalf("%v: %v", backups, err)
	}
	text, err := os.ReadFile(backups[len(backups)-1])
	if err != nil {
		t.Fatal(err)
	}
	damaged := filepath.Join(t.TempDir(), "damaged.age")
	if err := os.WriteFile(damaged, text[:len(text)-7], 0o600); err != nil {
		t.Fatal(err)
	}
	f.verified("unreadable", 1, damaged)
	f.verified("incomplete", 1, backups[0])
}

// verified has flwrup verify a backup.
func (f *faults) verified(verdict string, code int, files ...string) {
	f.t.Helper()
	r := f.home.run(append([]string{"backup", "--verify", "--json", "--dir", f.dir}, files...)...)
	var got struct{ Data []struct{ Verdict string } }
	if err := json.Unmarshal([]byte(r.out), &got); err != nil || r.code != code || len(got.Data) != 1 || got.Data[0].Verdict != verdict {
		f.t.Errorf("%s wanted: exit %d, %v\n%s", verdict, r.code, err, tail(r.out))
	}
}

// keysBelow returns the names of the private keys in the folder of keys and in those below it, by content.
func keysBelow(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(filepath.Join(dir, "keys"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(d.Name(), ".") || strings.HasSuffix(path, ".pub") {
			return err
		}
		text, err := os.ReadFile(path)
		found[string(text)] = d.Name()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
