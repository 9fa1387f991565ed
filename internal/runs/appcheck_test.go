package runs

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"flwrup/internal/require"
	"flwrup/internal/site"
	"flwrup/internal/sitetest"
)

// appIn writes an app into the site's folder and reads it.
func appIn(t *testing.T, s *site.Site, files map[string]string) AppReport {
	t.Helper()
	sitetest.GridOf(t, s).Python = require.Tool(t, "flwr", "python3")
	writeApp(t, s, files)
	r, err := ReportApp(context.Background(), s, 0)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// writeApp writes the files of an app into the site's folder, with a pyproject.toml.
func writeApp(t *testing.T, s *site.Site, files map[string]string) {
	t.Helper()
	files["pyproject.toml"] = "[project]\nname = \"a\"\nversion = \"1.0.0\"\n[tool.flwr.app]\npublisher = \"me\"\n[tool.flwr.app.components]\n" +
		"serverapp = \"pk.server_app:app\"\nclientapp = \"pk.client_app:app\"\n"
	for name, content := range files {
		file := filepath.Join(s.AppDir(), filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestSourceIsLeftAlone: unattended, a source file is changed only with --mend; attended, the diff comes first.
// flwrup never offers to comment out a line that only may write, or that writes to memory.
func TestSourceIsLeftAlone(t *testing.T) {
	const source = "import io\nimport numpy as np\nbuf = io.BytesIO()\nnp.savez(buf)\nnp.savez(\"final.npz\")\nnp.savez(where)\n"
	const mended = "import io\nimport numpy as np\nbuf = io.BytesIO()\nnp.savez(buf)\n# np.savez(\"final.npz\")\nnp.savez(where)\n"
	for name, c := range map[string]struct {
		attended, mend bool
		answer, want   string
	}{
		"unattended":                {false, false, "", source},
		"unattended, --mend":        {false, true, "", mended},
		"attended":                  {true, false, "", mended},
		"attended, no":              {true, false, "no", source},
		"attended, --mend, a no":    {true, true, "no", source},
		"unattended, yes to others": {false, false, "yes", source},
	} {
		t.Run(name, func(t *testing.T) {
			s := sitetest.WithKeys(t, sitetest.NewGrid("1.42.0"), 1)
			s.Options.Attended, s.Options.Mend = c.attended, c.mend
			r := appIn(t, s, map[string]string{"pk/server_app.py": source, "pk/client_app.py": ""})
			to := &sitetest.Scripted{Answers: map[string]string{}}
			if c.answer != "" {
				to.Answers["traps"] = c.answer
			}
			if err := disarm(context.Background(), s, r, to); err != nil {
				t.Fatal(err)
			}
			got, err := os.ReadFile(filepath.Join(s.AppDir(), "pk", "server_app.py"))
			if err != nil || string(got) != c.want {
				t.Errorf("%v: %q", err, got)
			}
			said := to.Said()
			if !strings.Contains(said, "line 6: np.savez(where) may write where") || strings.Contains(said, "np.savez(buf)") {
				t.Errorf("said:\n%s", said)
			}
			switch asked := slices.Contains(to.Asked, "traps"); {
			case asked != (c.attended || c.mend):
				t.Errorf("asked %v", to.Asked)
			case asked && !strings.Contains(to.Last["traps"].Diff, "+# np.savez(\"final.npz\")"):
				t.Errorf("the diff comes first: %q", to.Last["traps"].Diff)
			case !asked && !strings.Contains(said, "line 5: np.savez(\"final.npz\") writes final.npz, which fails on a grid; --mend comments it out"):
				t.Errorf("said:\n%s", said)
			}
		})
	}
}
