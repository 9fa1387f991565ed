// Package install finds flwr on this machine, and makes an environment with it where there is none.
package install

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"

	"flwrup/flwrexec/flwr"
	"flwrup/internal/child"
	"flwrup/internal/problem"
	"flwrup/internal/termsafe"
	"flwrup/internal/userdirs"
)

// Where a flwr was found.
const (
	SourceGiven   = "given path"
	SourceActive  = "active environment"
	SourceProject = "project environment"
	SourcePath    = "PATH"
	SourceTool    = "uv tool"
	SourcePipx    = "pipx"
	SourceOwn     = "flwrup's own"
)

// Found is one flwr on this machine.
type Found struct {
	Program string // absolute path of flwr
	Python  string // of its environment; "" when it cannot be found
	Bin     string // the folder with flower-supernode and the like
	Version flwr.Version
	Source  string // one of the Source… constants
}

// SuperNode returns the path of flower-supernode of the same environment.
func (f Found) SuperNode() string { return program(f.Bin, "flower-supernode") }

// FindOptions says where to look.
type FindOptions struct {
	Path       string // a flwr program, or the folder of an environment: nothing else is searched
	OnlyOwn    bool   // search flwrup's own environments and nothing else
	ProjectDir string // its .venv, venv and env are searched
	OwnRoot    string // flwrup's own environments; "" is OwnRoot()
	Seen       *Seen  // results of earlier calls; may be nil
}

// Seen keeps the answers of programs that Find had to start. The zero value is empty.
type Seen struct {
	mu      sync.Mutex
	answers map[string]heard
}

type heard struct {
	file os.FileInfo
	out  string
	err  error
}

// version returns the output of "PROGRAM --version". It asks a program that has not changed only once.
func (s *Seen) version(ctx context.Context, path string) (string, error) {
	file, serr := os.Stat(path)
	if s == nil || serr != nil {
		return child.Ask(ctx, answerWait, path, "--version")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if h, ok := s.answers[path]; ok && os.SameFile(h.file, file) && h.file.ModTime().Equal(file.ModTime()) && h.file.Mode() == file.Mode() {
		return h.out, h.err
	}
	out, err := child.Ask(ctx, answerWait, path, "--version")
	if ctx.Err() == nil {
		if s.answers == nil {
			s.answers = map[string]heard{}
		}
		s.answers[path] = heard{file, out, err}
	}
	return out, err
}

// Find returns every usable flwr, best first: the given path; the active environment; the project's; PATH;
// uv's and pipx's tools; flwrup's own, newest first. An unusable one is an error that says why: too old,
// broken. Find reads versions from package metadata and starts flwr only without any.
func Find(ctx context.Context, o FindOptions) ([]Found, []error) {
	var found []Found
	var errs []error
	seen := map[string]bool{}
	places, noOwn := candidates(o)
	if noOwn != nil {
		errs = append(errs, noOwn)
	}
	for _, c := range places {
		if ctx.Err() != nil {
			return found, append(errs, problem.Stopped(context.Cause(ctx), "flwr was stopped", ""))
		}
		key := c.path
		if real, err := filepath.EvalSymlinks(c.path); err == nil {
			key = real
		}
		if seen[key] {
			continue
		}
		if info, err := os.Stat(c.path); err != nil || info.IsDir() {
			if c.source == SourceGiven {
				errs = append(errs, problem.New(problem.FlwrMissing, "there is no flwr at "+o.Path, "",
					"give the path of the flwr program, or of the environment that it is installed in"))
			}
			continue
		}
		seen[key] = true
		f, err := inspect(ctx, c.path, c.source, o.Seen)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		found = append(found, f)
	}
	return found, errs
}

type candidate struct{ path, source string }

// candidates returns the places to search, and why flwrup's own environments are not among them.
func candidates(o FindOptions) ([]candidate, error) {
	if o.Path != "" {
		path := userdirs.Abs(o.Path)
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			return []candidate{{program(binOf(path), "flwr"), SourceGiven}}, nil
		}
		return []candidate{{path, SourceGiven}}, nil
	}
	var list []candidate
	add := func(source, env string) {
		if env != "" {
			list = append(list, candidate{program(binOf(env), "flwr"), source})
		}
	}
	if !o.OnlyOwn {
		add(SourceActive, os.Getenv("VIRTUAL_ENV"))
		add(SourceActive, os.Getenv("CONDA_PREFIX"))
		if o.ProjectDir != "" {
			for _, name := range [...]string{".venv", "venv", "env"} {
				add(SourceProject, filepath.Join(userdirs.Abs(o.ProjectDir), name))
			}
		}
		for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
			if filepath.IsAbs(dir) {
				list = append(list, candidate{program(dir, "flwr"), SourcePath})
			}
		}
		for _, t := range toolEnvironments() {
			add(t.source, t.path)
		}
	}
	root, err := o.OwnRoot, error(nil)
	if root == "" {
		root, err = OwnRoot()
	} else {
		err = userdirs.Check(root)
	}
	if err != nil {
		return list, err
	}
	for _, env := range ownEnvironments(root) {
		add(SourceOwn, env)
	}
	return list, nil
}

