package custody

import (
	"context"
	"path/filepath"
	"slices"
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

// Verdict is the word for what a verification found.
type Verdict string

// The verdicts, for scripts.
const (
	Good       Verdict = "verified"   // opened, and it holds every key as it is now
	Incomplete Verdict = "incomplete" // a key of now is not in it
	Differs    Verdict = "differs"    // a key in it is another than the one of that name now
	Unreadable Verdict = "unreadable" // not there, damaged, or no backup
	Locked     Verdict = "locked"     // the passphrase or identity does not open it
)

// Checked is one backup that was verified.
type Checked struct {
	File    string // relative to the project folder where it is inside
	Verdict Verdict
	Made    time.Time // zero while nothing could be read
	Keys    int       // in it
	Missing []string  // names of key files, as keys.Compared has them
	Differ  []string
	Problem *problem.Problem // nil for Good
}

// Verify opens backups in memory and compares them with the keys on disk; without files the newest one that the ledger
// has. identity names a file with an age identity, "" asks for the passphrase. Nothing of a key is written. The ledger
// keeps when a backup was found good. The error is the worst of the findings' Problems.
func Verify(ctx context.Context, s *site.Site, files []string, identity string, to front.Sink) ([]Checked, error) {
	if len(files) == 0 {
		list := s.Ledger.Backups()
		if len(list) == 0 {
			return nil, problem.New(problem.NeedsPerson, "there is no backup to verify", "flwrup made none in this folder", "make one: flwrup backup; or name a file: flwrup backup --verify FILE")
		}
		files = []string{s.Path(list[len(list)-1].File)}
	}
	var ids []age.Identity
	var err error
	if identity != "" {
		if ids, err = keys.ReadIdentities(identity); err != nil {
			return nil, err
		}
	} else if err := fleet.RoomFor(true); err != nil {
		return nil, err
	}
	var all []Checked
	var worst error
	for _, file := range files {
		if file, err = filepath.Abs(file); err != nil {
			return all, err
		}
		c := check(ctx, s, file, &ids, to)
		if ctx.Err() != nil {
			return all, ctx.Err()
		}
		if c.Problem != nil && problem.Is(c.Problem, problem.NeedsPerson) {
			return all, c.Problem
		}
		all = append(all, c)
		if c.Problem != nil && worst == nil {
			worst = c.Problem
		}
	}
	return all, worst
}

// check verifies one backup. ids are what opened the one before; nil asks.
func check(ctx context.Context, s *site.Site, file string, ids *[]age.Identity, to front.Sink) Checked {
	c := Checked{File: s.Rel(file)}
	fail := func(v Verdict, err error) Checked {
		c.Verdict, c.Problem = v, problem.Of(err)
		return c
	}
	known, inLedger := ledger.Backup{}, false
	for _, b := range s.Ledger.Backups() {
		if keys.CheckHash(file, b.SHA256) == nil {
			known, inLedger = b, true
		}
	}
	if *ids == nil {
		if err := keys.Readable(file); err != nil {
			return fail(Unreadable, err)
		}
		var err error
		if *ids, err = fleet.BackupIdentities(ctx, s, file, "flwrup opens the backup in memory and compares it with the keys. Nothing of it is written.", to); err != nil {
			return fail(Locked, err)
		}
	}
	found, err := keys.CompareBackup(ctx, file, *ids, s.Folder().KeysDir())
	switch {
	case problem.Is(err, keys.BackupLocked):
		p := problem.Of(err)
		if s.Choices().BackupRecipient != "" {
			p = problem.New(keys.BackupLocked, p.What, "backups of this folder are encrypted to a recipient, whose identity opens them", "flwrup backup --verify --identity FILE, with the file that age-keygen wrote")
		}
		return fail(Locked, p)
	case err != nil:
		return fail(Unreadable, err)
	}
	c.Made, c.Keys, c.Missing, c.Differ = found.Made, len(found.Names), found.Missing, found.Differ
	stale := func(what, why string) error {
		return problem.New(keys.BackupStale, what, why, "make a new backup, and keep the old one: flwrup backup")
	}
	switch {
	case len(c.Differ) > 0:
		return fail(Differs, stale(c.File+" holds other keys than "+s.Rel(s.Folder().KeysDir()), "different there: "+strings.Join(c.Differ, ", ")))
	case len(c.Missing) > 0:
		return fail(Incomplete, stale(c.File+" does not hold every key", "not in it: "+strings.Join(c.Missing, ", ")))
	}
	c.Verdict = Good
	if !inLedger { // a copy from elsewhere, or one that age made
		known = ledger.Backup{File: s.Rel(file), SHA256: found.SHA256, Made: found.Made, Fingerprints: found.Fingerprints}
		if filepath.IsAbs(known.File) || slices.ContainsFunc(s.Ledger.Backups(), func(b ledger.Backup) bool { return b.File == known.File }) {
			return c // outside the folder: it may be gone tomorrow
		}
	}
	known.Verified, known.Checked = true, time.Now()
	if err := s.Ledger.PutBackup(known); err != nil {
		c.Problem = problem.Of(err)
	}
	return c
}
