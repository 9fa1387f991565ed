package keys

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"flwrup/internal/problem"
)

func TestCheckPassphrase(t *testing.T) {
	for _, weak := range []string{"", "short", "password", "12345678", "passwort1", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "qwertyuiop", "qwertzuiop",
		"P@ssw0rd!", "letmein2024", "flower123", "supergrid1", "hospital", "abcdefgh", "longpassword", "supernode_1"} {
		if err := CheckPassphrase(weak); !problem.Is(err, problem.BadInput) || err.Error() == "" {
			t.Errorf("%q is taken: %v", weak, err)
		}
	}
	for _, good := range []string{"longpassphrase", "correct horse battery staple", "correct horse battery", "kaffeetasse-mond", "zu8$Kp!3", "パスワード長い合言葉",
		strings.Repeat("a", 60) + " teapot glacier quarry lamp", strings.Repeat("x", 500) + "teapot glacier quarry lamp"} {
		if err := CheckPassphrase(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
}

// Every key press asks for the estimate.
func BenchmarkCheckPassphrase(b *testing.B) {
	for name, pass := range map[string]string{"words": "correct horse battery staple", "long": strings.Repeat("ab cd!9X", 500), "repeated": strings.Repeat("1", 64)} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				_ = CheckPassphrase(pass)
			}
		})
	}
}

func TestOpenToOthers(t *testing.T) {
	if runtime.GOOS == "windows" {
		return // no modes there
	}
	file := filepath.Join(t.TempDir(), "it's a file")
	for mode, open := range map[os.FileMode]bool{0o600: false, 0o400: false, 0o640: true, 0o644: true, 0o604: true, 0o622: false} {
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(file, mode); err != nil {
			t.Fatal(err)
		}
		if p := OpenToOthers(file); (p != nil) != open || p != nil && !strings.Contains(p.Fix, `it'\''s a file`) {
			t.Errorf("%o: %+v", mode, p)
		}
		_ = os.Chmod(file, 0o600)
	}
	if p := OpenToOthers(file + ".none"); p != nil {
		t.Error(p)
	}
}
