package setup

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"flwrup/internal/cli/program"
	"flwrup/internal/front"
	"flwrup/internal/project"
	"flwrup/internal/site"
	"flwrup/internal/wording"
	"flwrup/keys"
)

// rehearsalFiles are the names that flwrup gives what it puts into a rehearsal's folder, and what Python and flwr leave there.
var rehearsalFiles = []string{project.FileName, ".flwrup", "keys", "pyproject.toml", "numpyfl", "README.md", "node-ids.md", ".gitignore", "*.before-flwrup-*",
	"__pycache__", "*.fab", "*.egg-info", "final_model.*", ".flwr", "certificates",
	"request-*.txt", "reply-*.txt", "grid-ca.pem"}

// keyFiles are the same in its folder of keys, but for the keys.
var keyFiles = []string{"*.before-flwrup-*", ".gitignore"}

// belongings returns what a person has put, or had flwrup export, into a rehearsal's folder, relative to it.
func belongings(s *site.Site) []string {
	ours := slices.Clone(rehearsalFiles)
	for _, b := range s.Ledger.Backups() {
		ours = append(ours, filepath.Base(b.File))
	}
	others := func(dir string, ours []string) (list []string) {
		entries, _ := os.ReadDir(filepath.Join(s.Dir, dir))
		for _, e := range entries {
			if !slices.ContainsFunc(ours, func(pattern string) bool { ok, _ := filepath.Match(pattern, e.Name()); return ok }) {
				list = append(list, filepath.Join(dir, e.Name()))
			}
		}
		return list
	}
	return append(others(".", ours), others("keys", append(ownKeys(s), keyFiles...))...)
}

// ownKeys returns the names of the rehearsal's own key files: those of its SuperNodes, and of keys that its ledger knows
// from before. Of any other key it cannot say whose it is.
func ownKeys(s *site.Site) (names []string) {
	add := func(p keys.Pair) { names = append(names, filepath.Base(p.Private), filepath.Base(p.Public)) }
	members, folder, err := site.Members(s)
	if err != nil {
		return nil
	}
	for _, m := range members {
		add(m.Pair)
	}
	for _, p := range append(slices.Clone(folder.Pairs), folder.Others...) {
		if _, known := s.Ledger.NodeByKey(p.Fingerprint); known {
			add(p)
		}
	}
	return names
}

// mayRemove says what goes with a rehearsal's folder and what stays, and reports whether it may be removed. Where it
// holds something of the person's it asks; without a person the folder stays.
func mayRemove(ctx context.Context, p *program.Program, s *site.Site, to front.Sink) bool {
	if !project.Marked(s.Dir, "rehearsal") {
		return true // it is not removed: it was there before flwrup
	}
	p.Say("this removes %s with the rehearsal's keys, logs and run history; the environment with flwr stays for the next time", s.Dir)
	list := belongings(s)
	if len(list) == 0 {
		return true
	}
	answer, err := to.Ask(ctx, front.Question{ID: "remove-folder", Kind: front.AskConfirm, Default: "no",
		Ask:  "Remove " + wording.Count(len(list), "file") + " of yours, too?",
		Help: "In the folder, and not made by the rehearsal itself: " + strings.Join(list, ", ")})
	if err == nil && answer == "yes" {
		return true
	}
	p.Say("%s stays: it holds %s", s.Dir, strings.Join(list, ", "))
	return false
}
