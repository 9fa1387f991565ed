package keys

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"flwrup/internal/problem"
)

func TestScanNamesWhatIsWrong(t *testing.T) {
	write := func(t *testing.T, path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cut := func(t *testing.T, path string) {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		write(t, path, string(data[:len(data)/2]))
	}
	const key = "client_credentials_1"
	for _, c := range []struct {
		name   string
		make   func(t *testing.T, dir string) // content of key
		code   problem.Code
		usable bool
	}{
		{"by ssh-keygen as in the guide", func(t *testing.T, d string) {
			sshKeygen(t, "-q", "-t", "ecdsa", "-b", "384", "-N", "", "-C", "", "-f", filepath.Join(d, key))
		}, "", true},
		{"a comment", func(t *testing.T, d string) {
			sshKeygen(t, "-q", "-t", "ecdsa", "-b", "384", "-N", "", "-C", "ada@host", "-f", filepath.Join(d, key))
		}, HasComment, true},
		{"P-256", func(t *testing.T, d string) {
			sshKeygen(t, "-q", "-t", "ecdsa", "-b", "256", "-N", "", "-f", filepath.Join(d, key))
		}, WrongKey, false},
		{"Ed25519", func(t *testing.T, d string) {
			sshKeygen(t, "-q", "-t", "ed25519", "-N", "", "-f", filepath.Join(d, key))
		}, WrongKey, false},
		{"RSA", func(t *testing.T, d string) {
			sshKeygen(t, "-q", "-t", "rsa", "-b", "2048", "-N", "", "-f", filepath.Join(d, key))
		}, WrongKey, false},
		{"a passphrase", func(t *testing.T, d string) {
			sshKeygen(t, "-q", "-t", "ecdsa", "-b", "384", "-N", "secret words", "-C", "", "-f", filepath.Join(d, key))
		}, Passphrase, false},
		{"PEM", func(t *testing.T, d string) {
			sshKeygen(t, "-q", "-t", "ecdsa", "-b", "384", "-m", "PEM", "-N", "", "-C", "", "-f", filepath.Join(d, key))
		}, PEMKey, false},
		{"PKCS8", func(t *testing.T, d string) {
			sshKeygen(t, "-q", "-t", "ecdsa", "-b", "384", "-m", "PKCS8", "-N", "", "-C", "", "-f", filepath.Join(d, key))
		}, PEMKey, false},
		{"a PEM public key", func(t *testing.T, d string) {
			p := generate(t, d, key)[0]
			write(t, p.Public, sshKeygen(t, "-e", "-m", "PKCS8", "-f", p.Private))
		}, PEMKey, false},
		{"mismatched", func(t *testing.T, d string) {
			p := generate(t, d, key, "other")
			if err := os.Rename(p[1].Public, p[0].Public); err != nil {
				t.Fatal(err)
			}
			os.Remove(p[1].Private)
		}, Mismatch, false},
		{"no public half", func(t *testing.T, d string) { os.Remove(generate(t, d, key)[0].Public) }, HalfPair, false},
		{"no private half", func(t *testing.T, d string) { os.Remove(generate(t, d, key)[0].Private) }, NoPrivate, false},
		{"a private key cut off", func(t *testing.T, d string) { cut(t, generate(t, d, key)[0].Private) }, Damaged, false},
		{"a public key cut off", func(t *testing.T, d string) { cut(t, generate(t, d, key)[0].Public) }, Damaged, false},
		{"an empty file with a key's name", func(t *testing.T, d string) { write(t, filepath.Join(d, key), "") }, Damaged, false},
		{"a folder in place of the private key", func(t *testing.T, d string) {
			p := generate(t, d, key)[0]
			os.Remove(p.Private)
			if err := os.Mkdir(p.Private, 0o700); err != nil {
				t.Fatal(err)
			}
		}, Unreadable, false},
		{"files that are no keys", func(t *testing.T, d string) {
			generate(t, d, key)
			write(t, filepath.Join(d, "README.md"), "our keys")
			write(t, filepath.Join(d, "notes-2"), "nothing")
		}, "", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "my kéys") // a blank and a letter outside ASCII
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			c.make(t, dir)
			before := hashes(t, dir)
			folder := scan(t, dir)
			if got := len(folder.Pairs) == 1; got != c.usable {
				t.Errorf("usable: %v, %v", got, folder.Issues)
			}
			var codes []problem.Code
			for _, issue := range folder.Issues {
				codes = append(codes, issue.Problem.Code)
				if issue.Problem.Fix == "" || strings.Contains(issue.Problem.Fix, "\n") || !filepath.IsAbs(issue.File) {
					t.Errorf("%+v", issue)
				}
				if issue.Harmless != c.usable {
					t.Errorf("harmless: %v, but usable: %v: %v", issue.Harmless, c.usable, issue.Problem)
				}
			}
			if c.code != "" && !slices.Contains(codes, c.code) || c.code == "" && len(codes) > 0 {
				t.Errorf("issues %v, wanted %q", codes, c.code)
			}
			if next := folder.NextNames(len(folder.Pairs) + 1); next[0] != "client_credentials_2" {
				t.Errorf("the next name is %v", next)
			}
			sameFiles(t, before, hashes(t, dir))
		})
	}
}

