package steps

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"flwrup/flwrexec"
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
	return "A registered SuperNode is yours, but not in a federation yet. From flwr 1.27 on, the federation's owner adds it; " +
		"before that, Flower Labs does, and needs the node IDs from you. flwrup keeps them all in .flwrup/ledger.json."
}

// Needs returns the registration: it gives the node IDs.
func (handOver) Needs() []Need {
	return []Need{{Step: front.StepRegister, Why: "the SuperNodes are not registered yet", Unseen: true}}
}

// Wants returns the keys with their node IDs, and the nodes of the federation.
func (handOver) Wants() Wants {
	parts := site.ReadKeys | site.ReadFlwr
	return Wants{Status: parts | site.ReadMembership, Plan: parts | readMembers}
}

// absent returns the SuperNodes whose node is not in the federation.
func absent(list []site.SuperNode, d flwrexec.FederationDetails) []site.SuperNode {
	in := idsIn(d)
	return slices.DeleteFunc(slices.Clone(list), func(m site.SuperNode) bool { return in[m.Record.NodeID] })
}

// idsIn returns the IDs of a federation's nodes.
func idsIn(d flwrexec.FederationDetails) map[string]bool {
	in := map[string]bool{}
	for _, n := range d.Nodes {
		in[n.ID.String()] = true
	}
	return in
}

func (handOver) Inspect(p Snapshot) (front.Status, error) {
	if p.Tool.Err != nil {
		return blockedByFlwr(p.Tool.Err)
	}
	if p.Keys.Err != nil {
		return front.Status{}, p.Keys.Err
	}
	managed, list, c := p.Dialect.Managed, p.SuperNodes, p.Choices
	err := p.Membership.Err
	if err != nil && (managed || !problem.Is(err, problem.FedNotFound, problem.NotSupported)) {
		return front.Status{}, err
	}
	st := front.Status{State: front.Ready, Of: len(list), Items: p.Status(front.StepRegister).Items}
	var out []site.SuperNode
	seen := err == nil
	if seen {
		out = absent(list, p.Membership.Value)
		st.Done = len(list) - len(out)
	}
	st.Short = fmt.Sprintf("%d/%d", st.Done, st.Of)
	st.Evidence = []string{fmt.Sprintf("%d node %s in the ledger", len(list), wording.Plural(len(list), "ID"))}
	if seen && len(out) == 0 {
		st.State = front.Done
		st.Evidence = append(st.Evidence, fmt.Sprintf("all %d are in %s", len(list), c.Federation))
		return st, nil
	}
	if managed {
		st.Evidence = append(st.Evidence, fmt.Sprintf("%d of %d are not in %s", len(out), len(list), c.Federation))
		return st, nil
	}
	if a, ok := p.Ledger.Attestation(site.AttestSent); ok && a.Detail == idsOf(list) {
		st.State, st.Done, st.Of, st.Short = front.Done, 0, 0, "sent" // the grid's side is step 12's
		st.Evidence = append(st.Evidence, "sent to Flower Labs, as you said on "+a.At.Local().Format("2 January 2006"))
	}
	return st, nil
}

// idsOf joins the node IDs, so that a message sent before a node was added does not count for it.
func idsOf(list []site.SuperNode) string {
	ids := ""
	for _, m := range list {
		ids += m.Record.NodeID + " "
	}
	return ids
}

func (handOver) Plan(p Snapshot) ([]front.Action, error) {
	if p.Tool.Err != nil {
		return nil, p.Tool.Err
	}
	if !p.Dialect.Managed {
		return []front.Action{{Says: "write a message with all node IDs to " + p.Rel(messageFile(p.Folder)) + ", for you to send"}}, nil
	}
	if err := cmp.Or(p.Keys.Err, p.Membership.Err); err != nil {
		return nil, err
	}
	var actions []front.Action
	for _, m := range absent(p.SuperNodes, p.Membership.Value) {
		if !m.Known() {
			continue
		}
		id, err := flwr.ParseNodeID(m.Record.NodeID)
		if err != nil {
			return nil, err
		}
		actions = append(actions, p.Command("add "+m.Name+" to "+p.Choices.Federation, p.Dialect.AddArgv(p.Connection(), id, p.Choices.Federation)))
	}
	return actions, nil
}

func messageFile(f site.Folder) string { return filepath.Join(f.Dir, "node-ids.md") }

func (handOver) Apply(ctx context.Context, s *site.Site, to front.Sink) error {
	f, err := s.Session(ctx)
	if err != nil {
		return err
	}
	var p site.Snapshot
	err = site.Patiently(ctx, s, to, func() error {
		p = s.Look(ctx, site.Want{Parts: site.ReadKeys | site.ReadMembership, MaxAge: site.Fresh})
		return cmp.Or(p.Keys.Err, p.Membership.Err)
	})
	absent := absent(p.SuperNodes, p.Membership.Value)
	if f.Dialect().Managed {
		if err != nil {
			return err
		}
		var nodes []fleet.NamedNode
		for _, m := range absent {
			nodes = append(nodes, fleet.NamedNode{Name: m.Name, ID: m.Record.NodeID})
		}
		return fleet.AddToFederation(ctx, s, f, nodes, to)
	}
	if err != nil && !problem.Is(err, problem.FedNotFound, problem.NotSupported) {
		return err
	}
	if err == nil && len(absent) == 0 {
		return nil
	}
	report, err := fleet.NewHandover(s)
	if err != nil {
		return err
	}
	if err := site.Stays(s, messageFile(s.Folder())); err != nil {
		return err
	}
	if err := atomicfile.Write(messageFile(s.Folder()), []byte(report.Markdown()), 0o600); err != nil {
		return err
	}
	for _, line := range report.Lines() {
		to.Event(front.Output{Text: line})
	}
	q := front.Question{ID: "sent", Kind: front.AskAcknowledge, Ask: "Have you sent the node IDs to Flower Labs?",
		Help: "The message is in " + s.Rel(messageFile(s.Folder())) + ". Send it to your contact there; they add the SuperNodes on their side."}
	if s.Rehearsal() {
		q.Default = "yes"
	}
	answer, err := to.Ask(ctx, q)
	if err != nil || answer != "yes" {
		return err
	}
	return s.Ledger.Attest(site.AttestSent, idsOf(p.SuperNodes))
}
