package steps

import (
	"context"
	"fmt"
	"path/filepath"

	"flwrup/flwrexec/flwr"
	"flwrup/internal/atomicfile"
	"flwrup/internal/fleet"
	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/site"
	"flwrup/internal/wording"
)

// handOver is step 11: the federation gets to know the node IDs, from flwrup itself where flwr can do
// that (1.27 and later), else from Flower Labs, who need a message.
type handOver struct{}

func (handOver) ID() front.StepID { return front.StepHandover }
func (handOver) Name() string     { return "Hand over IDs" }
func (handOver) Title() string    { return "Record and hand over the node IDs" }
func (handOver) Why() string {
	return "A registered SuperNode belongs to you, but to no federation yet. From flwr 1.27 on the federation's owner adds it; " +
		"before, the Flower Labs team does, and needs the node IDs from you. flwrup keeps them all in .flwrup/ledger.json."
}

// absent gives the members whose node is not in the federation, as far as the grid tells.
func (handOver) absent(ctx context.Context, s *site.Site) (list, absent []site.Member, err error) {
	if list, _, err = site.Members(s); err != nil {
		return nil, nil, err
	}
	d, err := s.Federation(ctx, site.Fresh)
	if err != nil {
		return list, nil, err
	}
	in := map[string]bool{}
	for _, n := range d.Nodes {
		in[n.ID.String()] = true
	}
	for _, m := range list {
		if !in[m.Record.NodeID] {
			absent = append(absent, m)
		}
	}
	return list, absent, nil
}

func (h handOver) Inspect(ctx context.Context, s *site.Site) (front.Status, error) {
	before, err := (register{}).Inspect(ctx, s)
	if err != nil || before.State != front.Done {
		return front.Status{State: front.Blocked, By: front.StepRegister, Why: "the node IDs come first"}, err
	}
	f, err := s.Session(ctx)
	if err != nil {
		return blockedByFlwr(err)
	}
	list, absent, err := h.absent(ctx, s)
	if err != nil && !(problem.Is(err, problem.FedNotFound, problem.NotSupported) && !f.Dialect().Managed) {
		return front.Status{}, err
	}
	seen := err == nil
	st := front.Status{State: front.Ready, Of: len(list), Done: len(list) - len(absent), Items: before.Items}
	if !seen {
		st.Done = 0
	}
	st.Short = fmt.Sprintf("%d/%d", st.Done, st.Of)
	st.Evidence = []string{fmt.Sprintf("%d node %s in the ledger", len(list), wording.Plural(len(list), "ID"))}
	c := s.Choices()
	if seen && len(absent) == 0 {
		st.State = front.Done
		st.Evidence = append(st.Evidence, fmt.Sprintf("all %d are in %s", len(list), c.Federation))
		return st, nil
	}
	if f.Dialect().Managed {
		st.Evidence = append(st.Evidence, fmt.Sprintf("%d of %d are not in %s", len(absent), len(list), c.Federation))
		return st, nil
	}
	if a, ok := s.Ledger.Attestation(site.AttestSent); ok && a.Detail == idsOf(list) {
		st.State, st.Done, st.Of, st.Short = front.Done, 0, 0, "sent" // the grid's side is step 12's
		st.Evidence = append(st.Evidence, "sent to Flower Labs, as you said on "+a.At.Local().Format("2 January 2006"))
	}
	return st, nil
}

// idsOf joins the node IDs, so that a message sent before a node was added does not count for it.
func idsOf(list []site.Member) string {
	ids := ""
	for _, m := range list {
		ids += m.Record.NodeID + " "
	}
	return ids
}

func (h handOver) Plan(ctx context.Context, s *site.Site) ([]front.Action, error) {
	f, err := s.Session(ctx)
	if err != nil {
		return nil, err
	}
	if !f.Dialect().Managed {
		return []front.Action{{Says: "write the message with all node IDs to " + s.Rel(messageFile(s)) + ", for you to send"}}, nil
	}
	_, absent, err := h.absent(ctx, s)
	if err != nil {
		return nil, err
	}
	var actions []front.Action
	c := s.Choices()
	for _, m := range absent {
		if !m.Known() {
			continue
		}
		id, err := flwr.ParseNodeID(m.Record.NodeID)
		if err != nil {
			return nil, err
		}
		actions = append(actions, site.Command(s, "add "+m.Name+" to "+c.Federation,
			f.Dialect().AddArgv(s.Connection(), id, c.Federation)))
	}
	return actions, nil
}

func messageFile(s *site.Site) string { return filepath.Join(s.Dir, "node-ids.md") }

func (h handOver) Apply(ctx context.Context, s *site.Site, to front.Sink) error {
	f, err := s.Session(ctx)
	if err != nil {
		return err
	}
	var list, absent []site.Member
	err = site.Patiently(ctx, s, to, func() error {
		list, absent, err = h.absent(ctx, s)
		return err
	})
	if f.Dialect().Managed {
		if err != nil {
			return err
		}
		return h.add(ctx, s, f, absent, to)
	}
	if err != nil && !problem.Is(err, problem.FedNotFound, problem.NotSupported) {
		return err
	}
	if err == nil && len(absent) == 0 {
		return nil
	}
	report := fleet.NewHandover(s)
	if err := site.Stays(s, messageFile(s)); err != nil {
		return err
	}
	if err := atomicfile.Write(messageFile(s), []byte(report.Markdown()), 0o600); err != nil {
		return err
	}
	for _, line := range report.Lines() {
		to.Event(front.Output{Text: line})
	}
	q := front.Question{ID: "sent", Kind: front.AskAcknowledge, Ask: "Have you sent the node IDs to Flower Labs?",
		Help: "The message is in " + s.Rel(messageFile(s)) + ". Send it to your contact there; they enter the SuperNodes on their side."}
	if s.Rehearsal() {
		q.Default = "yes"
	}
	answer, err := to.Ask(ctx, q)
	if err != nil || answer != "yes" {
		return err
	}
	return s.Ledger.Attest(site.AttestSent, idsOf(list))
}

func (h handOver) add(ctx context.Context, s *site.Site, f site.Flwr, absent []site.Member, to front.Sink) error {
	federation := s.Choices().Federation
	for i, m := range absent {
		id, err := flwr.ParseNodeID(m.Record.NodeID)
		if err != nil {
			return err
		}
		to.Event(front.ItemChanged{Item: front.Item{Name: m.Name, State: front.ItemWorking, Text: "adding"}})
		err = site.Patiently(ctx, s, to, func() error { return f.AddToFederation(ctx, s.Connection(), id, federation) })
		if err != nil && !problem.Is(err, problem.AlreadyMember) {
			to.Event(front.ItemChanged{Item: front.Item{Name: m.Name, State: front.ItemFailed, Text: problem.Of(err).Error()}})
			return fmt.Errorf("add %s to %s: %w", m.Name, federation, err)
		}
		to.Event(front.ItemChanged{Item: front.Item{Name: m.Name, State: front.ItemDone, Text: m.Record.NodeID}})
		to.Event(front.Progress{Label: "added", Done: int64(i + 1), Total: int64(len(absent))})
	}
	return nil
}
