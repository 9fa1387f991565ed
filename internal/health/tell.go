package health

import (
	"cmp"
	"strings"
	"time"

	"flwrup/flwrexec"
	"flwrup/internal/front"
	"flwrup/internal/notify"
	"flwrup/internal/problem"
	"flwrup/internal/supernode"
)

// ToTell returns the part of an overview that people may have to hear of: SuperNodes that should be up, the grid, the
// runtime, the runs. say takes out of causes and remedies what must not leave this machine; waits has the runs whose log says
// that they wait for SuperNodes, with the words for it.
func ToTell(o front.Overview, at time.Time, say func(string) string, waits map[string]string) notify.Seen {
	s := notify.Seen{At: at, NoRuns: o.GridErr != nil || o.FromLogs}
	lost := func(t notify.Thing, p *problem.Problem, r *front.Remedy) notify.Thing {
		t.Stand, t.Code, t.Cause, t.Fix = notify.Gone, string(p.Code), say(p.Error()), say(p.Fix)
		if r != nil {
			if args := r.Args(); args != nil {
				t.Fix = "flwrup " + strings.Join(args, " ")
			}
		}
		return t
	}
	loggedOut := problem.Is(o.GridErr, problem.NotLoggedIn)
	for _, v := range o.Nodes {
		t := notify.Thing{What: notify.Node, Name: v.Name}
		switch {
		case v.Wanted != front.WantedUp:
			continue
		case o.RuntimeErr != nil:
		case works(v, loggedOut):
			t.Stand = notify.Well
		case v.Diagnosis == nil: // it is starting
		case o.GridErr != nil && !loggedOut && v.Runtime.State == supernode.Running && !IsSuspended(v.Runtime): // the grid is the trouble
		default:
			t = lost(t, v.Diagnosis, v.Remedy)
		}
		s.Things = append(s.Things, t)
	}
	for _, other := range o.Sites {
		for _, v := range other.Nodes {
			t := notify.Thing{What: notify.Node, Name: v.Name + " at " + cmp.Or(other.Title, other.Name)}
			switch {
			case o.GridErr != nil:
			case v.Grid == front.GridOnline:
				t.Stand = notify.Well
			case v.Diagnosis != nil:
				t = lost(t, v.Diagnosis, nil)
			}
			s.Things = append(s.Things, t)
		}
	}
	if !o.FromLogs {
		t := notify.Thing{What: notify.Grid, Stand: notify.Well}
		if o.GridErr != nil {
			t = lost(t, problem.Of(o.GridErr), o.Remedy)
		}
		s.Things = append(s.Things, t)
	}
	t := notify.Thing{What: notify.Runtime, Stand: notify.Well}
	if o.RuntimeErr != nil {
		t = lost(t, problem.Of(o.RuntimeErr), nil)
	}
	s.Things = append(s.Things, t)
	for _, r := range o.Runs {
		words, waiting := waits[r.ID]
		run := notify.SeenRun{ID: r.ID, App: r.App, Status: string(r.Status), Going: r.Status.Going(), Failed: r.Status.Failed(),
			Stopped: r.Status == front.RunStopped, Waits: waiting || r.Status == front.RunPending || r.Status == front.RunStarting, Over: r.Over}
		switch {
		case run.Going:
			run.Cause = words
		case r.Status == front.RunLost:
			run.Cause = "its grid ended under it"
		default:
			run.Cause = say(r.Details)
		}
		s.Runs = append(s.Runs, run)
	}
	return s
}

// works reports whether a SuperNode is as it should be, whatever else is said of it.
func works(v front.NodeView, loggedOut bool) bool {
	switch {
	case v.Engine != nil:
		return v.Grid == flwrexec.StatusOnline
	case v.Runtime.State != supernode.Running || IsSuspended(v.Runtime):
		return false
	}
	return v.Grid == flwrexec.StatusOnline || loggedOut && v.Diagnosis == nil
}
