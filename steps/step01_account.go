package steps

import (
	"context"

	"flwrup/internal/byguide"
	"flwrup/internal/front"
	"flwrup/internal/site"
	"flwrup/internal/sites"
	"flwrup/internal/whichgrid"
)

// account is step 1: a Flower account. Only a person can make one; a login that works is the proof.
type account struct{ free }

func (account) ID() front.StepID { return front.StepAccount }
func (account) Name() string     { return "Account" }
func (account) Title() string    { return "Flower account" }
func (account) Why() string {
	return "A SuperGrid knows you by your Flower account, which owns your SuperNodes and belongs to federations. Creating one takes a minute in the browser and is free."
}

// The answers of an account that others invite, of a site that joins a study of others, and of a person who has no
// account so far.
const (
	invited   = "invited"
	noAccount = "site"
	later     = "later"
)

var signUp = front.Link{Label: "Sign up or sign in", URL: "https://flower.ai"}

// Wants returns what was done by hand before: this step comes first, and offers it.
func (account) Wants() Wants { return Wants{Status: readByHand} }

func (account) Inspect(p Snapshot) (front.Status, error) {
	st := front.Status{State: front.Ready, Links: []front.Link{signUp}}
	if p.Rehearsal() {
		return front.Status{State: front.Done, Short: site.RehearsalAccount, Evidence: []string{
			"the rehearsal grid on this machine has an account for you: " + site.RehearsalAccount}}, nil
	}
	if p.ByHand.Any() {
		st.Evidence = p.ByHand.Evidence()
		return st, nil
	}
	if name := p.Ledger.Account(p.Choices.Grid.Connection); name != "" {
		return front.Status{State: front.Done, Short: name, Evidence: []string{"signed in earlier as " + name}}, nil
	}
	if a, ok := p.Ledger.Attestation(site.AttestAccount); ok {
		return front.Status{State: front.Done, Evidence: []string{"confirmed by you on " + a.At.Local().Format("2 January 2006"),
			"step 9 (log in) checks it"}}, nil
	}
	return st, nil
}

func (account) Plan(p Snapshot) ([]front.Action, error) {
	if p.ByHand.Any() {
		return []front.Action{{Says: "note in flwrup.toml whether to use what was found"}}, nil
	}
	return []front.Action{{Says: "open " + signUp.URL + " and choose Sign Up / Sign In at the top right"}}, nil
}

func (account) Apply(ctx context.Context, s *site.Site, to front.Sink) error {
	if known, err := byguide.Offer(ctx, s, to); err != nil || known {
		return err
	}
	answer, err := to.Ask(ctx, front.Question{ID: "account", Kind: front.AskChoice, Default: "yes", Ask: "Do you have a Flower account?",
		Help: "An account is free: " + signUp.URL + ". A site that joins a study of others needs none: their coordinator admits its SuperNodes.",
		Choices: []front.Choice{
			{Value: "yes", Label: "yes", Note: "set up SuperNodes on it; step 9 checks that it works"},
			{Value: invited, Label: "yes, and others invite us", Note: "your own account and keys, in their federation"},
			{Value: noAccount, Label: "no, we join a study of others", Note: "this site sends a request; its keys stay here"},
			{Value: later, Label: "not yet", Note: "create one first, then come back"},
		}})
	switch {
	case err != nil || answer == later:
		return err
	case answer == noAccount:
		return sites.Become(ctx, s, to)
	case answer == invited:
		if err := whichgrid.AskInvited(ctx, s, to); err != nil {
			return err
		}
	}
	return s.Ledger.Attest(site.AttestAccount, "")
}
