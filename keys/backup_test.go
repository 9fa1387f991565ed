package keys

import (
	"archive/tar"
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"flwrup/internal/problem"
)

var ctx = context.Background()

// quickPass is a passphrase with little work behind it, for tests alone.
func quickPass(t testing.TB, pass string) ([]age.Recipient, []age.Identity) {
	t.Helper()
	r, i, err := passphrase(pass, 4)
	if err != nil {
		t.Fatal(err)
	}
	return []age.Recipient{r}, []age.Identity{i}
}

func TestBackupAndRestore(t *testing.T) {
	dir := keyDir(t)
	pairs := generate(t, dir, wantedNames(4)...)
	os.Remove(pairs[3].Public) // a half pair is worth keeping as well
	old := time.Now().Add(-48 * time.Hour).Truncate(time.Second)
	if err := os.Chtimes(pairs[0].Private, old, old); err != nil {
		t.Fatal(err)
	}
	r, i := quickPass(t, "correct horse")
	file := filepath.Join(t.TempDir(), BackupDefaultName(dir, time.Now()))
	made, err := MakeBackup(ctx, dir, file, r, i)
	if err != nil {
		t.Fatal(err)
	}
	if made.File != file || !made.Verified || len(made.Fingerprints) != 4 || made.Made.IsZero() {
		t.Errorf("%+v", made)
	}
	var held []string
	for _, p := range scan(t, dir).Pairs {
		if slices.Contains(made.Fingerprints, p.Fingerprint) {
			held = append(held, p.Name)
		}
	}
	if !slices.Equal(held, wantedNames(3)) {
		t.Errorf("it holds the pairs %q", held)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(data, []byte("OPENSSH")) || bytes.Contains(data, []byte("client_credentials")) {
		t.Error("the backup holds plain text")
	}
	if err := CheckHash(file, strings.ToUpper(made.SHA256)); err != nil {
		t.Error(err)
	}
	noLeftovers(t, filepath.Dir(file))

	again, err := VerifyBackup(ctx, file, i, dir)
	if err != nil || !slices.Equal(again.Fingerprints, made.Fingerprints) || again.SHA256 != made.SHA256 {
		t.Errorf("%+v %v", again, err)
	}

	to := keyDir(t)
	restored, err := RestoreBackup(ctx, file, i, to)
	if err != nil || len(restored) != 3 {
		t.Fatalf("%d pairs, %v", len(restored), err)
	}
	sameFiles(t, hashes(t, dir), hashes(t, to))
	folder := scan(t, to)
	if len(folder.Issues) != 1 || len(folder.Halves) != 1 || !folder.Pairs[0].Made.Equal(old) {
		t.Errorf("%+v", folder)
	}
	if _, err := RestoreBackup(ctx, file, i, to); err != nil {
		t.Errorf("a second time: %v", err)
	}
	os.Remove(folder.Pairs[1].Private) // as if the first one had been killed
	if _, err := RestoreBackup(ctx, file, i, to); err != nil || len(scan(t, to).Pairs) != 3 {
		t.Errorf("going on: %v", err)
	}

	// A key made since: the backup does not cover it any more.
	generate(t, dir, "client_credentials_5")
	_, err = VerifyBackup(ctx, file, i, dir)
	wantCode(t, err, BackupStale)
	if why := problem.Of(err).Why; why != "not in it: client_credentials_5, client_credentials_5.pub" {
		t.Errorf("missing: %s", why)
	}
}

func TestRestoreRefuses(t *testing.T) {
	dir := keyDir(t)
	generate(t, dir, wantedNames(2)...)
	r, i := quickPass(t, "correct horse")
	file := filepath.Join(t.TempDir(), "b.age")
	if _, err := MakeBackup(ctx, dir, file, r, i); err != nil {
		t.Fatal(err)
	}
	other := keyDir(t)
	generate(t, other, "client_credentials_2") // another key of the same name
	before := hashes(t, other)
	_, err := RestoreBackup(ctx, file, i, other)
	wantCode(t, err, FileExists)
	sameFiles(t, before, hashes(t, other))
	_, err = VerifyBackup(ctx, file, i, other) // the name is in the backup, the key is not
	wantCode(t, err, BackupStale)

	blocked := keyDir(t)
	if err := os.WriteFile(blocked, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = RestoreBackup(ctx, file, i, blocked)
	wantCode(t, err, problem.BadInput)

	stopped, cancel := context.WithCancel(ctx)
	cancel()
	_, err = RestoreBackup(stopped, file, i, keyDir(t))
	wantCode(t, err, problem.Cancelled)
	_, err = RestoreBackup(ctx, file, nil, keyDir(t))
	wantCode(t, err, problem.Usage)
}

func TestBackupRefuses(t *testing.T) {
	dir := keyDir(t)
	r, i := quickPass(t, "correct horse")
	file := filepath.Join(t.TempDir(), "b.age")
	_, err := MakeBackup(ctx, dir, file, r, i)
	wantCode(t, err, problem.BadInput) // no keys yet
	generate(t, dir, wantedNames(1)...)
	_, err = MakeBackup(ctx, dir, file, nil, nil)
	wantCode(t, err, problem.Usage)
	_, other := quickPass(t, "another")
	_, err = MakeBackup(ctx, dir, file, r, other) // cannot be opened again, so it does not count
	wantCode(t, err, BackupLocked)
	if entries, _ := os.ReadDir(filepath.Dir(file)); len(entries) > 0 {
		t.Errorf("left behind: %v", entries)
	}
	if err := os.WriteFile(file, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = MakeBackup(ctx, dir, file, r, i)
	wantCode(t, err, FileExists)
	if data, _ := os.ReadFile(file); string(data) != "mine" {
		t.Error("the file was replaced")
	}
}

func TestTamperedBackups(t *testing.T) {
	dir := keyDir(t)
	generate(t, dir, wantedNames(3)...)
	r, i := quickPass(t, "correct horse")
	file := filepath.Join(t.TempDir(), "b.age")
	made, err := MakeBackup(ctx, dir, file, r, i)
	if err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	_, wrong := quickPass(t, "wrong")
	_, err = VerifyBackup(ctx, file, wrong, dir)
	wantCode(t, err, BackupLocked)
	for at := 0; at < len(good); at += 97 {
		bad := bytes.Clone(good)
		bad[at] ^= 1
		if err := os.WriteFile(file, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		to := keyDir(t)
		_, err := RestoreBackup(ctx, file, i, to)
		wantCode(t, err, BackupBad, BackupLocked)
		if _, err := os.Stat(to); err == nil {
			t.Errorf("byte %d changed: something was written", at)
		}
		wantCode(t, CheckHash(file, made.SHA256), BackupBad)
	}
	for _, n := range []int{0, 10, len(good) / 2, len(good) - 1} {
		if err := os.WriteFile(file, good[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := VerifyBackup(ctx, file, i, dir)
		wantCode(t, err, BackupBad)
	}
}

// Archives that a person with the passphrase made by hand.
func TestArchivesThatAreNoBackup(t *testing.T) {
	dir := keyDir(t)
	pairs := generate(t, dir, "a", "b")
	private, _ := os.ReadFile(pairs[0].Private)
	public, _ := os.ReadFile(pairs[0].Public)
	stranger, _ := os.ReadFile(pairs[1].Public)
	type entry struct {
		name string
		kind byte
		data []byte
	}
	for name, entries := range map[string][]entry{
		"a path that leaves":        {{"../a", tar.TypeReg, private}},
		"an absolute path":          {{"/tmp/a", tar.TypeReg, private}},
		"a path into a folder":      {{"x/a", tar.TypeReg, private}},
		"a path of Windows":         {{`..\a`, tar.TypeReg, private}},
		"a hidden file":             {{".bashrc", tar.TypeReg, private}},
		"a symlink":                 {{"a", tar.TypeSymlink, nil}},
		"a folder":                  {{"a", tar.TypeDir, nil}},
		"twice the same":            {{"a", tar.TypeReg, private}, {"a", tar.TypeReg, private}},
		"no key":                    {{"a", tar.TypeReg, []byte("hello")}},
		"a public key alone":        {{"a.pub", tar.TypeReg, public}},
		"halves of different pairs": {{"a", tar.TypeReg, private}, {"a.pub", tar.TypeReg, stranger}},
		"nothing":                   {},
		"control characters":        {{"a\x1b[2J", tar.TypeReg, private}},
		"far too large":             {{"a", tar.TypeReg, make([]byte, maxKeyFile+1)}},
	} {
		t.Run(name, func(t *testing.T) {
			r, i := quickPass(t, "p")
			file := filepath.Join(t.TempDir(), "b.age")
			f, err := os.Create(file)
			if err != nil {
				t.Fatal(err)
			}
			w, err := age.Encrypt(f, r...)
			if err != nil {
				t.Fatal(err)
			}
			archive := tar.NewWriter(w)
			for _, e := range entries {
				h := &tar.Header{Name: e.name, Typeflag: e.kind, Size: int64(len(e.data)), Mode: 0o600, Linkname: ""}
				if e.kind == tar.TypeSymlink {
					h.Linkname = "/etc/passwd"
				}
				if err := archive.WriteHeader(h); err != nil {
					t.Fatal(err)
				}
				if _, err := archive.Write(e.data); err != nil {
					t.Fatal(err)
				}
			}
			for _, c := range []io.Closer{archive, w, f} {
				if err := c.Close(); err != nil {
					t.Fatal(err)
				}
			}
			to := keyDir(t)
			_, err = RestoreBackup(ctx, file, i, to)
			wantCode(t, err, BackupBad)
			if _, err := os.Stat(to); err == nil {
				t.Error("something was written")
			}
			if err != nil && strings.Contains(err.Error(), "\x1b") {
				t.Errorf("%q", err)
			}
		})
	}
}

func TestRecipients(t *testing.T) {
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	second, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	both := identity.Recipient().String() + ", " + second.Recipient().String()
	recipients, err := ParseRecipients(both)
	if err != nil || len(recipients) != 2 {
		t.Fatalf("%d, %v", len(recipients), err)
	}
	listed := filepath.Join(t.TempDir(), "who can open it.txt")
	if err := os.WriteFile(listed, []byte("# ours\n"+identity.Recipient().String()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if recipients, err := ParseRecipients(listed); err != nil || len(recipients) != 1 {
		t.Errorf("from a file: %d, %v", len(recipients), err)
	}
	dir := keyDir(t)
	generate(t, dir, wantedNames(1)...)
	file := filepath.Join(t.TempDir(), "b.age")
	made, err := MakeBackup(ctx, dir, file, recipients, nil)
	if err != nil || made.Verified || made.SHA256 == "" || len(made.Fingerprints) != 1 {
		t.Fatalf("for recipients alone: %+v, %v", made, err)
	}
	if err := CheckHash(file, made.SHA256); err != nil {
		t.Error(err)
	}
	secret := filepath.Join(t.TempDir(), "identity.txt")
	if err := os.WriteFile(secret, []byte("# created\n"+second.String()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if checked, err := VerifyBackup(ctx, file, []age.Identity{second}, dir); err != nil || !checked.Verified {
		t.Errorf("by the second recipient: %+v, %v", checked, err)
	}
	for _, wrong := range []string{"age1nonsense", secret, identity.String(), "", "/nowhere/at-all"} {
		_, err := ParseRecipients(wrong)
		wantCode(t, err, problem.BadInput)
		if p := problem.Of(err); strings.Contains(p.Error()+p.Fix, identity.String()) {
			t.Error("a secret is printed")
		}
	}
}

func TestPassphrase(t *testing.T) {
	_, _, err := PassphraseRecipient(" ")
	wantCode(t, err, problem.BadInput)
	file := filepath.Join(t.TempDir(), "pass")
	for text, want := range map[string]string{"words of mine\r\nnot this\n": "words of mine", " kept ": " kept ", "\nsecond": ""} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := ReadPassphrase(file)
		if got != want || (err != nil) != (want == "") {
			t.Errorf("%q gives %q, %v", text, got, err)
		}
	}
	// The real work factor, once.
	r, i, err := PassphraseRecipient("correct horse")
	if err != nil {
		t.Fatal(err)
	}
	dir := keyDir(t)
	generate(t, dir, wantedNames(1)...)
	if _, err := MakeBackup(ctx, dir, filepath.Join(t.TempDir(), "b.age"), []age.Recipient{r}, []age.Identity{i}); err != nil {
		t.Error(err)
	}
}
