package steps

import (
	"cmp"
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
	return "Each SuperNode runs on its own and sees only its own key. As a container it has no rights on this machine: no root, no capabilities, a read-only system. It connects out to the grid; you do not open anything in a firewall."
}

// Needs returns the confirmation: the grid lets nobody else in.
func (start) Needs() []Need {
	return []Need{{Step: front.StepConfirmation, Why: "the SuperNodes are not confirmed yet", UnlessDone: true}}
}

// Wants returns what runs here, and what would keep the others from starting.
func (start) Wants() Wants {
	parts := site.ReadKeys | site.ReadFlwr | site.ReadStates
	return Wants{Status: parts, Ready: site.ReadNodes | readPreflight, Plan: parts | readStarting}
}

func (start) Inspect(p Snapshot) (front.Status, error) {
	if p.Keys.Err != nil {
		return front.Status{}, p.Keys.Err
	}
	for _, m := range p.SuperNodes {
		if !m.Known() {
			return front.Status{State: front.Blocked, By: front.StepRegister, Why: m.Name + " is not registered"}, nil
		}
	}
	if len(p.SuperNodes) == 0 {
		return front.Status{State: front.Blocked, By: front.StepKeys, Why: "there are no keys yet"}, nil
	}
	if p.Kind == "" {
		return front.Status{State: front.Blocked, By: front.StepTools, Why: "choose first what the SuperNodes run in"}, nil
	}
	if p.States.Err != nil {
		return front.Status{}, p.States.Err
	}
	if p.Tool.Err != nil {
		return blockedByFlwr(p.Tool.Err)
	}
	st := front.Status{State: front.Ready, Of: len(p.SuperNodes), Change: true}
	var byHand []string
	for _, m := range p.SuperNodes {
		item := runningItem(&p, m)
		if item.State == front.ItemDone {
			st.Done++
			if m.Runtime.ByHand != "" {
				byHand = append(byHand, m.Name)
			}
		}
		st.Items = append(st.Items, item)
	}
	st.Short = fmt.Sprintf("%d/%d", st.Done, st.Of)
	st.Evidence = []string{fmt.Sprintf("%d of %d running as %s", st.Done, st.Of, runtimeText(p.Kind))}
	if len(byHand) > 0 {
		st.Evidence = append(st.Evidence, "started by hand: "+strings.Join(byHand, ", "))
		st.Hints = append(st.Hints, "flwrup starts no second SuperNode with the same key. `flwrup restart "+byHand[0]+"` offers to replace it with flwrup's own.")
	}
	if st.Done == st.Of {
		st.State = front.Done
		return st, nil
	}
	if p.Preflight.Err != nil {
		return st, p.Preflight.Err
	}
	fleet.ShowFindings(&st, p.Preflight.Value)
	st.Before = onceOnline(&p)
	return st, nil
}

// runningItem says whether a SuperNode runs here.
func runningItem(p *Snapshot, m site.SuperNode) front.Item {
	item := front.Item{Name: m.Name, Text: string(m.Runtime.State)}
	if at := p.Ledger.SuperNode(m.Name).Engine; at.Kind != "" {
		item.State, item.Text = front.ItemDone, "run by "+at.Kind+" ("+at.Dir+")"
		return item
	}
	switch m.Runtime.State {
	case supernode.Running:
		if other := p.Elsewhere(m.Runtime); other != "" {
			item.Text = "runs for the grid at " + other + ": flwrup stops it there first"
			break
		}
		item.State = front.ItemDone
		if m.Runtime.ByHand != "" {
			item.Text = "running, started by hand as " + m.Runtime.ByHand
		} else if m.Runtime.Host != "" {
			item.Text = "running on " + supernode.HostName(m.Runtime.Host)
		}
	case supernode.Unknown:
		item.Text = m.Runtime.Away.Error()
	case supernode.Stopped:
		if item.Text = "stopped"; m.Runtime.ExitCode >= 0 { // else nobody saw it end
			item.Text += fmt.Sprintf(", exit code %d", m.Runtime.ExitCode)
		}
	case "":
		item.Text = "not started"
	}
	return item
}

// onceOnline reports whether the grid has seen each of the SuperNodes online: until then it calls it registered.
func onceOnline(p *Snapshot) bool {
	return p.Parts&site.ReadNodes != 0 && p.Nodes.Err == nil && !slices.ContainsFunc(p.SuperNodes, func(m site.SuperNode) bool {
		return m.Grid.Status != flwrexec.StatusOnline && m.Grid.Status != flwrexec.StatusOffline
	})
}

func (start) Plan(p Snapshot) ([]front.Action, error) {
	if err := cmp.Or(p.Keys.Err, p.States.Err, p.Tool.Err, p.Starting.Err); err != nil {
		return nil, err
	}
	var actions []front.Action
	said := map[string]bool{}
	for _, m := range p.SuperNodes {
		if other := p.Elsewhere(m.Runtime); other != "" {
			actions = append(actions, front.Action{Says: "stop " + m.Name + ", which runs for the grid at " + other})
		}
		for i, line := range p.Starting.Value[m.Name] {
			if said[line] { // the same for all nodes
				continue
			}
			said[line] = true
			a := front.Action{Command: line}
			if !strings.HasPrefix(line, "mkdir ") { // flwrup's own script: its words are no flags of Docker's
				a.Flags = site.Explain(site.ShellWords(line))
			}
			if i == 0 {
				a.Says = "start " + m.Name
			}
			if i == 0 && strings.Contains(line, " create --name ") {
				a.Says += " from " + site.Image(p.Choices, p.Flwr) + ", read-only, no capabilities"
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
