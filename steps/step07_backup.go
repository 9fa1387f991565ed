package steps

import (
	"context"
	"fmt"
	"slices"
	"time"

	"flwrup/internal/custody"
	"flwrup/internal/front"
	"flwrup/internal/health"
	"flwrup/internal/shell"
	"flwrup/internal/site"
	"flwrup/internal/wording"
)

// backUp is step 7: one encrypted archive of all keys, opened again and compared before it counts.
type backUp struct{ free }

func (backUp) ID() front.StepID { return front.StepBackup }
func (backUp) Name() string     { return "Backup" }
func (backUp) Title() string    { return "Back up the keys" }
func (backUp) Why() string {
	return "A lost private key is a lost SuperNode: the grid accepts no second key for it, and an unregistered key can never come back. " +
		"flwrup puts all pairs into one file, encrypted with age, and opens it again to check that nothing is missing. " +
		"Keep a copy of it on another machine."
}

// Wants returns the keys, and the backups that are as they were made.
func (backUp) Wants() Wants {
	return Wants{Status: site.ReadKeys | readBackups, Plan: readBackups}
}

func (backUp) Inspect(p Snapshot) (front.Status, error) {
	list := p.SuperNodes
	if p.Keys.Err != nil {
		return front.Status{}, p.Keys.Err
	}
	if len(list) == 0 {
		return front.Status{State: front.Blocked, By: front.StepKeys, Why: "there are no keys yet"}, nil
	}
	missing := list
	for _, rec := range slices.Backward(p.Ledger.Backups) {
		if !p.Intact[rec.File] {
			continue
		}
		left := slices.DeleteFunc(slices.Clone(list), func(m site.SuperNode) bool { return slices.Contains(rec.Fingerprints, m.Pair.Fingerprint) })
		if len(left) == 0 {
			checked := "opened again and compared byte for byte"
			if !rec.Verified {
				checked = "unchanged since it was written; only its recipient can open it"
			}
			st := front.Status{State: front.Done, Evidence: []string{fmt.Sprintf("%s holds all %d %s", rec.File, len(list), wording.Plural(len(list), "pair")), checked}}
			if b := health.BackupNow(&p.Snapshot); b.File != "" {
				st.Evidence = append(st.Evidence, "last verified on "+b.Verified.Local().Format("2 January 2006"))
				if b.Old {
					st.Hints = []string{b.Says()}
				}
			}
			return st, nil
		}
		if len(left) < len(missing) {
			missing = left
		}
	}
	if a, ok := p.Ledger.Attestation(site.AttestBackup); ok && !slices.ContainsFunc(list, func(m site.SuperNode) bool { return m.Pair.Made.After(a.At.Add(time.Second)) }) {
		return front.Status{State: front.Done, Evidence: []string{"kept elsewhere, as you said on " + a.At.Local().Format("2 January 2006")}}, nil
	}
	return front.Status{State: front.Ready, Evidence: []string{fmt.Sprintf("%d of %d key pairs have no backup", len(missing), len(list))}}, nil
}

func (backUp) Plan(p Snapshot) ([]front.Action, error) {
	file, dir := p.Rel(p.NextBackup), p.Rel(p.KeysDir())
	who := "-p"
	if r := p.Choices.BackupRecipient; r != "" {
		who = "-r " + shell.Word(r)
	}
	return []front.Action{{Says: "encrypt all keys into one file, open it again and compare",
		Command: fmt.Sprintf("tar -c %s | age %s -o %s", shell.Path(dir), who, shell.Path(file))}}, nil
}

func (backUp) Apply(ctx context.Context, s *site.Site, to front.Sink) error {
	_, err := custody.BackUp(ctx, s, to)
	return err
}
