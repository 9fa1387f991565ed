package steps

import (
	"context"
	"fmt"
	"strings"
	"time"

	"flwrup/flwrexec"
	"flwrup/internal/fleet"
	"flwrup/internal/front"
	"flwrup/internal/health"
	"flwrup/internal/problem"
	"flwrup/internal/safego"
	"flwrup/internal/site"
	"flwrup/internal/sites"
	"flwrup/internal/supernode"
	"flwrup/internal/wording"
)

// online is step 14: the grid itself says that every SuperNode is there.
type online struct{}

func (online) ID() front.StepID { return front.StepOnline }
func (online) Name() string     { return "Online" }
func (online) Title() string    { return "Check that all are online" }
func (online) Why() string {
	return "A running SuperNode is not always online: with an old image or a wrong address it retries forever. What counts is what the grid says; flwrup compares it with the SuperNode's own log."
}

// Needs returns the start. Some may be online while others do not run.
func (online) Needs() []Need {
	return []Need{{Step: front.StepStart, Why: "the SuperNodes are not started yet", Begun: true}}
}

// Wants returns what the grid and the SuperNodes' own logs say.
func (online) Wants() Wants {
	return Wants{Status: health.ReadOverview | readOverview, Plan: site.ReadFlwr}
}

func (online) Inspect(p Snapshot) (front.Status, error) {
	o, started := p.Overview, p.Status(front.StepStart)
	if o.GridErr != nil {
		return front.Status{}, o.GridErr
	}
	if p.Keys.Err != nil {
		return front.Status{}, p.Keys.Err
	}
	st := front.Status{State: front.Ready, Of: len(o.Nodes), Done: o.Online, Before: onceOnline(&p)}
	differ := 0
	for _, n := range o.Nodes {
		item := front.Item{Name: n.Name, State: front.ItemWaiting, Text: string(n.Grid)}
		if n.Grid == flwrexec.StatusOnline && !health.IsSuspended(n.Runtime) {
			item.State = front.ItemDone
		} else if n.Diagnosis != nil {
			item.State, item.Text = front.ItemFailed, n.Diagnosis.Error()
		}
		if bad := p.OtherIDs[n.Name]; bad != nil {
			item.State, item.Text = front.ItemFailed, bad.Error()
			differ++
		}
		st.Items = append(st.Items, item)
	}
	st.Short = fmt.Sprintf("%d/%d", st.Done, st.Of)
	st.Evidence = []string{fmt.Sprintf("the grid calls %d of %d online", st.Done, st.Of)}
	if o.FromLogs {
		st.Evidence = []string{fmt.Sprintf("%d of %d online, by their own logs: only the coordinator can ask the grid", st.Done, st.Of)}
	}
	if differ > 0 {
		st.Evidence = append(st.Evidence, fmt.Sprintf("%d of them %s another node ID in the log than in the ledger", differ, map[bool]string{true: "has", false: "have"}[differ == 1]))
		return st, nil
	}
	if st.Done < st.Of {
		return st, nil
	}
	if p.Choices.NoneHere() {
		if st.Evidence = nil; len(o.Sites) == 0 {
			st.State, st.Person, st.Why, st.Deed = front.Waiting, true, "no site was admitted so far", "admit a site"
			return st, nil
		}
	} else if started.State != front.Done {
		// The grid believes in a node that died until it has missed its heartbeat.
		return front.Status{State: front.Blocked, By: front.StepStart, Why: "some SuperNodes are not running", Items: started.Items, Short: st.Short, Before: st.Before}, nil
	}
	var awaited []string
	st.State = front.Done
	for _, other := range o.Sites {
		st.Evidence = append(st.Evidence, fmt.Sprintf("%s: %d of %d online", other.Title, other.Online(), len(other.Nodes)))
		if other.Online() < len(other.Nodes) {
			awaited = append(awaited, other.Title)
			st.State, st.Why = front.Waiting, "waiting for "+strings.Join(awaited, ", ")
		}
		st.Done, st.Of = st.Done+other.Online(), st.Of+len(other.Nodes)
		for _, n := range other.Nodes {
			item := front.Item{Name: n.Name, State: front.ItemDone, Text: string(n.Grid)}
			if n.Diagnosis != nil {
				item.State, item.Text = front.ItemWaiting, n.Diagnosis.What
			}
			st.Items = append(st.Items, item)
		}
	}
	st.Short = fmt.Sprintf("%d/%d", st.Done, st.Of)
	if d := p.Membership.Value; p.Parts&site.ReadMembership != 0 && p.Membership.Err == nil {
		st.Evidence = append(st.Evidence, fmt.Sprintf("%s: %d %s, %d %s, %d %s", p.Choices.Federation,
			len(d.Members), wording.Plural(len(d.Members), "member"), len(d.Nodes), wording.Plural(len(d.Nodes), "node"), len(d.Runs), wording.Plural(len(d.Runs), "run")))
	}
	return st, nil
}

