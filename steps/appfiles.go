package steps

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// flwr sends the grid, and through it every SuperNode, each .py, .toml, .md and (from about 1.40 on) .json and
// .yaml file below the app's folder that the .gitignore at its top does not name; a .gitignore further down
// counts for nothing (flwr/cli/build.py of 1.24.0 and 1.42.0). Where the project's folder is the app's, that
// takes in what flwrup keeps in .flwrup: the ledger, in a rehearsal even the login, and copies of the app
// that grow with each run until flwr finds the folders too deep.

// leaking gives the .gitignore at the top of the app's folder and the line that it lacks; "" when nothing of
// flwrup's would be sent.
func (s *Site) leaking() (file, line string, err error) {
	app, err := filepath.EvalSymlinks(s.appDir())
	if err != nil {
		return "", "", fmt.Errorf("look at the app's folder: %w", err)
	}
	state, err := filepath.EvalSymlinks(s.stateDir())
	if err != nil {
		return "", "", fmt.Errorf("look at flwrup's folder: %w", err)
	}
	rel, err := filepath.Rel(app, state)
	if err != nil || !filepath.IsLocal(rel) {
		return "", "", nil
	}
	rel = filepath.ToSlash(rel)
	file = filepath.Join(s.appDir(), ".gitignore")
	content, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", "", fmt.Errorf("read %s: %w", s.rel(file), err)
	}
	for _, have := range strings.Split(string(content), "\n") {
		if have = strings.Trim(strings.TrimSpace(have), "/"); have == rel || have == filepath.Base(state) {
			return file, "", nil
		}
	}
	return file, "/" + rel + "/", nil
}

// keepOut adds to the app's .gitignore what keeps flwrup's own folder out of what is sent.
func (s *Site) keepOut(to Sink) error {
	file, line, err := s.leaking()
	if err != nil || line == "" {
		return err
	}
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("keep flwrup's own folder out of the app: %w", err)
	}
	_, err = f.WriteString("\n" + line + "\n") // the last line may lack its end
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("keep flwrup's own folder out of the app: %w", err)
	}
	to.Event(Says{s.rel(file) + " now names " + line + ": flwr would send it with the app"})
	return nil
}

// keepOutAction is keepOut as a person would do it; false when there is nothing to do.
func (s *Site) keepOutAction() (Action, bool) {
	file, line, err := s.leaking()
	if err != nil || line == "" {
		return Action{}, false
	}
	return Action{Says: "keep flwrup's own folder out of what is sent with the app",
		Command: "printf '\\n" + line + "\\n' >> " + quote(s.rel(file))}, true
}
