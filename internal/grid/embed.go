package grid

import (
	"bytes"
	"embed"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/BurntSushi/toml"

	"flwrup/internal/atomicfile"
	"flwrup/internal/plainfile"
	"flwrup/internal/problem"
)

//go:embed supergrid/*.py app/pyproject.toml app/numpyfl/*.py
var embedded embed.FS

// AppName is the name of the embedded app, as flwr shows it.
const AppName = "@flwrup/numpyfl"

// writeProgram writes the grid's Python below dir and returns the folder to run.
func writeProgram(dir string) (string, error) {
	program := filepath.Join(dir, "program", "supergrid")
	// Python compiles the first file before that can set a umask.
	if err := os.MkdirAll(filepath.Join(program, "__pycache__"), 0o700); err != nil {
		return "", err
	}
	return program, eachFile("supergrid", program, 0o700, func(path string, content []byte) error {
		if old, err := plainfile.Read(path); err == nil && bytes.Equal(old, content) {
			return nil // keeps Python's compiled copy valid
		}
		return atomicfile.Write(path, content, 0o600)
	})
}

// WriteApp writes the NumPy app into dir, and makes dir when it is missing. It leaves existing files as they
// are: the user may have changed them, and flwr up to 1.25 has its connection in pyproject.toml. A dir that
// holds another project is a Problem with code bad-input.
//
// With trap the app saves its model at the end as the guide's does, in a file final_model.npz: on SuperGrid,
// and on this grid where it can behave like it, the run fails there.
func WriteApp(dir string, trap bool) error {
	file := filepath.Join(dir, "pyproject.toml")
	switch content, err := plainfile.Read(file); {
	case err == nil:
		var p struct {
			Project struct{ Name string }
			Tool    struct {
				Flwr struct{ App struct{ Publisher string } }
			}
		}
		if err := toml.Unmarshal(content, &p); err != nil {
			return &problem.Problem{Code: problem.BadInput, What: file + " is not valid TOML", Why: err.Error(), Fix: "repair it by hand", Err: err}
		}
		if "@"+p.Tool.Flwr.App.Publisher+"/"+p.Project.Name != AppName {
			return problem.New(problem.BadInput, dir+" holds another project: "+p.Project.Name, "", "choose another folder for the app")
		}
	case !errors.Is(err, fs.ErrNotExist):
		return folderProblem(dir, err)
	}
	err := eachFile("app", dir, 0o755, func(path string, content []byte) error {
		if _, err := os.Lstat(path); err == nil {
			return nil
		}
		if trap && filepath.Base(path) == "server_app.py" {
			content = append(content, saving...)
		}
		return atomicfile.Write(path, content, 0o644)
	})
	if err != nil {
		return folderProblem(dir, err)
	}
	return nil
}

// saving is the end of a ServerApp's main that saves the model on the machine it runs on.
const saving = `    # saved where the ServerApp runs, which a grid may not allow
    np.savez("final_model.npz", model)
`

// eachFile calls write for each embedded file below from, with its place below to. Missing folders get the
// mode.
func eachFile(from, to string, mode fs.FileMode, write func(path string, content []byte) error) error {
	return fs.WalkDir(embedded, from, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		path := filepath.Join(to, filepath.FromSlash(strings.TrimPrefix(name, from)))
		if d.IsDir() {
			return os.MkdirAll(path, mode)
		}
		content, err := embedded.ReadFile(name)
		if err != nil {
			return err
		}
		return write(path, content)
	})
}
