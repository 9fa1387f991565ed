//go:build linux

package e2e

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// removeAndAdd takes SuperNodes out of a real federation and off a real grid, adds others, brings one back, and kills
// flwrup in the middle of a removal. Before, a rehearsal brought three SuperNodes online.
func (f *faults) removeAndAdd() {
	t, h := f.t, f.home
	t.Helper()
	ids := ledgerNodes(t, f.dir)

	third := f.nodeID("supernode_3")
	h.must("remove", "supernode_3", "--dir", f.dir)
	f.are("supernode_1", "supernode_2")
	if strings.Contains(f.federation, third) {
		t.Error("supernode_3 was removed and is in the federation")
	}
	h.must("add", "--dir", f.dir)
	f.are("supernode_1", "supernode_2", "supernode_4") // 3 is not given again
	h.must("add", "supernode_3", "--dir", f.dir)
	f.are("supernode_1", "supernode_2", "supernode_3", "supernode_4")
	kept := func() {
		t.Helper()
		for key, id := range ids {
			if now := ledgerNodes(t, f.dir)[key]; now != id {
				t.Errorf("the key %s has node ID %q, before %q", key, now, id)
			}
		}
	}
	kept()
	if n := h.flwrSays(f.dir)["online"]; n != 4 {
		t.Errorf("flwr calls %d online, 4 wanted", n)
	}

	if r := h.run("remove", "supernode_1", "--unregister", "--dir", f.dir); r.code != 3 || !strings.Contains(r.out, "can never be registered again") {
		t.Errorf("nobody said yes: exit %d\n%s\n%s", r.code, r.out, r.err)
	}
	f.are("supernode_1", "supernode_2", "supernode_3", "supernode_4")
	cmd := h.command(t.Context(), "remove", "supernode_1", "--unregister", "--yes", "--dir", f.dir)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, 20*time.Second, func() string { // what it is about to do is on disk first
		if ledger, _ := os.ReadFile(filepath.Join(f.dir, ".flwrup", "ledger.json")); strings.Contains(string(ledger), `"unregister"`) {
			return ""
		}
		return "no intent in the ledger"
	})
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	unfinished := false
	for _, n := range f.status().Data.Nodes {
		unfinished = unfinished || n.Name == "supernode_1" && n.Diagnosis != nil && n.Diagnosis.Code == "node-removal-unfinished"
	}
	if !unfinished {
		t.Errorf("killed in the middle, and status says: %+v", f.last.Data.Nodes)
	}
	f.mend("supernode_1")
	f.are("supernode_2", "supernode_3", "supernode_4")
	kept() // also the key of the unregistered one
	if n := h.flwrSays(f.dir)["unregistered"]; n != 1 {
		t.Errorf("flwr calls %d unregistered, 1 wanted", n)
	}
	if r := h.run("add", "supernode_1", "--json", "--dir", f.dir); r.code != 1 || !strings.Contains(r.out, `"node-unregistered"`) {
		t.Errorf("a burnt one is added: exit %d\n%s", r.code, tail(r.out))
	}
}

// are holds the SuperNodes of status, and the number in the federation as flwr lists it, against names.
func (f *faults) are(names ...string) {
	f.t.Helper()
	var got []string
	for _, n := range f.status().Data.Nodes {
		if got = append(got, n.Name); n.Grid != "online" || n.State != "running" {
			f.t.Errorf("%s is %s and %s", n.Name, n.Grid, n.State)
		}
	}
	if !slices.Equal(got, names) {
		f.t.Errorf("status lists %v, %v wanted", got, names)
	}
	f.federation = f.flwrDoes(f.dir, "federation list", "--federation @ada/rehearsal --format json")
	for _, n := range f.last.Data.Nodes {
		if !strings.Contains(f.federation, n.ID) {
			f.t.Errorf("%s is not in the federation", n.Name)
		}
	}
}
