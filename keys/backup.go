package keys

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"filippo.io/age"
	"golang.org/x/crypto/ssh"

	"flwrup/internal/problem"
)

// maxBackup bounds what is read into memory: far more than a hundred thousand pairs.
const maxBackup = 256 << 20

// Backup is an encrypted archive of key pairs: age's format around a tar of the plain files. `age -d FILE |
// tar x` restores them without flwrup.
type Backup struct {
	File         string // absolute path
	SHA256       string // of the encrypted file, in hex
	Made         time.Time
	Names        []string // of the private keys in it, sorted
	Fingerprints []string // of those keys, in the same order
	// Verified reports that the file was read back from disk, decrypted and compared byte for byte with the keys.
	// It is false without an identity: then only the owner can decrypt the file.
	Verified bool
}

// BackupDefaultName is a file name, without a folder, made of the keys' folder and the time in UTC:
// keys-backup-20261124T014200Z.tar.age.
func BackupDefaultName(dir string, now time.Time) string {
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	return filepath.Base(dir) + "-backup-" + now.UTC().Format("20060102T150405Z") + ".tar.age"
}

// MakeBackup writes all keys of dir into one encrypted file: whole pairs, and private keys without their
// public half. No file has that name before the archive is complete and on disk. With identities it is also
// read back first, decrypted in memory and compared byte for byte with the current keys. An existing file is
// never replaced.
func MakeBackup(ctx context.Context, dir, file string, recipients []age.Recipient, identities []age.Identity) (Backup, error) {
	file, err := filepath.Abs(file)
	if err != nil {
		return Backup{}, fmt.Errorf("back up keys: %w", err)
	}
	if len(recipients) == 0 {
		return Backup{}, problem.New(problem.Usage, "cannot make the backup", "it has neither a passphrase nor a recipient", "give a passphrase or an age recipient")
	}
	if _, err := os.Lstat(file); err == nil {
		return Backup{}, fileProblem("write", file, os.ErrExist)
	}
	files, err := readKeys(dir)
	if err != nil {
		return Backup{}, err
	}
	sealed, err := seal(files, recipients)
	if err != nil {
		return Backup{}, err
	}
	if err := ctx.Err(); err != nil {
		return Backup{}, cancelled("the backup", err)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return Backup{}, fileProblem("make the folder", filepath.Dir(file), err)
	}
	leave := enter(filepath.Dir(file))
	defer leave()
	tmp, err := stage(filepath.Dir(file), sealed, 0o600, time.Time{})
	if err != nil {
		return Backup{}, fileProblem("write", file, err)
	}
	defer os.Remove(tmp)

	backup := describe(files)
	if len(identities) > 0 {
		if backup, err = VerifyBackup(ctx, tmp, identities, dir); err != nil {
			return Backup{}, fmt.Errorf("check the new backup: %w", err)
		}
	} else {
		onDisk, err := readBackup(tmp)
		if err != nil {
			return Backup{}, err
		}
		if !bytes.Equal(onDisk, sealed) {
			return Backup{}, problem.New(BackupBad, "the backup came back from disk changed", "the disk or its file system is failing", "write it to another disk")
		}
		backup.SHA256 = hash(onDisk)
	}
	if err := ctx.Err(); err != nil {
		return Backup{}, cancelled("the backup", err)
	}
	if err := publish(tmp, file); err != nil {
		return Backup{}, fileProblem("write", file, err)
	}
	if err := syncFolder(filepath.Dir(file)); err != nil {
		return Backup{}, fileProblem("flush", filepath.Dir(file), err)
	}
	backup.File = file
	if info, err := os.Stat(file); err == nil {
		backup.Made = info.ModTime()
	}
	return backup, nil
}

// Compared is a backup next to the keys of a folder. Its slices have file names, sorted.
type Compared struct {
	Backup           // Verified unless something is missing or differs
	Missing []string // in the folder, and not in the backup
	Differ  []string // in both, not the same byte for byte
}

