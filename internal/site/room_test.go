package site

import (
	"fmt"
	"strings"
	"testing"

	"flwrup/internal/ledger"
	"flwrup/internal/problem"
	"flwrup/internal/project"
)

// TestTooMany: a rehearsal that the memory does not carry is refused before anything is made, with the number that it
// would carry; SuperNodes that are registered have their place.
func TestTooMany(t *testing.T) {
	s, err := Open(Options{Dir: t.TempDir(), Create: true, Rehearsal: true, Choose: func(c *project.Choices) { c.Nodes = 900 }})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	err = tooMany(s, 25, 2<<30)
	p := problem.Of(err)
	if p == nil || p.Code != problem.BadInput || !strings.Contains(p.Error(), "25 SuperNodes") || !strings.Contains(p.Fix, "--nodes") {
		t.Fatalf("%v", err)
	}
	var fits int
	if _, err := fmt.Sscanf(p.Fix, "rehearse with %d", &fits); err != nil || fits < 5 || tooMany(s, fits, 2<<30) != nil || tooMany(s, fits+1, 2<<30) == nil {
		t.Errorf("%d would fit: %s", fits, p.Fix)
	}
	for i := range 25 {
		if err := s.Ledger.Change(func(d *ledger.Data) error {
			return d.PutNode(ledger.Node{Key: fmt.Sprint(i), NodeID: fmt.Sprint(i + 1), State: ledger.Registered, Connection: s.Choices().Grid.Connection})
		}); err != nil {
			t.Fatal(err)
		}
	}
	if err := tooMany(s, 25, 1<<20); err != nil {
		t.Errorf("all are registered: %v", err)
	}

	if a, b := workInterval(3, 2), workInterval(25, 2); a != "0.20" || b <= a {
		t.Errorf("intervals %s, %s", a, b)
	}
}
