package app

import (
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"flwrup/internal/problem"
	"flwrup/internal/termsafe"
	"flwrup/internal/userdirs"
)

// Pack lists the files of an app that flwr would send.
type Pack struct {
	Files   []Packed `json:"files"`
	Limit   int64    `json:"limit"`   // bytes that a bundle may have
	Exclude string   `json:"exclude"` // the key below [tool.flwr.app] that excludes files; "" where only .gitignore does
	Guess   bool     `json:"-"`       // this flwr does not say: every file of the folder counts
}

// Packed is one file of it.
type Packed struct {
	Name    string `json:"name"` // relative to the app, with slashes
	Real    string `json:"real"` // absolute, links followed
	Size    int64  `json:"size"`
	Packed  int64  `json:"packed"`  // bytes in the bundle: measured where it may get too large, else Size
	Secret  bool   `json:"secret"`  // it holds a private key
	Outside bool   `json:"outside"` // a link that leads out of the app's folder
}

// maxBundle is what flwr 1.24 to 1.42 accept, in bytes.
const maxBundle = 10 << 20

// PackOf asks the flwr of python itself which files of the app it would send. It sends nothing, and runs
// nothing of the app. An app that this flwr refuses to pack is a Problem with code Broken.
func PackOf(ctx context.Context, python string, a App) (Pack, error) {
	var answer struct {
		Pack
		Refused string `json:"refused"`
		Unknown bool   `json:"unknown"`
	}
	err := appcheck(ctx, python, map[string]any{"do": "pack", "dir": userdirs.Abs(a.Dir)}, &answer)
	switch {
	case problem.Is(err, problem.PythonMissing) || problem.Is(err, problem.Internal) || err == nil && answer.Unknown:
		return everyFile(a.Dir)
	case err != nil:
		return Pack{}, err
	case answer.Refused != "":
		return Pack{}, problem.New(Broken, "flwr cannot pack the app "+a.Name, termsafe.Text(strings.TrimSpace(answer.Refused)), "correct it, then run again")
	}
	return answer.Pack, nil
}

// packedKinds are the files that flwr 1.24 to 1.42 pack.
var packedKinds = []string{".py", ".toml", ".md", ".json", ".jsonl", ".yaml", ".yml"}

// everyFile is the most that any flwr could send.
func everyFile(dir string) (Pack, error) {
	p := Pack{Limit: maxBundle, Guess: true}
	root, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return p, fmt.Errorf("read the app's folder: %w", err)
	}
	err = filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && slices.Contains([]string{".git", ".venv", "__pycache__"}, d.Name()):
			return fs.SkipDir
		case d.IsDir() || !slices.Contains(packedKinds, filepath.Ext(file)):
			return nil
		}
		rel, err := filepath.Rel(root, file)
		if err != nil {
			return err
		}
		real, err := filepath.EvalSymlinks(file)
		if err != nil {
			return nil // a link that leads nowhere is not sent
		}
		within, err := filepath.Rel(root, real)
		p.Files = append(p.Files, Packed{Name: filepath.ToSlash(rel), Real: real, Outside: err != nil || !filepath.IsLocal(within)})
		return nil
	})
	if err != nil {
		return p, fmt.Errorf("read the app's folder: %w", err)
	}
	return p, nil
}
