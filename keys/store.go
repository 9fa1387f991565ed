package keys

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"flwrup/internal/atomicfile"
	"flwrup/internal/plainfile"
	"flwrup/internal/problem"
	"flwrup/internal/safego"
)

// Writing keys safely and fast. A file is first staged: written under a hidden name and flushed. Then it is
// published: linked to its own name, which fails when anything has that name, even a symlink to nowhere. When
// all files of a batch are published the folder is flushed once. Only then is a pair reported, because a pair
// that was registered must survive a power cut. Flushing costs milliseconds of waiting and no work, so many
// files of a batch are staged at a time; the disk then commits them together.
const (
	batchSize      = 256
	flushesAtOnce  = 16
	leftoverPrefix = ".flwrup-key-"
	leftoverSuffix = ".tmp"
)

// stage writes data to a new hidden file of dir, with perm less the umask, and flushes it. made becomes its
// modification time unless it is zero.
func stage(dir string, data []byte, perm os.FileMode, made time.Time) (tmp string, err error) {
	f, err := atomicfile.Temp(dir, leftoverPrefix+"*"+leftoverSuffix, perm)
	if err != nil {
		return "", err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	if _, err = f.Write(data); err != nil {
		return "", err
	}
	if !made.IsZero() {
		if err = os.Chtimes(f.Name(), made, made); err != nil {
			return "", err
		}
	}
	if err = flush(f); err != nil {
		return "", err
	}
	return f.Name(), f.Close()
}

// publish returns a staged file its name and fails with os.ErrExist when the name is taken.
func publish(tmp, path string) error {
	err := os.Link(tmp, path)
	if err == nil {
		return os.Remove(tmp)
	}
	if errors.Is(err, os.ErrExist) {
		return err
	}
	if errors.Is(err, os.ErrNotExist) || diskFull(err) {
		return err
	}
	// File systems without hard links (FAT, some network and shared folders): an exclusive create takes the name.
	// A kill while copying leaves a truncated file that Scan names.
	data, rerr := plainfile.Read(tmp)
	info, serr := os.Stat(tmp)
	if rerr != nil || serr != nil {
		return err
	}
	if err := createExclusive(path, data, info); err != nil {
		return err
	}
	return os.Remove(tmp)
}

func createExclusive(path string, data []byte, like os.FileInfo) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, like.Mode().Perm())
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Chtimes(path, like.ModTime(), like.ModTime())
	}
	if err != nil {
		os.Remove(path) // ours: nobody else could have made it
	}
	return err
}

// makeFolder makes the folder for keys, 0700, and says so when something else has its name.
func makeFolder(dir string) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil { // #nosec G301 -- a folder above the keys; theirs is 0700
		return fileProblem("make the folder", filepath.Dir(dir), err)
	}
	err := os.Mkdir(dir, 0o700)
	if err == nil {
		return nil
	}
	info, lerr := os.Lstat(dir)
	switch {
	case lerr != nil:
		return fileProblem("make the folder", dir, err)
	case info.Mode()&os.ModeSymlink != 0:
		return linkProblem(dir)
	case !info.IsDir():
		return notFolder(dir)
	}
	return nil
}

func isLeftover(name string) bool {
	return strings.HasPrefix(name, leftoverPrefix) && strings.HasSuffix(name, leftoverSuffix)
}

// staleLeftover reports whether an entry is a staged file that nobody works on any more.
func staleLeftover(dir string, e os.DirEntry) (Issue, bool) {
	if !isLeftover(e.Name()) {
		return Issue{}, false
	}
	info, err := e.Info()
	if err != nil || time.Since(info.ModTime()) < time.Minute {
		return Issue{}, false
	}
	path := filepath.Join(dir, e.Name())
	return Issue{File: path, Harmless: true, Problem: problem.New(Leftover,
		show(path)+" was left by a run that was killed", "it never became a key",
		"nothing has to be done; the next run that makes keys removes it")}, true
}

// enter announces that this process writes into dir. It removes files of killed runs if nobody else is at
// work there. The announcement is an advisory lock that ends with leave or the process; no promise about keys
// rests on it.
func enter(dir string) (leave func()) {
	lock, alone := lockFolder(dir)
	if alone {
		if entries, err := os.ReadDir(dir); err == nil {
			for _, e := range entries {
				if isLeftover(e.Name()) && e.Type().IsRegular() {
					os.Remove(filepath.Join(dir, e.Name()))
				}
			}
		}
	}
	return lock.share()
}

// parallel runs work(0) … work(n-1), flushesAtOnce at a time, and returns the first error. After an error or
// the end of ctx it starts no more, and waits for those that run.
func parallel(ctx context.Context, n int, work func(i int) error) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	next := make(chan int)
	var wait sync.WaitGroup
	for range min(n, flushesAtOnce) {
		wait.Add(1)
		safego.Go("keys", func(err error) { stop(err) }, func() {
			defer wait.Done()
			for i := range next {
				if err := work(i); err != nil {
					stop(err)
				}
			}
		})
	}
feed:
	for i := range n {
		select {
		case <-ctx.Done():
			break feed
		case next <- i:
		}
	}
	close(next)
	wait.Wait()
	return context.Cause(ctx)
}

// cancelled turns the end of a context into the Problem that front ends know; other errors stay.
func cancelled(what string, err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return problem.Stopped(err, what+" was stopped", "run the same again; it goes on where it stopped")
	}
	if problem.Of(err).Code != problem.Internal {
		return err
	}
	return fmt.Errorf("%s: %w", what, err)
}