func (online) Plan(p Snapshot) ([]front.Action, error) {
	if p.Tool.Err != nil {
		return nil, p.Tool.Err
	}
	return []front.Action{p.Command("ask the grid", p.Dialect.NodesArgv(p.Connection()))}, nil
}

func (o online) Apply(ctx context.Context, s *site.Site, to front.Sink) error {
	if c := s.Choices(); c.NoneHere() && len(s.Ledger.Data().SitesOn(c.Grid.Connection)) == 0 {
		return sites.AdmitAsked(ctx, s, to, again(ctx, s, to))
	}
	limit := time.Now().Add(site.OnlineWithin)
	w := waiting{shown: map[string]string{}, tries: map[string]int{}, next: map[string]time.Time{}, no: map[string]*problem.Problem{}, before: map[string]int{}}
	for try := 0; ; try++ {
		st, err := o.look(ctx, s, to, &w)
		if err != nil {
			return err
		}
		if st.Done == st.Of || try > 0 { // an ID that is another node's never comes online here
			if err := health.MendIDs(ctx, s, to); err != nil || st.Done == st.Of {
				return err
			}
		}
		if time.Now().After(limit) || w.refused == st.Of-st.Done {
			return o.laggards(ctx, s, to, w.no)
		}
		if err := safego.Sleep(ctx, site.PollPause(s, try)); err != nil {
			return err
		}
	}
}

// waiting is what step 14 remembers between two looks.
type waiting struct {
	shown   map[string]string           // what was last told of each
	tries   map[string]int              // how often each was started again
	next    map[string]time.Time        // not before that
	no      map[string]*problem.Problem // the grid refused it again and again; Docker may go on trying
	before  map[string]int              // how often Docker had started each again before this step
	refused int                         // so many of those are not online
}

// refusals is how often a SuperNode has to be refused until that is the grid's last word.
const refusals = 2

// started notes that a SuperNode is started again: a refused one must not be hammered.
func (w *waiting) started(name string) {
	w.next[name] = time.Now().Add(3 * time.Second << w.tries[name])
	w.tries[name]++
}

// refusal says why the grid goes on refusing a SuperNode that it does not call online, nil when it does not:
// it is not confirmed, or not registered any more, and waiting does not change that soon.
func refusal(ctx context.Context, s *site.Site, n front.NodeView, w *waiting) *problem.Problem {
	if before, seen := w.before[n.Name]; !seen || n.Runtime.Restarts < before {
		w.before[n.Name] = n.Runtime.Restarts
	}
	if max(w.tries[n.Name], n.Runtime.Restarts-w.before[n.Name]) < refusals || n.Grid == flwrexec.StatusOnline {
		return nil
	}
	look := s.Look(ctx, site.Want{})
	p := flwrexec.DiagnoseNodeLog(site.SaidLately(ctx, s, n.Name), health.Hints(&look, n))
	if p != nil && p.Code != problem.NodeRefused && p.Code != flwrexec.NodeUnregistered {
		return nil
	}
	return p
}

