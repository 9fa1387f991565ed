package steps

import (
	"os"
	"path/filepath"
	"testing"

	"flwrup/internal/site"
)

// A flwrup that is killed while it opens a backup leaves keys in the clear; the next one that acts removes them.
func TestKilledRestoreLeavesNoKey(t *testing.T) {
	dir := t.TempDir()
	open := func(o site.Options) {
		t.Helper()
		o.Dir, o.Create = dir, !o.ReadOnly
		s, err := site.Open(o)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	open(site.Options{})
	left := filepath.Join(dir, ".flwrup", site.ScratchRestore+"123")
	if err := os.Mkdir(left, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(left, "client_credentials_1"), []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	open(site.Options{ReadOnly: true})
	if _, err := os.Stat(left); err != nil {
		t.Error("removed by a site that only looks: ", err)
	}
	open(site.Options{})
	if _, err := os.Stat(left); !os.IsNotExist(err) {
		t.Error("still there: ", err)
	}
}
