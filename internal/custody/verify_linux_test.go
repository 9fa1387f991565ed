package custody

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unsafe"

	"filippo.io/age"
	"golang.org/x/sys/unix"

	"flwrup/internal/health"
	"flwrup/internal/ledger"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/site"
	"flwrup/internal/sitetest"
	"flwrup/keys"
)

// backedUp is a site of two SuperNodes with a backup of a year ago, and the file of the identity that opens it.
func backedUp(t *testing.T) (s *site.Site, backup, identity string) {
	t.Helper()
	s = sitetest.Registered(t, sitetest.NewGrid("1.42.0"), 2)
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	identity = filepath.Join(t.TempDir(), "identity")
	if err := os.WriteFile(identity, []byte(id.String()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	sitetest.Choose(t, s, func(c *project.Choices) { c.BackupRecipient = id.Recipient().String() })
	b, err := BackUp(t.Context(), s, &sitetest.Heard{})
	if err != nil {
		t.Fatal(err)
	}
	b.Made = time.Now().AddDate(-1, 0, 0)
	if err := s.Ledger.PutBackup(b); err != nil {
		t.Fatal(err)
	}
	return s, s.Path(b.File), identity
}

func overview(t *testing.T, s *site.Site) (old bool, verified time.Time) {
	t.Helper()
	b := health.Diagnosed(t.Context(), s, 0).Backup
	return b.Old, b.Verified
}

// Months later a backup is opened and compared. The ledger keeps when it was found good.
func TestVerify(t *testing.T) {
	s, backup, identity := backedUp(t)
	if _, at := overview(t, s); !at.IsZero() {
		t.Errorf("only its recipient can open it, and it counts as verified at %s", at)
	}
	verify := func(want Verdict, code problem.Code, files ...string) Checked {
		t.Helper()
		list, err := Verify(t.Context(), s, files, identity, &sitetest.Heard{})
		if len(list) != 1 || list[0].Verdict != want || (err == nil) != (code == "") || err != nil && !problem.Is(err, code) {
			t.Fatalf("%s wanted: %+v, %v", want, list, err)
		}
		return list[0]
	}
	if c := verify(Good, ""); c.Keys != 2 {
		t.Errorf("%+v", c)
	}
	if old, at := overview(t, s); old || time.Since(at) > time.Minute {
		t.Errorf("verified at %s, old %v", at, old)
	}
	b := s.Ledger.Backups()[0]
	b.Checked = time.Now().Add(-health.VerifyAgain - time.Hour)
	if err := s.Ledger.PutBackup(b); err != nil {
		t.Fatal(err)
	}
	if old, _ := overview(t, s); !old {
		t.Error("a verification of months ago is not old")
	}

	whole, err := os.ReadFile(backup)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{"cut": whole[:len(whole)/2], "changed": append(bytes.Clone(whole[:len(whole)-1]), whole[len(whole)-1]^1), "none": []byte("hello")} {
		file := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		verify(Unreadable, keys.BackupBad, file)
	}
	verify(Unreadable, problem.BadInput, filepath.Join(t.TempDir(), "not there"))

	copied := filepath.Join(t.TempDir(), "stick.age")
	if err := os.WriteFile(copied, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	verify(Good, "", copied)
	if old, _ := overview(t, s); old || len(s.Ledger.Backups()) != 1 || s.Ledger.Backups()[0].File != filepath.Base(backup) {
		t.Errorf("a copy of it is as good: %+v", s.Ledger.Backups())
	}

	other, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	right := identity
	identity = filepath.Join(t.TempDir(), "other")
	if err := os.WriteFile(identity, []byte(other.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	if c := verify(Locked, keys.BackupLocked); !strings.Contains(c.Problem.Fix, "--identity") {
		t.Errorf("%+v", c.Problem)
	}
	identity = right

	if _, err := keys.Generate(t.Context(), s.Path("keys"), []string{"client_credentials_3"}, nil); err != nil {
		t.Fatal(err)
	}
	if c := verify(Incomplete, keys.BackupStale); len(c.Missing) != 2 || c.Missing[0] != "client_credentials_3" {
		t.Errorf("%+v", c)
	}
	for _, half := range []string{"", ".pub"} {
		if err := os.Rename(s.Path("keys/client_credentials_3"+half), s.Path("keys/client_credentials_2"+half)); err != nil {
			t.Fatal(err)
		}
	}
	if c := verify(Differs, keys.BackupStale); len(c.Differ) != 2 {
		t.Errorf("%+v", c)
	}
}

// While a backup is verified nothing is written in the project, with its keys, nor among temporary files, but for the
// ledger; and no key gets into that.
func TestVerifyWritesNoKey(t *testing.T) {
	s, _, identity := backedUp(t)
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	fd, err := unix.InotifyInit1(unix.IN_NONBLOCK | unix.IN_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	for _, dir := range []string{s.Dir, s.Path("keys"), s.StateDir(), tmp} {
		if _, err := unix.InotifyAddWatch(fd, dir, unix.IN_CREATE|unix.IN_MODIFY|unix.IN_MOVED_TO); err != nil {
			t.Fatal(err)
		}
	}
	if list, err := Verify(t.Context(), s, nil, identity, &sitetest.Heard{}); err != nil || len(list) != 1 {
		t.Fatalf("%+v, %v", list, err)
	}
	buf := make([]byte, 64<<10)
	n, _ := unix.Read(fd, buf) // an error: nothing was written at all
	written := 0
	for at := 0; at < n; written++ {
		e := (*unix.InotifyEvent)(unsafe.Pointer(&buf[at]))
		name := strings.TrimRight(string(buf[at+unix.SizeofInotifyEvent:at+unix.SizeofInotifyEvent+int(e.Len)]), "\x00")
		if !strings.HasPrefix(name, "ledger.") && !strings.HasPrefix(name, ".ledger") {
			t.Errorf("it wrote %s", name)
		}
		at += unix.SizeofInotifyEvent + int(e.Len)
	}
	if written == 0 {
		t.Error("the ledger was not seen to be written: the watch sees nothing")
	}
	text, err := os.ReadFile(s.Ledger.File())
	if err != nil || bytes.Contains(text, []byte("PRIVATE")) {
		t.Errorf("%v\n%s", err, text)
	}
}

// A backup that nobody verified is no older one's excuse: the keys of now count.
func TestVerifiedBackupHoldsAllKeys(t *testing.T) {
	now := time.Now()
	d := ledger.Data{Backups: []ledger.Backup{
		{File: "a", Fingerprints: []string{"1"}, Verified: true, Made: now},
		{File: "b", Fingerprints: []string{"1", "2"}, Verified: true, Made: now.Add(-time.Hour)},
		{File: "c", Fingerprints: []string{"1", "2"}, Made: now},
	}}
	if b, ok := d.VerifiedBackup([]string{"1", "2"}); !ok || b.File != "b" {
		t.Errorf("%+v", b)
	}
	if _, ok := d.VerifiedBackup([]string{"1", "2", "3"}); ok {
		t.Error("no backup has key 3")
	}
}
