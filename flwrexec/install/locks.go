package install

import (
	"embed"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"flwrup/flwrexec/flwr"
	"flwrup/internal/child"
)

// The packages of each known release of flwr with the hashes of their files, as pip and uv read them;
// locks/update.sh makes them. An index, or whatever stands between, can then hand out no other file.
//
//go:generate sh locks/update.sh
//go:embed locks/*.txt
var lockFiles embed.FS

// newestLocked is the newest Python 3.x that the locks have files for.
const newestLocked = 13

// lockOf returns the lock of a release of flwr; "" where there is none.
func lockOf(locks fs.FS, v flwr.Version) string {
	b, err := fs.ReadFile(locks, v.String()+".txt")
	if err != nil {
		return ""
	}
	return string(b)
}

func embeddedLocks() fs.FS {
	sub, err := fs.Sub(lockFiles, "locks")
	if err != nil {
		panic(err) // the folder is part of the program
	}
	return sub
}

var lockHash = regexp.MustCompile(`(?m) *\\\n +--hash=\S+`)

// pins returns a lock without its hashes, as constraints for packages that are not in it.
func pins(lock string) string { return lockHash.ReplaceAllString(lock, "") }

var lockName = regexp.MustCompile(`(?m)^([A-Za-z0-9._-]+)==`)

// notLocked returns the packages that a lock lacks in any version.
func notLocked(lock string, packages []string) []string {
	in := map[string]bool{}
	for _, m := range lockName.FindAllStringSubmatch(lock, -1) {
		in[m[1]] = true
	}
	var more []string
	for _, p := range packages {
		if !in[strings.ToLower(p)] {
			more = append(more, p)
		}
	}
	return more
}

// locked installs the lock's packages, and nothing else.
func (i installer) locked(lock string) error {
	file := filepath.Join(i.dir, "flwr-"+i.version.String()+".txt")
	if err := os.WriteFile(file, []byte(lock), 0o600); err != nil {
		return installProblem("install flwr "+i.version.String(), err.Error(), err)
	}
	i.say("installing flwr==" + i.version.String() + " with packages whose hashes this flwrup knows")
	return i.add("--no-deps", "--require-hashes", "-r", file)
}

// further installs packages on top of the lock's, which stay as they are.
func (i installer) further(lock string, packages []string) error {
	packages = notLocked(lock, packages)
	if len(packages) == 0 {
		return nil
	}
	file := filepath.Join(i.dir, "constraints.txt")
	if err := os.WriteFile(file, []byte(pins(lock)), 0o600); err != nil {
		return installProblem("install "+strings.Join(packages, " "), err.Error(), err)
	}
	i.say("installing " + strings.Join(packages, " "))
	return i.add(append([]string{"--constraint", file}, packages...)...)
}

// add runs uv or pip to install into the environment.
func (i installer) add(args ...string) error {
	python := program(binOf(i.env), "python")
	var err error
	if i.uv != "" {
		_, err = i.run(i.uv, append([]string{"pip", "install", "--compile-bytecode", "--python", python}, args...)...)
	} else {
		_, err = i.pip(python, args...)
	}
	return err
}

// lock returns the lock for this installation, and says why there is none. The environment is made.
func (i installer) lock(locks fs.FS) string {
	lock := lockOf(locks, i.version)
	if lock == "" {
		i.say("this flwrup has no hashes for flwr " + i.version.String() + ": its packages are taken as the index gives them")
		return ""
	}
	out, err := child.Ask(i.ctx, answerWait, program(binOf(i.env), "python"), "-I", "-c", "import sys;print('%d.%d'%sys.version_info[:2])")
	if v, perr := flwr.ParseVersion(strings.TrimSpace(out)); err == nil && perr == nil && v.Minor > newestLocked {
		i.say("this flwrup has no hashes for Python " + strings.TrimSpace(out) + ": flwr's packages are taken as the index gives them")
		return ""
	}
	return lock
}
