package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"flwrup/internal/problem"
)

// TestAppFileThatFlwrRefuses: a file that Python's tomllib does not read is reported before flwr is asked.
func TestAppFileThatFlwrRefuses(t *testing.T) {
	good := "# café\n[project]\nname = \"a\"\n[tool.flwr.app]\npublisher = \"b\"\n[tool.flwr.app.components]\nserverapp = \"a.s:app\"\n"
	wide := func(mark string, low, high int) string {
		b := []byte(mark)
		for _, u := range utf16.Encode([]rune(good)) {
			pair := [2]byte{byte(u), byte(u >> 8)}
			b = append(b, pair[low], pair[high])
		}
		return string(b)
	}
	for name, c := range map[string]struct {
		content string
		code    problem.Code
		says    string
	}{
		"good":                 {good, "", ""},
		"byte order mark":      {"\xef\xbb\xbf" + good, Unusable, "byte order mark"},
		"UTF-16, little":       {wide("\xff\xfe", 0, 1), Unusable, "UTF-16"},
		"UTF-16, big":          {wide("\xfe\xff", 1, 0), Unusable, "UTF-16"},
		"UTF-16 without mark":  {wide("", 0, 1), Unusable, "UTF-16"},
		"Latin-1":              {strings.Replace(good, "é", "\xe9", 1), Unusable, "line 1"},
		"not TOML":             {good + "a = = 1\n", Unusable, "line 8"},
		"a table twice":        {good + "[project]\n", Unusable, "TOML"},
		"empty":                {"", Broken, "components"},
		"not TOML, no app":     {"a = =\n", Broken, "line 1"},
		"another kind of file": {"\xef\xbb\xbf[project]\nname = \"a\"\n", Broken, "byte order mark"},
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "pyproject.toml"), []byte(c.content), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Read(dir)
		if c.code == "" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if p := problem.Of(err); p == nil || p.Code != c.code || !strings.Contains(p.Error(), c.says) || p.Fix == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}
