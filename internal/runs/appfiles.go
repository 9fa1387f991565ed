package runs

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"flwrup/internal/front"
	"flwrup/internal/outgoing"
	"flwrup/internal/plainfile"
	"flwrup/internal/project"
	"flwrup/internal/shell"
	"flwrup/internal/site"
)

// flwr sends the grid, and through it every SuperNode, each .py, .toml and .md file below the app's folder, and from
// 1.27 on .json, .jsonl and .yaml, too. Left out is what the .gitignore at its top names; one further down counts for
// nothing (flwr/cli/build.py of 1.24.0 to 1.42.0). Where the project's folder is the app's, that takes in flwrup.toml
// and what flwrup keeps in .flwrup: the ledger, in a rehearsal even the login. It also takes in what was exported.

// leaking returns the .gitignore at the top of the app's folder and the lines that it lacks, as patterns; none when
// nothing of flwrup's would be sent.
func leaking(s *site.Site) (file string, lines []string, err error) {
	app, err := filepath.EvalSymlinks(s.AppDir())
	if err != nil {
		return "", nil, fmt.Errorf("read the app's folder: %w", err)
	}
	file = filepath.Join(s.AppDir(), ".gitignore")
	content, err := plainfile.Read(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", nil, fmt.Errorf("read %s: %w", s.Rel(file), err)
	}
	for _, own := range []struct {
		path   string
		folder bool
	}{{s.StateDir(), true}, {project.ExportDir(s.Dir), true}, {filepath.Join(s.Dir, project.FileName), false}} {
		real, err := filepath.EvalSymlinks(own.path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", nil, fmt.Errorf("read flwrup's own files: %w", err)
		}
		rel, err := filepath.Rel(app, real)
		if err != nil || !filepath.IsLocal(rel) {
			continue
		}
		rel = filepath.ToSlash(rel)
		line := outgoing.Line(rel, own.folder)
		if !hasLine(content, line, rel, filepath.Base(real)) {
			lines = append(lines, line)
		}
	}
	return file, lines, nil
}

// hasLine reports whether a .gitignore has one of the patterns as a line.
func hasLine(content []byte, patterns ...string) bool {
	for _, have := range strings.Split(string(content), "\n") {
		for _, p := range patterns {
			if strings.Trim(strings.TrimSpace(have), "/") == strings.Trim(p, "/") {
				return true
			}
		}
	}
	return false
}

// forFlwr writes a line of .gitignore for flwr alone where it names what is made to be kept in version control: flwr strips
// the space before it, and git, which does not, goes on to see the file.
func forFlwr(line string) string {
	if name := path.Base(line); name == project.FileName || name == filepath.Base(project.ExportDir("")) {
		return " " + line
	}
	return line
}

// ignoreLines is what to append to a .gitignore so that flwr leaves the patterns out.
func ignoreLines(before []byte, lines []string) []byte {
	var b bytes.Buffer
	if n := len(before); n > 0 && before[n-1] != '\n' {
		b.WriteByte('\n') // the last line lacks its end
	}
	for _, line := range lines {
		if line = forFlwr(line); line[0] == ' ' {
			b.WriteString("# for flwr alone: git does not read the next line, which begins with a space\n")
		}
		b.WriteString(line + "\n")
	}
	return b.Bytes()
}

// appendTo adds text to a file that others may read, and makes it when it is missing.
func appendTo(s *site.Site, file string, text []byte) error {
	if err := site.Stays(s, file); err != nil {
		return err
	}
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644) // #nosec G302 -- git reads it, and the umask decides
	if err != nil {
		return fmt.Errorf("keep files out of the app: %w", err)
	}
	_, err = f.Write(text)
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("keep files out of the app: %w", err)
	}
	return nil
}

// KeepOut adds to the app's .gitignore what keeps flwrup's own files out of what is sent.
func KeepOut(s *site.Site, to front.Sink) error {
	file, lines, err := leaking(s)
	if err != nil || len(lines) == 0 {
		return err
	}
	before, err := plainfile.Read(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read %s: %w", s.Rel(file), err)
	}
	if err := appendTo(s, file, ignoreLines(before, lines)); err != nil {
		return err
	}
	to.Event(front.Says{Text: s.Rel(file) + " now names " + strings.Join(lines, " and ") + ": flwr would send it with the app"})
	return nil
}

// keepOutAction is KeepOut as a person would do it.
func keepOutAction(s *site.Site, file string, lines []string) front.Action {
	return front.Action{Says: "keep flwrup's own files out of the app that flwr sends",
		Command: "printf '\\n%s" + strings.Repeat("\\n%s", len(lines)-1) + "\\n' " + quoted(lines) + " >> " + shell.Path(s.Rel(file))}
}

// quoted writes lines as arguments.
func quoted(lines []string) string {
	var list []string
	for _, line := range lines {
		list = append(list, forFlwr(line))
	}
	return shell.Line(list)
}
