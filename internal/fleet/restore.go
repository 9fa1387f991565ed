package fleet

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"filippo.io/age"

	"flwrup/internal/front"
	"flwrup/internal/health"
	"flwrup/internal/machine"
	"flwrup/internal/problem"
	"flwrup/internal/site"
	"flwrup/keys"
)

// RoomFor says before a passphrase is worked on that the memory for it is not there: the system would end flwrup
// in the middle.
func RoomFor(passphrase bool) error {
	free, known := machine.MemoryFree()
	if !passphrase || !known || free >= keys.PassphraseMemory {
		return nil
	}
	return problem.New(problem.BadInput, "not enough memory for the passphrase",
		fmt.Sprintf("%d MiB are free; encrypting with a passphrase takes %d MiB, by design, so that guessing is slow", free>>20, keys.PassphraseMemory>>20),
		"free some memory, then try again; or encrypt to an age recipient: flwrup up --backup-recipient age1…")
}

// openBackup restores a backup below dir and returns its key pairs. A rehearsal that chose the passphrase itself
// does not ask for it.
func openBackup(ctx context.Context, s *site.Site, file, dir string, to front.Sink) ([]keys.Pair, error) {
	if err := RoomFor(true); err != nil {
		return nil, err
	}
	if s.Rehearsal() && s.Options.PassphraseFile == "" && site.ChoseItself(s) {
		pass, err := site.RehearsalPassphrase(s)
		if err != nil {
			return nil, err
		}
		_, identity, err := keys.PassphraseRecipient(pass)
		if err != nil {
			return nil, err
		}
		pairs, err := keys.RestoreBackup(ctx, file, []age.Identity{identity}, filepath.Join(dir, "own"))
		if err == nil || ctx.Err() != nil {
			return pairs, err
		}
	}
	identities, err := BackupIdentities(ctx, s, file, "flwrup takes the key from its backup.", to)
	if err != nil {
		return nil, err
	}
	return keys.RestoreBackup(ctx, file, identities, filepath.Join(dir, "keys"))
}

// BackupIdentities asks for what opens a backup, to the end that help says.
func BackupIdentities(ctx context.Context, s *site.Site, file, help string, to front.Sink) ([]age.Identity, error) {
	pass, err := "", error(nil)
	switch from := PassphraseFile(s); {
	case from != "":
		pass, err = keys.ReadPassphrase(from)
	case s.Rehearsal() && !s.Options.Attended:
		pass, err = site.RehearsalPassphrase(s)
	default:
		pass, err = to.Ask(ctx, front.Question{ID: "passphrase", Kind: front.AskSecret, Ask: "The passphrase of " + s.Rel(file),
			Help: help})
	}
	if err != nil {
		return nil, err
	}
	_, identity, err := keys.PassphraseRecipient(pass)
	if err != nil {
		return nil, err
	}
	return []age.Identity{identity}, nil
}

// PassphraseFile is the file that has the passphrase of backups; "" asks for it. The one in flwrup.toml may be
// on another machine: a person who is there is asked then.
func PassphraseFile(s *site.Site) string {
	if s.Options.PassphraseFile != "" {
		return s.Options.PassphraseFile
	}
	file := s.Path(s.Choices().BackupPassphrase)
	if file != "" && s.Options.Attended {
		if _, err := os.Stat(file); err != nil {
			return ""
		}
	}
	return file
}

// RestoreKeys takes the keys of lost SuperNodes from the backup. What lies in their place is set aside,
// never overwritten.
func RestoreKeys(ctx context.Context, s *site.Site, nodes []string, to front.Sink) error {
	list, folder, err := site.Members(s)
	if err != nil {
		return err
	}
	for _, name := range nodes {
		var found *site.Member
		for _, m := range site.WithoutKey(s, list, folder) {
			if m.Name == name {
				found = &m
			}
		}
		if found == nil {
			if !slices.ContainsFunc(list, func(m site.Member) bool { return m.Name == name }) {
				return site.NoSuperNode(name)
			}
			return problem.New(problem.Usage, "the key of "+name+" is already in its place", "", "`flwrup status` shows what is wrong")
		}
		if err := restoreKey(ctx, s, *found, to); err != nil {
			return err
		}
		m, err := site.MemberNamed(s, name)
		if err != nil {
			return err
		}
		if err := stop(ctx, s, []site.Member{m}, to); err != nil {
			return err
		}
		if err := BringUp(ctx, s, []site.Member{m}, to); err != nil {
			return err
		}
	}
	return nil
}

func restoreKey(ctx context.Context, s *site.Site, m site.Member, to front.Sink) error {
	backup := health.BackupOf(s, m.Record.Key)
	if backup == "" {
		return problem.New(problem.BadInput, "no backup holds the key of "+m.Name, "flwrup has no backup that is still there and unchanged",
			"put the key back yourself, or remove the SuperNode: flwrup remove "+m.Name+" --unregister")
	}
	tmp, err := site.Scratch(s, site.ScratchRestore)
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	pairs, err := openBackup(ctx, s, backup, tmp, to)
	if err != nil {
		return err
	}
	for _, p := range pairs {
		if p.Fingerprint != m.Record.Key {
			continue
		}
		aside := filepath.Join(s.Folder().KeysDir(), "set-aside-"+time.Now().Format("20060102-150405"))
		for from, name := range map[string]string{p.Private: m.KeyName(), p.Public: m.KeyName() + ".pub"} {
			there := filepath.Join(s.Folder().KeysDir(), name)
			if _, err := os.Lstat(there); err == nil {
				if err := os.MkdirAll(aside, 0o700); err != nil {
					return err
				}
				if err := os.Rename(there, filepath.Join(aside, name)); err != nil {
					return err
				}
				to.Event(front.Says{Text: "kept the old file as: " + s.Rel(filepath.Join(aside, name))})
			}
			if err := os.Link(from, there); err != nil { // fails where a file is: nothing is replaced
				return err
			}
		}
		to.Event(front.Says{Text: "the key of " + m.Name + " is back in " + m.Record.KeyFile})
		return nil
	}
	return problem.New(keys.BackupBad, "the backup does not have the key of "+m.Name, "", "put the key back yourself")
}
