package dash

import (
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"flwrup/internal/problem"
	"flwrup/internal/supernode"
	"flwrup/ui/style"
)

// TestHostsAreShown: the table says on which Docker host a SuperNode runs, and that a host is away, with the reason.
func TestHostsAreShown(t *testing.T) {
	o := five()
	o.Nodes, o.Online = o.Nodes[:3], 3
	for i := range o.Nodes {
		o.Nodes[i].Grid, o.Nodes[i].Diagnosis = "online", nil
		o.Nodes[i].Runtime = supernode.Status{State: supernode.Running, Image: "flwr/supernode:1.42.0", Ours: true}
	}
	o.Nodes[1].Runtime.Host = "gpu-box"
	p := problem.New("host-away", "Docker on 10.0.0.7 does not answer", "nothing answers ssh there", "make sure that the machine is on")
	o.Nodes[2].Runtime = supernode.Status{State: supernode.Unknown, Host: "ssh://ada@10.0.0.7/run/docker.sock", Away: p, Ours: true}
	o.Nodes[2].Diagnosis = p
	view := ansi.Strip(testModel(t, o, 140, 40, style.Options{}).View())
	for _, want := range []string{"3 of 3", "container", "gpu-box", "10.0.0.7", "! online", "Docker on 10.0.0.7 does not answer"} {
		if !strings.Contains(view, want) {
			t.Errorf("no %q:\n%s", want, view)
		}
	}
	if strings.Contains(view, "ssh://") {
		t.Errorf("an address is cut short to its machine:\n%s", view)
	}
}
