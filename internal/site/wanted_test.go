package site

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"flwrup/internal/front"
	"flwrup/internal/ledger"
	"flwrup/internal/project"
)

func TestPortsAndWishesOfAnEarlierFlwrup(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "ledger.json")
	if err := os.WriteFile(file, []byte(`{"format": 1, "attestations": [
		{"what": "port supernode_1", "detail": "21001"},
		{"what": "wanted supernode_1", "detail": "down"}, {"what": "wanted supernode_2", "detail": "up"}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := ledger.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	s := &Site{Dir: dir, Ledger: l}
	s.choices.Store(project.Defaults(dir))

	port := func(name string) int {
		t.Helper()
		n, err := portOf(s, name)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := port("supernode_1"); n != 21001 {
		t.Errorf("port of before: %d", n)
	}
	if n := port("supernode_2"); n == 21001 || n != port("supernode_2") {
		t.Errorf("a new port: %d, then %d", n, port("supernode_2"))
	}
	if err := ForgetPort(s, "supernode_1"); err != nil || l.SuperNode("supernode_1").Port != 0 || Wanted(s, "supernode_1") != front.WantedDown {
		t.Errorf("%v: %+v", err, l.SuperNode("supernode_1"))
	}

	if err := NoteWanted(s, []string{"supernode_1", "supernode_2"}, front.WantedUp); err != nil {
		t.Fatal(err)
	}
	two := port("supernode_2")
	before := project.Defaults(dir)
	before.Federation = "@ada/lab"
	if err := leaveGridBehind(s, before); err != nil {
		t.Fatal(err)
	}
	if Wanted(s, "supernode_1") != front.WantedNone || Wanted(s, "supernode_2") != front.WantedNone || port("supernode_2") != two {
		t.Errorf("on another grid: %+v", l.Data().SuperNodes)
	}
	if d := l.Data(); len(d.Attestations) != 0 || !slices.ContainsFunc(d.Grids, func(g ledger.Grid) bool { return g.Federation == "@ada/lab" }) {
		t.Errorf("%+v", d)
	}
}
