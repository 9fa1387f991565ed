// Package config reads and edits the files in which flwr keeps its connections: Flower's config.toml, and up to
// flwr 1.25 the pyproject.toml of the app.
package config

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"syscall"

	"flwrup/internal/atomicfile"
	"flwrup/internal/plainfile"
	"flwrup/internal/problem"
	"flwrup/internal/shell"
	"flwrup/internal/tomledit"
)

// Edit is one file before and after a change. The functions that return one change nothing: a front end shows
// Diff, and Write applies it.
type Edit struct {
	File   string
	Before []byte // nil: the file does not exist
	After  []byte
	Why    string // purpose of the edit, one sentence
}

// Changed reports whether Write would change anything.
func (e Edit) Changed() bool {
	return e.After != nil && (e.Before == nil || !bytes.Equal(e.Before, e.After))
}

// Diff returns the edit as a unified diff; "" when nothing changes. It is the user's own text, not yet safe
// for a terminal.
func (e Edit) Diff() string {
	if !e.Changed() {
		return ""
	}
	return tomledit.Diff(e.Before, e.After, e.File)
}

// Write applies the edit: atomically, through a symlink, with the file's mode, and only while the file still
// equals Before. It first copies the file to its own folder and returns the copy's path for Undo; no older
// copy is overwritten. When nothing changes it does nothing, and undo is "". Errors are Problems (bad-input):
// changed meanwhile, read-only, no permission, disk full.
func (e Edit) Write() (undo string, err error) {
	if !e.Changed() {
		return "", nil
	}
	now, mode, err := readConfig(e.File)
	if err != nil {
		return "", err
	}
	if (now == nil) != (e.Before == nil) || !bytes.Equal(now, e.Before) {
		return "", problem.New(problem.BadInput, e.File+" has changed meanwhile", "it is no longer what the edit was made for", "look at it again, then repeat the step")
	}
	if now == nil {
		if err := os.MkdirAll(filepath.Dir(e.File), 0o700); err != nil {
			return "", writeProblem(e.File, err)
		}
	} else if err := writable(e.File, mode); err != nil {
		return "", err
	}
	if undo, err = keepCopy(e, mode); err != nil {
		return "", writeProblem(e.File, err)
	}
	if err := atomicfile.Write(e.File, e.After, mode); err != nil {
		os.Remove(undo)
		return "", writeProblem(e.File, err)
	}
	return undo, nil
}

// Writable reports why Write could not change the file; nil when it could, or need not.
func (e Edit) Writable() error {
	if !e.Changed() || e.Before == nil {
		return nil
	}
	_, mode, err := readConfig(e.File)
	if err != nil {
		return err
	}
	return writable(e.File, mode)
}

// Names of undo copies carry the hash of the text after the edit, so that Undo can see whether the user has
// changed the file since: pyproject.toml.before-flwrup-1a2b3c4d, and .absent-before-flwrup-… (empty) where
// the edit made the file.
var undoName = regexp.MustCompile(`^(.+)\.(before|absent-before)-flwrup-([0-9a-f]{8})(-[0-9]+)?$`)

// Undo reverts the edit of the copy from Write, and removes the copy. It leaves a file that has changed since
// alone, with a Problem (bad-input) that names both files.
func Undo(undoFile string) error {
	m := undoName.FindStringSubmatch(filepath.Base(undoFile))
	if m == nil {
		return problem.New(problem.BadInput, undoFile+" is not an undo copy of flwrup", "", "")
	}
	file, hash := filepath.Join(filepath.Dir(undoFile), m[1]), m[3]
	kept, _, err := readConfig(undoFile)
	if err != nil {
		return err
	}
	if kept == nil {
		return problem.New(problem.BadInput, "nothing to undo for "+file, undoFile+" is gone", "")
	}
	now, mode, err := readConfig(file)
	if err != nil {
		return err
	}
	if now == nil || hashOf(now) != hash {
		return problem.New(problem.BadInput, file+" has changed since the edit", "undoing it would lose the later changes",
			"compare it with "+undoFile+" and take over by hand what you want")
	}
	if err := writable(file, mode); err != nil {
		return err
	}
	if m[2] == "absent-before" {
		err = os.Remove(file)
	} else {
		err = atomicfile.Write(file, kept, mode)
	}
	if err != nil {
		return writeProblem(file, err)
	}
	return os.Remove(undoFile)
}

