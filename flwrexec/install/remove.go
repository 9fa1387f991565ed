package install

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"flwrup/flwrexec/flwr"
	"flwrup/internal/problem"
	"flwrup/internal/userdirs"
)

// OwnFolder returns the folder of flwrup's own environment with a release of flwr, and whether there is a complete one.
// root "" is OwnRoot().
func OwnFolder(root string, v flwr.Version) (string, bool) {
	if root == "" {
		own, err := OwnRoot()
		if err != nil {
			return "", false
		}
		root = own
	}
	env := filepath.Join(userdirs.Abs(root), envPrefix+v.String())
	return env, complete(env) && userdirs.Check(env) == nil
}

// Size returns the bytes of all files below a folder. A cache may share some of them: removing the folder gives back at
// most as much.
func Size(folder string) (sum int64) {
	_ = filepath.WalkDir(folder, func(_ string, e fs.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() {
			if info, err := e.Info(); err == nil {
				sum += info.Size()
			}
		}
		return nil
	})
	return sum
}

// Remove removes flwrup's own environment with a release of flwr. Its marker goes first, so that one that is removed
// halfway counts for nothing, and Ensure makes it again. Without such an environment it does nothing. root "" is OwnRoot().
func Remove(ctx context.Context, root string, v flwr.Version) error {
	env, there := OwnFolder(root, v)
	if !there {
		return nil
	}
	what := "cannot remove " + env
	lock := flock.New(env + ".lock")
	wait, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	if ok, err := lock.TryLockContext(wait, 200*time.Millisecond); err != nil || !ok {
		if ctx.Err() != nil {
			return problem.Stopped(context.Cause(ctx), "the removal was stopped", "")
		}
		return problem.New(problem.Busy, what, "another flwrup installs something there", "try again later")
	}
	defer lock.Unlock() //nolint:errcheck // the file stays for the next one
	err := os.Remove(marker(env))
	if err == nil {
		err = os.RemoveAll(env)
	}
	if err != nil {
		return &problem.Problem{Code: problem.FlwrInstall, What: what, Why: problem.Cause(err), Fix: "remove the folder yourself", Err: err}
	}
	return nil
}
