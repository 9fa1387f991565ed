package steps

import (
	"context"
	"fmt"
	"strings"

	"flwrup/flwrexec"
	"flwrup/internal/fit"
	"flwrup/internal/fleet"
	"flwrup/internal/front"
	"flwrup/internal/health"
	"flwrup/internal/problem"
	"flwrup/internal/site"
)

// Finding is one thing that Doctor looked at: a step, the grid, what runs here, a SuperNode.
type Finding struct {
	What    string           // "3 Tools", "supernode_2"
	Step    front.StepID     // 0: a SuperNode
	State   front.State      // of a step; of a SuperNode Done where all is well with it, Unknown, else Ready
	Stands  front.Severity   // how well it stands
	Says    []string         // what was found, one fact a line
	Problem *problem.Problem // nil: nothing is wrong, though there may be something to do yet
	Remedy  *front.Remedy    // of Problem; nil when only its Fix helps
}

// Doctor looks at all that can be wrong, in the order in which one thing needs the other: the 16 steps
// as they stand now, then each SuperNode. It changes nothing. each gets the findings as they come.
func Doctor(ctx context.Context, s *site.Site, each func(Finding)) {
	ctx = flwrexec.OneLook(ctx)
	s.Forget()
	s.Forget(site.ReadNetwork)
	said := map[string]bool{} // a grid that is away stops many steps with the same words
	l := NewLook(s)
	for _, st := range way(s.Folder()) {
		if st.ID() == front.StepFederation && site.WorkedBefore(s) {
			_, _, _ = s.AllNodes(ctx, site.Fresh) // what it says depends on the login
		}
		if ctx.Err() != nil {
			return
		}
		each(examine(ctx, l, st, said))
	}
	o := health.Diagnosed(ctx, s, site.Fresh)
	each(releases(s, o.Fit))
	for _, n := range o.Nodes {
		f := Finding{What: n.Name, State: front.Ready, Stands: o.SeverityOf(n), Says: []string{nodeSays(n)}, Problem: n.Diagnosis, Remedy: n.Remedy}
		switch f.Stands {
		case front.OK:
			f.State = front.Done
		case front.NotKnown:
			f.State = front.Unknown
		}
		each(f)
	}
}

// examine is Doctor for one step; said holds the troubles of earlier findings.
func examine(ctx context.Context, l *Look, st Step, said map[string]bool) Finding {
	status, err := l.inspect(ctx, st.ID())
	if waits, ok := l.behindLogin(ctx, st.ID(), status, err); ok {
		status, err = waits, nil
	}
	f := Finding{What: fmt.Sprintf("%d %s", st.ID(), st.Name()), Step: st.ID(), State: status.State, Stands: status.Severity(), Says: status.Evidence}
	if status.Why != "" {
		f.Says = append(f.Says, status.Why)
	}
	for _, item := range status.Items {
		if item.State == front.ItemFailed {
			f.Says = append(f.Says, item.Name+": "+item.Text)
		}
	}
	f.Says = append(f.Says, status.Hints...)
	if err == nil {
		return f
	}
	p := problem.Of(health.GridProblem(l.s, site.WithNetwork(ctx, l.s, err)))
	f.State = front.Blocked
	if key := string(p.Code) + p.Why; said[key] {
		f.Stands = front.NotKnown
		f.Says = append(f.Says, "for the same reason")
	} else {
		said[key] = true
		f.Stands, f.Problem = front.Failing, p
	}
	return f
}

// releases is Doctor for the releases of flwr.
func releases(s *site.Site, f front.Fit) Finding {
	says, wrong := fit.Says(s, f)
	if wrong != nil {
		return Finding{What: "releases", State: front.Ready, Stands: front.Failing, Says: says, Problem: wrong}
	}
	return Finding{What: "releases", State: front.Done, Stands: front.OK, Says: says}
}

// nodeSays is a SuperNode's state in one line: what the grid says, and what runs here.
func nodeSays(n front.NodeView) string {
	facts := []string{"grid: " + fleet.OrUnknown(string(n.Grid)), "here: " + fleet.OrUnknown(string(n.Runtime.State))}
	if n.NodeID != "" {
		facts = append(facts, "node ID "+n.NodeID)
	}
	return strings.Join(facts, ", ")
}
