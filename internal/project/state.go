package project

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"flwrup/internal/atomicfile"
	"flwrup/internal/plainfile"
	"flwrup/internal/problem"
)

// EnsureStateDir makes StateDir(dir) (mode 0700, with a .gitignore for all of it) and returns its path. dir
// itself has to exist. Errors are Problems (bad-input).
func EnsureStateDir(dir string) (string, error) {
	state := StateDir(dir)
	what := "cannot keep flwrup's files in " + dir
	if err := os.Mkdir(state, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", AccessProblem(what, dir, err)
	}
	if err := CheckStateDir(dir); err != nil {
		return "", err
	}
	info, err := os.Lstat(state)
	if err != nil {
		return "", AccessProblem(what, dir, err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		_ = os.Chmod(state, 0o700) // #nosec G302 -- a folder. Windows has no such modes, nor have some shared folders
	}
	ignore := filepath.Join(state, ".gitignore")
	if _, err := os.Lstat(ignore); errors.Is(err, fs.ErrNotExist) {
		if err := os.WriteFile(ignore, []byte("*\n"), 0o600); err != nil {
			return "", AccessProblem(what, state, err)
		}
	}
	return state, nil
}

// CheckStateDir refuses a StateDir(dir) through which flwrup would read or change something else: a link,
// another user's folder, or a folder with links in it. A missing one is fine. It changes nothing.
func CheckStateDir(dir string) error {
	state := StateDir(dir)
	refuse := func(why, fix string) error {
		return problem.New(problem.BadInput, "flwrup does not use "+state, why, fix)
	}
	info, err := os.Lstat(state)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return nil
	case err != nil:
		return AccessProblem("cannot look at "+state, dir, err)
	case info.Mode()&fs.ModeSymlink != 0:
		return refuse("it is a link to another place", "remove the link, and find out who put it there")
	case !info.IsDir():
		return refuse("it is a file", "move "+state+" away")
	case !ours(info):
		return refuse("it belongs to another user", "work in a folder of your own, or move "+state+" away")
	}
	entries, err := os.ReadDir(state)
	if err != nil {
		return AccessProblem("cannot look at "+state, state, err)
	}
	for _, e := range entries {
		if e.Type()&fs.ModeSymlink != 0 {
			return refuse(e.Name()+" in it is a link to another place", "remove that link, and find out who put it there")
		}
	}
	return nil
}

// TicketPrefix begins the names of files in StateDir that are places in line; see package turn.
const TicketPrefix = "turn."

// Fresh reports whether dir has no records of flwrup's yet: no .flwrup, or one with only the files of the
// lock in it. The error is that of CheckStateDir.
func Fresh(dir string) (bool, error) {
	if err := CheckStateDir(dir); err != nil {
		return false, err
	}
	entries, err := os.ReadDir(StateDir(dir))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return true, nil
	}
	if err != nil {
		return false, AccessProblem("cannot look at "+StateDir(dir), dir, err)
	}
	for _, e := range entries {
		name := e.Name()
		if name == "cwd" && e.IsDir() { // where a look starts flwr
			if in, err := os.ReadDir(filepath.Join(StateDir(dir), name)); err == nil && len(in) == 0 {
				continue
			}
		}
		first := slices.Contains([]string{".gitignore", "lock", "lock.pid", "watch.lock", "watch.lock.pid"}, name) ||
			strings.HasPrefix(name, TicketPrefix) || strings.HasPrefix(name, ".id.") && strings.HasSuffix(name, ".tmp") // of a flwrup that was killed there
		if !first || !e.Type().IsRegular() {
			return false, nil
		}
	}
	return true, nil
}

var idText = regexp.MustCompile(`^[0-9a-f]{8}$`)

func idFile(dir string) string { return filepath.Join(StateDir(dir), "id") }

// readState reads a file of StateDir(dir), unless that is not flwrup's own.
func readState(dir, file string) ([]byte, error) {
	if err := CheckStateDir(dir); err != nil {
		return nil, err
	}
	return plainfile.Read(file)
}

// knownID returns the kept id of the project in dir, else a new one that is not kept yet.
func knownID(dir string) string {
	if b, err := readState(dir, idFile(dir)); err == nil {
		if id := strings.TrimSpace(string(b)); idText.MatchString(id) {
			return id
		}
	}
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	return hex.EncodeToString(b[:])
}

// Kept reports whether c.ID is the kept id of the project in dir.
func (c *Choices) Kept(dir string) bool {
	b, err := readState(dir, idFile(dir))
	return err == nil && strings.TrimSpace(string(b)) == c.ID
}

