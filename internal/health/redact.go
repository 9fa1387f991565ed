package health

import (
	"bufio"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"flwrup/internal/plainfile"
	"flwrup/internal/project"
	"flwrup/internal/report"
	"flwrup/internal/site"
)

// dataNames is how many names of files in data folders are left out.
const dataNames = 20_000

// Redactor knows the values of this project that must not leave the machine. Reading files, which a data folder on a share
// that hangs may hold up, finds more of them.
func Redactor(s *site.Site, files bool) *report.Redactor {
	r := new(report.Redactor)
	c := s.Choices()
	names := 0
	for _, n := range append(slices.Collect(maps.Values(c.Node)), c.All) {
		for _, name := range n.Env {
			r.Secret(os.Getenv(name))
		}
		if n.EnvFile != "" && files {
			r.Secret(envValues(s.Path(n.EnvFile))...)
		}
		for _, entry := range n.Data {
			here, _, _ := project.ParseData(entry)
			here = s.Path(here)
			r.Secret(here)
			if base := filepath.Base(here); len(base) > 5 {
				r.Secret(base)
			}
			if files {
				r.Secret(dataIn(here, &names)...)
			}
		}
		r.Secret(n.Location)
		for _, pair := range strings.Fields(n.NodeConfig) {
			if _, v, _ := strings.Cut(pair, "="); strings.Trim(v, "0123456789.") != "" {
				r.Secret(strings.Trim(v, `"'`))
			}
		}
	}
	if c.BackupPassphrase != "" && files {
		r.Secret(envValues(s.Path(c.BackupPassphrase))...)
	}
	r.Secret(c.Site.Contact)
	r.Name("PROJECT", s.Dir)
	r.Keep(strings.TrimPrefix(c.Federation, "@"))
	return r
}

// envValues returns the values of a file of lines NAME=VALUE, and whole lines without a name.
func envValues(file string) (values []string) {
	text, err := plainfile.ReadAtMost(file, 1<<20)
	if err != nil {
		return nil
	}
	lines := bufio.NewScanner(strings.NewReader(string(text)))
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if _, v, has := strings.Cut(line, "="); has {
			line = strings.Trim(strings.TrimSpace(v), `"'`)
		}
		if !strings.HasPrefix(line, "#") {
			values = append(values, line)
		}
	}
	return values
}

// dataIn returns the names of files and folders in a data folder, with and without their extension.
func dataIn(dir string, count *int) (names []string) {
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if *count++; *count > dataNames {
			return fs.SkipAll
		}
		if err == nil && path != dir {
			name := d.Name()
			stem, _, _ := strings.Cut(name, ".")
			if names = append(names, name); len(stem) > 6 || strings.ContainsAny(stem, "_- 0123456789") {
				names = append(names, stem)
			}
		}
		return nil
	})
	return names
}
