package steps

import (
	"context"
	"fmt"

	"flwrup/flwrexec"
	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/site"
)

// confirmation is step 12: the grid's side has taken the SuperNodes in.
type confirmation struct{}

func (confirmation) ID() front.StepID { return front.StepConfirmation }
func (confirmation) Name() string     { return "Confirmation" }
func (confirmation) Title() string    { return "Await the confirmation" }
func (confirmation) Why() string {
	return "The SuperNodes are to be listed as \"Registered\" in the federation. Where you added them yourself that is so at once; " +
		"where Flower Labs does it, it may take a day. You may leave and come back at any time."
}

func (confirmation) Inspect(ctx context.Context, s *site.Site) (front.Status, error) {
	before, err := (handOver{}).Inspect(ctx, s)
	if err != nil {
		return before, err
	}
	if before.State != front.Done {
		return front.Status{State: front.Blocked, By: front.StepHandover, Why: "the node IDs have to be handed over first"}, nil
	}
	list, _, err := site.Members(s)
	if err != nil {
		return front.Status{}, err
	}
	st := front.Status{Of: len(list), Links: site.FederationsPage(s)}
	in, err := federationNodes(ctx, s)
	if err != nil {
		return st, err
	}
	own, _, err := s.GridNodes(ctx, site.Fresh)
	if err != nil {
		return st, err
	}
	statuses := map[string]string{}
	for _, n := range own {
		statuses[n.ID.String()] = n.Status
	}
	for _, m := range list {
		status := statuses[m.Record.NodeID]
		item := front.Item{Name: m.Name, State: front.ItemWaiting, Text: "not in " + s.Choices().Federation + " yet"}
		switch {
		case status == "":
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
	switch word, said := s.Ledger.Attestation(site.AttestConfirm); {
	case st.Done == st.Of:
		st.State = front.Done
	case said && word.Detail == idsOf(list):
		st.State = front.Done
		st.Evidence = append(st.Evidence, "the others are confirmed, as you said")
	default:
		st.State = front.Waiting
		st.Why = fmt.Sprintf("%d of %d SuperNodes are not confirmed yet", st.Of-st.Done, st.Of)
		st.Hints = []string{"flwrup looks again by itself; leave it open, or come back later"}
	}
	return st, nil
}

// federationNodes gives the IDs of the nodes in the federation; empty where this flwr cannot tell.
func federationNodes(ctx context.Context, s *site.Site) (map[string]bool, error) {
	in := map[string]bool{}
	d, err := s.Federation(ctx, site.Fresh)
	if err != nil && !problem.Is(err, problem.FedNotFound, problem.NotSupported) {
		return in, err
	}
	for _, n := range d.Nodes {
		in[n.ID.String()] = true
	}
	return in, nil
}

func (confirmation) Plan(ctx context.Context, s *site.Site) ([]front.Action, error) {
	f, err := s.Session(ctx)
	if err != nil {
		return nil, err
	}
	return []front.Action{site.Command(s, "see who is in the federation", f.Dialect().FederationDetailsArgv(s.Connection(), s.Choices().Federation))}, nil
}

// Apply looks once more; where somebody is still missing, the person may say that the word has come.
func (c confirmation) Apply(ctx context.Context, s *site.Site, to front.Sink) error {
	s.Forget()
	st, err := c.Inspect(ctx, s)
	if err != nil || st.State != front.Waiting {
		return err
	}
	for _, item := range st.Items {
		to.Event(front.ItemChanged{Item: item})
	}
	answer, err := to.Ask(ctx, front.Question{ID: "confirmed", Kind: front.AskAcknowledge, Default: "later",
		Ask:  "Has Flower Labs told you that the SuperNodes are confirmed?",
		Help: "flwrup cannot see it yet. If they told you so, the SuperNodes can be started: the grid then decides."})
	if err != nil || answer != "yes" {
		return err
	}
	list, _, err := site.Members(s)
	if err != nil {
		return err
	}
	return s.Ledger.Attest(site.AttestConfirm, idsOf(list))
}
