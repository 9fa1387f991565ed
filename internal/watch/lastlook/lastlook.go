// Package lastlook keeps what a watch saw last, for a command that wants to know how the SuperNodes are: to ask flwr takes a
// second, nearly all of it for Python's imports.
//
// The look is read only while the watch that wrote it lives, for half a minute, and as long as flwrup.toml and the ledger
// have not changed and no flwrup has begun to act since: what flwrup itself did meanwhile always shows. What the file says is
// treated like text from outside.
package lastlook

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"time"

	"flwrup/internal/atomicfile"
	"flwrup/internal/front"
	"flwrup/internal/plainfile"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/termsafe"
	"flwrup/internal/turn"
)

const (
	version = 1
	most    = 8 << 20 // bytes
	Bound   = 30 * time.Second
)

// File is where the last look of a project lies; state is its folder .flwrup.
func File(state string) string { return filepath.Join(state, "look.json") }

// Look is one look of a watch.
type Look struct {
	At    time.Time
	Title front.Title
	Over  front.Overview
}

// kept is the file. Errors are kept apart, because JSON knows no interfaces.
type kept struct {
	Version                      int              `json:"version"`
	PID                          int              `json:"pid"`   // of the watch
	Since                        time.Time        `json:"since"` // when it began
	Stamp                        string           `json:"stamp"`
	At                           time.Time        `json:"at"`
	Title                        front.Title      `json:"title"`
	Over                         front.Overview   `json:"overview"`
	GridErr, RuntimeErr, FileErr *problem.Problem `json:",omitempty"`
}

// errActs is the reason why there is no stamp while a flwrup acts: the state may be another one in a moment.
var errActs = errors.New("a flwrup acts in the folder")

// Stamp stands for flwrup.toml, the ledger, and the actions of all flwrups so far. A watch takes it before it looks.
func Stamp(dir string) (string, error) {
	_, acts, record := turn.In(dir).Acting()
	if acts {
		return "", errActs
	}
	h := sha256.New()
	sum := sha256.Sum256([]byte(record))
	h.Write(sum[:])
	for _, file := range []string{project.File(dir), filepath.Join(project.StateDir(dir), "ledger.json")} {
		text, err := plainfile.Read(file)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		sum := sha256.Sum256(text)
		h.Write(sum[:])
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// Write keeps the look of the watch that this process is, unless something has changed since the stamp. A folder without a
// watch keeps nothing.
func Write(dir, stamp string, l Look) error {
	holder, watched := turn.Watcher(dir)
	if now, err := Stamp(dir); !watched || err != nil || now != stamp {
		return err
	}
	k := kept{Version: version, PID: holder.PID, Since: holder.Since, Stamp: stamp, At: l.At.Round(0), Title: l.Title, Over: l.Over,
		GridErr: problem.Of(l.Over.GridErr), RuntimeErr: problem.Of(l.Over.RuntimeErr), FileErr: problem.Of(l.Over.FileErr)}
	k.Over.GridErr, k.Over.RuntimeErr, k.Over.FileErr = nil, nil, nil
	text, err := json.Marshal(k)
	if err != nil {
		return err
	}
	return atomicfile.Replace(File(project.StateDir(dir)), text, 0o600)
}

// Read returns the last look of the watch over dir; false where there is none that still holds.
func Read(dir string, now time.Time) (Look, bool) {
	if project.CheckStateDir(dir) != nil {
		return Look{}, false
	}
	text, err := plainfile.ReadAtMost(File(project.StateDir(dir)), most)
	if err != nil {
		return Look{}, false
	}
	k, l, err := decode(text)
	if err != nil {
		return Look{}, false
	}
	if age := now.Sub(k.At); age < 0 || age > Bound {
		return Look{}, false
	}
	holder, watched := turn.Watcher(dir)
	if !watched || holder.PID != k.PID || !holder.Since.Equal(k.Since) {
		return Look{}, false
	}
	if stamp, err := Stamp(dir); err != nil || stamp != k.Stamp {
		return Look{}, false
	}
	return l, true
}

// decode reads the file, and makes what it says safe to show.
func decode(text []byte) (k kept, l Look, err error) {
	if text, err = termsafe.JSON(text, "Raw"); err != nil {
		return k, l, err
	}
	if err := json.Unmarshal(text, &k); err != nil {
		return k, l, err
	}
	if k.Version != version {
		return k, l, errors.New("another version")
	}
	l = Look{At: k.At, Title: k.Title, Over: k.Over}
	for _, e := range []struct {
		to   *error
		from *problem.Problem
	}{{&l.Over.GridErr, k.GridErr}, {&l.Over.RuntimeErr, k.RuntimeErr}, {&l.Over.FileErr, k.FileErr}} {
		if e.from != nil { // a nil pointer in an interface is no nil
			*e.to = e.from
		}
	}
	l.Over.Remedy = trusted(l.Over.Remedy)
	for _, list := range append([][]front.NodeView{l.Over.Nodes}, nodesOf(l.Over.Sites)...) {
		for i := range list {
			list[i].Remedy = trusted(list[i].Remedy)
		}
	}
	return k, l, nil
}

func nodesOf(sites []front.SiteView) (lists [][]front.NodeView) {
	for _, s := range sites {
		lists = append(lists, s.Nodes)
	}
	return lists
}

var name = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]*$`)

// trusted returns a remedy that flwrup may have made: people type its command.
func trusted(r *front.Remedy) *front.Remedy {
	if r == nil || r.Verb != "" && !r.Verb.Known() || r.Step < 0 || int(r.Step) > front.StepTotal ||
		slices.ContainsFunc(r.Nodes, func(n string) bool { return !name.MatchString(n) }) {
		return nil
	}
	return r
}