func hashOf(b []byte) string {
	sum := sha256.Sum256(b)
	return fmt.Sprintf("%x", sum[:4])
}

// keepCopy writes the file's old content to the same folder, under a name that is free.
func keepCopy(e Edit, mode fs.FileMode) (string, error) {
	kind := "before"
	if e.Before == nil {
		kind = "absent-before"
	}
	base := fmt.Sprintf("%s.%s-flwrup-%s", e.File, kind, hashOf(e.After))
	for i, name := 2, base; ; i, name = i+1, fmt.Sprintf("%s-%d", base, i) {
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
		if errors.Is(err, fs.ErrExist) && i < 1000 {
			continue
		}
		if err != nil {
			return "", err
		}
		_, err = f.Write(e.Before)
		err = errors.Join(err, f.Sync(), f.Close())
		if err != nil {
			os.Remove(name)
			return "", err
		}
		return name, nil
	}
}

// readConfig reads a configuration file and its permissions; nil and the mode of a new file when it does not
// exist. A file that is not plain, a dangling link or an unreadable file is a Problem (bad-input).
func readConfig(file string) ([]byte, fs.FileMode, error) {
	info, err := os.Stat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if l, lerr := os.Lstat(file); lerr == nil && l.Mode()&fs.ModeSymlink != 0 {
			return nil, 0, problem.New(problem.BadInput, file+" is a link to a file that does not exist", "", "make the file that it points to, or remove the link")
		}
		return nil, 0o644, nil
	case errors.Is(err, syscall.ENOTDIR):
		return nil, 0, problem.New(problem.BadInput, "no folder for "+file, filepath.Dir(file)+" is, or is inside, a file", "move that file away")
	case err != nil:
		return nil, 0, readProblem(file, err)
	case !info.Mode().IsRegular():
		return nil, 0, problem.New(problem.BadInput, file+" is not a plain file", "it is a "+kindOf(info.Mode()), "move it away, or choose another folder")
	case info.Size() > maxConfig:
		return nil, 0, problem.New(problem.BadInput, file+" is too large", fmt.Sprintf("%d MiB is not the size of a configuration file", info.Size()>>20), "put the right file in its place")
	}
	data, err := plainfile.Read(file)
	if err != nil {
		return nil, 0, readProblem(file, err)
	}
	if data == nil {
		data = []byte{}
	}
	return data, info.Mode().Perm(), nil
}

const maxConfig = 8 << 20

func kindOf(m fs.FileMode) string {
	if m.IsDir() {
		return "folder"
	}
	return "device, pipe or socket"
}

// writable refuses a file that its owner has made read-only. Replacing it would be possible in a writable
// folder, but the owner does not want that.
func writable(file string, mode fs.FileMode) error {
	if mode&0o222 != 0 {
		f, err := os.OpenFile(file, os.O_WRONLY, 0)
		if err == nil {
			return f.Close()
		}
		if !errors.Is(err, fs.ErrPermission) {
			return writeProblem(file, err)
		}
	}
	return problem.New(problem.BadInput, file+" is read-only", "", "allow writing with: chmod u+w "+shell.Path(file))
}

func readProblem(file string, err error) error {
	p := problem.New(problem.BadInput, "cannot read "+file, problem.Cause(err), "")
	if errors.Is(err, fs.ErrPermission) {
		p.Fix = "allow reading with: chmod u+r " + shell.Path(file)
	}
	p.Err = err
	return p
}

func writeProblem(file string, err error) error {
	p := problem.New(problem.BadInput, "cannot write "+file, problem.Cause(err), "")
	switch {
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		p.Fix = "make the folder " + filepath.Dir(file) + " writable for you, or choose another one"
	case errors.Is(err, syscall.ENOSPC):
		p.Fix = "free some disk space, then repeat the step"
	case errors.Is(err, syscall.ENOTDIR), errors.Is(err, fs.ErrExist):
		p.Fix = "move the file away that stands where the folder " + filepath.Dir(file) + " belongs"
	}
	p.Err = err
	return p
}
