package keys

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/crypto/ssh"

	"flwrup/internal/problem"
	"flwrup/internal/shell"
)

// Scan looks at every key of a folder and changes nothing. A folder that does not exist counts as empty. A
// file in its place, or a folder that cannot be read, is a Problem. Files that are not keys are skipped
// silently.
func Scan(dir string) (Folder, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return Folder{}, fmt.Errorf("look for keys: %w", err)
	}
	folder := Folder{Dir: dir}
	info, err := os.Stat(dir)
	if errors.Is(err, os.ErrNotExist) {
		if _, lerr := os.Lstat(dir); lerr == nil {
			return folder, linkProblem(dir)
		}
		return folder, nil
	}
	if err != nil {
		return folder, fileProblem("read", dir, err)
	}
	if !info.IsDir() {
		return folder, notFolder(dir)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return folder, fileProblem("read", dir, err)
	}
	if link, lerr := os.Lstat(dir); lerr == nil && link.Mode()&os.ModeSymlink != 0 {
		folder.Issues = append(folder.Issues, Issue{File: dir, Problem: linkProblem(dir)})
	} else if loose(info) {
		issue := looseIssue(dir, info, "0700")
		issue.Harmless = info.Mode().Perm()&0o022 == 0 // others see names, not keys
		folder.Issues = append(folder.Issues, issue)
	}
	for _, e := range entries {
		folder.taken = append(folder.taken, strings.TrimSuffix(e.Name(), ".pub"))
	}
	for _, name := range keyNames(dir, entries) {
		folder.add(name, inspect(filepath.Join(dir, name)))
	}
	for _, e := range entries {
		if stale, ok := staleLeftover(dir, e); ok {
			folder.Issues = append(folder.Issues, stale)
		}
	}
	slices.SortFunc(folder.Pairs, func(a, b Pair) int {
		if a.Number != b.Number {
			return a.Number - b.Number
		}
		return strings.Compare(a.Name, b.Name)
	})
	folder.part()
	slices.SortStableFunc(folder.Issues, func(a, b Issue) int { return strings.Compare(a.File, b.File) })
	return folder, nil
}

func (f *Folder) add(name string, in inspected) {
	if in.privateGone && in.publicGone {
		return // removed since the folder was listed
	}
	private := filepath.Join(f.Dir, name)
	if serverName.MatchString(name) && (in.half() || in.broken != nil) {
		return // a SuperLink's: it is not ours to complete or mend
	}
	if in.half() {
		f.Halves = append(f.Halves, name)
		in.issues = append(in.issues, Issue{File: private, Problem: problem.New(HalfPair,
			show(private)+" has no public key next to it", "making it was interrupted, or the file was removed",
			"nothing is lost, write it again: ssh-keygen -y -f "+shell.Path(private)+" > "+shell.Path(private+".pub"))})
	}
	f.Issues = append(f.Issues, in.issues...)
	if in.broken == nil && !in.publicGone {
		f.Pairs = append(f.Pairs, newPair(f.Dir, name, in.public, in.made))
	}
}

func newPair(dir, name string, public ssh.PublicKey, made time.Time) Pair {
	private := filepath.Join(dir, name)
	_, number, _ := split(name)
	return Pair{Name: name, Number: number, Private: private, Public: private + ".pub",
		Fingerprint: ssh.FingerprintSHA256(public), Made: made}
}

// keyNames returns the names of private keys that a folder has or ought to have: the name of every .pub,
// every file that starts as a private key, and every name like a key's, because a truncated file or a link
// shows it by nothing else.
func keyNames(dir string, entries []os.DirEntry) []string {
	names, prefixes := map[string]bool{}, map[string]bool{defaultPrefix: true}
	note := func(name string) {
		names[name] = true
		if prefix, _, numbered := split(name); numbered {
			prefixes[prefix] = true
		}
	}
	for _, e := range entries {
		if base, ok := strings.CutSuffix(e.Name(), ".pub"); ok && base != "" && !e.IsDir() {
			note(base)
		}
	}
	var unsure []string
	for _, e := range entries {
		name := e.Name()
		if names[name] || e.IsDir() || isLeftover(name) || strings.HasSuffix(name, ".pub") {
			continue
		}
		if data, _, err := readKeyFile(filepath.Join(dir, name)); err == nil && looksPrivate(data) {
			note(name)
		} else {
			unsure = append(unsure, name)
		}
	}
	for _, name := range unsure {
		if prefix, _, numbered := split(name); numbered && prefixes[prefix] {
			names[name] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

func looseIssue(path string, info os.FileInfo, want string) Issue {
	return Issue{File: path, Problem: problem.New(LooseMode,
		fmt.Sprintf("%s has mode %04o", show(path), info.Mode().Perm()), "others on this machine can get at it",
		"chmod "+want+" "+shell.Path(path))}
}

func linkProblem(dir string) *problem.Problem {
	return problem.New(Symlink, "the folder "+show(dir)+" is a symlink", "flwrup writes keys only where they really are",
		"name the folder that it points to")
}

func notFolder(dir string) *problem.Problem {
	return problem.New(problem.BadInput, show(dir)+" is a file, not a folder", "the keys would go in there",
		"move it away, or choose another folder for the keys")
}

// fileProblem says what failed on a file or a folder, and what to do about it.
func fileProblem(verb, path string, err error) error {
	what := fmt.Sprintf("cannot %s %s", verb, show(path))
	switch {
	case errors.Is(err, errSymlink):
		return readProblem(path, err)
	case diskFull(err):
		return &problem.Problem{Code: DiskFull, What: what, Why: "the disk is full", Fix: "make some room, then run the same again; nothing is lost", Err: err}
	case errors.Is(err, syscall.EROFS):
		return &problem.Problem{Code: NotWritable, What: what, Why: "the file system is read-only", Fix: "choose a folder that can be written", Err: err}
	case errors.Is(err, os.ErrPermission):
		return &problem.Problem{Code: NotWritable, What: what, Why: "permission denied",
			Fix: "look at who owns it (ls -ld " + shell.Path(path) + ") and make it yours, or choose another folder", Err: err}
	case errors.Is(err, os.ErrExist):
		return &problem.Problem{Code: FileExists, What: show(path) + " already exists", Why: "flwrup replaces no file of yours", Fix: "move it away, or choose another name", Err: err}
	case errors.Is(err, os.ErrNotExist):
		return &problem.Problem{Code: problem.BadInput, What: what, Why: "it is not there", Fix: "look at the name and the folder", Err: err}
	case errors.Is(err, syscall.ENOTDIR):
		return &problem.Problem{Code: problem.BadInput, What: what, Why: "a file is where a folder should be", Fix: "move that file away, or choose another folder", Err: err}
	}
	return &problem.Problem{Code: problem.BadInput, What: what, Why: err.Error(), Err: err}
}
