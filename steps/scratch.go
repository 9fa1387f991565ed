package steps

import (
	"fmt"
	"os"
	"strings"
)

// The kinds of scratch folders.
const (
	scratchRestore = "restore-" // a backup that is opened to take one key from it
	scratchApp     = "new-app-"
)

// scratch makes a folder below .flwrup for work that is either finished or worth nothing. The caller removes it.
func (s *Site) scratch(kind string) (string, error) {
	return os.MkdirTemp(s.stateDir(), kind) // 0700
}

// clearScratch removes the scratch folders of a flwrup that was killed: one may hold keys in the clear. It runs with
// the lock in hand, so that nobody is at work in them.
func (s *Site) clearScratch() error {
	entries, err := os.ReadDir(s.stateDir())
	if err != nil {
		return fmt.Errorf("look for unfinished work: %w", err)
	}
	for _, e := range entries {
		if !e.IsDir() || !strings.HasPrefix(e.Name(), scratchRestore) && !strings.HasPrefix(e.Name(), scratchApp) {
			continue
		}
		if err := os.RemoveAll(s.stateDir(e.Name())); err != nil {
			return fmt.Errorf("remove unfinished work: %w", err)
		}
	}
	return nil
}
