package site

import (
	"fmt"
	"os"
	"strings"
)

// The kinds of scratch folders.
const (
	ScratchRestore = "restore-" // a backup that is opened to take one key from it
	ScratchApp     = "new-app-"
)

// Scratch makes a folder below .flwrup for work that is either finished or worth nothing. The caller removes it.
func Scratch(s *Site, kind string) (string, error) {
	return os.MkdirTemp(s.StateDir(), kind) // 0700
}

// clearScratch removes the scratch folders of a flwrup that was killed: one may hold keys in the clear. It runs with
// the lock in hand, so that nobody is at work in them.
func clearScratch(s *Site) error {
	entries, err := os.ReadDir(s.StateDir())
	if err != nil {
		return fmt.Errorf("look for unfinished work: %w", err)
	}
	for _, e := range entries {
		if !e.IsDir() || !strings.HasPrefix(e.Name(), ScratchRestore) && !strings.HasPrefix(e.Name(), ScratchApp) {
			continue
		}
		if err := os.RemoveAll(s.StateDir(e.Name())); err != nil {
			return fmt.Errorf("remove unfinished work: %w", err)
		}
	}
	return nil
}
