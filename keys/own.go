package keys

import (
	"crypto/rand"
	"encoding/base32"
	"os"
	"path/filepath"

	"flwrup/internal/plainfile"
)

// OwnPassphrase returns the passphrase in file, which its owner alone can read. Where there is none it makes one of 24
// random letters and digits.
func OwnPassphrase(file string) (string, error) {
	if b, err := plainfile.Read(file); err == nil && len(b) > 0 {
		return string(b), nil
	}
	b := make([]byte, 15)
	if _, err := rand.Read(b); err != nil {
		return "", err
	}
	pass := base32.StdEncoding.EncodeToString(b)
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return "", err
	}
	return pass, os.WriteFile(file, []byte(pass), 0o600)
}
