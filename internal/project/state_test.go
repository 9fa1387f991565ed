package project

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"flwrup/internal/problem"
)

func TestRemoveMarked(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made here")
	fill := func(dir string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Join(dir, "keys"), 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, "keys", "k"), "x")
	}
	stays := func(why, dir string) {
		t.Helper()
		if err := RemoveMarked(dir); !problem.Is(err, problem.BadInput) {
			t.Errorf("%s: %v", why, err)
		}
		if _, err := os.Stat(filepath.Join(dir, "keys", "k")); err != nil {
			t.Fatalf("%s: removed", why)
		}
	}
	fill(dir)
	if err := Mark(dir, "rehearsal"); !problem.Is(err, problem.BadInput) {
		t.Errorf("marked a folder with something in it: %v", err)
	}
	stays("no mark", dir)
	os.RemoveAll(dir)

	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := Mark(dir, "rehearsal"); err != nil {
		t.Fatal(err)
	}
	fill(dir)
	if !Marked(dir, "rehearsal") || Marked(dir, "other") {
		t.Error("mark is not read back")
	}
	moved := filepath.Join(filepath.Dir(dir), "moved")
	if err := os.Rename(dir, moved); err != nil {
		t.Fatal(err)
	}
	stays("moved by the person", moved)
	if err := os.Rename(moved, dir); err != nil {
		t.Fatal(err)
	}
	outside := filepath.Join(t.TempDir(), "outside")
	fill(outside)
	if runtime.GOOS != "windows" { // there only administrators may make links
		link := filepath.Join(t.TempDir(), "link")
		if err := os.Symlink(dir, link); err != nil {
			t.Fatal(err)
		}
		stays("a link", link)
		if err := os.Symlink(outside, filepath.Join(dir, "data")); err != nil {
			t.Fatal(err)
		}
	}
	if err := RemoveMarked(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(dir); err == nil {
		t.Error("still there")
	}
	if _, err := os.Stat(filepath.Join(outside, "keys", "k")); err != nil {
		t.Error("followed a link out of the folder")
	}
	if err := RemoveMarked(dir); err != nil {
		t.Errorf("gone already: %v", err)
	}
}
