package fleet

import (
	"context"
	"fmt"
	"strings"

	"flwrup/internal/front"
	"flwrup/internal/health"
	"flwrup/internal/problem"
	"flwrup/internal/procctl"
	"flwrup/internal/project"
	"flwrup/internal/site"
	"flwrup/internal/supernode"
	"flwrup/internal/wording"
)

// TearDown ends what a site started on this machine: its SuperNodes, a rehearsal's grid, and with remove the
// rehearsal's folder, if flwrup made that. What goes wrong does not stop the rest; all of it is reported.
func TearDown(ctx context.Context, s *site.Site, to front.Sink, remove bool) error {
	doing, rehearsal := "stopping the SuperNodes", OfRehearsal(s)
	if rehearsal {
		doing = "ending the rehearsal"
	}
	return site.InTurn(ctx, s, doing, to, func(to front.Sink) error {
		if remove && rehearsal {
			if err := usedByEngine(ctx, s); err != nil {
				return err
			}
		}
		return tearDown(ctx, s, to, remove)
	})
}

// OfRehearsal reports whether a folder is that of a rehearsal: with its grid, or of one of its sites.
func OfRehearsal(s *site.Site) bool {
	fleet := s.Choices().Grid.Fleet
	onThisMachine := fleet == "" || strings.HasPrefix(fleet, "127.0.0.1:")
	return s.Rehearsal() || s.Folder().Coordinated() && onThisMachine && project.Marked(s.Dir, "rehearsal")
}

// usedByEngine returns the Problem about a SuperNode that an engine runs on this Docker, from files in the folder that is
// about to go: nobody could end it by them any more, and it would call for its grid for ever.
func usedByEngine(ctx context.Context, s *site.Site) error {
	d := s.Ledger.Data()
	for _, n := range d.SuperNodes {
		w, is := health.RunBy(d, s.Folder(), n.Name)
		if !is || !w.Kind.OnDocker() {
			continue
		}
		states, err := site.States(ctx, s)
		if err != nil {
			return err
		}
		if st := states[n.Name].State; st != "" && st != supernode.Absent {
			return runElsewhere(w, "cannot end the rehearsal while "+n.Name+" runs")
		}
	}
	return nil
}

func tearDown(ctx context.Context, s *site.Site, to front.Sink, remove bool) error {
	var errs []error
	keep := func(doing string, err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", doing, err))
		}
	}
	if s.RuntimeKind() != "" {
		keep("end the SuperNodes", endNodes(ctx, s, to))
	}
	if remove {
		keep("remove the SuperNodes", clearLeftovers(ctx, s))
	}
	if s.Rehearsal() {
		keep("stop the grid", site.StopGrid(ctx, s, to))
	}
	if len(errs) == 0 && remove && OfRehearsal(s) {
		if !project.Marked(s.Dir, "rehearsal") {
			to.Event(front.Says{Text: s.Dir + " was there before flwrup: it stays, with all that is in it"})
		} else {
			keep("remove "+s.Dir, site.RemoveFolder(s))
		}
	}
	return problem.Join(errs...)
}

// endNodes stops every SuperNode of this site at once.
func endNodes(ctx context.Context, s *site.Site, to front.Sink) error {
	rt, err := s.NodesRuntime(ctx)
	if err != nil {
		return err
	}
	list, err := rt.List(ctx)
	if err != nil {
		return err
	}
	names := make([]string, 0, len(list))
	for _, st := range list {
		if w, is := health.RunBy(s.Ledger.Data(), s.Folder(), st.Name); is {
			to.Event(front.Says{Text: st.Name + " is left alone, " + string(w.Kind) + " runs it: " + w.End()})
		} else if st.ByHand == "" {
			names = append(names, st.Name)
		}
	}
	if err := site.NoteWanted(s, names, front.WantedDown); err != nil {
		return err
	}
	if len(names) > 0 {
		to.Event(front.Says{Text: fmt.Sprintf("stopping %d %s", len(names), wording.Plural(len(names), "SuperNode"))})
	}
	return site.Each(ctx, names, func(ctx context.Context, name string) error { return end(ctx, rt, name) })
}

// end stops a SuperNode. One that did not stop in time and was killed is down all the same.
func end(ctx context.Context, rt supernode.Runtime, name string) error {
	if err := rt.Stop(ctx, name, site.StopGrace); err != nil && !problem.Is(err, procctl.Killed) {
		return err
	}
	return nil
}

// clearLeftovers removes what any SuperNode of this site has on this machine besides its key files: also
// volumes whose container somebody removed by hand. It fails while any of it is left.
func clearLeftovers(ctx context.Context, s *site.Site) error {
	return site.EachUsed(ctx, s, func(rt supernode.Runtime) error {
		names, err := rt.Leftovers(ctx)
		if err != nil {
			return err
		}
		err = site.Each(ctx, names, func(ctx context.Context, name string) error {
			if err := end(ctx, rt, name); err != nil {
				return err
			}
			return rt.Remove(ctx, name)
		})
		if err != nil {
			return err
		}
		if names, err = rt.Leftovers(ctx); err == nil && len(names) > 0 {
			err = fmt.Errorf("still left: %s", strings.Join(names, ", "))
		}
		return err
	})
}
