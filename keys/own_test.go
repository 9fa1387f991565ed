package keys

import (
	"os"
	"path/filepath"
	"testing"
)

func TestOwnPassphrase(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state", "passphrase")
	pass, err := OwnPassphrase(file)
	if err != nil || len(pass) != 24 {
		t.Fatalf("%q, %v", pass, err)
	}
	if again, err := OwnPassphrase(file); again != pass || err != nil {
		t.Errorf("%q, then %q, %v", pass, again, err)
	}
	if other, err := OwnPassphrase(file + "-2"); other == pass || err != nil {
		t.Errorf("the same twice: %q, %v", other, err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("%v, %v", info, err)
	}
}
