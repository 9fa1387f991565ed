package config

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"flwrup/internal/problem"
	"flwrup/internal/tomledit"
)

var gridSettings = Connection{Name: "supergrid", Address: "grid.example.org:443", CA: "/etc/grid/ca.crt", Federation: "@ada/study"}

// edited applies the edit in the name of a fixture: pyproject-…, flower-…, retire-….
func edited(t *testing.T, fixture, file string, s Connection) (Edit, error) {
	t.Helper()
	switch kind, _, _ := strings.Cut(fixture, "-"); kind {
	case "pyproject":
		return EditPyproject(file, s)
	case "flower":
		return EditFlower(file, s)
	case "retire":
		return RetireLegacyBlock(file)
	}
	t.Fatalf("fixture %s: what is it?", fixture)
	return Edit{}, nil
}

// placed copies a fixture to a fresh folder with a name that is difficult for shells and TOML.
func placed(t *testing.T, fixture string) string {
	t.Helper()
	src, err := os.ReadFile(filepath.Join("testdata", "config", fixture+".toml"))
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "Ärzte & co")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "pyproject.toml")
	if strings.HasPrefix(fixture, "flower") {
		file = filepath.Join(dir, "config.toml")
	}
	if err := os.WriteFile(file, src, 0o640); err != nil {
		t.Fatal(err)
	}
	return file
}

