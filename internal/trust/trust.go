// Package trust remembers what the user accepted about a project folder: values of flwrup.toml that run code,
// or that read or expose something outside the folder. flwrup.toml travels in version control, so the
// acceptance lives elsewhere: in this account's own state, bound to the real path of the folder and to the
// project's ID there.
package trust

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"github.com/gofrs/flock"

	"flwrup/internal/atomicfile"
	"flwrup/internal/plainfile"
	"flwrup/internal/problem"
	"flwrup/internal/userdirs"
)

// Value is one value that the user has to accept.
type Value struct {
	Key  string // its place: flwr.path, node.all.data, .venv
	Text string // the value as written, and where it leads; part of the hash
	Says string // its effect, in plain words
}

// Hash names the value in the store without revealing it.
func (v Value) Hash() string {
	sum := sha256.Sum256([]byte(v.Key + "\x00" + v.Text))
	return hex.EncodeToString(sum[:])
}

// String returns a line for the user: the place and the effect of the value.
func (v Value) String() string { return written(v.Key + ": " + v.Says) }

// Place returns the key for the user.
func (v Value) Place() string { return written(v.Key) }

// written escapes runes that a terminal does not show as they are, such as marks that change the direction of
// text.
func written(text string) string {
	var b strings.Builder
	for _, r := range text {
		if unicode.IsPrint(r) {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, "\\u{%x}", r)
		}
	}
	return b.String()
}

// Lines returns a line for each value.
func Lines(values []Value) []string {
	lines := make([]string, len(values))
	for i, v := range values {
		lines[i] = v.String()
	}
	return lines
}

// Refused returns the Problem (not-accepted) about values that nobody accepted in dir.
func Refused(dir string, values []Value) *problem.Problem {
	says := Lines(values)
	if len(says) > 5 {
		says = append(says[:5], fmt.Sprintf("and %d more", len(values)-5))
	}
	return problem.New(problem.NotAccepted, dir+" asks for something that you have not accepted", strings.Join(says, "; "),
		"look at it with `flwrup trust`, which also accepts it; or add --trust to this command")
}

// record is the file of one folder.
type record struct {
	Folder   string   `json:"folder"`
	Project  string   `json:"project"`
	Accepted []string `json:"accepted"` // hashes
}

// Store is the memory about one folder.
type Store struct{ folder, file string }

// For returns the store of the folder dir, which exists. It reads and writes nothing yet.
func For(dir string) (*Store, error) {
	folder, err := filepath.Abs(dir)
	if err == nil {
		folder, err = filepath.EvalSymlinks(folder)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot find %s: %w", dir, err)
	}
	root, err := userdirs.State("trust")
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte(folder))
	return &Store{folder, filepath.Join(root, hex.EncodeToString(sum[:16])+".json")}, nil
}

// read returns an empty record when there is none, or when another user could have written it.
func (s *Store) read() record {
	var r record
	info, err := os.Lstat(s.file)
	if err != nil || !info.Mode().IsRegular() || userdirs.Check(s.file) != nil {
		return record{}
	}
	b, err := plainfile.Read(s.file)
	if err != nil || json.Unmarshal(b, &r) != nil || r.Folder != s.folder {
		return record{}
	}
	return r
}

// Known reports whether flwrup set up, or the user accepted, the project with this ID in the folder.
func (s *Store) Known(project string) bool {
	r := s.read()
	return r.Project != "" && r.Project == project
}

// Blank reports whether nothing was ever accepted in the folder, for any project.
func (s *Store) Blank() bool { return s.read().Project == "" }

// Missing returns the values that were never accepted for the project with this ID.
func (s *Store) Missing(project string, values []Value) []Value {
	r := s.read()
	if r.Project != project {
		return values
	}
	return slices.DeleteFunc(slices.Clone(values), func(v Value) bool { return slices.Contains(r.Accepted, v.Hash()) })
}

// Accept remembers the values for the project with this ID. It forgets values accepted for another project at
// the same place.
func (s *Store) Accept(project string, values []Value) error {
	return s.change(func(r record) (record, bool) {
		changed := r.Project != project
		if changed {
			r = record{Folder: s.folder, Project: project, Accepted: []string{}}
		}
		for _, v := range values {
			if h := v.Hash(); !slices.Contains(r.Accepted, h) {
				r.Accepted, changed = append(r.Accepted, h), true
			}
		}
		return r, changed
	})
}

// Revoke forgets every accepted value. The project itself stays known: its records are flwrup's own.
func (s *Store) Revoke() error {
	return s.change(func(r record) (record, bool) {
		if r.Project == "" {
			return r, false
		}
		r.Accepted = []string{}
		return r, true
	})
}

// Forget removes the store of a folder that is gone.
func (s *Store) Forget() error {
	if err := os.Remove(s.file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func (s *Store) change(change func(record) (record, bool)) error {
	fail := func(err error) error {
		return &problem.Problem{Code: problem.BadInput, What: "cannot keep what you accepted in " + filepath.Dir(s.file), Why: err.Error(),
			Fix: "make that folder writable for you", Err: err}
	}
	if err := userdirs.Private(filepath.Dir(s.file)); err != nil {
		return err
	}
	lock := flock.New(filepath.Join(filepath.Dir(s.file), "lock"), flock.SetPermissions(0o600))
	if err := lock.Lock(); err != nil {
		return fail(err)
	}
	defer lock.Close()
	r, changed := change(s.read())
	if !changed {
		return nil
	}
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fail(err)
	}
	if err := atomicfile.Write(s.file, append(b, '\n'), 0o600); err != nil {
		return fail(err)
	}
	return nil
}

// Nowhere returns a path where nothing exists: it stands for the records of a folder that nobody accepted.
func (s *Store) Nowhere() string { return strings.TrimSuffix(s.file, ".json") + ".none" }
