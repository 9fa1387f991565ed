//go:build linux || darwin

package keys

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"flwrup/internal/problem"
)

// limitFileSize makes every write of this process fail after 100 bytes, as on a full disk.
func limitFileSize() {
	signal.Ignore(syscall.SIGXFSZ)
	limit := syscall.Rlimit{Cur: 100, Max: 100}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		panic(err)
	}
}

func child(t *testing.T, what, dir string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), childEnv+"="+what, dirEnv+"="+dir)
	return cmd
}

// Kills come at moments spread over the run. Every reported key is still there unchanged, other files can be
// completed, and the same call afterwards ends with all pairs and no key changed.
func TestKillInTheMiddle(t *testing.T) {
	interrupted := 0
	for i := range 12 {
		dir := keyDir(t)
		cmd := child(t, "generate", dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		kill := time.AfterFunc(time.Duration(2+i*6)*time.Millisecond, func() { cmd.Process.Kill() })
		reported := map[string]string{}
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if name, print, ok := strings.Cut(lines.Text(), " "); ok {
				reported[name] = print
			}
		}
		if cmd.Wait() != nil {
			interrupted++
		}
		kill.Stop()

		folder := scan(t, dir)
		for _, issue := range folder.Issues {
			if code := issue.Problem.Code; code != HalfPair && code != Leftover {
				t.Errorf("kill %d leaves %v", i, issue.Problem)
			}
		}
		before := hashes(t, dir0(t, dir))
		pairs := generate(t, dir, wantedNames(40)...)
		for _, p := range pairs {
			if print, ok := reported[p.Name]; ok && print != p.Fingerprint {
				t.Errorf("kill %d: %s was reported and is another key now", i, p.Name)
			}
		}
		after := hashes(t, dir)
		for name, sum := range before {
			if !isLeftover(name) && after[name] != sum {
				t.Errorf("kill %d: the next run changed %s", i, name)
			}
		}
		if folder = scan(t, dir); len(folder.Pairs) != 40 || len(folder.Issues) > 0 {
			t.Errorf("kill %d: %d pairs in the end, %v", i, len(folder.Pairs), folder.Issues)
		}
		noLeftovers(t, dir)
	}
	if interrupted == 0 {
		t.Error("no run was killed before its end")
	}
}

// dir0 makes the folder where the kill came before it existed.
func dir0(t *testing.T, dir string) string {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestAWriteThatFailsLeavesNothing(t *testing.T) {
	dir := keyDir(t)
	out, err := child(t, "limited", dir).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "cannot write") {
		t.Fatalf("%v\n%s", err, out)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("left behind: %v %v", entries, err)
	}
}

// Root may write anywhere, so this test runs in a child without rights.
func TestReadOnlyFolder(t *testing.T) {
	dir := keyDir(t)
	if err := os.Mkdir(dir, 0o555); err != nil {
		t.Fatal(err)
	}
	cmd := child(t, "generate", dir)
	if os.Getuid() == 0 {
		for at := filepath.Dir(dir); at != os.TempDir() && at != "/"; at = filepath.Dir(at) {
			if err := os.Chmod(at, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		self, err := os.ReadFile(cmd.Path)
		if err != nil {
			t.Fatal(err)
		}
		cmd.Path = filepath.Join(filepath.Dir(dir), "self")
		if err := os.WriteFile(cmd.Path, self, 0o755); err != nil {
			t.Fatal(err)
		}
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		cmd.Dir = filepath.Dir(dir)
	}
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.HasPrefix(string(out), string(NotWritable)) {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestSymlinks(t *testing.T) {
	real := keyDir(t)
	pairs := generate(t, real, wantedNames(1)...)
	before := hashes(t, real)

	link := filepath.Join(t.TempDir(), "keys")
	if err := os.Symlink(real, link); err != nil {
		t.Fatal(err)
	}
	_, err := Generate(context.Background(), link, wantedNames(2), nil)
	wantCode(t, err, Symlink)
	_, err = FixModes(link)
	wantCode(t, err, Symlink)
	if folder := scan(t, link); len(folder.Pairs) != 1 || folder.Issues[0].Problem.Code != Symlink {
		t.Errorf("a linked folder: %+v", folder)
	}

	dir := keyDir(t)
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	outside := filepath.Join(t.TempDir(), "outside")
	for name, target := range map[string]string{"client_credentials_1": pairs[0].Private, "client_credentials_2": outside, "client_credentials_3.pub": outside} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range wantedNames(2) {
		_, err := Generate(context.Background(), dir, []string{name}, nil)
		wantCode(t, err, Symlink)
	}
	_, err = Generate(context.Background(), dir, []string{"client_credentials_3"}, nil)
	wantCode(t, err, Symlink, NoPrivate)
	if _, err := os.Lstat(outside); err == nil {
		t.Error("a key was written through a symlink")
	}
	sameFiles(t, before, hashes(t, real))
	if folder := scan(t, dir); len(folder.Pairs) != 0 || len(folder.Issues) != 3 || folder.NextNames(1)[0] != "client_credentials_4" {
		t.Errorf("linked keys: %+v, next %v", folder, folder.NextNames(1))
	}
	// The last line of defence: the name itself cannot be written through.
	tmp, err := stage(dir, []byte("x"), 0o600, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	if err := publish(tmp, filepath.Join(dir, "client_credentials_2")); err == nil || problem.Is(fileProblem("write", "x", err), problem.Internal) {
		t.Errorf("publishing over a dangling link: %v", err)
	}
	info, _ := os.Stat(tmp)
	if err := createExclusive(filepath.Join(dir, "client_credentials_2"), []byte("x"), info); err == nil {
		t.Error("an exclusive create went through a dangling link")
	}
}

func TestFixModes(t *testing.T) {
	dir := keyDir(t)
	pairs := generate(t, dir, wantedNames(3)...)
	for path, mode := range map[string]os.FileMode{dir: 0o777, pairs[0].Private: 0o644, pairs[2].Private: 0o640} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	folder := scan(t, dir)
	if len(folder.Pairs) != 3 || len(folder.Issues) != 3 {
		t.Fatalf("%+v", folder)
	}
	for _, issue := range folder.Issues {
		if issue.Problem.Code != LooseMode || issue.Harmless {
			t.Errorf("%+v", issue)
		}
	}
	changed, err := FixModes(dir)
	if want := []string{dir, pairs[0].Private, pairs[2].Private}; err != nil || !slices.Equal(changed, want) {
		t.Errorf("changed %v, wanted %v, %v", changed, want, err)
	}
	if folder := scan(t, dir); len(folder.Issues) > 0 {
		t.Errorf("still: %v", folder.Issues)
	}
	if changed, err := FixModes(dir); err != nil || len(changed) > 0 {
		t.Errorf("a second time: %v %v", changed, err)
	}
}

func TestLeftoversAreNamedThenRemoved(t *testing.T) {
	dir := keyDir(t)
	generate(t, dir, wantedNames(1)...)
	_, err := stage(dir, []byte("x"), 0o600, time.Now().Add(-time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if folder := scan(t, dir); len(folder.Issues) != 1 || folder.Issues[0].Problem.Code != Leftover || !folder.Issues[0].Harmless {
		t.Errorf("%+v", folder.Issues)
	}
	other := enter(dir) // another run is at work: its file stays
	tmp, err := stage(dir, []byte("x"), 0o600, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	generate(t, dir, wantedNames(2)...)
	if _, err := os.Stat(tmp); err != nil {
		t.Error("the file of a run at work was removed")
	}
	other()
	generate(t, dir, wantedNames(2)...)
	noLeftovers(t, dir)
}
