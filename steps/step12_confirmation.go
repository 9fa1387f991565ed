package steps

import (
	"context"
	"fmt"

	"flwrup/flwrexec"
	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/site"
	"flwrup/internal/whichgrid"
)

// confirmation is step 12: the grid's side has taken the SuperNodes in.
type confirmation struct{}

func (confirmation) ID() front.StepID { return front.StepConfirmation }
func (confirmation) Name() string     { return "Confirmation" }
func (confirmation) Title() string    { return "Wait for the confirmation" }
func (confirmation) Why() string {
	return "The federation has to list the SuperNodes as \"Registered\". If you added them yourself, it does at once; if Flower Labs does, it can take a day. You can leave and come back at any time."
}

// Needs returns the hand-over: nobody confirms node IDs that they have not got.
func (confirmation) Needs() []Need {
	return []Need{{Step: front.StepHandover, Why: "the node IDs are not handed over yet"}}
}

// Wants returns the nodes of the federation and those of the account.
func (confirmation) Wants() Wants {
	return Wants{Status: site.ReadKeys | site.ReadMembership | site.ReadNodes, Plan: site.ReadFlwr}
}

func (confirmation) Inspect(p Snapshot) (front.Status, error) {
	if p.Keys.Err != nil {
		return front.Status{}, p.Keys.Err
	}
	list := p.SuperNodes
	st := front.Status{Of: len(list), Links: whichgrid.FederationsPage(p.Folder)}
	if err := p.Membership.Err; err != nil && !problem.Is(err, problem.FedNotFound, problem.NotSupported) { // this flwr cannot tell
		return st, err
	}
	if p.Nodes.Err != nil {
		return st, p.Nodes.Err
	}
	in := idsIn(p.Membership.Value)
	for _, m := range list {
		item := front.Item{Name: m.Name, State: front.ItemWaiting, Text: "not in " + p.Choices.Federation + " yet"}
		switch status := m.Grid.Status; {
		case !m.Listed || status == flwrexec.StatusUnregistered:
			item.State, item.Text = front.ItemFailed, "the grid does not list node "+m.Record.NodeID
		case in[m.Record.NodeID] || status == flwrexec.StatusOnline || status == flwrexec.StatusOffline:
			// A node that has been online was let in, whatever the list of the federation says.
			item.State, item.Text = front.ItemDone, status
			st.Done++
		}
		st.Items = append(st.Items, item)
	}
	st.Short = fmt.Sprintf("%d/%d", st.Done, st.Of)
	st.Evidence = []string{fmt.Sprintf("%d of %d confirmed", st.Done, st.Of)}
	switch word, said := p.Ledger.Attestation(site.AttestConfirm); {
	case st.Done == st.Of:
		st.State = front.Done
	case said && word.Detail == idsOf(list):
		st.State = front.Done
		st.Evidence = append(st.Evidence, "the others are confirmed, as you said")
	default:
		st.State = front.Waiting
		st.Why = fmt.Sprintf("%d of %d SuperNodes are not confirmed yet", st.Of-st.Done, st.Of)
		st.Hints = []string{"flwrup keeps checking; leave it open, or come back later"}
	}
	return st, nil
}

func (confirmation) Plan(p Snapshot) ([]front.Action, error) {
	if p.Tool.Err != nil {
		return nil, p.Tool.Err
	}
	return []front.Action{p.Command("see who is in the federation", p.Dialect.FederationDetailsArgv(p.Connection(), p.Choices.Federation))}, nil
}

// Apply looks once more; where somebody is still missing, the person may say that the word has come.
func (c confirmation) Apply(ctx context.Context, s *site.Site, to front.Sink) error {
	s.Forget()
	l := NewLook(s)
	st, err := l.inspect(ctx, c.ID())
	if err != nil || st.State != front.Waiting {
		return err
	}
	for _, item := range st.Items {
		to.Event(front.ItemChanged{Item: item})
	}
	answer, err := to.Ask(ctx, front.Question{ID: "confirmed", Kind: front.AskAcknowledge, Default: "later",
		Ask:  "Has Flower Labs confirmed the SuperNodes?",
		Help: "flwrup cannot see it yet. If they have, you can start the SuperNodes: the grid then decides."})
	if err != nil || answer != "yes" {
		return err
	}
	return s.Ledger.Attest(site.AttestConfirm, idsOf(l.p.SuperNodes))
}
