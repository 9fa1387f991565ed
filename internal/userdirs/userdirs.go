// Package userdirs decides where flwrup keeps files that belong to a user and to no project, and refuses a
// place that another user could have prepared.
package userdirs

import (
	"os"
	"os/user"
	"path/filepath"
	"runtime"

	"flwrup/internal/problem"
)

// NoPlace is the code of a Problem about a home, cache or state folder that is missing.
const NoPlace problem.Code = "no-home"

// Unsafe is the code of a Problem about a folder that another user can change.
const Unsafe problem.Code = "unsafe-folder"

// name is flwrup's own folder below the user's.
const name = "flwrup"

// Home returns the home of the user as Python, and so flwr, sees it: HOME, else the account's. Without both
// it returns a Problem (no-home): no other folder takes its place.
func Home() (string, error) {
	if home, err := os.UserHomeDir(); err == nil && filepath.IsAbs(home) {
		return home, nil
	}
	if u, err := user.Current(); err == nil && filepath.IsAbs(u.HomeDir) {
		return u.HomeDir, nil
	}
	return "", problem.New(NoPlace, "cannot find your home folder", homeVariable()+" is not set, and this account has no home folder",
		"set "+homeVariable()+" to a folder that belongs to this account")
}

func homeVariable() string {
	if runtime.GOOS == "windows" {
		return "USERPROFILE"
	}
	return "HOME"
}

// Cache returns a folder below flwrup's cache, and an error unless it can be trusted: see Check. It makes
// nothing.
func Cache(names ...string) (string, error) {
	return place("XDG_CACHE_HOME", []string{".cache"}, []string{"Library", "Caches"}, names)
}

// State returns a folder below flwrup's state on this machine, and an error unless it can be trusted: see
// Check. It makes nothing.
func State(names ...string) (string, error) {
	return place("XDG_STATE_HOME", []string{".local", "state"}, []string{"Library", "Application Support"}, append([]string{"state"}, names...))
}

// place returns flwrup's folder below a base folder: on macOS and Windows the system's, elsewhere the value
// of variable, else the folder below the home.
func place(variable string, unix, darwin, names []string) (string, error) {
	var base string
	switch runtime.GOOS {
	case "windows":
		variable = "LocalAppData"
		if base = os.Getenv(variable); base == "" {
			return "", problem.New(NoPlace, "cannot find a folder for flwrup's files", "LocalAppData is not set", "sign in as a person who has a profile")
		}
	case "darwin":
		variable = "HOME"
		unix = darwin
	default:
		base = os.Getenv(variable)
	}
	if base == "" {
		home, err := Home()
		if err != nil {
			p := problem.Of(err)
			p.What = "cannot find a folder for flwrup's files"
			if variable != "HOME" {
				p.Fix += ", or " + variable + " to one for flwrup's files"
			}
			return "", p
		}
		base = filepath.Join(append([]string{home}, unix...)...)
	}
	if !filepath.IsAbs(base) {
		return "", problem.New(NoPlace, "cannot use "+variable, "it names the relative path "+base, "set "+variable+" to an absolute path")
	}
	dir := filepath.Join(append([]string{base, name}, names...)...)
	if err := Check(dir); err != nil {
		p := problem.Of(err)
		p.Fix += "; or set " + variable + " to a folder that belongs to you"
		return dir, p
	}
	return dir, nil
}

// Private makes dir, 0700, with missing folders above it, and checks it.
func Private(dir string) error {
	if err := Check(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return &problem.Problem{Code: problem.BadInput, What: "cannot make the folder " + dir, Why: problem.Cause(err),
			Fix: "make its parent writable for you", Err: err}
	}
	return Check(dir)
}

// Work makes and returns an empty private folder for programs that take settings or modules from their
// working folder.
func Work() (string, error) {
	dir, err := Cache("cwd")
	if err != nil {
		return "", err
	}
	return dir, Private(dir)
}

// Abs makes path absolute. When the working folder is gone it returns path as it is.
func Abs(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}
