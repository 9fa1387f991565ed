package grid

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"

	"flwrup/internal/atomicfile"
	"flwrup/internal/plainfile"
	"flwrup/internal/problem"
)

// A SuperLink changes the records of an older one when it starts, and none reads those of a newer one. So a copy of each
// release's stays next to them.

const (
	records     = "superlink.db"
	mostRecords = 1 << 30 // bytes
)

var release = regexp.MustCompile(`^[0-9A-Za-z.]+$`)

func copyOf(dir, version string) string { return filepath.Join(dir, records+"-"+version) }

// parts are the files that the records can be in: those that a SuperLink was killed with are partly in the second.
var parts = []string{"", "-wal"}

// KeepRecords copies the records of a grid that has stopped, as those of a release of flwr.
func KeepRecords(dir, version string) error {
	if !release.MatchString(version) {
		return problem.New(problem.Internal, "no release: "+version, "", "")
	}
	return copyRecords(filepath.Join(dir, records), copyOf(dir, version))
}

// UseRecords puts the copy of a release's records in their place, for a grid that goes back to it; without a copy it changes
// nothing. The grid must not run.
func UseRecords(dir, version string) error {
	if !release.MatchString(version) {
		return problem.New(problem.Internal, "no release: "+version, "", "")
	}
	from := copyOf(dir, version)
	if _, err := os.Lstat(from); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err := errors.Join(remove(filepath.Join(dir, records+"-shm")), remove(filepath.Join(dir, records+"-journal"))); err != nil {
		return folderProblem(dir, err)
	}
	if err := copyRecords(from, filepath.Join(dir, records)); err != nil {
		return err
	}
	for _, part := range parts {
		if err := remove(from + part); err != nil {
			return folderProblem(dir, err)
		}
	}
	return nil
}

// copyRecords makes to what from is. A part that from lacks is removed at to.
func copyRecords(from, to string) error {
	for _, part := range parts {
		text, err := plainfile.ReadAtMost(from+part, mostRecords)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			err = remove(to + part)
		case err == nil:
			err = atomicfile.Write(to+part, text, 0o600)
		}
		if err != nil {
			return folderProblem(filepath.Dir(to), err)
		}
	}
	return nil
}

func remove(file string) error {
	if err := os.Remove(file); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
