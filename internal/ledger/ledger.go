// Package ledger keeps what the world cannot tell later: which node ID belongs to which key and name,
// what was about to happen when flwrup was killed, what the person said. It is one JSON file that a
// person can read; every change is on disk before the call that made it returns, and the previous
// generation is kept as well. It never holds a secret.
package ledger

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/gofrs/flock"

	"flwrup/internal/history"
)

// currentFormat rises when an older flwrup could no longer understand the file.
const currentFormat = 1

// lockWithin is how long a change waits for the changes of other processes.
const lockWithin = 10 * time.Second

// Ledger is an open ledger. Its methods may be called from several goroutines. Several processes may have the same
// file open: a lock next to it orders their changes. Readers need none, since every write is one rename.
type Ledger struct {
	file   string
	opened time.Time
	step   func(string) // tests hold the writer here

	mu    sync.Mutex
	data  Data
	u     unknown
	seen  bool        // the file was there once
	info  os.FileInfo // of the file as Reload read it
	swept bool
}

// Open reads the ledger in file, which need not exist yet. A damaged file, a removed one
// whose previous generation is still there, and one of a newer flwrup are Problems with code bad-input.
func Open(file string) (*Ledger, error) {
	l := &Ledger{file: file, opened: time.Now(), step: func(string) {}}
	if err := l.Reload(); err != nil {
		return nil, err
	}
	return l, nil
}

// File returns the ledger's path.
func (l *Ledger) File() string { return l.file }

// Reload reads the file again where it has changed, for a reader that follows what another process writes.
func (l *Ledger) Reload() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	info, err := os.Stat(l.file)
	if err == nil && l.info != nil && os.SameFile(info, l.info) && info.ModTime().Equal(l.info.ModTime()) && info.Size() == l.info.Size() {
		return nil
	}
	if err := l.reload(); err != nil {
		return err
	}
	l.info = info
	return nil
}

func (l *Ledger) reload() error {
	d, u, found, err := read(l.file)
	if !found && l.seen {
		return nil // removed under our hands: what we know is the better copy, and the next write restores it
	}
	if err != nil {
		return err
	}
	l.data, l.u, l.seen = d, u, found
	return nil
}

// Change applies change to the newest state and has it on disk before it returns. When change or the
// write fails, nothing has changed.
func (l *Ledger) Change(change func(*Data) error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	unlock, err := lock(l.file)
	if err != nil {
		return err
	}
	defer unlock()
	if err := l.reload(); err != nil {
		return err
	}
	d := clone(l.data)
	if err := change(&d); err != nil {
		return err
	}
	content, err := encode(d, l.u)
	if err != nil {
		return err
	}
	for _, mark := range []string{"PRIVATE KEY-----", "AGE-SECRET-KEY-1"} {
		if bytes.Contains(content, []byte(mark)) {
			return errors.New("ledger: refused to write a secret")
		}
	}
	l.sweep()
	if err := write(l.file, content, l.step); err != nil {
		return err
	}
	l.data, l.seen = d, true
	return nil
}

// lock keeps other processes from changing the file between our reading and writing it.
func lock(file string) (unlock func(), err error) {
	if err := os.Mkdir(filepath.Dir(file), 0o700); err != nil && !errors.Is(err, fs.ErrExist) { // never the folder of a project that was removed
		return nil, unwritable(file, err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), lockWithin)
	defer cancel()
	l := flock.New(file+".lock", flock.SetPermissions(0o600))
	if _, err := l.TryLockContext(ctx, 2*time.Millisecond); err != nil {
		_ = l.Close()
		return nil, unwritable(file, err)
	}
	return func() { _ = l.Close() }, nil
}

// sweep removes temporary files that a killed flwrup left.
func (l *Ledger) sweep() {
	if l.swept {
		return
	}
	l.swept = true
	left, _ := filepath.Glob(filepath.Join(filepath.Dir(l.file), ".ledger*.tmp"))
	for _, f := range left {
		if info, err := os.Lstat(f); err == nil && info.Mode().IsRegular() && info.ModTime().Before(l.opened) {
			os.Remove(f)
		}
	}
}

// clone copies what a change could touch.
func clone(d Data) Data {
	d.Accounts, d.Nodes, d.Runs = slices.Clone(d.Accounts), slices.Clone(d.Nodes), slices.Clone(d.Runs)
	d.Backups, d.Intents, d.Grids = slices.Clone(d.Backups), slices.Clone(d.Intents), slices.Clone(d.Grids)
	d.Attestations, d.SuperNodes = slices.Clone(d.Attestations), slices.Clone(d.SuperNodes)
	d.Requests, d.Coordinators, d.Sites = slices.Clone(d.Requests), slices.Clone(d.Coordinators), slices.Clone(d.Sites)
	for i, n := range d.SuperNodes {
		d.SuperNodes[i].Hosts = slices.Clone(n.Hosts)
	}
	for i, s := range d.Sites {
		d.Sites[i].Nodes, d.Sites[i].Requests = slices.Clone(s.Nodes), slices.Clone(s.Requests)
	}
	return d
}

