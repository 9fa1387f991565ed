package steps

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"filippo.io/age"

	"flwrup/internal/fleet"
	"flwrup/internal/front"
	"flwrup/internal/ledger"
	"flwrup/internal/problem"
	"flwrup/internal/shell"
	"flwrup/internal/site"
	"flwrup/internal/wording"
	"flwrup/keys"
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
			return front.Status{State: front.Done, Evidence: []string{fmt.Sprintf("%s holds all %d %s", rec.File, len(list), wording.Plural(len(list), "pair")), checked}}, nil
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

// nextBackup returns where the next backup goes: a name that nothing has yet.
func nextBackup(f site.Folder) string {
	file := f.Path(f.Choices.Backup)
	if file == "" {
		file = filepath.Join(f.Dir, keys.BackupDefaultName(f.KeysDir(), time.Now()))
	}
	ext := filepath.Ext(file)
	for n, try := 2, file; ; n++ {
		if _, err := os.Lstat(try); os.IsNotExist(err) {
			return try
		}
		try = fmt.Sprintf("%s-%d%s", strings.TrimSuffix(file, ext), n, ext)
	}
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

func (b backUp) Apply(ctx context.Context, s *site.Site, to front.Sink) error {
	recipients, identities, err := b.lock(ctx, s, to)
	if err != nil || recipients == nil {
		return err
	}
	if err := fleet.RoomFor(identities != nil); err != nil {
		return err
	}
	to.Event(front.Says{Text: "encrypting, opening again, comparing"})
	made, err := keys.MakeBackup(ctx, s.Folder().KeysDir(), nextBackup(s.Folder()), recipients, identities)
	if err != nil {
		return err
	}
	return s.Ledger.PutBackup(ledger.Backup{File: s.Rel(made.File), SHA256: made.SHA256, Made: made.Made,
		Fingerprints: made.Fingerprints, Verified: made.Verified})
}

// lock asks for what the backup is locked with; nil recipients when the person keeps one elsewhere.
func (b backUp) lock(ctx context.Context, s *site.Site, to front.Sink) ([]age.Recipient, []age.Identity, error) {
	if r := s.Choices().BackupRecipient; r != "" {
		recipients, err := keys.ParseRecipients(r)
		return recipients, nil, err
	}
	pass := ""
	switch file := fleet.PassphraseFile(s); {
	case file != "":
		var err error
		if pass, err = keys.ReadPassphrase(file); err != nil {
			return nil, nil, err
		}
		if p := keys.OpenToOthers(file); p != nil {
			to.Event(front.Says{Text: "warning: " + p.Error() + site.Fix(p)})
		}
	case s.Rehearsal() && (!s.Options.Attended || site.ChoseItself(s)):
		var err error
		if pass, err = site.RehearsalPassphrase(s); err != nil {
			return nil, nil, err
		}
	default:
		q := front.Question{ID: "passphrase", Kind: front.AskSecret, Twice: true,
			Ask:      "A passphrase for the backup",
			Help:     "Use several unrelated words. flwrup does not keep the passphrase, and nobody can open the backup without it. Leave it empty if you keep a copy of the keys elsewhere.",
			Validate: validPassphrase}
		if s.Rehearsal() {
			q.Help += "(A rehearsal's keys are worth nothing afterwards: just press Enter.)"
		}
		answer, err := to.Ask(ctx, q)
		if err != nil {
			return nil, nil, err
		}
		if pass = answer; pass == "" && s.Rehearsal() {
			if pass, err = site.RehearsalPassphrase(s); err != nil {
				return nil, nil, err
			}
		}
		if pass == "" {
			return nil, nil, b.attestElsewhere(ctx, s, to)
		}
	}
	if err := keys.CheckPassphrase(pass); err != nil {
		return nil, nil, problem.New(problem.BadInput, "the passphrase is too weak", err.Error(), "use several unrelated words, 8 characters or more")
	}
	r, i, err := keys.PassphraseRecipient(pass)
	if err != nil {
		return nil, nil, err
	}
	return []age.Recipient{r}, []age.Identity{i}, nil
}

// validPassphrase lets an empty one through: it means something else.
func validPassphrase(pass string) error {
	if pass == "" {
		return nil
	}
	return keys.CheckPassphrase(pass)
}

func (backUp) attestElsewhere(ctx context.Context, s *site.Site, to front.Sink) error {
	answer, err := to.Ask(ctx, front.Question{ID: "backup-elsewhere", Kind: front.AskAcknowledge,
		Ask: "Have you backed up all keys elsewhere, where you can reach them?", Help: "flwrup cannot check that."})
	if err != nil || answer != "yes" {
		return err
	}
	return s.Ledger.Attest(site.AttestBackup, "")
}
