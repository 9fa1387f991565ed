package steps

import (
	"context"
	"errors"
	"slices"

	"flwrup/flwrexec"
	"flwrup/internal/front"
	"flwrup/internal/invites"
	"flwrup/internal/site"
	"flwrup/internal/whichgrid"
)

// chooseFederation is step 2: which grid the SuperNodes are for, where there is more than one, and which
// federation on it. Before the login a name can be typed or left for later; after it, the choice is from
// the account's own list.
type chooseFederation struct{ free }

func (chooseFederation) ID() front.StepID { return front.StepFederation }
func (chooseFederation) Name() string     { return "Federation" }
func (chooseFederation) Title() string    { return "Choose the federation" }
func (chooseFederation) Why() string {
	return "A federation is the group that trains together: its members, their SuperNodes and runs. It lives on a grid: SuperGrid, unless you choose another. You find yours at flower.ai/federations. You can also choose from a list after you log in."
}

// Wants returns the account's federations and the flwr that lists them.
func (chooseFederation) Wants() Wants {
	return Wants{Status: site.ReadFederations | site.ReadInvitations, Plan: site.ReadFlwr}
}

func (chooseFederation) Inspect(p Snapshot) (front.Status, error) {
	st := front.Status{State: front.Ready, Links: whichgrid.FederationsPage(p.Folder)}
	c := p.Choices
	if !p.Rehearsal() {
		st.Evidence = site.GridLines(c.Grid, p.Dialect)
	}
	for _, i := range p.Invitations.Value {
		st.Evidence = append(st.Evidence, invites.Sentence(i))
	}
	if c.Federation == "" && len(p.Invitations.Value) > 0 {
		st.Deed = "answer the invitation"
		return st, nil
	}
	if c.Federation == "" && p.Rehearsal() && !p.LoggedIn {
		return front.Status{State: front.Done, Short: site.Later, Evidence: []string{"the rehearsal grid brings a federation of its own: it is chosen at the login (step 9)"}}, nil
	}
	if c.Federation == "" {
		if _, ok := p.Ledger.Attestation(site.AttestLater); ok {
			st.State, st.Short = front.Done, site.Later
			st.Evidence = append(st.Evidence, "you choose the federation after you log in (step 9)")
		}
		return st, nil
	}
	st.State, st.Short = front.Done, c.Federation
	st.Evidence = append(st.Evidence, c.Federation)
	if !p.LoggedIn {
		text := "not checked on the grid yet"
		if p.Ledger.Account(c.Grid.Connection) == "" {
			text += ": log in first (step 9)"
		}
		st.Evidence = append(st.Evidence, text)
		return st, nil
	}
	if p.Federations.Err != nil {
		return st, nil // step 9 says what is wrong with the grid
	}
	if slices.ContainsFunc(p.Invitations.Value, func(i flwrexec.Invitation) bool { return i.Federation == c.Federation }) {
		st.State, st.Deed = front.Ready, "answer the invitation"
	}
	if f, ok := whichgrid.FindFederation(p.Federations.Value, c.Federation); ok {
		st.Evidence = append(st.Evidence, describe(f))
	}
	return st, nil
}

func describe(f flwrexec.Federation) string {
	text := "on the grid"
	if f.Description != "" {
		text += ": " + f.Description
	}
	if f.Simulation {
		text += " (simulation: it cannot hold SuperNodes)"
	}
	return text
}

func (chooseFederation) Plan(p Snapshot) ([]front.Action, error) {
	a := []front.Action{{Says: "save the grid and the federation in flwrup.toml"}}
	if p.Tool.Err == nil {
		a = append(a, p.Command("list your federations", p.Dialect.FederationsArgv(p.Connection())))
	}
	return a, nil
}

func (c chooseFederation) Apply(ctx context.Context, s *site.Site, to front.Sink) error {
	if s.Choices().Federation != "" && !s.LoggedInBefore() {
		return nil
	}
	if s.Choices().Federation == "" {
		if err := whichgrid.ChooseGrid(ctx, s, to, false); err != nil {
			return err
		}
	}
	if s.LoggedInBefore() {
		return whichgrid.SettleFederation(ctx, s, to, s.Choices().Federation)
	}
	return c.ask(ctx, s, to)
}

// typeName is the answer to "federation" that leads to typing a name; no federation is called so.
const typeName = "type its name"

// ask offers to choose the federation after the login, or to type its name now.
func (chooseFederation) ask(ctx context.Context, s *site.Site, to front.Sink) error {
	now := s.Choices().Federation
	q := front.Question{ID: "federation", Kind: front.AskChoice, Default: site.Later, Ask: "Which federation are the SuperNodes for?"}
	if now != "" {
		q.Default = now
		q.Choices = []front.Choice{{Value: now, Label: now, Note: "as it is now"}}
	}
	q.Choices = append(q.Choices, front.Choice{Value: site.Later, Label: "choose it after the login", Note: "recommended: from the list of yours"},
		front.Choice{Value: typeName, Label: typeName + " now", Note: "@account/name, as the dashboard shows it"})
	answer, err := to.Ask(ctx, q)
	if err == nil && answer == typeName {
		answer, err = to.Ask(ctx, front.Question{ID: "federation-typed", Kind: front.AskText, Default: now, Ask: "What is the federation called?",
			Help: "Its name as the dashboard shows it, such as @account/name.", Validate: func(name string) error {
				if name == "" {
					return errors.New("@account/name")
				}
				return whichgrid.CheckFederation(name)
			}})
	}
	switch {
	case err != nil:
		return err
	case answer == site.Later:
		return errors.Join(s.Ledger.Attest(site.AttestLater, ""), whichgrid.SetFederation(s, ""))
	}
	return whichgrid.SetFederation(s, answer)
}

// Change asks for the grid and the federation again, from the list when there is a login.
func (c chooseFederation) Change(ctx context.Context, s *site.Site, to front.Sink) error {
	if err := whichgrid.ChooseGrid(ctx, s, to, true); err != nil {
		return err
	}
	if !s.LoggedInBefore() {
		return c.ask(ctx, s, to)
	}
	return whichgrid.SettleFederation(ctx, s, to, "")
}
