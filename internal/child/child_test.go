package child

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"flwrup/internal/problem"
	"flwrup/internal/sourcetest"
	"flwrup/internal/userdirs"
)

// Every process of flwrup is made here.
func TestOneConstructor(t *testing.T) {
	starts := map[string][]string{
		"os/exec":                  {"Command", "CommandContext"},
		"os":                       {"StartProcess"},
		"syscall":                  {"ForkExec", "StartProcess", "Exec", "CreateProcess", "CreateProcessAsUser"},
		"golang.org/x/sys/unix":    {"Exec"},
		"golang.org/x/sys/windows": {"CreateProcess", "CreateProcessAsUser", "ShellExecute"},
		"github.com/creack/pty":    {"Start", "StartWithSize", "StartWithAttrs"},
	}
	here := 0
	for _, u := range sourcetest.Uses(t) {
		bare := u.Package == "os/exec" && u.Name == "Cmd" && u.Made
		if !slices.Contains(starts[u.Package], u.Name) && !bare {
			continue
		}
		if strings.HasPrefix(u.File, "internal/child/") {
			here++
			continue
		}
		t.Errorf("%s:%d: %s.%s starts a process: use internal/child", u.File, u.Line, u.Package, u.Name)
	}
	if here != 2 {
		t.Errorf("%d constructors here", here)
	}
}

func TestCommandFolder(t *testing.T) {
	open := filepath.Join(t.TempDir(), "open")
	if err := os.Mkdir(open, 0o700); err != nil {
		t.Fatal(err)
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := Command(t.Context(), open, program, "-test.run=^$").Run(); err != nil {
		t.Errorf("a private folder: %v", err)
	}
	if err := Tool(t.Context(), program, "-test.run=^$").Run(); err != nil {
		t.Errorf("the system's folder: %v", err)
	}
	for _, dir := range []string{"", filepath.Join(open, "missing"), program} {
		if err := Command(t.Context(), dir, program, "-test.run=^$").Run(); err == nil {
			t.Errorf("started in %q", dir)
		}
	}
	if runtime.GOOS == "windows" {
		return
	}
	for _, mode := range []os.FileMode{0o777, 0o777 | os.ModeSticky, 0o702} {
		if err := os.Chmod(open, mode); err != nil {
			t.Fatal(err)
		}
		for _, cmd := range []interface{ Run() error }{Command(t.Context(), open, program, "-test.run=^$"), Detached(open, program, "-test.run=^$")} {
			if err := cmd.Run(); !problem.Is(err, userdirs.Unsafe) {
				t.Errorf("mode %v: %v", mode, err)
			}
		}
	}
}

// A program that everybody can exchange is not started, wherever PATH leads.
func TestProgramOfAll(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("access is by lists")
	}
	dir := t.TempDir()
	tool := filepath.Join(dir, "tool")
	if err := os.WriteFile(tool, []byte("#!/bin/sh\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir)
	for _, c := range []struct {
		dir, file os.FileMode
		runs      bool
	}{{0o755, 0o755, true}, {0o775, 0o755, true}, {0o777 | os.ModeSticky, 0o755, true}, {0o777, 0o755, false}, {0o755, 0o777, false}} {
		if err := errors.Join(os.Chmod(dir, c.dir), os.Chmod(tool, c.file)); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"tool", tool} {
			if err := Tool(t.Context(), name).Run(); c.runs != (err == nil) || !c.runs && !problem.Is(err, userdirs.Unsafe) {
				t.Errorf("%s in %v, %v: %v", name, c.dir, c.file, err)
			}
		}
	}
}

func TestEnviron(t *testing.T) {
	for name := range foreign {
		t.Setenv(name, "/somewhere")
	}
	t.Setenv("FLWRUP_SECRET", "x")
	t.Setenv("CHILD_KEEPS", "this")
	t.Setenv("HOME", "")
	env := Environ("PYTHONPATH=/mine")
	for _, kv := range env {
		name, value, _ := strings.Cut(kv, "=")
		if foreign[name] && value != "/mine" || strings.HasPrefix(name, "FLWRUP_") {
			t.Errorf("%s reaches the child", kv)
		}
	}
	if !slices.Contains(env, "CHILD_KEEPS=this") || !slices.Contains(env, "PYTHONPATH=/mine") {
		t.Errorf("%q", env)
	}
	if home, err := userdirs.Home(); err == nil && runtime.GOOS != "windows" && !slices.Contains(env, "HOME="+home) {
		t.Error("the account's home does not reach the child")
	}
}
