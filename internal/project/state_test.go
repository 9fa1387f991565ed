package project

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"flwrup/internal/problem"
)

// TestMain lets this program be the other flwrup that holds a lock.
func TestMain(m *testing.M) {
	if dir := os.Getenv("FLWRUP_TEST_HOLD_LOCK"); dir != "" {
		if _, err := Lock(dir); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println("held")
		time.Sleep(time.Minute)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// TestLockOfTheDying: Lock waits for a lock that is about to be released.
func TestLockOfTheDying(t *testing.T) {
	dir := t.TempDir()
	unlock, err := Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(dyingTime/2, unlock)
	unlock, err = Lock(dir)
	if err != nil {
		t.Fatalf("a lock held for %v: %v", dyingTime/2, err)
	}
	unlock()
}

func TestLock(t *testing.T) {
	dir := t.TempDir()
	unlock, err := Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Lock(dir); !problem.Is(err, problem.Busy) || !strings.Contains(err.Error(), fmt.Sprintf("process %d", os.Getpid())) {
		t.Errorf("second lock: %v", err)
	}
	watching, err := LockWatch(dir) // alongside one that acts
	if err != nil {
		t.Fatal(err)
	}
	if _, err := LockWatch(dir); !problem.Is(err, problem.Busy) {
		t.Errorf("second watch: %v", err)
	}
	watching()
	unlock()
	unlock() // twice counts once
	unlock, err = Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	unlock()
}

func TestLockIsFreeWhenItsHolderDies(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "FLWRUP_TEST_HOLD_LOCK="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	if line, _ := bufio.NewReader(out).ReadString('\n'); line != "held\n" {
		t.Fatalf("the other process says %q", line)
	}
	if _, err := Lock(dir); !problem.Is(err, problem.Busy) || !strings.Contains(err.Error(), fmt.Sprintf("process %d", cmd.Process.Pid)) {
		t.Errorf("held by another: %v", err)
	}
	cmd.Process.Kill()
	cmd.Wait()
	unlock, err := Lock(dir)
	if err != nil {
		t.Fatalf("after its death: %v", err)
	}
	unlock()
}

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
