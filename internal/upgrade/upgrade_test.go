package upgrade

import (
	"strings"
	"testing"

	"flwrup/internal/front"
	"flwrup/internal/ledger"
	"flwrup/internal/problem"
	"flwrup/internal/site"
	"flwrup/internal/sitetest"
)

func TestMain(m *testing.M) { sitetest.Main(m) }

// TestMake: the plan names who moves now, in the order in which they do, and who later; a cut-short upgrade is the default,
// on the connection that it was for.
func TestMake(t *testing.T) {
	grid := sitetest.NewGrid("1.41.0")
	s, _ := sitetest.Up(t, grid, 3)
	if err := site.NoteWanted(s, []string{"supernode_2"}, front.WantedDown); err != nil {
		t.Fatal(err)
	}
	p, err := Make(t.Context(), s, "1.42.0")
	if err != nil || p.Nothing() || p.From.String() != "1.41.0" || p.To.String() != "1.42.0" || named(p.Nodes) != "supernode_1, supernode_3" || named(p.Later) != "supernode_2" {
		t.Errorf("%+v, %v", p, err)
	}
	lines := strings.Join(p.Lines(s.Folder()), "\n")
	for _, says := range []string{"from flwr 1.41.0 to 1.42.0", "restart supernode_1,", "then restart supernode_3", "supernode_2 stays down", "Keys and node IDs stay"} {
		if !strings.Contains(lines, says) {
			t.Errorf("the plan lacks %q:\n%s", says, lines)
		}
	}
	if p, err := Make(t.Context(), s, "1.41.0"); err != nil || !p.Nothing() {
		t.Errorf("to the release at hand: %+v, %v", p, err)
	}
	for _, target := range []string{"1.2.3", "new"} {
		if _, err := Make(t.Context(), s, target); !problem.Is(err, problem.Usage) {
			t.Errorf("to %s: %v", target, err)
		}
	}
	for connection, open := range map[string]bool{"another": false, s.Choices().Grid.Connection: true} {
		id, err := s.Ledger.Begin(ledger.Intent{Op: ledger.Upgrade, From: "1.41.0", To: "1.42.0", Connection: connection})
		if err != nil {
			t.Fatal(err)
		}
		if p, err := Make(t.Context(), s, ""); err != nil || p.Open != open || open && p.To.String() != "1.42.0" {
			t.Errorf("an upgrade on %s: %+v, %v", connection, p, err)
		}
		if err := s.Ledger.Abandon(id, "of this test"); err != nil {
			t.Fatal(err)
		}
	}
}

// TestNewRecords: no SuperNode is touched where the grid knows none of them any more.
func TestNewRecords(t *testing.T) {
	grid := sitetest.NewGrid("1.42.0")
	s, _ := sitetest.Up(t, grid, 2)
	w := work{s: s, to: &sitetest.Heard{}}
	p := Plan{Nodes: []Node{{Name: "supernode_1"}}}
	if err := w.stillKnown(t.Context(), p); err != nil {
		t.Errorf("all are known: %v", err)
	}
	grid.Known = nil
	s.Forget()
	if err := w.stillKnown(t.Context(), p); !problem.Is(err, NewRecords) || !strings.Contains(problem.Of(err).Fix, "--connection NAME") {
		t.Errorf("none is known: %v", err)
	}
}
