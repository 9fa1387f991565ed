//go:build unix

package project

import (
	"os"
	"path/filepath"
	"testing"

	"flwrup/internal/problem"
)

// Every way in refuses a .flwrup that is not the user's own folder, and nothing in it changes.
func TestForeignStateDir(t *testing.T) {
	for name, spoil := range map[string]func(t *testing.T, dir, elsewhere string){
		"a link": func(t *testing.T, dir, elsewhere string) { link(t, elsewhere, StateDir(dir)) },
		"a dangling link": func(t *testing.T, dir, elsewhere string) {
			link(t, filepath.Join(elsewhere, "new"), StateDir(dir))
		},
		"a file": func(t *testing.T, dir, _ string) { put(t, StateDir(dir), "x") },
		"a link in it": func(t *testing.T, dir, elsewhere string) {
			if err := os.Mkdir(StateDir(dir), 0o755); err != nil {
				t.Fatal(err)
			}
			link(t, filepath.Join(elsewhere, "data"), filepath.Join(StateDir(dir), "lock.pid"))
		},
		"another user's": func(t *testing.T, dir, _ string) {
			if os.Geteuid() != 0 {
				t.Skip("only root gives a folder away")
			}
			if err := os.Mkdir(StateDir(dir), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.Chown(StateDir(dir), 20001, 20001); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir, elsewhere := t.TempDir(), t.TempDir()
			put(t, filepath.Join(elsewhere, "data"), "data")
			put(t, filepath.Join(elsewhere, "id"), "01234567\n")
			if err := os.Chmod(elsewhere, 0o755); err != nil {
				t.Fatal(err)
			}
			spoil(t, dir, elsewhere)
			before, err := os.Lstat(StateDir(dir))
			if err != nil {
				t.Fatal(err)
			}
			c := Defaults(dir)
			if c.ID == "01234567" {
				t.Error("the ID is read from it")
			}
			_, ensured := EnsureStateDir(dir)
			_, fresh := Fresh(dir)
			for way, err := range map[string]error{"EnsureStateDir": ensured, "Fresh": fresh,
				"Save": c.Save(dir), "Mark": Mark(dir, "rehearsal"), "CheckStateDir": CheckStateDir(dir)} {
				if !problem.Is(err, problem.BadInput) {
					t.Errorf("%s: %v", way, err)
				}
			}
			if Marked(dir, "rehearsal") {
				t.Error("it carries the mark")
			}
			after, err := os.Lstat(StateDir(dir))
			if err != nil || after.Mode() != before.Mode() {
				t.Errorf("it is another one now: %v, %v", after, err)
			}
			info, err := os.Stat(elsewhere)
			if err != nil || info.Mode().Perm() != 0o755 {
				t.Errorf("the folder elsewhere: %v, %v", info, err)
			}
			list, err := os.ReadDir(elsewhere)
			if err != nil || len(list) != 2 {
				t.Errorf("the folder elsewhere holds %v, %v", list, err)
			}
			if b, _ := os.ReadFile(filepath.Join(elsewhere, "data")); string(b) != "data" {
				t.Errorf("the file elsewhere reads %q", b)
			}
		})
	}
}

// A flwrup.toml without an end is refused.
func TestEndlessFile(t *testing.T) {
	dir := t.TempDir()
	link(t, "/dev/zero", File(dir))
	if _, err := Load(dir); !problem.Is(err, problem.BadInput) {
		t.Error(err)
	}
}

func link(t *testing.T, to, at string) {
	t.Helper()
	if err := os.Symlink(to, at); err != nil {
		t.Fatal(err)
	}
}

func put(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
