package keys

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/crypto/ssh"

	"flwrup/internal/problem"
	"flwrup/internal/shell"
)

// maxKeyFile is far above any key file, and small enough to read any file of the folder.
const maxKeyFile = 64 << 10

var (
	errSymlink    = errors.New("it is a symlink")
	errNotRegular = errors.New("it is not a plain file")
	errTooLarge   = errors.New("it is too large for a key")
)

// readKeyFile reads a plain file, never through a symlink, never from a device or a pipe.
func readKeyFile(path string) ([]byte, os.FileInfo, error) {
	before, err := os.Lstat(path)
	if err != nil {
		return nil, nil, err
	}
	switch {
	case before.Mode()&os.ModeSymlink != 0:
		return nil, before, errSymlink
	case !before.Mode().IsRegular():
		return nil, before, errNotRegular
	case before.Size() > maxKeyFile:
		return nil, before, errTooLarge
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, before, err
	}
	defer f.Close()
	after, err := f.Stat()
	if err != nil {
		return nil, before, err
	}
	if !os.SameFile(before, after) {
		return nil, before, errors.New("it was replaced while flwrup read it")
	}
	data, err := io.ReadAll(io.LimitReader(f, maxKeyFile+1))
	if err == nil && len(data) > maxKeyFile {
		err = errTooLarge
	}
	return data, after, err
}

// looksPrivate reports whether data starts as a private key in any of the usual formats.
func looksPrivate(data []byte) bool {
	data = bytes.TrimLeft(data, "\ufeff \t\r\n")
	line, _, _ := bytes.Cut(data, []byte("\n"))
	return bytes.HasPrefix(line, []byte("-----BEGIN ")) && bytes.Contains(line, []byte("PRIVATE KEY")) ||
		bytes.HasPrefix(line, []byte("PuTTY-User-Key-File"))
}

// parsePrivate returns the public half of an OpenSSH private key on P-384. The library checks that the halves
// of its private part belong together; this function also compares them with outerPublic.
func parsePrivate(data []byte, path string) (ssh.PublicKey, *problem.Problem) {
	convert := "convert it in place: ssh-keygen -p -N \"\" -f " + shell.Path(path)
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, problem.New(Damaged, show(path)+" is empty", "",
			"move it away; a new pair gets a new name")
	}
	block, _ := pem.Decode(data)
	if block == nil || block.Type != "OPENSSH PRIVATE KEY" {
		switch {
		case block != nil && looksPrivate(data):
			return nil, problem.New(PEMKey, show(path)+" is a private key in PEM format",
				"flwr reads OpenSSH format only", convert)
		case bytes.HasPrefix(data, []byte("PuTTY-User-Key-File")):
			return nil, problem.New(PEMKey, show(path)+" is a private key in PuTTY's format",
				"flwr reads OpenSSH format only",
				"convert it: puttygen "+shell.Path(path)+" -O private-openssh-new -o NEWFILE")
		}
		return nil, problem.New(Damaged, show(path)+" is not an OpenSSH private key", "it is cut off or damaged",
			"restore it from a backup, or move it away; a new pair gets a new name")
	}
	raw, err := ssh.ParseRawPrivateKey(data)
	var locked *ssh.PassphraseMissingError
	if errors.As(err, &locked) {
		return nil, problem.New(Passphrase, show(path)+" is protected by a passphrase",
			"a SuperNode cannot ask for one",
			"remove the passphrase: ssh-keygen -p -N \"\" -f "+shell.Path(path))
	}
	if err != nil {
		p := problem.New(Damaged, show(path)+" is not a whole OpenSSH private key", "it is damaged, or of a type that flwr does not take",
			"restore it from a backup, or move it away; a new pair gets a new name")
		p.Err = err
		return nil, p
	}
	key, ok := raw.(*ecdsa.PrivateKey)
	if !ok || key.Curve != elliptic.P384() {
		what := fmt.Sprintf("%T", raw)
		if signer, serr := ssh.NewSignerFromKey(raw); serr == nil {
			what = signer.PublicKey().Type()
		}
		return nil, wrongType(path, what)
	}
	public, err := ssh.NewPublicKey(&key.PublicKey)
	if err != nil {
		return nil, &problem.Problem{Code: Damaged, What: show(path) + " is damaged", Err: err}
	}
	if !bytes.Equal(outerPublic(block.Bytes), public.Marshal()) {
		return nil, problem.New(Damaged, show(path)+" is not a whole OpenSSH private key", "its two copies of the public key differ",
			"restore it from a backup, or move it away; a new pair gets a new name")
	}
	return public, nil
}

// outerPublic returns the copy of the public key before the private part of an OpenSSH key (PROTOCOL.key of
// OpenSSH). The library skips it. ssh-keygen and cryptography, with which a SuperNode reads its key, refuse a
// file where it differs.
func outerPublic(file []byte) []byte {
	var header struct {
		Cipher, KDF, KDFOptions string
		Keys                    uint32
		Public                  []byte
		Rest                    []byte `ssh:"rest"`
	}
	file, ok := bytes.CutPrefix(file, []byte("openssh-key-v1\x00"))
	if !ok || ssh.Unmarshal(file, &header) != nil {
		return nil
	}
	return header.Public
}

