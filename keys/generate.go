package keys

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/crypto/ssh"

	"flwrup/internal/problem"
)

// Generate makes sure that dir holds a pair for each name. It makes missing pairs, writes the public half of
// a private key that lacks it, and leaves whole pairs alone. It returns the pairs of all names in their
// order. each (may be nil) gets those that were made or completed now, in order, on the calling goroutine, a
// batch at a time, after they are safely on disk.
//
// A name whose files are broken (see Scan) is refused before anything is made. On an error or the end of ctx,
// Generate returns the pairs so far with it and leaves them in place; the same call continues there. A new
// folder gets mode 0700; an existing one keeps its mode (FixModes).
func Generate(ctx context.Context, dir string, names []string, each func(Pair)) ([]Pair, error) {
	if err := checkNames(names); err != nil {
		return nil, err
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("make key pairs: %w", err)
	}
	if err := ctx.Err(); err != nil {
		return nil, cancelled("making key pairs", err)
	}
	if err := makeFolder(dir); err != nil {
		return nil, err
	}
	leave := enter(dir)
	defer leave()
	if each == nil {
		each = func(Pair) {}
	}

	state := make([]inspected, len(names))
	for i, name := range names {
		if state[i] = inspect(filepath.Join(dir, name)); state[i].broken != nil {
			return nil, state[i].broken
		}
	}
	pairs := make([]Pair, 0, len(names))
	for start := 0; start < len(names); start += batchSize {
		end := min(start+batchSize, len(names))
		batch := make([]*draft, 0, end-start)
		for i := start; i < end; i++ {
			batch = append(batch, &draft{dir: dir, name: names[i], found: state[i]})
		}
		done, err := writeBatch(ctx, dir, batch, each)
		pairs = append(pairs, done...)
		if err != nil {
			return pairs, cancelled("making key pairs", err)
		}
	}
	return pairs, nil
}

// Complete writes the missing public half of the private key name. It derives it from the private key, so
// nothing is lost. A whole pair is returned as it is.
func Complete(dir, name string) (Pair, error) {
	if name == "" || name != filepath.Base(name) {
		return Pair{}, problem.New(problem.BadInput, fmt.Sprintf("%q cannot be the name of a key", show(name)), "", "give the file's name without its folder")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return Pair{}, fmt.Errorf("complete %s: %w", name, err)
	}
	if info, err := os.Lstat(dir); err != nil {
		return Pair{}, fileProblem("read", dir, err)
	} else if info.Mode()&os.ModeSymlink != 0 {
		return Pair{}, linkProblem(dir)
	}
	found := inspect(filepath.Join(dir, name))
	if found.broken != nil {
		return Pair{}, found.broken
	}
	if found.privateGone {
		return Pair{}, fileProblem("read", filepath.Join(dir, name), os.ErrNotExist)
	}
	leave := enter(dir)
	defer leave()
	pairs, err := writeBatch(context.Background(), dir, []*draft{{dir: dir, name: name, found: found}}, func(Pair) {})
	if err != nil {
		return Pair{}, err
	}
	return pairs[0], nil
}

// draft is one pair on its way to the disk.
type draft struct {
	dir, name                string
	found                    inspected // what was there before
	public                   ssh.PublicKey
	privateStaged, pubStaged string // hidden files, not yet published
	madeOrFilled             bool   // by this run
}

func (d *draft) path() string { return filepath.Join(d.dir, d.name) }

func (d *draft) whole() bool { return !d.found.privateGone && !d.found.publicGone }