func fixtures(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/config/*.toml")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d fixtures, %v", len(files), err)
	}
	for i := range files {
		files[i] = strings.TrimSuffix(filepath.Base(files[i]), ".toml")
	}
	return files
}

// TestFixtures edits typical files and compares every byte. FLWRUP_UPDATE=1 rewrites the expected results;
// read them before committing.
func TestFixtures(t *testing.T) {
	for _, name := range fixtures(t) {
		t.Run(name, func(t *testing.T) {
			file := placed(t, name)
			wantFile := filepath.Join("testdata", "config", name+".want")
			before, _ := os.ReadFile(file)
			e, err := edited(t, name, file, gridSettings)
			if now, _ := os.ReadFile(file); !bytes.Equal(now, before) {
				t.Fatal("planning changed the file")
			}
			got := e.After
			if err != nil {
				if !problem.Is(err, problem.BadInput) || problem.Of(err).Fix == "" {
					t.Fatalf("refused without saying what to do: %v", err)
				}
				got = []byte("refused: " + strings.ReplaceAll(err.Error(), file, "FILE") + "\n")
			}
			if strings.HasSuffix(name, "-refused") != (err != nil) {
				t.Fatalf("refused: %v", err)
			}
			if os.Getenv("FLWRUP_UPDATE") != "" {
				if err := os.WriteFile(wantFile, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, rerr := os.ReadFile(wantFile)
			if rerr != nil || !bytes.Equal(got, want) {
				t.Fatalf("%v\ngot\n%s\nas a diff:\n%s", rerr, got, tomledit.Diff(want, got, name))
			}
			if err != nil {
				return
			}

			undo, err := e.Write()
			if err != nil {
				t.Fatal(err)
			}
			if after, _ := os.ReadFile(file); !bytes.Equal(after, e.After) {
				t.Fatal("Write wrote something else")
			}
			if !strings.HasPrefix(name, "retire") {
				again, err := edited(t, name, file, gridSettings)
				if err != nil || again.Changed() {
					t.Errorf("a second edit changes: %v\n%s", err, again.Diff())
				}
			} else if has, _, err := LegacyBlock(file); has || err != nil {
				t.Errorf("the block is still there, %v", err)
			}
			if err := Undo(undo); err != nil {
				t.Fatal(err)
			}
			if now, _ := os.ReadFile(file); !bytes.Equal(now, before) {
				t.Error("Undo gave something else")
			}
		})
	}
}

func TestConnectionsRead(t *testing.T) {
	file := placed(t, "pyproject-09-quoted")
	has, all, err := LegacyBlock(file)
	want := Connection{Name: "supergrid", Address: "old.example.org", CA: filepath.Join(filepath.Dir(file), "certificates", "old.crt")}
	if err != nil || !has || len(all) != 1 || all[0] != want {
		t.Errorf("got %v %+v %v", has, all, err)
	}
	if has, all, err := LegacyBlock(file + ".none"); has || len(all) > 0 || err != nil {
		t.Errorf("no file: %v %+v %v", has, all, err)
	}
	has, all, err = LegacyBlock(placed(t, "retire-21-guide-block"))
	if err != nil || !has || len(all) != 2 || all[1] != (Connection{Name: "supergrid", Address: "supergrid.flower.ai", Federation: "flowerlabs"}) {
		t.Errorf("legacy: %v %+v %v", has, all, err)
	}
	all, err = ReadFlower(placed(t, "flower-16-comments-everywhere"))
	if err != nil || len(all) != 2 || all[1] != (Connection{Name: "pilot", Address: "pilot.example.org:443", CA: "/etc/pilot/ca.crt"}) {
		t.Errorf("flower: %+v %v", all, err)
	}
	bad := filepath.Join(t.TempDir(), "config.toml")
	write(t, bad, "[superlink.x]\naddress = 5\n")
	if _, err = ReadFlower(bad); !problem.Is(err, problem.BadInput) || !strings.Contains(err.Error(), "superlink.x.address") {
		t.Errorf("number for an address: %v", err)
	}
}

// TestSettingsRespectThePerson checks which settings an edit leaves alone and which it removes.
func TestSettingsRespectThePerson(t *testing.T) {
	const ca = "/etc/pilot/ca.crt"
	text := "[superlink.g]\naddress = \"a:1\"\nroot-certificates = \"" + ca + "\"\nfederation = \"@a/b\"\n"
	for _, tt := range []struct {
		name       string
		s          Connection
		wantSame   bool
		wantCA     string
		wantFed    string
		wantFailed problem.Code
	}{
		{name: "empty settings are left", s: Connection{Name: "g", Address: "a:1"}, wantSame: true, wantCA: ca, wantFed: "@a/b"},
		{name: "the CA goes with its address", s: Connection{Name: "g", Address: "b:1"}, wantFed: "@a/b"},
		{name: "same CA written differently", s: Connection{Name: "g", Address: "a:1", CA: "/etc/../etc/pilot/ca.crt"}, wantSame: true, wantCA: ca, wantFed: "@a/b"},
		{name: "federation of the guide", s: Connection{Name: "g", Address: "a:1", Federation: "flowerlabs"}, wantFailed: problem.FedBadName},
		{name: "relative CA", s: Connection{Name: "g", Address: "a:1", CA: "ca.crt"}, wantFailed: problem.BadInput},
		{name: "a URL", s: Connection{Name: "g", Address: "https://a"}, wantFailed: problem.BadInput},
		{name: "no name", s: Connection{Address: "a"}, wantFailed: problem.BadInput},
		{name: "reserved name", s: Connection{Name: "default", Address: "a"}, wantFailed: problem.BadInput},
		{name: "control characters", s: Connection{Name: "g", Address: "a\x1b[2J"}, wantFailed: problem.BadInput},
	} {
		t.Run(tt.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "config.toml")
			write(t, file, text)
			e, err := EditFlower(file, tt.s)
			if tt.wantFailed != "" {
				if !problem.Is(err, tt.wantFailed) {
					t.Fatalf("got %v", err)
				}
				return
			}
			if err != nil || e.Changed() == tt.wantSame {
				t.Fatalf("%v\n%s", err, e.Diff())
			}
			if _, err := e.Write(); err != nil {
				t.Fatal(err)
			}
			all, err := ReadFlower(file)
			if err != nil || all[0] != (Connection{Name: "g", Address: tt.s.Address, CA: tt.wantCA, Federation: tt.wantFed}) {
				t.Errorf("%+v %v", all, err)
			}
		})
	}
}

func TestWriteNewFileAndUndo(t *testing.T) {
	file := filepath.Join(t.TempDir(), "home", ".flwr", "config.toml")
	e, err := EditFlower(file, gridSettings)
	if err != nil || e.Before != nil || !strings.Contains(e.Diff(), "+address = \"grid.example.org:443\"") {
		t.Fatalf("%v\n%s", err, e.Diff())
	}
	undo, err := e.Write()
	if err != nil {
		t.Fatal(err)
	}
	if err := Undo(undo); err != nil {
		t.Fatal(err)
	}
	left, _ := os.ReadDir(filepath.Dir(file))
	if len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	if err := Undo(undo); !problem.Is(err, problem.BadInput) {
		t.Errorf("second undo: %v", err)
	}
}

func TestWriteRefusesWhatChanged(t *testing.T) {
	file := placed(t, "pyproject-02-guide-block")
	e, err := EditPyproject(file, gridSettings)
	if err != nil {
		t.Fatal(err)
	}
	write(t, file, "# mine now\n")
	if _, err := e.Write(); !problem.Is(err, problem.BadInput) || !strings.Contains(err.Error(), "meanwhile") {
		t.Errorf("changed: %v", err)
	}
	os.Remove(file)
	if _, err := e.Write(); !problem.Is(err, problem.BadInput) {
		t.Errorf("gone: %v", err)
	}
	if left, _ := os.ReadDir(filepath.Dir(file)); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestUndoKeepsLaterWork(t *testing.T) {
	file := placed(t, "pyproject-02-guide-block")
	e, _ := EditPyproject(file, gridSettings)
	undo, err := e.Write()
	if err != nil {
		t.Fatal(err)
	}
	write(t, file, string(e.After)+"# later\n")
	if err := Undo(undo); !problem.Is(err, problem.BadInput) {
		t.Fatalf("got %v", err)
	}
	if now, _ := os.ReadFile(file); !strings.HasSuffix(string(now), "# later\n") {
		t.Error("the later work is lost")
	}
	if kept, _ := os.ReadFile(undo); !bytes.Equal(kept, e.Before) {
		t.Error("the copy is lost")
	}
	if err := Undo(file); !problem.Is(err, problem.BadInput) {
		t.Errorf("undo of a file that is no copy: %v", err)
	}
}

func TestUndoCopiesAreNeverOverwritten(t *testing.T) {
	file := placed(t, "pyproject-02-guide-block")
	e, _ := EditPyproject(file, gridSettings)
	seen := map[string]bool{}
	for range 3 {
		write(t, file, string(e.Before))
		undo, err := e.Write()
		if err != nil || seen[undo] {
			t.Fatalf("%s %v", undo, err)
		}
		seen[undo] = true
	}
	for undo := range seen {
		if kept, _ := os.ReadFile(undo); !bytes.Equal(kept, e.Before) {
			t.Errorf("%s: %q", undo, kept)
		}
		write(t, file, string(e.After))
		if err := Undo(undo); err != nil {
			t.Error(err)
		}
	}
}

func TestSymlinkedFile(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("needs symbolic links, which Windows keeps for administrators")
	}
	target := placed(t, "pyproject-02-guide-block")
	link := filepath.Join(t.TempDir(), "pyproject.toml")
	if err := os.Symlink(target, link); err != nil {
		t.Fatal(err)
	}
	e, err := EditPyproject(link, gridSettings)
	if err != nil {
		t.Fatal(err)
	}
	undo, err := e.Write()
	if err != nil {
		t.Fatal(err)
	}
	if l, _ := os.Lstat(link); l.Mode()&fs.ModeSymlink == 0 {
		t.Error("the link is a file now")
	}
	info, _ := os.Stat(target)
	if now, _ := os.ReadFile(target); !bytes.Equal(now, e.After) || info.Mode().Perm() != 0o640 {
		t.Errorf("target: mode %v\n%s", info.Mode(), now)
	}
	if err := Undo(undo); err != nil {
		t.Error(err)
	}
	os.Remove(target)
	if _, err := EditPyproject(link, gridSettings); !problem.Is(err, problem.BadInput) {
		t.Errorf("dangling link: %v", err)
	}
}

func TestUnwritable(t *testing.T) {
	file := placed(t, "pyproject-02-guide-block")
	if err := os.Chmod(file, 0o444); err != nil {
		t.Fatal(err)
	}
	e, err := EditPyproject(file, gridSettings)
	if err != nil {
		t.Fatal(err)
	}
	_, err = e.Write()
	if !problem.Is(err, problem.BadInput) || !strings.Contains(problem.Of(err).Fix, "chmod u+w '") {
		t.Errorf("read-only: %v", err)
	}
	os.Chmod(file, 0o600)
	if runtime.GOOS != "windows" && os.Geteuid() != 0 { // root may write into any folder
		os.Chmod(filepath.Dir(file), 0o500)
		_, err = e.Write()
		if !problem.Is(err, problem.BadInput) || !errors.Is(err, fs.ErrPermission) || problem.Of(err).Fix == "" {
			t.Errorf("read-only folder: %v", err)
		}
		os.Chmod(filepath.Dir(file), 0o700)
	}
	if now, _ := os.ReadFile(file); !bytes.Equal(now, e.Before) {
		t.Error("changed all the same")
	}
	dir := filepath.Join(t.TempDir(), "pyproject.toml")
	os.Mkdir(dir, 0o700)
	if _, err := EditPyproject(dir, gridSettings); !problem.Is(err, problem.BadInput) {
		t.Errorf("a folder: %v", err)
	}
	inFile := filepath.Join(file, "config.toml")
	if _, err := EditFlower(inFile, gridSettings); !problem.Is(err, problem.BadInput) {
		t.Errorf("a file for a folder: %v", err)
	}
}

func TestFlowerConfigFile(t *testing.T) {
	t.Setenv("FLWR_HOME", "/x/y")
	if got, err := FlowerFile(""); got != filepath.FromSlash("/x/y/config.toml") {
		t.Error(got, err)
	}
	if got, err := FlowerFile("/z"); got != filepath.FromSlash("/z/config.toml") {
		t.Error(got, err)
	}
	t.Setenv("FLWR_HOME", "")
	home, _ := os.UserHomeDir()
	if got, err := FlowerFile(""); got != filepath.Join(home, ".flwr", "config.toml") {
		t.Error(got, err)
	}
	// Without HOME, and with an empty one, it lies below the account's home, never in the current folder.
	account, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	for _, home := range []string{"", "relative"} {
		t.Setenv("HOME", home)
		if got, err := FlowerFile(""); got != filepath.Join(account.HomeDir, ".flwr", "config.toml") {
			t.Error(got, err)
		}
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