func TestScanOfNothing(t *testing.T) {
	folder := scan(t, filepath.Join(t.TempDir(), "keys"))
	if len(folder.Pairs)+len(folder.Issues) > 0 || !slices.Equal(folder.NextNames(2), []string{"client_credentials_1", "client_credentials_2"}) {
		t.Errorf("%+v", folder)
	}
}

// A file name must not bring control characters to the terminal.
func TestIssuesAreSafeToShow(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "x\x1b]52;c;aGk=\a.pub"), []byte("ssh-rsa \x1b[2J x"), 0o600); err != nil {
		t.Skipf("this file system takes no control characters in names: %v", err)
	}
	for _, issue := range scan(t, dir).Issues {
		if text := issue.Problem.Error() + issue.Problem.Fix; strings.ContainsAny(text, "\x1b\a") {
			t.Errorf("%q", text)
		}
	}
}

func TestNextNames(t *testing.T) {
	for _, c := range []struct {
		pairs, taken []string
		n            int
		want         string
	}{
		{nil, nil, 3, "client_credentials_1 client_credentials_2 client_credentials_3"},
		{[]string{"client_credentials_1", "client_credentials_2"}, nil, 2, ""},
		{[]string{"client_credentials_1", "client_credentials_2"}, nil, 1, ""},
		{[]string{"client_credentials_1", "client_credentials_4"}, nil, 4, "client_credentials_5 client_credentials_6"},
		{[]string{"supernode-1", "supernode-2"}, nil, 3, "supernode-3"},
		{[]string{"supernode_credentials_9"}, nil, 3, "supernode_credentials_10 supernode_credentials_11"},
		{[]string{"node07"}, nil, 2, "node08"},
		{[]string{"node09"}, nil, 2, "node10"},
		{[]string{"1", "2"}, nil, 3, "3"},
		{[]string{"client_credentials_1", "site-1", "site-2"}, nil, 4, "site-3"},
		{[]string{"client_credentials_1"}, []string{"client_credentials_2"}, 2, "client_credentials_3"},
		{[]string{"hospital"}, nil, 2, "client_credentials_1"},
		{[]string{"hospital"}, []string{"Client_Credentials_5"}, 2, "client_credentials_6"},
		{[]string{"k12345678901234"}, nil, 2, "client_credentials_1"},
	} {
		var f Folder
		for _, name := range c.pairs {
			f.Pairs = append(f.Pairs, Pair{Name: name})
		}
		f.taken = c.taken
		if got := strings.Join(f.NextNames(c.n), " "); got != c.want {
			t.Errorf("%v + %v to %d: %q, wanted %q", c.pairs, c.taken, c.n, got, c.want)
		}
	}
}

func TestPairsAreInOrder(t *testing.T) {
	dir := keyDir(t)
	generate(t, dir, "supernode-10", "supernode-9", "hospital", "b-9")
	var got []string
	for _, p := range scan(t, dir).Pairs {
		got = append(got, p.Name)
	}
	if want := []string{"hospital", "b-9", "supernode-9", "supernode-10"}; !slices.Equal(got, want) {
		t.Errorf("%v, wanted %v", got, want)
	}
}