// writeBatch stages, publishes, flushes and then reports. Staged files that were not published are always
// removed.
func writeBatch(ctx context.Context, dir string, batch []*draft, each func(Pair)) ([]Pair, error) {
	defer func() {
		for _, d := range batch {
			for _, tmp := range []string{d.privateStaged, d.pubStaged} {
				if tmp != "" {
					os.Remove(tmp)
				}
			}
		}
	}()
	if err := parallel(ctx, len(batch), func(i int) error { return batch[i].stage() }); err != nil {
		return nil, err
	}
	var pairs []Pair
	var failed error
	for _, d := range batch {
		pair, err := d.publish()
		if err != nil {
			failed = err
			break
		}
		pairs = append(pairs, pair)
	}
	if err := syncFolder(dir); err != nil {
		return nil, fileProblem("flush", dir, err)
	}
	for i, pair := range pairs {
		if batch[i].madeOrFilled {
			each(pair)
		}
	}
	return pairs, failed
}

// stage makes a new key where there is none and stages the halves that are missing.
func (d *draft) stage() error {
	if d.whole() {
		return nil
	}
	d.public = d.found.public
	if d.found.privateGone {
		key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
		if err != nil {
			return err
		}
		if d.public, err = ssh.NewPublicKey(&key.PublicKey); err != nil {
			return err
		}
		block, err := ssh.MarshalPrivateKey(key, "")
		if err != nil {
			return err
		}
		if d.privateStaged, err = stage(d.dir, pem.EncodeToMemory(block), 0o600, time.Time{}); err != nil {
			return fileProblem("write", d.path(), err)
		}
	}
	return d.stagePublic()
}

func (d *draft) stagePublic() (err error) {
	if d.pubStaged, err = stage(d.dir, publicLine(d.public), 0o644, time.Time{}); err != nil {
		return fileProblem("write", d.path()+".pub", err)
	}
	return nil
}

// publicLine returns the content of a .pub file as ssh-keygen -C "" writes it, without the final blank of
// older releases.
func publicLine(public ssh.PublicKey) []byte { return ssh.MarshalAuthorizedKey(public) }

// publish links the staged halves to their names, private key first, so that Complete can mend the result of a
// kill in between. When another run was quicker its key stands and ours is dropped.
func (d *draft) publish() (Pair, error) {
	if d.whole() {
		return newPair(d.dir, d.name, d.found.public, d.found.made), nil
	}
	fresh := false // both halves are ours: there is nothing to look at again
	if d.privateStaged != "" {
		switch err := publish(d.privateStaged, d.path()); {
		case err == nil:
			d.privateStaged, d.madeOrFilled, fresh = "", true, true
		case errors.Is(err, os.ErrExist):
			if err := d.adopt(); err != nil {
				return Pair{}, err
			}
		default:
			return Pair{}, fileProblem("write", d.path(), err)
		}
	}
	if d.pubStaged != "" {
		switch err := publish(d.pubStaged, d.path()+".pub"); {
		case err == nil:
			d.pubStaged, d.madeOrFilled = "", true
		case errors.Is(err, os.ErrExist):
			fresh = false
		default:
			return Pair{}, fileProblem("write", d.path()+".pub", err)
		}
	}
	if fresh {
		info, err := os.Lstat(d.path())
		if err != nil {
			return Pair{}, fileProblem("read", d.path(), err)
		}
		return newPair(d.dir, d.name, d.public, info.ModTime()), nil
	}
	now := inspect(d.path())
	if now.broken != nil {
		return Pair{}, now.broken
	}
	if now.privateGone || now.publicGone {
		return Pair{}, problem.New(HalfPair, "a half of "+show(d.path())+" went away while it was being made",
			"something else changes the folder", "see what it is, then run the same again")
	}
	return newPair(d.dir, d.name, now.public, now.made), nil
}

// adopt takes the private key that another run has published under our name.
func (d *draft) adopt() error {
	now := inspect(d.path())
	if now.broken != nil {
		return now.broken
	}
	if now.public == nil {
		return fileProblem("write", d.path(), os.ErrExist)
	}
	d.found, d.public = now, now.public
	os.Remove(d.pubStaged)
	d.pubStaged = ""
	if !now.publicGone {
		return nil
	}
	return d.stagePublic()
}