// CompareBackup decrypts a backup in memory and compares it with the keys of dir, byte for byte. Nothing of it touches
// the disk. Keys that only the backup has are fine.
func CompareBackup(ctx context.Context, file string, identities []age.Identity, dir string) (Compared, error) {
	file, err := filepath.Abs(file)
	if err != nil {
		return Compared{}, fmt.Errorf("check the backup: %w", err)
	}
	files, sum, err := open(ctx, file, identities)
	if err != nil {
		return Compared{}, err
	}
	now, err := readKeys(dir)
	if err != nil {
		return Compared{}, err
	}
	c := Compared{Backup: describe(files)}
	for _, name := range sorted(now) {
		switch saved, ok := files[name]; {
		case !ok:
			c.Missing = append(c.Missing, name)
		case !bytes.Equal(saved.data, now[name].data):
			c.Differ = append(c.Differ, name)
		}
	}
	c.File, c.SHA256, c.Verified = file, sum, len(c.Missing)+len(c.Differ) == 0
	if info, err := os.Stat(file); err == nil {
		c.Made = info.ModTime()
	}
	return c, nil
}

// VerifyBackup is CompareBackup where a difference is an error: every key of dir must be in the backup.
func VerifyBackup(ctx context.Context, file string, identities []age.Identity, dir string) (Backup, error) {
	c, err := CompareBackup(ctx, file, identities, dir)
	if err != nil {
		return Backup{}, err
	}
	if !c.Verified {
		why := "different there: " + show(strings.Join(c.Differ, ", "))
		if len(c.Missing) > 0 {
			why = "not in it: " + show(strings.Join(c.Missing, ", "))
		}
		return Backup{}, problem.New(BackupStale, "the backup does not hold the keys of "+show(dir)+" as they are now", why, "make a new backup, and keep the old one")
	}
	return c.Backup, nil
}

// CheckHash reports whether the encrypted file still has the SHA-256 (hex) that was noted. It needs no
// secret, so it also serves backups that only their recipient can open.
func CheckHash(file, sum string) error {
	data, err := readBackup(file)
	if err != nil {
		return err
	}
	if got := hash(data); !strings.EqualFold(got, strings.TrimSpace(sum)) {
		return problem.New(BackupBad, show(file)+" is not the backup that was made", "its SHA-256 is "+got, "make a new backup, or find the right file")
	}
	return nil
}

// keyFile is one file of an archive or a folder.
type keyFile struct {
	data   []byte
	public ssh.PublicKey // what it belongs to
	made   time.Time
}

// readKeys reads all files that belong in a backup of dir, by name.
func readKeys(dir string) (map[string]keyFile, error) {
	folder, err := Scan(dir)
	if err != nil {
		return nil, err
	}
	names := slices.Clone(folder.Halves)
	for _, p := range folder.Pairs {
		names = append(names, p.Name, p.Name+".pub")
	}
	if len(names) == 0 {
		return nil, problem.New(problem.BadInput, "no keys to back up in "+show(folder.Dir), "", "make the keys first")
	}
	files := make(map[string]keyFile, len(names))
	for _, name := range names {
		path := filepath.Join(folder.Dir, name)
		data, info, err := readKeyFile(path)
		if err != nil {
			return nil, fileProblem("read", path, err)
		}
		f, p := parseFile(name, data, path)
		if p != nil {
			return nil, p
		}
		f.made = info.ModTime()
		files[name] = f
	}
	return files, nil
}

func parseFile(name string, data []byte, path string) (f keyFile, p *problem.Problem) {
	f.data = data
	if strings.HasSuffix(name, ".pub") {
		f.public, _, p = parsePublic(data, path)
	} else {
		f.public, p = parsePrivate(data, path)
	}
	return f, p
}

func describe(files map[string]keyFile) (b Backup) {
	for _, name := range sorted(files) {
		if !strings.HasSuffix(name, ".pub") {
			b.Names = append(b.Names, name)
			b.Fingerprints = append(b.Fingerprints, ssh.FingerprintSHA256(files[name].public))
		}
	}
	return b
}

func sorted(files map[string]keyFile) []string {
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func seal(files map[string]keyFile, recipients []age.Recipient) ([]byte, error) {
	var sealed bytes.Buffer
	var encrypted io.WriteCloser
	var err error
	alone(func() { encrypted, err = age.Encrypt(&sealed, recipients...) })
	if err != nil {
		return nil, &problem.Problem{Code: problem.BadInput, What: "cannot encrypt the backup to these recipients", Why: err.Error(),
			Fix: "give one passphrase, or recipients of one kind", Err: err}
	}
	archive := tar.NewWriter(encrypted)
	for _, name := range sorted(files) {
		mode := int64(0o600)
		if strings.HasSuffix(name, ".pub") {
			mode = 0o644
		}
		f := files[name]
		header := &tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: mode, Size: int64(len(f.data)), ModTime: f.made.Truncate(time.Second)}
		if err := archive.WriteHeader(header); err != nil {
			return nil, fmt.Errorf("pack %s: %w", show(name), err)
		}
		if _, err := archive.Write(f.data); err != nil {
			return nil, fmt.Errorf("pack %s: %w", show(name), err)
		}
	}
	if err := errors.Join(archive.Close(), encrypted.Close()); err != nil {
		return nil, fmt.Errorf("pack keys: %w", err)
	}
	return sealed.Bytes(), nil
}

