package trust

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

func store(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := For(dir)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStore(t *testing.T) {
	state := t.TempDir()
	t.Setenv("XDG_STATE_HOME", state)
	dir := t.TempDir()
	a, b := Value{Key: "image", Text: "a"}, Value{Key: "image", Text: "b"}
	all := []Value{a, b}
	s := store(t, dir)
	if s.Known("1") || len(s.Missing("1", all)) != 2 {
		t.Error("something is accepted before anything was")
	}
	if err := s.Accept("1", []Value{a}); err != nil {
		t.Fatal(err)
	}
	if left := store(t, dir).Missing("1", all); len(left) != 1 || left[0] != b || !s.Known("1") {
		t.Errorf("after a was accepted: %v", left)
	}
	if s.Known("2") || len(s.Missing("2", all)) != 2 {
		t.Error("another project in the same place has what this one was accepted for")
	}
	copied := t.TempDir()
	if o := store(t, copied); o.Known("1") || len(o.Missing("1", all)) != 2 {
		t.Error("a copy of the folder has what this one was accepted for")
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, link); err == nil && !store(t, link).Known("1") {
		t.Error("the same folder by a link is another")
	}
	if err := s.Revoke(); err != nil || len(s.Missing("1", all)) != 2 || !s.Known("1") {
		t.Errorf("after it was taken back: %v", err)
	}
	if err := s.Accept("1", all); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(s.file)
	if err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("the store: %v, %v", info, err)
	}
	if rel, err := filepath.Rel(state, s.file); err != nil || !filepath.IsLocal(rel) {
		t.Errorf("the store lies in %s", s.file)
	}
}

// A file that others could have written accepts nothing.
func TestStoreOfOthers(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("access lists guard the folder there")
	}
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	v := []Value{{Key: "image", Text: "a"}}
	for name, spoil := range map[string]func(file string) error{
		"others can write": func(file string) error { return os.Chmod(file, 0o666) },
		"a link": func(file string) error {
			if err := os.Rename(file, file+".x"); err != nil {
				return err
			}
			return os.Symlink(file+".x", file)
		},
		"damaged": func(file string) error { return os.WriteFile(file, []byte("{"), 0o600) },
	} {
		s := store(t, t.TempDir())
		if err := s.Accept("1", v); err != nil {
			t.Fatal(err)
		}
		if err := spoil(s.file); err != nil {
			t.Fatal(err)
		}
		if s.Known("1") || len(s.Missing("1", v)) == 0 {
			t.Errorf("%s: still accepted", name)
		}
	}
	s := store(t, t.TempDir())
	if err := os.Chmod(filepath.Dir(s.file), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := s.Accept("1", v); err == nil {
		t.Error("kept in a folder that others can write to")
	}
}

func TestValueIsShownAsItIs(t *testing.T) {
	v := Value{Key: "image", Says: "runs \u202egnp\x1b[31m"}
	if got := v.String(); got != `image: runs \u{202e}gnp\u{1b}[31m` {
		t.Error(got)
	}
}
