//go:build unix

package atomicfile

import (
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"flwrup/internal/sourcetest"
)

func TestUmask(t *testing.T) {
	for umask, want := range map[int]os.FileMode{0o022: 0o644, 0o027: 0o640, 0o077: 0o600} {
		dir := t.TempDir()
		old := syscall.Umask(umask)
		t.Cleanup(func() { syscall.Umask(old) })
		fresh, loose, closed := filepath.Join(dir, "fresh"), filepath.Join(dir, "loose"), filepath.Join(dir, "closed")
		for path, mode := range map[string]os.FileMode{loose: 0o664, closed: 0o400} {
			if err := os.WriteFile(path, nil, mode); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(path, mode); err != nil {
				t.Fatal(err)
			}
		}
		for path, mode := range map[string]os.FileMode{fresh: want, loose: 0o664, closed: 0o400} {
			if err := Write(path, []byte("x"), 0o644); err != nil {
				t.Fatal(err)
			}
			if info, err := os.Stat(path); err != nil || info.Mode().Perm() != mode {
				t.Errorf("umask %03o, %s: %v %v, want %v", umask, filepath.Base(path), info.Mode(), err, mode)
			}
		}
		if err := Write(filepath.Join(dir, "private"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		syscall.Umask(old)
	}
}

// A mode set by chmod bypasses the umask. flwrup only removes access, or restores the mode that a file had.
func TestChmodOnlyTightens(t *testing.T) {
	keeps := map[string]bool{
		"internal/atomicfile/atomicfile.go": true, // the mode of the file that is replaced
		"keys/modes.go":                     true, // takes others' access away
	}
	for _, u := range sourcetest.Uses(t) {
		if u.Name != "Chmod" && u.Name != "Fchmod" && u.Name != "Fchmodat" || keeps[u.File] {
			continue
		}
		last := 0
		if u.Call != nil {
			last = len(u.Call.Args) - 1
		}
		text, _ := u.Arg(last)
		mode, err := strconv.ParseUint(text, 0, 32)
		if err != nil || mode&0o077 != 0 {
			t.Errorf("%s:%d: %s(%s) may open a file to others whatever the umask says", u.File, u.Line, u.Name, text)
		}
	}
}