// toolEnvironments returns the places where uv and pipx put a tool named flwr.
func toolEnvironments() []candidate {
	home, _ := userdirs.Home()
	data := os.Getenv("XDG_DATA_HOME")
	if data == "" && home != "" {
		data = filepath.Join(home, ".local", "share")
	}
	var list []candidate
	add := func(source string, parts ...string) {
		if parts[0] != "" {
			list = append(list, candidate{filepath.Join(parts...), source})
		}
	}
	add(SourceTool, os.Getenv("UV_TOOL_DIR"), "flwr")
	add(SourceTool, data, "uv", "tools", "flwr")
	add(SourceTool, os.Getenv("APPDATA"), "uv", "data", "tools", "flwr")
	add(SourceTool, os.Getenv("APPDATA"), "uv", "tools", "flwr")
	add(SourcePipx, os.Getenv("PIPX_HOME"), "venvs", "flwr")
	add(SourcePipx, data, "pipx", "venvs", "flwr")
	add(SourcePipx, home, ".local", "pipx", "venvs", "flwr")
	return list
}

// ownEnvironments returns flwrup's own complete environments, newest flwr first.
func ownEnvironments(root string) []string {
	type env struct {
		dir string
		v   flwr.Version
	}
	var envs []env
	entries, _ := os.ReadDir(root) // none made so far
	for _, e := range entries {
		v, err := flwr.ParseVersion(strings.TrimPrefix(e.Name(), envPrefix))
		dir := filepath.Join(root, e.Name())
		if err == nil && e.IsDir() && complete(dir) && userdirs.Check(dir) == nil {
			envs = append(envs, env{dir, v})
		}
	}
	sort.Slice(envs, func(i, j int) bool { return envs[i].v.Compare(envs[j].v) > 0 })
	dirs := make([]string, len(envs))
	for i, e := range envs {
		dirs[i] = e.dir
	}
	return dirs
}

// inspect describes the flwr at path. Broken (flwr-broken) and not permitted (flwr-denied) are two causes.
func inspect(ctx context.Context, path, source string, seen *Seen) (Found, error) {
	f := Found{Program: path, Source: source}
	remedy := "repair or remove it, or let flwrup make an environment of its own"
	if source == SourceGiven {
		remedy = "repair it, or name one that works with --flwr-path; with --flwr-path '' flwrup finds or installs one"
	}
	broken := func(why string) error {
		return problem.New(problem.FlwrBroken, "the flwr at "+path+" does not work", why, remedy)
	}
	denied := func(what string, err error) error {
		return &problem.Problem{Code: problem.FlwrDenied, What: "the flwr at " + path + " may not be run by this account",
			Why: what + ": " + problem.Cause(err), Fix: "have its owner allow it, or name another one with --flwr-path", Err: err}
	}
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return f, broken(err.Error())
	}
	if f.Python = pythonOf(real); f.Python == "" && path != real {
		f.Python = pythonOf(path)
	}
	if f.Python == "" && filepath.Base(filepath.Dir(real)) == "shims" {
		if out, err := child.Ask(ctx, answerWait, "pyenv", "which", "flwr"); err == nil {
			if target := strings.TrimSpace(out); target != "" && filepath.IsAbs(target) {
				real, f.Program = target, target
				f.Python = pythonOf(real)
			}
		}
	}
	f.Bin = filepath.Dir(real)
	if err := mayRun(real); err != nil {
		return f, denied(real, err)
	}
	if f.Version, err = metadataVersion(f.Python, real); err != nil {
		out, err := seen.version(ctx, f.Program)
		switch {
		case ctx.Err() != nil:
			return f, problem.Stopped(context.Cause(ctx), "flwr was stopped", "")
		case errors.Is(err, context.DeadlineExceeded):
			return f, broken(fmt.Sprintf("it gave no answer to --version within %v", answerWait))
		case errors.Is(err, fs.ErrPermission):
			return f, denied("the system refused to start it", err)
		case err != nil:
			why := problem.Cause(err)
			if said := child.LastLines(termsafe.Text(out), 2); said != "" {
				why += ": " + said
			}
			return f, broken(why)
		}
		m := printedVersion.FindStringSubmatch(out)
		if m == nil {
			return f, broken("it does not say its version")
		}
		if f.Version, err = flwr.ParseVersion(m[1]); err != nil {
			return f, broken(err.Error())
		}
	}
	oldest, _ := flwr.ParseVersion(flwr.Oldest)
	if f.Version.Compare(oldest) < 0 {
		return f, problem.New(problem.FlwrMissing, fmt.Sprintf("the flwr at %s is %s, too old for SuperGrid", path, f.Version),
			"registration by key came with flwr "+flwr.Oldest, "upgrade it, or let flwrup make its own environment")
	}
	if f.Python != "" {
		if _, err := os.Stat(f.Python); err != nil {
			return f, broken("its Python, " + f.Python + ", is gone")
		}
	}
	return f, nil
}

