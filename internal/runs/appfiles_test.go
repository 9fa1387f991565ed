package runs

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"flwrup/internal/front"
	"flwrup/internal/project"
	"flwrup/internal/site"
	"flwrup/internal/sitetest"
)

// TestStateStaysOutOfTheApp: the app's .gitignore gets the lines that it lacks, once, and keeps its own.
func TestStateStaysOutOfTheApp(t *testing.T) {
	const state, note, choices = "/.flwrup/\n", "# for flwr alone: git does not read the next line, which begins with a space\n ", "/flwrup.toml\n"
	for name, c := range map[string]struct{ app, have, want string }{
		"no .gitignore":                  {"", "", state + note + choices},
		"one without an end":             {"", "*.pyc", "*.pyc\n" + state + note + choices},
		"both named already":             {"", "*.pyc\n.flwrup\nflwrup.toml\n", "*.pyc\n.flwrup\nflwrup.toml\n"},
		"named as a folder, \\r\\n":      {"", "/.flwrup/\r\n /flwrup.toml\r\n", "/.flwrup/\r\n /flwrup.toml\r\n"},
		"named only in a comment":        {"", "# .flwrup\nflwrup.toml\n", "# .flwrup\nflwrup.toml\n" + state},
		"an app below, which holds none": {"app", "", ""},
		"an app around the project":      {"..", "", "/project/.flwrup/\n" + note + "/project/flwrup.toml\n"},
		"with an export":                 {"", "", state + note + "/flwrup-export/\n" + note + choices},
		"with an export, named already":  {"", ".flwrup\nflwrup.toml\nflwrup-export/\n", ".flwrup\nflwrup.toml\nflwrup-export/\n"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "project")
			app := filepath.Join(dir, c.app)
			if err := os.MkdirAll(app, 0o755); err != nil {
				t.Fatal(err)
			}
			s, err := site.Open(site.Options{Dir: dir, Create: true, Choose: func(p *project.Choices) { p.App = c.app }})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if strings.HasPrefix(name, "with an export") {
				if err := os.MkdirAll(filepath.Join(dir, "flwrup-export", "compose"), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			file := filepath.Join(app, ".gitignore")
			if c.have != "" {
				if err := os.WriteFile(file, []byte(c.have), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			planned := slices.ContainsFunc(SentActions(t.Context(), s), func(a front.Action) bool { return strings.HasPrefix(a.Says, "keep flwrup's own files out") })
			if planned != (c.want != c.have) {
				t.Errorf("planned: %v", planned)
			}
			for range 2 {
				if err := KeepOut(s, &sitetest.Heard{}); err != nil {
					t.Fatal(err)
				}
			}
			if got, _ := os.ReadFile(file); string(got) != c.want {
				t.Errorf("%q, %q wanted", got, c.want)
			}
		})
	}
}
