package keys

import (
	"os"
	"path/filepath"

	"flwrup/internal/problem"
)

// FixModes takes others' access away: private keys become 0600 and the folder 0700, where they are looser. It
// returns the paths that it changed. Links are not followed. On Windows access does not depend on modes, so
// there is nothing to do.
func FixModes(dir string) ([]string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return nil, fileProblem("read", dir, err)
	}
	if info.Mode()&os.ModeSymlink != 0 {
		return nil, linkProblem(dir)
	}
	if !info.IsDir() {
		return nil, notFolder(dir)
	}
	var changed []string
	if loose(info) {
		if err := tighten(dir, info, 0o700); err != nil {
			return nil, err
		}
		changed = append(changed, dir)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return changed, fileProblem("read", dir, err)
	}
	for _, name := range keyNames(dir, entries) {
		path := filepath.Join(dir, name)
		info, err := os.Lstat(path)
		if err != nil || !info.Mode().IsRegular() || !loose(info) {
			continue
		}
		if err := tighten(path, info, 0o600); err != nil {
			return changed, err
		}
		changed = append(changed, path)
	}
	return changed, nil
}

// tighten changes the mode through an open file, so that it changes the file that was inspected.
func tighten(path string, info os.FileInfo, perm os.FileMode) error {
	f, err := os.Open(path)
	if err != nil {
		return fileProblem("read", path, err)
	}
	defer f.Close()
	if now, err := f.Stat(); err != nil || !os.SameFile(info, now) {
		return problem.New(Unreadable, show(path)+" was replaced while its mode was being changed", "", "run the same command again")
	}
	if err := f.Chmod(perm); err != nil {
		return fileProblem("change the mode of", path, err)
	}
	return nil
}
