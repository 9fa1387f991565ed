package byguide

import (
	"context"
	"strings"

	"flwrup/internal/front"
	"flwrup/internal/ledger"
	"flwrup/internal/project"
	"flwrup/internal/site"
)

// attestation begins what the ledger notes of the offer to use what was done by hand.
const attestation = "done by hand"

// Look finds what was done by hand, while nothing was chosen and the person was not asked yet.
func Look(ctx context.Context, f site.Folder, d ledger.Data) Found {
	if _, asked := d.Attestation(attestation); asked || f.Rehearsal() || f.Choices.Nodes > 0 || len(d.Nodes) > 0 {
		return Found{}
	}
	return search(ctx, f)
}

// Offer asks whether to use what was done by hand. It changes nothing of that, whatever the answer. known: the
// person needs no account any more.
func Offer(ctx context.Context, s *site.Site, to front.Sink) (known bool, err error) {
	found := Look(ctx, s.Folder(), s.Ledger.Data())
	if found.Any() {
		for _, line := range found.Evidence() {
			to.Event(front.Says{Text: "found " + line})
		}
		own := front.Choice{Value: "own", Label: "start without"}
		if found.Pairs > 0 {
			own.Label, own.Note = "start with new keys", "in the folder "+OwnKeys+"; those that are there stay"
		}
		answer, err := to.Ask(ctx, front.Question{ID: "found", Kind: front.AskChoice, Default: "use", Ask: found.Question(),
			Help:    "flwrup found " + strings.Join(found.Evidence(), "; ") + ". Nothing of it is overwritten or removed.",
			Choices: []front.Choice{{Value: "use", Label: "use", Note: "recommended: continue from there"}, own}})
		if err != nil {
			return false, err
		}
		if err := s.Change(func(c *project.Choices) error {
			if answer == own.Value {
				found.Leave(c)
			} else {
				found.Use(c)
			}
			return nil
		}); err != nil {
			return false, err
		}
		if err := s.Ledger.Attest(attestation, answer); err != nil {
			return false, err
		}
	}
	if found.Login != "" { // nobody logs in without an account
		return true, s.Ledger.Attest(site.AttestAccount, "")
	}
	return s.Ledger.Account(s.Choices().Grid.Connection) != "", nil
}
