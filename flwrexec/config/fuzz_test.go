package config

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"flwrup/internal/problem"
	"flwrup/internal/tomledit"
)

// FuzzConfig edits a user's config.toml and pyproject.toml: a file that cannot be edited is left alone, and
// an edit changes only the connection.
func FuzzConfig(f *testing.F) {
	for _, s := range []string{
		"# mine\n[superlink]\ndefault = \"x\"\n[superlink.supergrid]\naddress = \"a:1\" # why\n", "superlink.supergrid = { address = 'a' }\n",
		"[project]\nname='x'\nversion='1'\n[tool.flwr.federations]\ndefault='a'\n[tool.flwr.federations.a]\naddress = \"b\"\ninsecure=true\n",
		"\xef\xbb\xbf[superlink]\r\n", "[superlink.supergrid]\nfederation = \"<federation-name>\"\n", "[[superlink]]\n", "superlink = 1\n",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		dir := t.TempDir()
		file := filepath.Join(dir, "config.toml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		s := Connection{Name: "supergrid", Address: "api.flower.ai", Federation: "@a/b"}
		before, _ := tomledit.Decode([]byte(text))
		kept := func(e Edit, err error) {
			if err != nil {
				problem.Of(err)
				return
			}
			if !e.Changed() {
				return
			}
			after, err := tomledit.Decode(e.After)
			if err != nil {
				t.Fatalf("%q became %q: %v", text, e.After, err)
			}
			for key := range before {
				if _, there := after[key]; !there {
					t.Fatalf("%q became %q, without %q", text, e.After, key)
				}
			}
			for l := range strings.Lines(text) {
				if l = strings.TrimSpace(l); strings.HasPrefix(l, "#") && utf8.ValidString(l) && !bytes.Contains(e.After, []byte(l)) {
					t.Fatalf("%q became %q, without %q", text, e.After, l)
				}
			}
		}
		kept(EditFlower(file, s))
		e, _, err := MendFlower(file, s)
		kept(e, err)
		kept(EditPyproject(file, s))
		if e, err := CarryLegacy(Edit{File: filepath.Join(dir, "new.toml")}, "supergrid", file); err == nil && e.Changed() {
			if _, err := tomledit.Decode(e.After); err != nil {
				t.Fatalf("%q became %q: %v", text, e.After, err)
			}
		}
		_, _ = ReadFlower(file)
		_, _, _ = LegacyBlock(file)
		if e, err := RetireLegacyBlock(file); err == nil && e.Changed() {
			if _, err := tomledit.Decode(e.After); err != nil {
				t.Fatalf("%q became %q: %v", text, e.After, err)
			}
		}
	})
}
