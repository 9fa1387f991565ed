package app

import (
	"archive/zip"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"flwrup/internal/problem"
	"flwrup/internal/require"
)

const packedKey = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAaAAAABNlY2RzYS1z\n"

// writeAll writes files below dir.
func writeAll(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, content := range files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestPackIsWhatFlwrBuilds compares the files from PackOf with the bundle of the same flwr's `flwr build`.
func TestPackIsWhatFlwrBuilds(t *testing.T) {
	for _, version := range []string{"1.24.0", require.Newest} {
		t.Run(version, func(t *testing.T) {
			env := require.Flwr(t, version)
			python := require.Program(env, "python")
			work := t.TempDir()
			app := filepath.Join(work, "ways")
			other := filepath.Join(work, "other.md")
			writeAll(t, work, map[string]string{"other.md": "outside"})
			writeAll(t, app, map[string]string{
				"pyproject.toml": "[project]\nname = \"ways\"\nversion = \"1.0.0\"\ndescription = \"\"\nlicense = \"Apache-2.0\"\ndependencies = [\"flwr>=1.24.0\"]\n" +
					"[tool.flwr.app]\npublisher = \"me\"\n[tool.flwr.app.components]\nserverapp = \"pk.server_app:app\"\nclientapp = \"pk.client_app:app\"\n",
				"pk/__init__.py": "", "pk/server_app.py": "app = 1\n", "pk/client_app.py": "app = 1\n", "pk/test_it.py": "",
				"data/a.json": "[]", "data/b.jsonl": "", "data/c.yaml": "", "data/d.csv": "x", "data/e.md": "", "data/f.txt": "", "data/deep/g.yml": "",
				".gitignore": "/ignored/\n *.secret.md\n# data/\n", "ignored/h.py": "", "i.secret.md": "", "key.md": packedKey, "padded.md": strings.Repeat(" ", 6<<20) + packedKey,
				".venv/j.py": "", "build/k.py": "", "__pycache__/l.py": "", "LICENSE": "", "README.md": "how to make a -----BEGIN PRIVATE KEY-----",
				".hidden/m.toml": "",
			})
			if err := os.Symlink(other, filepath.Join(app, "linked.md")); err != nil {
				t.Fatal(err)
			}
			a, err := Read(app)
			if err != nil {
				t.Fatal(err)
			}
			got, err := PackOf(context.Background(), python, a)
			if err != nil {
				t.Fatal(err)
			}
			var names, secret, outside []string
			for _, f := range got.Files {
				names = append(names, f.Name)
				if f.Secret {
					secret = append(secret, f.Name)
				}
				if f.Outside {
					outside = append(outside, f.Name)
				}
			}
			out := require.RunFlwr(t, env, work, t.TempDir(), "build", "--app", app)
			bundles, _ := filepath.Glob(filepath.Join(work, "*.fab"))
			if len(bundles) != 1 {
				t.Fatalf("flwr build: %s", out)
			}
			z, err := zip.OpenReader(bundles[0])
			if err != nil {
				t.Fatal(err)
			}
			defer z.Close()
			var want []string
			for _, f := range z.File {
				if !strings.HasPrefix(f.Name, ".info/") {
					want = append(want, f.Name)
				}
			}
			slices.Sort(names)
			slices.Sort(want)
			if !slices.Equal(names, want) || got.Guess || got.Limit != maxBundle {
				t.Errorf("%+v\n got %q\nwant %q", got, names, want)
			}
			if !slices.Equal(secret, []string{"key.md", "padded.md"}) || version == "1.24.0" != slices.Equal(outside, []string{"linked.md"}) {
				t.Errorf("secret %q, outside %q", secret, outside)
			}
			if (got.Exclude == "fab-exclude") != (version == require.Newest) {
				t.Errorf("exclude %q", got.Exclude)
			}

			// both ways to keep a file out work as advised
			lines := map[string]string{".gitignore": "/data/\n"}
			if got.Exclude != "" {
				text, err := os.ReadFile(filepath.Join(app, "pyproject.toml"))
				if err != nil {
					t.Fatal(err)
				}
				lines["pyproject.toml"] = strings.Replace(string(text), "publisher", got.Exclude+" = [\"/data/\", \"/.gitignore\"]\npublisher", 1)
			}
			for name, content := range lines {
				file := filepath.Join(app, name)
				before, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				writeAll(t, app, map[string]string{name: content})
				got, err := PackOf(context.Background(), python, a)
				if err != nil || slices.ContainsFunc(got.Files, func(f Packed) bool { return strings.HasPrefix(f.Name, "data/") }) {
					t.Errorf("%s: %v, %+v", name, err, got.Files)
				}
				writeAll(t, app, map[string]string{name: string(before)})
			}

			// large files are measured as packed, and flwr's refusals keep their words
			writeAll(t, app, map[string]string{"zeros.md": strings.Repeat("0", 12<<20)})
			got, err = PackOf(context.Background(), python, a)
			if i := slices.IndexFunc(got.Files, func(f Packed) bool { return f.Name == "zeros.md" }); err != nil || i < 0 || got.Files[i].Size != 12<<20 || got.Files[i].Packed > 1<<20 {
				t.Errorf("%v %+v", err, got.Files)
			}
			if version == require.Newest {
				writeAll(t, app, map[string]string{"a/b/c/d/e/f/g/h/i/j/k/l.py": ""})
				if _, err := PackOf(context.Background(), python, a); !problem.Is(err, Broken) || !strings.Contains(problem.Of(err).Why, "depth") {
					t.Errorf("%v", err)
				}
			}
		})
	}
}
