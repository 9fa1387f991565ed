package keys

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"flwrup/internal/problem"
)

// The test types the command of each Fix in a folder whose name needs quoting. Then nothing is wrong any
// more, and the key is still the same.
func TestFixesDoWhatTheySay(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the commands are for a POSIX shell")
	}
	const key = "client_credentials_1"
	for _, c := range []struct {
		name  string
		spoil func(t *testing.T, p Pair)
		code  problem.Code
	}{
		{"no public half", func(t *testing.T, p Pair) { remove(t, p.Public) }, HalfPair},
		{"mode of the key", func(t *testing.T, p Pair) { chmod(t, p.Private, 0o644) }, LooseMode},
		{"mode of the folder", func(t *testing.T, p Pair) { chmod(t, filepath.Dir(p.Private), 0o775) }, LooseMode},
		{"PEM", func(t *testing.T, p Pair) { sshKeygen(t, "-q", "-p", "-m", "PEM", "-N", "", "-f", p.Private) }, PEMKey},
		{"PKCS8", func(t *testing.T, p Pair) { sshKeygen(t, "-q", "-p", "-m", "PKCS8", "-N", "", "-f", p.Private) }, PEMKey},
		{"mismatched", func(t *testing.T, p Pair) {
			other := generate(t, keyDir(t), key)[0]
			if err := os.Rename(other.Public, p.Public); err != nil {
				t.Fatal(err)
			}
		}, Mismatch},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "Ada's $keys; (2)")
			p := generate(t, dir, key)[0]
			c.spoil(t, p)
			issues := scan(t, dir).Issues
			if len(issues) != 1 || issues[0].Problem.Code != c.code {
				t.Fatalf("%+v", issues)
			}
			command := issues[0].Problem.Fix
			if _, after, ok := strings.Cut(command, ": "); ok {
				command = after
			}
			if strings.Contains(issues[0].Problem.Fix, "move the public key away") {
				remove(t, p.Public)
			}
			if strings.Contains(command, "ssh-keygen") {
				sshKeygen(t, "-l", "-f", generate(t, keyDir(t), key)[0].Public) // skips where there is none
			}
			if out, err := exec.Command("sh", "-c", command).CombinedOutput(); err != nil {
				t.Fatalf("%s: %v\n%s", command, err, out)
			}
			folder := scan(t, dir)
			if len(folder.Pairs) != 1 || folder.Pairs[0].Fingerprint != p.Fingerprint {
				t.Fatalf("after %s: %+v", command, folder)
			}
			for _, issue := range folder.Issues {
				if !issue.Harmless {
					t.Errorf("after %s: %v", command, issue.Problem)
				}
			}
		})
	}
}

func remove(t testing.TB, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

func chmod(t testing.TB, path string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

// With any fault of a private key or a backup, no message, down to the last wrapped error, contains a
// line of the key or the passphrase.
func TestErrorsTellNoSecret(t *testing.T) {
	const pass = "correct horse battery staple"
	private, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	file := func(block *pem.Block, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return string(pem.EncodeToMemory(block))
	}
	good := file(ssh.MarshalPrivateKey(private, ""))
	lines := strings.SplitAfter(good, "\n")
	for name, text := range map[string]string{
		"cut off":           good[:len(good)/2],
		"a line is missing": strings.Join(append(append([]string{}, lines[:2]...), lines[3:]...), ""),
		"a letter changed":  strings.Replace(good, lines[3][10:14], "AAAA", 1),
		"not base64":        strings.Replace(good, lines[3][10:14], "!\x1b!!", 1),
		"no first line":     strings.Join(lines[1:], ""),
		"PEM's name":        strings.ReplaceAll(good, "OPENSSH", "EC"),
		"passphrase":        file(ssh.MarshalPrivateKeyWithPassphrase(private, "", []byte(pass))),
		"one line":          strings.ReplaceAll(good, "\n", " "),
		"after a blank":     " " + good[5:],
	} {
		t.Run(name, func(t *testing.T) {
			dir := keyDir(t)
			p := generate(t, dir, "client_credentials_1", "client_credentials_2")[0]
			public := []byte(text) // as both halves: a person may have copied the wrong one
			for _, path := range []string{p.Private, p.Public} {
				if err := os.WriteFile(path, public, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			issues := scan(t, dir).Issues
			if len(issues) == 0 {
				t.Error("nothing is said")
			}
			for _, issue := range issues {
				tellsNothing(t, issue.Problem, text, pass)
			}
			_, err := Generate(context.Background(), dir, []string{p.Name}, nil)
			tellsNothing(t, err, text, pass)
			_, err = Complete(dir, p.Name)
			tellsNothing(t, err, text, pass)
			for _, file := range []string{p.Public, p.Private} {
				data, _, err := readKeyFile(file)
				if err != nil {
					t.Fatal(err)
				}
				if _, _, bad := parsePublic(data, file); bad == nil {
					t.Errorf("%s is taken for a public key", file)
				} else {
					tellsNothing(t, bad, text, pass)
				}
			}

			r, i := quickPass(t, pass)
			backup := filepath.Join(t.TempDir(), "b.age")
			sealed, err := seal(map[string]keyFile{"client_credentials_1": {data: []byte(text)}}, r)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(backup, sealed, 0o600); err != nil {
				t.Fatal(err)
			}
			_, err = RestoreBackup(context.Background(), backup, i, keyDir(t))
			tellsNothing(t, err, text, pass)
			_, wrong := quickPass(t, pass+" not")
			_, err = VerifyBackup(context.Background(), backup, wrong, dir)
			tellsNothing(t, err, text, pass)

			for _, given := range []string{p.Private, backup} { // a key where other things are expected
				_, err = ParseRecipients(given)
				tellsNothing(t, err, text, pass)
			}
		})
	}
}

func tellsNothing(t testing.TB, err error, secrets ...string) {
	t.Helper()
	if err == nil {
		t.Error("no error")
		return
	}
	var said strings.Builder
	for e := err; e != nil; e = errors.Unwrap(e) {
		fmt.Fprintf(&said, "%v\n%+v\n%q\n", e, e, e)
		var p *problem.Problem
		if errors.As(e, &p) {
			fmt.Fprintln(&said, p.What, p.Why, p.Fix, p.Raw)
		}
	}
	for _, secret := range secrets {
		for _, word := range strings.FieldsFunc(secret, func(r rune) bool { return r == ' ' || r == '\n' }) {
			if len(word) >= 12 && !strings.Contains(word, "-----") && strings.Contains(said.String(), word) {
				t.Errorf("told: %s", said.String())
				return
			}
		}
		if strings.Contains(said.String(), secret) {
			t.Errorf("told: %s", said.String())
		}
	}
}
