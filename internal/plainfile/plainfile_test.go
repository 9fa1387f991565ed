package plainfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"flwrup/internal/sourcetest"
)

// Every file that flwrup reads whole goes through this package.
func TestOneReader(t *testing.T) {
	for _, u := range sourcetest.Uses(t) {
		if u.Package == "os" && u.Name == "ReadFile" {
			t.Errorf("%s:%d: os.ReadFile waits for a pipe without end: use internal/plainfile", u.File, u.Line)
		}
	}
}

func TestRead(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	for _, text := range []string{"", "some text\n"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := Read(file); err != nil || string(got) != text {
			t.Errorf("%q, %v", got, err)
		}
	}
	if _, err := ReadAtMost(file, 3); !errors.Is(err, ErrLarge) {
		t.Errorf("a file of ten bytes: %v", err)
	}
	if err := os.Truncate(file, 1<<40); err == nil { // sparse
		if _, err := Read(file); !errors.Is(err, ErrLarge) {
			t.Errorf("a sparse file: %v", err)
		}
	}
	if _, err := Read(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
	if _, err := Read(dir); err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("a folder: %v", err)
	}
}
