package install

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/gofrs/flock"

	"flwrup/flwrexec/flwr"
	"flwrup/internal/problem"
)

// TestRemove: an environment goes with all that is in it. One that somebody installs into stays, and so does a neighbour.
func TestRemove(t *testing.T) {
	root := t.TempDir()
	for _, v := range []string{"1.24.0", "1.42.0"} {
		bin := filepath.Join(root, "flwr-"+v, "bin")
		if err := os.MkdirAll(bin, 0o700); err != nil {
			t.Fatal(err)
		}
		for _, file := range []string{filepath.Join(bin, "flwr"), marker(filepath.Dir(bin))} {
			if err := os.WriteFile(file, make([]byte, 1000), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	old, _ := flwr.ParseVersion("1.24.0")
	env, there := OwnFolder(root, old)
	if !there || Size(env) != 2000 {
		t.Fatalf("%s is there: %v, %d bytes", env, there, Size(env))
	}
	busy := flock.New(env + ".lock")
	if ok, err := busy.TryLock(); err != nil || !ok {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	if err := Remove(ctx, root, old); !problem.Is(err, problem.Busy) {
		t.Errorf("under an installation: %v", err)
	}
	if _, there := OwnFolder(root, old); !there {
		t.Error("removed under an installation")
	}
	_ = busy.Unlock()
	if err := Remove(ctx, root, old); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(env); !os.IsNotExist(err) {
		t.Errorf("left: %v", err)
	}
	if err := Remove(ctx, root, old); err != nil {
		t.Errorf("nothing to remove: %v", err)
	}
	newest, _ := flwr.ParseVersion("1.42.0")
	if _, there := OwnFolder(root, newest); !there {
		t.Error("the neighbour is gone")
	}
}
