package dash

import (
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"flwrup/internal/front"
	"flwrup/internal/supernode"
	"flwrup/ui/style"
)

// TestEngineIsShown: the dashboard says who runs a SuperNode in flwrup's place, where, and what to type there.
func TestEngineIsShown(t *testing.T) {
	o := five()
	o.Nodes = o.Nodes[:2]
	o.Online = 2
	o.Nodes[0].Engine = &front.Engine{Kind: "compose", Dir: "flwrup-export/compose", Start: "cd x && docker compose up -d supernode-1", Stop: "cd x && docker compose stop supernode-1", Logs: "cd x && docker compose logs"}
	o.Nodes[1].Engine = &front.Engine{Kind: "kubernetes", Dir: "k8s", Start: "kubectl scale"}
	o.Nodes[1].Runtime = supernode.Status{State: supernode.Absent}
	m := testModel(t, o, 140, 40, style.Options{})
	view := ansi.Strip(m.View())
	for _, want := range []string{"2 of 2", "compose", "kubernetes", "run by", "compose (flwrup-export/compose)", "docker compose up -d supernode-1"} {
		if !strings.Contains(view, want) {
			t.Errorf("no %q:\n%s", want, view)
		}
	}
	m.Update(press("down"))
	if view := ansi.Strip(m.View()); !strings.Contains(view, "kubernetes (k8s)") || strings.Contains(view, "not started") || strings.Contains(view, "not here") {
		t.Errorf("the second:\n%s", view)
	}
}
