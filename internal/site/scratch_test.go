package site

import (
	"os"
	"path/filepath"
	"testing"
)

// A flwrup that is killed while it opens a backup leaves keys in the clear. The next flwrup that acts removes them.
func TestKilledRestoreLeavesNoKey(t *testing.T) {
	dir := t.TempDir()
	open := func(o Options) {
		t.Helper()
		o.Dir, o.Create = dir, !o.ReadOnly
		s, err := Open(o)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	open(Options{})
	left := filepath.Join(dir, ".flwrup", ScratchRestore+"123")
	if err := os.Mkdir(left, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(left, "client_credentials_1"), []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	open(Options{ReadOnly: true})
	if _, err := os.Stat(left); err != nil {
		t.Error("removed by a site that only looks: ", err)
	}
	open(Options{})
	if _, err := os.Stat(left); !os.IsNotExist(err) {
		t.Error("still there: ", err)
	}
}
