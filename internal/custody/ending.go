package custody

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"flwrup/internal/fleet"
	"flwrup/internal/front"
	"flwrup/internal/health"
	"flwrup/internal/ledger"
	"flwrup/internal/problem"
	"flwrup/internal/site"
	"flwrup/keys"
)

// How a rotation ends: one of its two keys leaves the grid, and its files are set aside.

// giveWay starts the SuperNode with its old key again, since it failed to come online with the new one, and asks what
// becomes of that.
func (r *rotation) giveWay(ctx context.Context, why error) error {
	r.to.Event(front.Says{Text: problem.Of(why).Error() + ": going back to the old key"})
	if err := r.restore(ctx); err != nil {
		return errors.Join(err, why)
	}
	p := problem.New(problem.NodeNotOnline, r.i.Name+" did not come online with its new key", problem.Of(why).Error(), "")
	p.Err = why
	next, _ := r.Ledger.NodeOn(r.i.Connection, r.i.Next)
	answer, err := r.to.Ask(ctx, front.Question{ID: "rotate-drop", Kind: front.AskConfirm, Default: "no", Ask: "Unregister the new key of " + r.i.Name + "?",
		Help: r.i.Name + " runs with its old key again. " + problem.Of(why).Error() + ". The new key is registered as node " + next.NodeID + ". If it stays so, the same command tries again with it; once unregistered, it can never be registered again."})
	if err == nil && answer == "yes" {
		p.Fix = "fix the cause, then try again: flwrup rotate " + r.i.Name
		if err = r.drop(ctx); err == nil {
			return p
		}
	}
	p.Why += "; it runs with its old key again, and the new one stays registered as node " + next.NodeID
	p.Fix = "fix the cause, then try again with the same key: flwrup rotate " + r.i.Name + "; or give it up: flwrup rotate " + r.i.Name + " --back"
	return p
}

// restore has the SuperNode run with its old key again, unless it is to be down.
func (r *rotation) restore(ctx context.Context) error {
	folder, err := keys.Scan(r.Folder().KeysDir())
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(folder.Pairs, func(p keys.Pair) bool { return p.Fingerprint == r.i.Key }) {
		return problem.New(health.KeyLost, "cannot go back to the old key of "+r.i.Name, "it is not in "+r.Rel(folder.Dir), "put it back, or continue with the new one: flwrup rotate "+r.i.Name)
	}
	if r.i.NewInUse() {
		if err := r.move(ctx, ledger.RotateBack); err != nil {
			return err
		}
	}
	if site.Wanted(r.Site, r.i.Name) == front.WantedDown || r.i.Down {
		return r.downAgain(ctx)
	}
	if err := r.start(ctx); err != nil {
		return fmt.Errorf("with its old key: %w", err)
	}
	return nil
}

// drop ends a rotation without the new key: it is unregistered where it was registered, and its files are set aside.
func (r *rotation) drop(ctx context.Context) error {
	rec, registered := r.Ledger.NodeOn(r.i.Connection, r.i.Next)
	if !registered && !r.registering() {
		if err := r.setAside(r.i.Next); err != nil {
			return err
		}
		r.says(front.ItemDone, "keeps its old key")
		return r.Ledger.Abandon(r.i.ID, "the new key was never registered")
	}
	if rec.NodeID == "" { // its registration was cut short: the same call settles it
		f, err := r.Session(ctx)
		if err != nil {
			return err
		}
		private := r.Path(r.i.NextFile)
		pair, err := keys.Complete(filepath.Dir(private), filepath.Base(private))
		if err != nil {
			return err
		}
		if err := r.again(func() error { return r.register(ctx, f, pair) }); err != nil {
			return err
		}
		rec, _ = r.Ledger.NodeOn(r.i.Connection, r.i.Next)
	}
	if err := r.note(func(i *ledger.Intent) { i.Stage = ledger.RotateDrop }); err != nil {
		return err
	}
	if err := r.forget(ctx, rec.Key, rec.NodeID); err != nil {
		return err
	}
	r.says(front.ItemDone, "keeps its old key; the new one is unregistered")
	return nil
}

// forget takes one of the two keys off the grid, sets its files aside, and ends the rotation. It may be done twice.
func (r *rotation) forget(ctx context.Context, key, id string) error {
	leave := ledger.Intent{Op: "unregister", Key: key, Name: r.i.Name, NodeID: id, Connection: r.i.Connection, Federation: r.i.Federation}
	err := r.again(func() error {
		return site.Patiently(ctx, r.Site, r.to, func() error { return fleet.LeaveGrid(ctx, r.Site, leave, r.to) })
	})
	if err != nil {
		return fmt.Errorf("unregister the key %s of %s: %w", key, r.i.Name, err)
	}
	if err := r.setAside(key); err != nil {
		return err
	}
	defer r.Forget()
	return r.Ledger.Finish(r.i.ID, func(d *ledger.Data) error {
		rec, _ := d.NodeOn(r.i.Connection, key)
		rec.Key, rec.Connection, rec.Name, rec.State = key, r.i.Connection, r.i.Name, ledger.Unregistered
		if rec.KeyFile != "" {
			rec.KeyFile = r.Rel(filepath.Join(r.aside(), filepath.Base(rec.KeyFile)))
		}
		return d.PutNode(rec)
	})
}

// aside returns the folder for the files of the key that is given up.
func (r *rotation) aside() string {
	return filepath.Join(r.Folder().KeysDir(), "set-aside-"+r.i.At.UTC().Format("20060102-150405")+"-"+r.i.ID)
}

// setAside moves the files of a key out of the way. Nothing is replaced, and what is there already is left.
func (r *rotation) setAside(key string) error {
	folder, err := keys.Scan(r.Folder().KeysDir())
	if err != nil {
		return err
	}
	name, aside := "", r.aside()
	for _, p := range slices.Concat(folder.Pairs, folder.Others) {
		if p.Fingerprint == key {
			name = p.Name
		}
	}
	if _, err := os.Lstat(aside); name == "" && err == nil { // a crash may have come between its two files
		name = filepath.Base(r.i.NextFile)
		if rec, ok := r.Ledger.NodeOn(r.i.Connection, key); ok && rec.KeyFile != "" {
			name = filepath.Base(rec.KeyFile)
		}
	}
	if name == "" {
		return nil
	}
	if err := os.MkdirAll(aside, 0o700); err != nil {
		return err
	}
	for _, half := range []string{name + ".pub", name} {
		from, there := filepath.Join(folder.Dir, half), filepath.Join(aside, half)
		if _, err := os.Lstat(from); errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err := os.Link(from, there); err != nil && !errors.Is(err, os.ErrExist) {
			return err
		}
		if err := os.Remove(from); err != nil {
			return err
		}
	}
	r.to.Event(front.Says{Text: "the key that is unregistered is kept in " + r.Rel(aside)})
	return nil
}