// Data returns a copy of all that the ledger holds.
func (l *Ledger) Data() Data { return clone(l.now()) }

// now returns the newest state, which no one may change: Change replaces it as a whole.
func (l *Ledger) now() Data {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.data
}

// Begin writes down what is about to be done; it is on disk when Begin returns. ID and At are filled
// in when they are empty.
func (l *Ledger) Begin(i Intent) (id string, err error) {
	if i.Op == "" {
		return "", errors.New("ledger: an intent without an operation")
	}
	if i.ID == "" {
		var b [6]byte
		rand.Read(b[:])
		i.ID = hex.EncodeToString(b[:])
	}
	if i.At.IsZero() {
		i.At = time.Now()
	}
	i.At = second(i.At)
	i.Before = slices.Clone(i.Before)
	err = l.Change(func(d *Data) error {
		d.PutIntent(i)
		return nil
	})
	return i.ID, err
}

// Finish writes the result of an intent and takes the intent away, in one write. An intent that is no
// longer there is no error: its result is written all the same. change may be nil.
func (l *Ledger) Finish(id string, change func(*Data) error) error {
	return l.Change(func(d *Data) error {
		d.removeIntent(id)
		if change == nil {
			return nil
		}
		return change(d)
	})
}

// Abandon takes an intent away whose call is known to have done nothing; why goes to the history.
func (l *Ledger) Abandon(id, why string) error {
	var gone Intent
	err := l.Change(func(d *Data) error {
		for _, i := range d.Intents {
			if i.ID == id {
				gone = i
			}
		}
		d.removeIntent(id)
		return nil
	})
	if err == nil && gone.ID != "" {
		note := fmt.Sprintf("%s %s given up: %s", gone.Op, cmp.Or(gone.Name, gone.NodeID, gone.Federation, gone.Key), why)
		_ = history.Add(filepath.Dir(l.file), history.Entry{Kind: history.Note, Text: note}) // nothing depends on it
	}
	return err
}

// Intents returns the intents that are not settled, oldest first.
func (l *Ledger) Intents() []Intent { return slices.Clone(l.now().Intents) }

// Nodes returns all nodes by name, supernode_2 before supernode_10, on any connection and in any state.
func (l *Ledger) Nodes() []Node { return slices.Clone(l.now().Nodes) }

// NodeByKey reads the newest state; see Data.NodeByKey.
func (l *Ledger) NodeByKey(fingerprint string) (Node, bool) { return l.now().NodeByKey(fingerprint) }

// NodeOn reads the newest state; see Data.NodeOn.
func (l *Ledger) NodeOn(connection, fingerprint string) (Node, bool) {
	return l.now().NodeOn(connection, fingerprint)
}

// SuperNode reads the newest state; see Data.SuperNode.
func (l *Ledger) SuperNode(name string) SuperNode { return l.now().SuperNode(name) }

// PutNode writes one node; see Data.PutNode.
func (l *Ledger) PutNode(n Node) error {
	return l.Change(func(d *Data) error { return d.PutNode(n) })
}

// PutRun writes one run; the record of the same run ID is replaced.
func (l *Ledger) PutRun(r Run) error {
	return l.Change(func(d *Data) error { d.PutRun(r); return nil })
}

// Runs returns the runs in the order in which they were started.
func (l *Ledger) Runs() []Run { return slices.Clone(l.now().Runs) }

// PutBackup writes one backup; the record of the same file is replaced.
func (l *Ledger) PutBackup(b Backup) error {
	return l.Change(func(d *Data) error { d.PutBackup(b); return nil })
}

// Backups returns the backups in the order in which they were made.
func (l *Ledger) Backups() []Backup { return slices.Clone(l.now().Backups) }

// SetAccount writes down who was seen signed in over a connection.
func (l *Ledger) SetAccount(connection, account string) error {
	a := Account{Connection: connection, Account: account, At: second(time.Now())}
	return l.Change(func(d *Data) error {
		put(&d.Accounts, a, func(o Account) bool { return o.Connection == connection })
		return nil
	})
}

// Account reads the newest state; see Data.Account.
func (l *Ledger) Account(connection string) string { return l.now().Account(connection) }

// Attest writes down what only the person knows: "message sent", to whom.
func (l *Ledger) Attest(what, detail string) error {
	a := Attestation{What: what, Detail: detail, At: second(time.Now())}
	return l.Change(func(d *Data) error {
		put(&d.Attestations, a, func(o Attestation) bool { return o.What == what })
		return nil
	})
}

// Retract takes an attestation back.
func (l *Ledger) Retract(what string) error {
	return l.Change(func(d *Data) error {
		d.Attestations = slices.DeleteFunc(d.Attestations, func(a Attestation) bool { return a.What == what })
		return nil
	})
}

// Attestation reads the newest state; see Data.Attestation.
func (l *Ledger) Attestation(what string) (Attestation, bool) { return l.now().Attestation(what) }
