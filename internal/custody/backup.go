// Package custody looks after keys over time: it makes and verifies their backups, and gives SuperNodes new keys.
package custody

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"filippo.io/age"

	"flwrup/internal/fleet"
	"flwrup/internal/front"
	"flwrup/internal/ledger"
	"flwrup/internal/problem"
	"flwrup/internal/site"
	"flwrup/keys"
)

// NextBackup returns where the next backup goes: a name that nothing has yet.
func NextBackup(f site.Folder) string {
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

// BackUp makes an encrypted archive of all keys, opens it again and compares it with them, where its passphrase is at
// hand. It returns what the ledger keeps of it; a backup without a file when the person keeps one elsewhere.
func BackUp(ctx context.Context, s *site.Site, to front.Sink) (ledger.Backup, error) {
	recipients, identities, err := lock(ctx, s, to)
	if err != nil || recipients == nil {
		return ledger.Backup{}, err
	}
	if err := fleet.RoomFor(identities != nil); err != nil {
		return ledger.Backup{}, err
	}
	to.Event(front.Says{Text: "encrypting, opening again, comparing"})
	made, err := keys.MakeBackup(ctx, s.Folder().KeysDir(), NextBackup(s.Folder()), recipients, identities)
	if err != nil {
		return ledger.Backup{}, err
	}
	b := ledger.Backup{File: s.Rel(made.File), SHA256: made.SHA256, Made: made.Made, Fingerprints: made.Fingerprints, Verified: made.Verified}
	return b, s.Ledger.PutBackup(b)
}

// lock asks for what the backup is locked with; nil recipients when the person keeps one elsewhere.
func lock(ctx context.Context, s *site.Site, to front.Sink) ([]age.Recipient, []age.Identity, error) {
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
			return nil, nil, attestElsewhere(ctx, s, to)
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

func attestElsewhere(ctx context.Context, s *site.Site, to front.Sink) error {
	answer, err := to.Ask(ctx, front.Question{ID: "backup-elsewhere", Kind: front.AskAcknowledge,
		Ask: "Have you backed up all keys elsewhere, where you can reach them?", Help: "flwrup cannot check that."})
	if err != nil || answer != "yes" {
		return err
	}
	return s.Ledger.Attest(site.AttestBackup, "")
}