var printedVersion = regexp.MustCompile(`(\d+\.\d+\.\d+\S*)`)

// answerWait is how long a program may take to print its version. flwr takes 1.5 to 3 seconds.
const answerWait = 6 * time.Second

var shebangSecond = regexp.MustCompile(`^'''exec' (?:"([^"]+)"|'([^']+)'|([^\s"']+)) `)

// pythonOf finds the Python of a console script: in its first line, or, if that would be too long or has
// spaces, in the second line of the shell form that pip and uv write. On Windows it is in the program's
// folder.
func pythonOf(script string) string {
	if runtime.GOOS == "windows" {
		python := filepath.Join(filepath.Dir(script), "python.exe")
		if _, err := os.Stat(python); err == nil {
			return python
		}
		return ""
	}
	b := head(script, 4<<10)
	first, rest, _ := bytes.Cut(b, []byte("\n"))
	line, ok := bytes.CutPrefix(first, []byte("#!"))
	if !ok {
		return ""
	}
	fields := strings.Fields(string(line))
	if len(fields) == 0 {
		return ""
	}
	switch base := filepath.Base(fields[0]); {
	case base == "sh":
		if m := shebangSecond.FindSubmatch(rest); m != nil {
			return string(m[1]) + string(m[2]) + string(m[3])
		}
	case base == "env" && len(fields) == 2 && strings.HasPrefix(fields[1], "python"):
		if p, err := exec.LookPath(fields[1]); err == nil {
			return p
		}
	case strings.HasPrefix(base, "python") || strings.HasPrefix(base, "pypy"):
		return fields[0]
	}
	return ""
}

// metadataVersion reads the version from flwr's dist-info in the script's environment.
func metadataVersion(python, script string) (flwr.Version, error) {
	var places []string
	for _, p := range [...]string{python, script} {
		if p != "" {
			places = append(places, filepath.Dir(filepath.Dir(p)))
		}
	}
	for _, root := range places {
		for _, pattern := range [...]string{"lib/python3*/site-packages", "lib64/python3*/site-packages", "Lib/site-packages", "lib/python3*/dist-packages"} {
			files, _ := filepath.Glob(filepath.Join(globEscape(root), pattern, "flwr-*.dist-info", "METADATA"))
			nightly, _ := filepath.Glob(filepath.Join(globEscape(root), pattern, "flwr_nightly-*.dist-info", "METADATA"))
			for _, file := range append(files, nightly...) {
				lines := bufio.NewScanner(bytes.NewReader(head(file, 16<<10)))
				for lines.Scan() && lines.Text() != "" {
					if v, ok := strings.CutPrefix(lines.Text(), "Version: "); ok {
						return flwr.ParseVersion(strings.TrimSpace(v))
					}
				}
			}
		}
	}
	return flwr.Version{}, os.ErrNotExist
}

// globEscape makes a path match itself in a pattern. A Windows path does not need it: it usually has no
// brackets and uses the escape character as separator.
func globEscape(path string) string {
	if runtime.GOOS == "windows" {
		return path
	}
	return strings.NewReplacer(`\`, `\\`, `[`, `\[`, `*`, `\*`, `?`, `\?`).Replace(path)
}

// head returns the first bytes of a file; empty when it cannot be read.
func head(path string, n int) []byte {
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	b := make([]byte, n)
	read, _ := f.Read(b)
	return b[:read]
}

// binOf returns the folder of an environment's programs.
func binOf(env string) string {
	if runtime.GOOS == "windows" {
		return filepath.Join(env, "Scripts")
	}
	return filepath.Join(env, "bin")
}

// program returns the path of a program in a folder.
func program(dir, name string) string {
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	return filepath.Join(dir, name)
}

// ProjectPrograms returns the flwr of each environment inside dir that Find would search only because of
// FindOptions.ProjectDir. An active environment, and one on PATH, are the user's own.
func ProjectPrograms(dir string) []string {
	own := map[string]bool{}
	var list []string
	all, _ := candidates(FindOptions{ProjectDir: dir}) // none of flwrup's own belong to the project
	for _, c := range all {
		real := c.path
		if r, err := filepath.EvalSymlinks(c.path); err == nil {
			real = r
		}
		switch _, err := os.Lstat(c.path); {
		case err != nil:
		case c.source == SourceProject:
			list = append(list, c.path)
		case c.source == SourceActive || c.source == SourcePath:
			own[real] = true
		}
	}
	return slices.DeleteFunc(list, func(path string) bool {
		real, err := filepath.EvalSymlinks(path)
		return err == nil && own[real]
	})
}
