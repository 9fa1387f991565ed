package app

import (
	"os"
	"path/filepath"
	"testing"

	"flwrup/internal/require"
	"flwrup/internal/termsafe"
)

// FuzzApp reads the metadata of an app, and Python's report on its source.
func FuzzApp(f *testing.F) {
	f.Add("[project]\nname='x'\nversion='1'\ndependencies=['a>=1','\\u001b[31m']\n[tool.flwr.app]\npublisher='p'\n[tool.flwr.app.components]\nserverapp='a.b:c'\n[tool.flwr.app.config]\na.b=1\n",
		`{"missing":[{"want":"a","have":"\u001b"}]}`)
	f.Add("[tool.flwr.app.components]\nagentapp='x:y'\n", `{"Error":"bad\u202e","Line":3}`)
	f.Fuzz(func(t *testing.T, toml, answer string) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "pyproject.toml"), []byte(toml), 0o600); err != nil {
			t.Fatal(err)
		}
		a, err := Read(dir)
		if err == nil {
			a.Dir = ""
			require.Clean(t, a)
		}
		missing, err := ReadMissing([]byte(answer))
		if err != nil {
			if r, bad := termsafe.Unsafe(err.Error()); bad {
				t.Fatalf("%q holds %U", err, r)
			}
			return
		}
		require.Clean(t, missing)
	})
}