// open decrypts a backup in memory. Every file in it is a whole key under a plain name, or the backup
// is refused.
func open(ctx context.Context, file string, identities []age.Identity) (map[string]keyFile, string, error) {
	if len(identities) == 0 {
		return nil, "", problem.New(problem.Usage, "cannot open the backup", "no passphrase and no age identity given", "give the passphrase or the age identity")
	}
	sealed, err := readBackup(file)
	if err != nil {
		return nil, "", err
	}
	if err := ctx.Err(); err != nil {
		return nil, "", cancelled("reading the backup", err)
	}
	bad := func(why string, err error) error {
		return &problem.Problem{Code: BackupBad, What: show(file) + " is not a whole backup of keys", Why: why, Fix: "use another copy of the backup", Err: err}
	}
	var plain io.Reader
	alone(func() { plain, err = age.Decrypt(bytes.NewReader(sealed), identities...) })
	var noMatch *age.NoIdentityMatchError
	if errors.As(err, &noMatch) || errors.Is(err, age.ErrIncorrectIdentity) {
		return nil, "", &problem.Problem{Code: BackupLocked, What: "cannot open " + show(file), Why: "the passphrase or identity is not the one it was made with",
			Fix: "try again with the right one", Err: err}
	}
	if err != nil {
		return nil, "", bad("it was changed, cut off, or is not an age file", err)
	}
	files := map[string]keyFile{}
	archive := tar.NewReader(plain)
	for {
		header, err := archive.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, "", bad("it was changed or cut off", err)
		}
		name := header.Name
		if header.Typeflag != tar.TypeReg || checkArchived(name) != nil || header.Size > maxKeyFile {
			return nil, "", bad(fmt.Sprintf("it holds %q, which is no key file", show(name)), nil)
		}
		if _, twice := files[name]; twice {
			return nil, "", bad(fmt.Sprintf("it holds %q twice", show(name)), nil)
		}
		data, err := io.ReadAll(archive)
		if err != nil {
			return nil, "", bad("it was changed or cut off", err)
		}
		f, p := parseFile(name, data, name)
		if p != nil {
			return nil, "", bad("in it, "+p.Error(), p)
		}
		f.made = header.ModTime
		files[name] = f
	}
	// age authenticates in chunks; what follows the archive must be genuine, too.
	if _, err := io.Copy(io.Discard, plain); err != nil {
		return nil, "", bad("it was changed or cut off", err)
	}
	for name, f := range files {
		private, isPublic := strings.CutSuffix(name, ".pub")
		if !isPublic {
			continue
		}
		if other, ok := files[private]; !ok || !bytes.Equal(other.public.Marshal(), f.public.Marshal()) {
			return nil, "", bad(fmt.Sprintf("the halves of %q in it do not belong together", show(private)), nil)
		}
	}
	if len(files) == 0 {
		return nil, "", bad("it is empty", nil)
	}
	return files, hash(sealed), nil
}

// checkArchived refuses names that would leave the folder or hide in it.
func checkArchived(name string) error {
	base := strings.TrimSuffix(name, ".pub")
	if base == "" || len(name) > 255 || name[0] == '.' || strings.ContainsAny(name, "/\\:\x00") || name != show(name) || !filepath.IsLocal(name) {
		return errors.New("not a plain file name")
	}
	return nil
}

// Readable returns the Problem about a file that cannot be read as a backup; it looks no further than its kind and size.
func Readable(file string) error {
	_, err := readBackup(file)
	return err
}

func readBackup(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fileProblem("read", file, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fileProblem("read", file, err)
	}
	if !info.Mode().IsRegular() || info.Size() > maxBackup {
		return nil, problem.New(BackupBad, show(file)+" is not a backup of keys", "it is not a plain file, or far too large", "name the file that the backup was written to")
	}
	data, err := io.ReadAll(io.LimitReader(f, maxBackup))
	if err != nil {
		return nil, fileProblem("read", file, err)
	}
	return data, nil
}

func hash(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
