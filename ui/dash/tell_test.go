package dash

import (
	"strings"
	"testing"
	"time"

	"flwrup/internal/front"
	"flwrup/internal/health"
	"flwrup/internal/notify"
	"flwrup/internal/problem"
	"flwrup/internal/supernode"
	"flwrup/ui/style"
)

// The terminal hears once that a SuperNode is lost, and once that it is back; nothing where the person wants none.
func TestTerminalHearsOnce(t *testing.T) {
	for _, kind := range []string{"", notify.TerminalOff} {
		o := five()
		o.Nodes = o.Nodes[:2]
		for i := range o.Nodes {
			o.Nodes[i].Wanted, o.Nodes[i].Grid, o.Nodes[i].Runtime, o.Nodes[i].Diagnosis = front.WantedUp, front.GridOnline, supernode.Status{State: supernode.Running}, nil
		}
		m := testModel(t, o, 120, 24, style.Options{NoColor: true})
		m.src.(*world).notify = notify.Settings{After: "1m", Terminal: kind}
		now := noon
		m.now = func() time.Time { return now }
		see := func(looks int) (told []string) {
			for range looks {
				now = now.Add(10 * time.Second)
				o := o
				o.GridAt = now
				for _, got := range sent(m.Update(overviewMsg{model: m, o: o, grid: true})) {
					if tell, is := got.(Tell); is {
						for _, e := range tell.Entries {
							told = append(told, string(e.Kind)+" "+e.Name)
						}
					}
				}
			}
			return told
		}
		all := see(3)
		well := o.Nodes[1]
		o.Nodes[1].Grid, o.Nodes[1].Runtime = front.GridOffline, supernode.Status{State: supernode.Stopped}
		o.Nodes[1].Diagnosis = problem.New(health.NodeEnded, "it has ended", "", "")
		all = append(all, see(100)...)
		o.Nodes[1] = well
		all = append(all, see(100)...)
		want := "lost " + well.Name + ", back " + well.Name
		if kind == notify.TerminalOff {
			want = ""
		}
		if got := strings.Join(all, ", "); got != want {
			t.Errorf("%q: heard %q, want %q", kind, got, want)
		}
	}
}
