package site

import (
	"path/filepath"

	"flwrup/flwrexec/config"
	"flwrup/flwrexec/flwr"
	"flwrup/internal/project"
	"flwrup/internal/tomledit"
)

// Folder is a project's folder with the choices at one moment. It is a value: nothing in it changes.
type Folder struct {
	Dir     string // absolute
	Choices *project.Choices
	state   string // where flwrup's records lie
}

// NoApp stands in flwrup.toml and on the command line for "runs are started elsewhere".
const NoApp = "none"

// Rehearsal reports whether the grid is a rehearsal's, on this machine.
func (f Folder) Rehearsal() bool { return f.Choices.Grid.Rehearsal }

// Coordinated reports whether somebody else coordinates the federation: the folder has no account, and asks no grid.
func (f Folder) Coordinated() bool { return f.Choices.Coordinated() }

// StateDir joins names below .flwrup.
func (f Folder) StateDir(names ...string) string {
	return filepath.Join(append([]string{f.state}, names...)...)
}

// Path returns a path of flwrup.toml as an absolute one; "" stays "".
func (f Folder) Path(p string) string {
	if p == "" || filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(f.Dir, p)
}

// Rel shortens a path for a person: relative to the project where it lies inside.
func (f Folder) Rel(p string) string {
	if r, err := filepath.Rel(f.Dir, p); err == nil && !filepath.IsAbs(r) && (len(r) < 2 || r[:2] != "..") {
		return r
	}
	return p
}

// KeysDir returns the absolute path of the folder of keys.
func (f Folder) KeysDir() string { return f.Path(f.Choices.Keys) }

// AppDir returns the folder of the Flower app that is run. Up to flwr 1.25 the connection belongs to it, too.
func (f Folder) AppDir() string {
	if f.Choices.App == "" || f.Choices.App == NoApp {
		return f.Dir
	}
	return f.Path(f.Choices.App)
}

// RunsElsewhere reports whether the person said that none: somebody else starts the runs.
func (f Folder) RunsElsewhere() bool { return f.Choices.App == NoApp }

// FlwrHome returns the FLWR_HOME to set; "" leaves the person's own.
func (f Folder) FlwrHome() string {
	switch {
	case f.Choices.Flwr.Home != "":
		return f.Path(f.Choices.Flwr.Home)
	case f.Rehearsal():
		return f.StateDir("flwr-home")
	}
	return ""
}

// ShellDir returns a folder as an argument of a command that is typed in the project's folder.
func (f Folder) ShellDir(dir string) string {
	if r := f.Rel(dir); r != "" {
		return r
	}
	return "."
}

// Connection returns the grid's connection as flwr takes it.
func (f Folder) Connection() flwr.Connection {
	return flwr.Connection{Name: f.Choices.Grid.Connection, App: f.AppDir()}
}

// ControlAddress returns where flwr's commands connect to, host:port.
func (f Folder) ControlAddress(d flwr.Dialect) string { return ControlOf(f.Choices.Grid, d) }

// Diff returns the edit as a unified diff, with the file's name as a person of this project knows it.
func (f Folder) Diff(e config.Edit) string {
	return tomledit.Diff(e.Before, e.After, f.Rel(e.File))
}

// Folder returns the site's folder with the present choices.
func (s *Site) Folder() Folder { return Folder{Dir: s.Dir, Choices: s.Choices(), state: s.state} }

// Rehearsal, StateDir, Path, Rel, AppDir, RunsElsewhere, FlwrHome and Connection are the Folder's.
func (s *Site) Rehearsal() bool                 { return s.Folder().Rehearsal() }
func (s *Site) StateDir(names ...string) string { return s.Folder().StateDir(names...) }
func (s *Site) Path(p string) string            { return s.Folder().Path(p) }
func (s *Site) Rel(p string) string             { return s.Folder().Rel(p) }
func (s *Site) AppDir() string                  { return s.Folder().AppDir() }
func (s *Site) RunsElsewhere() bool             { return s.Folder().RunsElsewhere() }
func (s *Site) FlwrHome() string                { return s.Folder().FlwrHome() }
func (s *Site) Connection() flwr.Connection     { return s.Folder().Connection() }