// look asks grid and runtime once, tells what changed, and starts again what has ended.
func (o online) look(ctx context.Context, s *site.Site, to front.Sink, w *waiting) (front.Status, error) {
	view := health.States(ctx, s)
	if view.GridErr != nil && !problem.Is(view.GridErr, problem.Unreachable, problem.ServerError) {
		return front.Status{}, view.GridErr
	}
	if view.RuntimeErr != nil {
		return front.Status{}, view.RuntimeErr
	}
	st := front.Status{Done: view.Online, Of: len(view.Nodes)}
	w.refused = 0
	for _, n := range view.Nodes {
		state, text := front.ItemWorking, string(n.Grid)
		switch {
		case n.Engine != nil:
			if text = string(n.Grid) + ": " + n.Engine.Kind + " runs it, " + n.Engine.Start; n.Grid == flwrexec.StatusOnline {
				state, text = front.ItemDone, string(n.Grid)
			}
		case health.IsSuspended(n.Runtime):
			if text = "suspended: resuming it"; time.Now().Before(w.next[n.Name]) {
				break
			}
			w.started(n.Name)
			if err := startNamed(ctx, s, n.Name, to); err != nil {
				return st, err
			}
		case n.Grid == flwrexec.StatusOnline && (n.Runtime.State == supernode.Running || n.Runtime.State == supernode.Unknown):
			state = front.ItemDone
		case n.Grid == flwrexec.StatusOnline: // gone, and the grid has not noticed
			if n.Runtime.State != supernode.Stopped && !(n.Runtime.State == supernode.Absent && n.Wanted == front.WantedUp) { // those are not counted anyway
				st.Done--
			}
			fallthrough
		default:
			if w.no[n.Name] == nil {
				w.no[n.Name] = refusal(ctx, s, n, w)
			}
			if w.no[n.Name] != nil {
				state, text = front.ItemFailed, "the grid does not accept it"
				w.refused++
			} else if held := n.Runtime.State == supernode.Restarting; (held || n.Runtime.State == supernode.Stopped) && n.Grid != flwrexec.StatusOnline {
				text = "stopped: restarting it"
				if time.Now().Before(w.next[n.Name]) {
					text = "stopped: restarting it soon"
					break
				}
				w.started(n.Name)
				if held { // Docker's own pauses grow to a minute
					rt, err := s.NodesRuntime(ctx)
					if err != nil {
						return st, err
					}
					if err := rt.Stop(ctx, n.Name, site.StopGrace); err != nil {
						return st, err
					}
				}
				if err := startNamed(ctx, s, n.Name, to); err != nil {
					return st, err
				}
			}
		}
		if w.shown[n.Name] != text {
			w.shown[n.Name] = text
			to.Event(front.ItemChanged{Item: front.Item{Name: n.Name, State: state, Text: text}})
			to.Event(front.Progress{Label: "online", Done: int64(st.Done), Total: int64(st.Of)})
		}
	}
	return st, nil
}

// startNamed is startOne for a SuperNode of which only the name is at hand.
func startNamed(ctx context.Context, s *site.Site, name string, to front.Sink) error {
	m, err := site.MemberNamed(s, name)
	if err != nil {
		return err
	}
	rt, err := s.NodesRuntime(ctx)
	if err != nil {
		return err
	}
	return site.InTurn(ctx, s, front.StartNodes.Doing([]string{name}), to, func(to front.Sink) error {
		return fleet.StartOne(ctx, s, rt, m, to)
	})
}

// laggards names who is missing and why, with the end of each one's log.
func (online) laggards(ctx context.Context, s *site.Site, to front.Sink, refused map[string]*problem.Problem) error {
	view := health.Diagnosed(ctx, s, 0)
	var names []string
	var first *problem.Problem
	for _, n := range view.Nodes {
		if n.Grid == flwrexec.StatusOnline && !health.IsSuspended(n.Runtime) {
			continue
		}
		names = append(names, n.Name)
		text, why := string(n.Grid), n.Diagnosis
		if why == nil {
			why = refused[n.Name]
		}
		if why != nil {
			text = why.What
			if first == nil {
				first = why
			}
		}
		to.Event(front.ItemChanged{Item: front.Item{Name: n.Name, State: front.ItemFailed, Text: text}})
		for _, l := range site.LastLines(ctx, s, n.Name, 5) {
			to.Event(front.NodeLine{Line: l})
		}
	}
	p := problem.New(problem.NodeNotOnline, "not online: "+strings.Join(names, ", "),
		"neither the grid nor their logs say why", "read the log: flwrup logs "+names[0])
	if first != nil {
		p.Why, p.Fix = first.Error(), first.Fix
	}
	return p
}
