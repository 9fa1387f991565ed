package steps

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"flwrup/flwrexec"
	"flwrup/internal/fleet"
	"flwrup/internal/front"
	"flwrup/internal/site"
	"flwrup/internal/supernode"
)

// start is step 13: each SuperNode runs, as a container or a process.
type start struct{}

func (start) ID() front.StepID { return front.StepStart }
func (start) Name() string     { return "Start" }
func (start) Title() string    { return "Start the SuperNodes" }
func (start) Why() string {
	return "Each SuperNode runs by itself and sees only its own key. As a container it has no rights on this machine: " +
		"not root, no capabilities, a read-only system. It connects out to the grid; nothing has to be opened in a firewall."
}

func (start) Inspect(ctx context.Context, s *site.Site) (front.Status, error) {
	list, _, err := site.Members(s)
	if err != nil {
		return front.Status{}, err
	}
	for _, m := range list {
		if !m.Known() {
			return front.Status{State: front.Blocked, By: front.StepRegister, Why: m.Name + " is not registered"}, nil
		}
	}
	if len(list) == 0 {
		return front.Status{State: front.Blocked, By: front.StepKeys, Why: "there are no keys yet"}, nil
	}
	if s.RuntimeKind() == "" {
		return front.Status{State: front.Blocked, By: front.StepTools, Why: "what the SuperNodes run in is not chosen yet"}, nil
	}
	states, err := site.States(ctx, s)
	if err != nil {
		return front.Status{}, err
	}
	f, err := s.Session(ctx)
	if err != nil {
		return blockedByFlwr(err)
	}
	st := front.Status{State: front.Ready, Of: len(list), Change: true}
	var byHand []string
	for _, m := range list {
		state := states[m.Name]
		item := front.Item{Name: m.Name, Text: string(state.State)}
		other := site.Elsewhere(s, state, f.Dialect())
		switch state.State {
		case supernode.Running:
			if other != "" {
				item.Text = "runs for the grid at " + other + ": it is stopped there first"
				break
			}
			item.State = front.ItemDone
			st.Done++
			if state.ByHand != "" {
				item.Text = "running, started by hand as " + state.ByHand
				byHand = append(byHand, m.Name)
			}
		case supernode.Stopped:
			if item.Text = "stopped"; state.ExitCode >= 0 { // else nobody saw it end
				item.Text += fmt.Sprintf(", exit code %d", state.ExitCode)
			}
		case "":
			item.Text = "not started"
		}
		st.Items = append(st.Items, item)
	}
	st.Short = fmt.Sprintf("%d/%d", st.Done, st.Of)
	st.Evidence = []string{fmt.Sprintf("%d of %d running as %s", st.Done, st.Of, runtimeText(s.RuntimeKind()))}
	if len(byHand) > 0 {
		st.Evidence = append(st.Evidence, "started by hand: "+strings.Join(byHand, ", "))
		st.Hints = append(st.Hints, "Nothing is started beside a SuperNode that runs with the same key. `flwrup restart "+byHand[0]+"` offers to replace it by flwrup's own.")
	}
	if st.Done == st.Of {
		st.State = front.Done
	} else if before, err := (confirmation{}).Inspect(ctx, s); err != nil {
		return before, err
	} else if before.State != front.Done {
		return front.Status{State: front.Blocked, By: front.StepConfirmation, Why: "the SuperNodes are not confirmed yet", Items: st.Items, Short: st.Short}, nil
	} else {
		var down []site.Member
		for _, m := range list {
			if states[m.Name].State != supernode.Running { // one that runs for another grid holds its own name and port
				down = append(down, m)
			}
		}
		found, err := fleet.Preflight(ctx, s, down)
		if err != nil {
			return st, err
		}
		fleet.ShowFindings(&st, found)
		st.Before = onceOnline(ctx, s, list)
	}
	return st, nil
}

// onceOnline tells whether the grid has seen each of the SuperNodes online: until then it calls it registered.
func onceOnline(ctx context.Context, s *site.Site, list []site.Member) bool {
	nodes, _, err := s.GridNodes(ctx, site.Fresh)
	seen := map[string]bool{}
	for _, n := range nodes {
		seen[n.ID.String()] = n.Status == flwrexec.StatusOnline || n.Status == flwrexec.StatusOffline
	}
	return err == nil && !slices.ContainsFunc(list, func(m site.Member) bool { return !seen[m.Record.NodeID] })
}

func (start) Plan(ctx context.Context, s *site.Site) ([]front.Action, error) {
	rt, err := s.NodesRuntime(ctx)
	if err != nil {
		return nil, err
	}
	list, _, err := site.Members(s)
	if err != nil {
		return nil, err
	}
	states, err := site.States(ctx, s)
	if err != nil {
		return nil, err
	}
	f, err := s.Session(ctx)
	if err != nil {
		return nil, err
	}
	var actions []front.Action
	said := map[string]bool{}
	for _, m := range list {
		other := site.Elsewhere(s, states[m.Name], f.Dialect())
		if states[m.Name].State == supernode.Running && other == "" {
			continue
		}
		if other != "" {
			actions = append(actions, front.Action{Says: "stop " + m.Name + ", which runs for the grid at " + other})
		}
		spec, err := site.Spec(ctx, s, m)
		if err != nil {
			return nil, err
		}
		for i, line := range rt.Commands(spec) {
			a := front.Action{Command: line, Flags: site.Explain(site.ShellWords(line))}
			if strings.HasPrefix(line, "mkdir ") { // flwrup's own script: its words are no flags of Docker's
				a.Flags = nil
			}
			if said[line] { // the same for all nodes
				continue
			}
			said[line] = true
			if i == 0 {
				a.Says = "start " + m.Name
			}
			actions = append(actions, a)
		}
	}
	return actions, nil
}

func (st start) Apply(ctx context.Context, s *site.Site, to front.Sink) error {
	list, _, err := site.Members(s)
	if err != nil {
		return err
	}
	return fleet.BringUp(ctx, s, list, to)
}

// Change asks for the settings that SuperNodes are started with.
func (start) Change(ctx context.Context, s *site.Site, to front.Sink) error {
	return fleet.ChangeSettings(ctx, s, nil, to)
}