// KeepID writes c.ID to the project's state, unless an id already exists: that id counts, because
// containers may carry it.
func (c *Choices) KeepID(dir string) error {
	if _, err := EnsureStateDir(dir); err != nil {
		return err
	}
	kept := knownID(dir)
	if b, err := plainfile.Read(idFile(dir)); err == nil && strings.TrimSpace(string(b)) == kept {
		c.ID = kept
		return nil
	}
	if !idText.MatchString(c.ID) {
		c.ID = kept
	}
	if err := atomicfile.Write(idFile(dir), []byte(c.ID+"\n"), 0o600); err != nil {
		return AccessProblem("cannot write "+idFile(dir), StateDir(dir), err)
	}
	return nil
}

func markFile(dir string) string { return filepath.Join(StateDir(dir), "made-by-flwrup") }

// Mark puts flwrup's mark on a folder that flwrup has just made; kind names the folder's purpose. It refuses
// a folder with anything in it except .flwrup: it may be the user's.
func Mark(dir, kind string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return AccessProblem("cannot read "+dir, dir, err)
	}
	for _, e := range entries {
		if e.Name() != filepath.Base(StateDir(dir)) {
			return problem.New(problem.BadInput, dir+" is not empty", "flwrup marks only folders that it made itself", "choose another folder with --dir")
		}
	}
	place, err := realPath(dir)
	if err != nil {
		return AccessProblem("cannot mark "+dir, dir, err)
	}
	if _, err := EnsureStateDir(dir); err != nil {
		return err
	}
	text := strconv.Quote(kind) + "\n" + strconv.Quote(place) + "\nflwrup made this folder and may remove it with all in it, as long as this file is here.\n"
	if err := atomicfile.Write(markFile(dir), []byte(text), 0o600); err != nil {
		return AccessProblem("cannot mark "+dir, dir, err)
	}
	return nil
}

// Marked reports whether dir carries flwrup's mark for kind, made at this very place. A copied or moved
// folder does not count, because it is the user's work.
func Marked(dir, kind string) bool {
	got, ok := mark(dir)
	return ok && got == kind
}

func mark(dir string) (kind string, ok bool) {
	b, err := readState(dir, markFile(dir))
	if err != nil {
		return "", false
	}
	lines := strings.SplitN(string(b), "\n", 3)
	if len(lines) < 3 {
		return "", false
	}
	kind, err = strconv.Unquote(lines[0])
	if err != nil {
		return "", false
	}
	marked, err := strconv.Unquote(lines[1])
	if err != nil {
		return "", false
	}
	place, err := realPath(dir)
	return kind, err == nil && place == marked
}

// RemoveMarked deletes dir and all in it when it carries flwrup's mark (of any kind). Another folder, or a
// link to one, is a Problem (bad-input) and stays. The mark goes last, so that an interrupted removal can run
// again. A folder that is gone already is no error.
func RemoveMarked(dir string) error {
	info, err := os.Lstat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if _, ok := mark(dir); err != nil || !info.IsDir() || !ok {
		return problem.New(problem.BadInput, "flwrup does not remove "+dir, "it does not carry flwrup's mark", "remove it yourself if you do not need it")
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return AccessProblem("cannot remove "+dir, dir, err)
	}
	for _, e := range entries {
		if e.Name() == filepath.Base(StateDir(dir)) {
			continue
		}
		if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
			return AccessProblem("cannot remove "+dir, dir, err)
		}
	}
	state, err := os.ReadDir(StateDir(dir))
	if err != nil {
		return AccessProblem("cannot remove "+dir, dir, err)
	}
	for _, e := range state {
		if path := filepath.Join(StateDir(dir), e.Name()); path != markFile(dir) {
			if err := os.RemoveAll(path); err != nil {
				return AccessProblem("cannot remove "+dir, dir, err)
			}
		}
	}
	if err := os.RemoveAll(dir); err != nil {
		return AccessProblem("cannot remove "+dir, dir, err)
	}
	return nil
}

func realPath(dir string) (string, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(abs)
}

// RehearsalDir is the folder that a rehearsal makes below its starting folder.
const RehearsalDir = "flwrup-rehearsal"

// Find returns the project folder for start: start itself when it holds flwrup.toml, else the rehearsal below
// it.
func Find(start string) (dir string, ok bool) {
	for _, dir := range []string{start, filepath.Join(start, RehearsalDir)} {
		if info, err := os.Stat(File(dir)); err == nil && info.Mode().IsRegular() {
			return dir, true
		}
	}
	return start, false
}