func wrongType(path, kind string) *problem.Problem {
	return problem.New(WrongKey, fmt.Sprintf("%s is a key of type %s", show(path), show(kind)),
		"a SuperNode needs ECDSA on P-384 (ecdsa-sha2-nistp384)",
		"move it and its other half to another folder; a new pair gets a new name")
}

// parsePublic reads the one line of a .pub file as strictly as flwr does: the key type first, without options
// before it (cryptography's load_ssh_public_key). comment is the text after the key.
func parsePublic(data []byte, path string) (public ssh.PublicKey, comment string, p *problem.Problem) {
	if bytes.HasPrefix(bytes.TrimLeft(data, " \t\r\n"), []byte("-----BEGIN")) || bytes.HasPrefix(data, []byte("---- BEGIN")) {
		return nil, "", problem.New(PEMKey, show(path)+" is not in OpenSSH's one-line format",
			"flwr answers such a file with: Unsupported key type: b'-----BEGIN'",
			"move it away, then write it again: ssh-keygen -y -f PRIVATEKEY > "+shell.Path(path))
	}
	damaged := problem.New(Damaged, show(path)+" is not an OpenSSH public key", "it is empty, cut off or damaged",
		"move it away, then write it again: ssh-keygen -y -f PRIVATEKEY > "+shell.Path(path))
	line, _, _ := bytes.Cut(data, []byte("\n"))
	if len(line) == 0 || line[0] == ' ' || line[0] == '\t' {
		return nil, "", damaged
	}
	fields := bytes.Fields(line)
	if len(fields) < 2 {
		return nil, "", damaged
	}
	blob, err := base64.StdEncoding.DecodeString(string(fields[1]))
	if err != nil {
		return nil, "", damaged
	}
	public, err = ssh.ParsePublicKey(blob)
	if err != nil || public.Type() != string(fields[0]) {
		return nil, "", damaged
	}
	if public.Type() != ssh.KeyAlgoECDSA384 {
		return nil, "", wrongType(path, public.Type())
	}
	return public, string(bytes.Join(fields[2:], []byte(" "))), nil
}

// inspected is one inspected name of the folder.
type inspected struct {
	public      ssh.PublicKey // of a good private key
	made        time.Time
	privateGone bool // no file of that name
	publicGone  bool
	issues      []Issue
	broken      *problem.Problem // why the pair cannot be used; also in issues
}

func (i inspected) half() bool { return i.broken == nil && i.publicGone }

func (i *inspected) bad(file string, p *problem.Problem) {
	i.issues = append(i.issues, Issue{File: file, Problem: p})
	if i.broken == nil {
		i.broken = p
	}
}

// inspect looks at one name. It reads the public half first, because writers of pairs write it last. So a
// pair in the making looks half or whole, never like a public key without a private one.
func inspect(private string) (in inspected) {
	public := private + ".pub"
	publicData, _, publicErr := readKeyFile(public)
	privateData, info, err := readKeyFile(private)
	in.publicGone = errors.Is(publicErr, os.ErrNotExist)
	in.privateGone = errors.Is(err, os.ErrNotExist)

	switch {
	case in.privateGone && in.publicGone:
		return in
	case in.privateGone:
		in.bad(public, problem.New(NoPrivate, show(public)+" has no private key next to it", "",
			"put "+shell.Path(private)+" back from a backup, or move the public key away"))
		return in
	case err != nil:
		in.bad(private, readProblem(private, err))
	default:
		in.made = info.ModTime()
		var p *problem.Problem
		if in.public, p = parsePrivate(privateData, private); p != nil {
			in.bad(private, p)
		}
		if loose(info) {
			in.issues = append(in.issues, looseIssue(private, info, "0600"))
		}
	}
	if in.publicGone {
		return in
	}
	if publicErr != nil {
		in.bad(public, readProblem(public, publicErr))
		return in
	}
	key, comment, p := parsePublic(publicData, public)
	switch {
	case p != nil:
		in.bad(public, p)
	case in.public != nil && !bytes.Equal(key.Marshal(), in.public.Marshal()):
		in.bad(public, problem.New(Mismatch, show(public)+" does not belong to "+show(private),
			"the two halves are of different pairs",
			"move the public key away, then write the right one: ssh-keygen -y -f "+shell.Path(private)+" > "+shell.Path(public)))
	case comment != "":
		in.issues = append(in.issues, Issue{File: public, Harmless: true, Problem: problem.New(HasComment,
			fmt.Sprintf("%s carries the comment %q", show(public), show(comment)),
			"ssh-keygen writes user and host there", "nothing has to be done; the grid does not need it")})
	}
	return in
}

// readProblem says why a key file could not be read.
func readProblem(path string, err error) *problem.Problem {
	switch {
	case errors.Is(err, errSymlink):
		return problem.New(Symlink, show(path)+" is a symlink", "flwrup uses keys only where they really are",
			"move the file that it points to here, or name the folder where the keys are")
	case errors.Is(err, os.ErrPermission):
		return &problem.Problem{Code: Unreadable, What: "cannot read " + show(path), Why: "permission denied",
			Fix: "make it yours: sudo chown \"$(id -un)\" " + shell.Path(path), Err: err}
	}
	return &problem.Problem{Code: Unreadable, What: "cannot read " + show(path), Why: err.Error(),
		Fix: "move it away", Err: err}
}
