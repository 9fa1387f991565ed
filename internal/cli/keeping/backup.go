// Package keeping is the part of flwrup's command line that keeps keys safe: flwrup backup.
package keeping

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"flwrup/internal/cli/program"
	"flwrup/internal/custody"
	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/site"
	"flwrup/internal/wording"
)

// BackupData is one backup in `flwrup backup --json`.
type BackupData struct {
	File    string               `json:"file"`
	Verdict custody.Verdict      `json:"verdict"` // verified, incomplete, differs, unreadable, locked; written for a new one that only its recipient can open
	Made    time.Time            `json:"made,omitzero"`
	Keys    int                  `json:"keys"`
	Missing []string             `json:"missing,omitempty"` // key files that it does not have
	Differ  []string             `json:"differ,omitempty"`  // key files that are other ones there
	Error   *program.ProblemData `json:"error,omitempty"`
}

// written is the verdict of a new backup that nobody here can open.
const written custody.Verdict = "written"

// Backup is `flwrup backup`.
func Backup(p *program.Program) *cobra.Command {
	var verify, yes bool
	var identity, passphrase string
	cmd := &cobra.Command{
		Use: "backup [--verify [FILE…]]", Short: "Make a new backup of the keys, or verify one that is there",
		Long: `Makes a new encrypted backup of all keys, opens it again and compares it with them.

With --verify it makes none: it opens the newest backup, or the FILEs named, in memory, and compares
each with the keys as they are now. Nothing of a key is written to the disk. flwrup keeps when a
backup was last found good: flwrup status --json and flwrup doctor say so.`,
		RunE: func(cmd *cobra.Command, files []string) error {
			if !verify && (len(files) > 0 || identity != "") {
				return problem.New(problem.Usage, "cannot make a backup with these arguments", "files and --identity are for --verify", "give --verify as well")
			}
			unattended := yes || p.JSON || !p.Attended()
			s, err := p.Open(cmd.Context(), site.Options{Dir: p.FindDir(), Attended: !unattended, PassphraseFile: passphrase}, unattended)
			if err != nil {
				return err
			}
			defer s.Close()
			to := p.Front(unattended)
			if !verify {
				return site.InTurn(cmd.Context(), s, "backing up the keys", to, func(to front.Sink) error { return makeOne(cmd.Context(), p, s, to) })
			}
			list, err := custody.Verify(cmd.Context(), s, files, identity, to)
			return show(p, list, err)
		},
	}
	cmd.Flags().BoolVar(&verify, "verify", false, "make none: open backups in memory and compare them with the keys")
	cmd.Flags().StringVar(&identity, "identity", "", "`file`, from here, with the age identity that opens a backup made for a recipient")
	cmd.Flags().StringVar(&passphrase, "passphrase-file", "", "`file`, from here, with the passphrase of the backup")
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	p.JSONFlag(cmd)
	return cmd
}

// makeOne makes one backup.
func makeOne(ctx context.Context, p *program.Program, s *site.Site, to front.Sink) error {
	b, err := custody.BackUp(ctx, s, to)
	if err != nil || b.File == "" {
		return err
	}
	d := BackupData{File: b.File, Verdict: custody.Good, Made: b.Made, Keys: len(b.Fingerprints)}
	if !b.Verified {
		d.Verdict = written
	}
	if p.JSON {
		program.WriteJSON(p.Out, []BackupData{d}, nil)
		return nil
	}
	p.Say("%s %s: %s, %s", front.OK.Sign(false), d.File, wording.Count(d.Keys, "key"), d.Verdict)
	return nil
}

// show shows what a verification found.
func show(p *program.Program, list []custody.Checked, err error) error {
	data := []BackupData{}
	for _, c := range list {
		d := BackupData{File: c.File, Verdict: c.Verdict, Made: c.Made, Keys: c.Keys, Missing: c.Missing, Differ: c.Differ}
		if c.Problem != nil {
			d.Error = program.Shape(c.Problem)
		}
		data = append(data, d)
		if p.JSON {
			continue
		}
		if c.Problem == nil {
			p.Say("%s %s, made %s: verified, %s, all as they are now", front.OK.Sign(false), c.File, c.Made.Local().Format("2 January 2006"), wording.Count(c.Keys, "key"))
		} else {
			p.Say("%s %s: %s", front.Failing.Sign(false), c.File, c.Verdict)
		}
	}
	if p.JSON && len(list) > 0 {
		program.WriteJSON(p.Out, data, err)
		if err != nil {
			return &program.ShownError{Err: err}
		}
	}
	return err
}
