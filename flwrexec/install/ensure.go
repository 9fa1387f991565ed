package install

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"flwrup/flwrexec/flwr"
	"flwrup/internal/child"
	"flwrup/internal/pep508"
	"flwrup/internal/plainfile"
	"flwrup/internal/problem"
	"flwrup/internal/termsafe"
	"flwrup/internal/userdirs"
)

const envPrefix = "flwr-"

// OwnRoot returns the folder of flwrup's own environments, one for each version: flwrup/envs below the user's
// cache folder. Their programs hold absolute paths, so an environment is never moved. Without a home, or
// where another user could put a program there, it returns a Problem (userdirs.NoPlace, userdirs.Unsafe).
func OwnRoot() (string, error) { return userdirs.Cache("envs") }

// Options says what to install.
type Options struct {
	Root     string       // "" is OwnRoot()
	Version  string       // of flwr; "" or "newest" is the newest in the index
	Packages []string     // further packages, such as numpy
	From     string       // requirement or file to install in place of flwr==Version: a nightly, a wheel; "" is that
	Say      func(string) // gets each action and every line of uv or pip, safe to show; may be nil

	locks fs.FS // nil is the locks of this flwrup
}

// Ensure makes an environment with the wanted flwr, or returns an existing one. uv makes it when uv is
// installed, else `python3 -m venv` and pip. The packages of a known flwr come from its lock, file by file;
// others come from the index, and say reports that. Concurrent calls wait for each other. A marker, written
// last, shows that an environment is complete; a failed one is removed. Errors are Problems: no Python, too
// old, no network, disk full, no such version.
func Ensure(ctx context.Context, o Options) (Found, error) {
	if o.Root == "" {
		root, err := OwnRoot()
		if err != nil {
			return Found{}, err
		}
		o.Root = root
	}
	o.Root = userdirs.Abs(o.Root)
	if err := userdirs.Check(o.Root); err != nil {
		return Found{}, err
	}
	say := func(s string) {
		if o.Say != nil {
			o.Say(s)
		}
	}
	if o.Version == "" || o.Version == Newest {
		say("looking for the newest flwr")
		newest, err := newestFlwr(ctx)
		if err != nil {
			return Found{}, err
		}
		o.Version = newest
	}
	v, err := flwr.ParseVersion(o.Version)
	if err != nil {
		return Found{}, problem.New(problem.BadInput, err.Error(), "", "give a version such as 1.42.0, or newest")
	}
	if oldest, _ := flwr.ParseVersion(flwr.Oldest); v.Compare(oldest) < 0 {
		return Found{}, problem.New(problem.BadInput, "flwr "+o.Version+" is too old for SuperGrid", "",
			"choose "+flwr.Oldest+" or newer")
	}
	if o.Packages, err = pep508.Lines(o.Packages); err != nil {
		return Found{}, problem.New(problem.BadInput, "cannot install further packages", err.Error(), "write them as pyproject.toml takes them, such as torch>=2.4")
	}
	env := filepath.Join(o.Root, envPrefix+v.String())
	if have(env, o.Packages) {
		return inspect(ctx, program(binOf(env), "flwr"), SourceOwn, nil)
	}
	if err := userdirs.Private(o.Root); err != nil {
		return Found{}, err
	}
	lock := flock.New(env + ".lock")
	if ok, _ := lock.TryLock(); !ok {
		say("waiting for another flwrup that installs the same")
		if ok, err := lock.TryLockContext(ctx, 200*time.Millisecond); err != nil || !ok {
			if ctx.Err() != nil {
				return Found{}, problem.Stopped(context.Cause(ctx), "flwr was stopped", "")
			}
			return Found{}, installProblem("lock "+env, fmt.Sprint(err), err)
		}
	}
	defer lock.Unlock() //nolint:errcheck // the file stays for the next one
	if !have(env, o.Packages) {
		tools, err := openInstallers(say)
		if err != nil {
			return Found{}, err
		}
		defer tools.close()
		i := installer{ctx: ctx, env: env, version: v, from: o.From, say: say, installers: tools, locks: o.locks}
		if i.locks == nil {
			i.locks = embeddedLocks()
		}
		if err := i.install(o.Packages); err != nil {
			return Found{}, err
		}
	}
	return inspect(ctx, program(binOf(env), "flwr"), SourceOwn, nil)
}

// The marker of a complete environment lists its further packages.
func marker(env string) string { return filepath.Join(env, ".complete") }

func complete(env string) bool {
	_, err := os.Stat(marker(env))
	return err == nil
}

func have(env string, packages []string) bool {
	b, err := plainfile.Read(marker(env))
	if err != nil {
		return false
	}
	has := map[string]bool{}
	for _, p := range strings.Fields(string(b)) {
		has[p] = true
	}
	for _, p := range packages {
		if !has[p] {
			return false
		}
	}
	return true
}

type installer struct {
	ctx     context.Context
	env     string
	version flwr.Version
	from    string // in place of flwr==version; ""
	say     func(string)
	locks   fs.FS
	installers
}

func (i installer) install(packages []string) (err error) {
	fresh := !complete(i.env)
	if fresh {
		if err := os.RemoveAll(i.env); err != nil {
			return installProblem("remove what an earlier installation left in "+i.env, err.Error(), err)
		}
		defer func() {
			if err != nil {
				os.RemoveAll(i.env) //nolint:errcheck // without its marker it counts for nothing
			}
		}()
	} else {
		b, _ := plainfile.Read(marker(i.env))
		packages = append(strings.Fields(string(b)), packages...)
	}
	if fresh {
		if err := i.make(); err != nil {
			return err
		}
	}
	lock := ""
	if i.from == "" {
		lock = i.lock(i.locks)
	}
	if fresh && lock != "" {
		err = i.locked(lock)
	}
	switch {
	case err != nil:
	case lock != "":
		err = i.further(lock, packages)
	default:
		err = i.packages(append([]string{cmp.Or(i.from, "flwr=="+i.version.String())}, packages...))
	}
	if err != nil {
		return err
	}
	return os.WriteFile(marker(i.env), []byte(strings.Join(packages, "\n")+"\n"), 0o600)
}

// make makes the empty environment.
func (i installer) make() error {
	i.say("making an environment in " + i.env)
	if i.uv != "" {
		// uv fetches a Python of its own when the machine has none that fits.
		_, err := i.run(i.uv, "venv", "--no-project", "--python", fmt.Sprintf(">=3.%d,<3.14", flwr.DialectOf(i.version).MinPython), i.env)
		return err
	}
	python, err := findPython(i.ctx, i.version)
	if err != nil {
		return err
	}
	_, err = i.run(python, "-I", "-m", "venv", i.env)
	return err
}

// pythonNames are the programs that may be a Python, the best first.
var pythonNames = [...]string{"python3", "python3.13", "python3.12", "python3.11", "python3.10", "python"}

// findPython finds a Python that the wanted flwr can use.
func findPython(ctx context.Context, wanted flwr.Version) (string, error) {
	var old string
	for _, name := range pythonNames {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		out, err := child.Ask(ctx, answerWait, path, "-I", "-c", "import sys;print('%d.%d'%sys.version_info[:2])")
		v, perr := flwr.ParseVersion(strings.TrimSpace(out))
		if err != nil || perr != nil {
			continue
		}
		if v.Major == 3 && v.Minor >= flwr.DialectOf(wanted).MinPython {
			return path, nil
		}
		old = fmt.Sprintf("%s is Python %d.%d", path, v.Major, v.Minor)
	}
	need := fmt.Sprintf("flwr %s needs Python 3.%d or newer", wanted, flwr.DialectOf(wanted).MinPython)
	if old != "" {
		return "", problem.New(problem.PythonMissing, "the Python here is too old: "+old, need,
			fmt.Sprintf("install Python 3.%d or newer, or uv, which brings its own", flwr.DialectOf(wanted).MinPython))
	}
	return "", problem.New(problem.PythonMissing, "there is no Python on this machine", need,
		"install Python from python.org or your system's packages, or uv, which brings its own")
}

// packages installs a flwr that has no lock. The newest flwr may ask for a certifi that an index does not
// have yet. An older one does as well, but only uv accepts that instruction.
func (i installer) packages(wanted []string) error {
	i.say("installing " + strings.Join(wanted, " "))
	python := program(binOf(i.env), "python")
	var out string
	var err error
	if i.uv != "" {
		out, err = i.run(i.uv, append([]string{"pip", "install", "--compile-bytecode", "--python", python}, wanted...)...)
	} else {
		out, err = i.pip(python, wanted...)
	}
	if err == nil || !strings.Contains(out, "certifi") || i.ctx.Err() != nil {
		return err
	}
	i.say("the index lacks the certifi that flwr asks for; trying with another one")
	if i.uv == "" {
		if _, err := i.pip(python, "uv"); err != nil {
			return err
		}
		i.uv = program(binOf(i.env), "uv")
	}
	override := filepath.Join(i.dir, "override.txt")
	if err := os.WriteFile(override, []byte("certifi>=2025\n"), 0o600); err != nil {
		return installProblem("install flwr "+i.version.String(), err.Error(), err)
	}
	_, err = i.run(i.uv, append([]string{"pip", "install", "--compile-bytecode", "--python", python, "--override", override}, wanted...)...)
	return err
}

func (i installer) pip(python string, wanted ...string) (string, error) {
	return i.run(python, append([]string{"-I", "-m", "pip", "install", "--disable-pip-version-check", "--progress-bar", "off"}, wanted...)...)
}

// run runs a step of the installation, sends its lines to say, and returns its output.
func (i installer) run(name string, args ...string) (string, error) {
	i.say("$ " + strings.Join(append([]string{filepath.Base(name)}, i.with(name, args)...), " "))
	return i.installers.run(i.ctx, "install flwr "+i.version.String(), i.say, "", name, args...)
}

// installRules map output of uv, pip and venv to the reason of a failed installation.
var installRules = [...]struct {
	code           problem.Code
	pattern        *regexp.Regexp
	what, why, fix string
}{
	{problem.FlwrInstall, regexp.MustCompile(`(?i)no space left|disk quota exceeded|not enough space`),
		"the disk is full", "an environment needs about 700 MB", "make room, then try again"},
	{problem.FlwrInstall, regexp.MustCompile(`(?i)read-only file system|permission denied|access is denied`),
		"the folder for the environment cannot be written", "", "make it writable, or point XDG_CACHE_HOME at a folder that is"},
	{problem.PythonMissing, regexp.MustCompile(`ensurepip is not|No module named '?(venv|ensurepip)|python3-venv`),
		"this Python cannot make environments", "the system splits it off", "sudo apt install python3-venv, or install uv"},
	{problem.PythonMissing, regexp.MustCompile(`(?i)no interpreter found|requires a different python|does not satisfy Python|no download found for request`),
		"there is no Python here that this flwr takes", "", "install Python 3.11 or newer, or another version of flwr"},
	{problem.FlwrInstall, regexp.MustCompile(`(?i)hash mismatch|do not match the hashes|expected sha256`),
		"the index gave a file that is not the one flwrup knows", "it was exchanged on the index or on the way from there",
		"install from the public index or an exact copy of it; if that is what you do, tell whoever runs it"},
	{problem.FlwrInstall, untrusted,
		"the package index's certificate is not trusted", "a proxy that reads the connection, with an authority of its own, or a wrong index",
		"get the proxy's CA certificate from whoever runs your network, `export SSL_CERT_FILE=FILE` (a file with all authorities, PEM), and start flwrup again"},
	{problem.FlwrInstall, regexp.MustCompile(`(?i)failed to fetch|dns error|could not connect|connection (refused|reset|timed out)|temporary failure in name|network is unreachable|failed to establish a new connection|name or service not known|client error \(connect\)|read timed out|proxy|tunnel error`),
		"the package index cannot be reached", "no network, or a proxy in between", "check the network (HTTPS_PROXY where there is a proxy), then try again"},
	{problem.FlwrInstall, regexp.MustCompile(`(?i)no version of flwr|no matching distribution found for flwr|there is no version of flwr|could not find a version that satisfies the requirement flwr|not find.*flwr`),
		"the package index has no such version of flwr", "", "choose another version"},
	{problem.FlwrInstall, regexp.MustCompile(`(?i)no solution found|resolutionimpossible|no matching distribution found`),
		"the packages that flwr needs do not fit together on this index", "", "choose another version of flwr"},
}

// installProblem says why an installation failed, by its output.
func installProblem(doing, text string, err error) *problem.Problem {
	p := &problem.Problem{Code: problem.FlwrInstall, What: doing + " failed", Raw: termsafe.Text(text), Err: err,
		Fix: "read the lines above, or install flwr yourself and say where it is"}
	var missing *exec.Error
	if errors.As(err, &missing) {
		p.Why = err.Error()
	}
	flat := strings.Join(strings.Fields(text+" "+fmt.Sprint(err)), " ")
	for _, r := range installRules {
		if r.pattern.MatchString(flat) {
			p.Code, p.What, p.Why, p.Fix = r.code, doing+" failed: "+r.what, r.why, r.fix
			break
		}
	}
	return p
}

var newestPattern = regexp.MustCompile(`(?m)^flwr(?:==| \()([0-9][^\s)]*)`)

// newestFlwr asks the package index for the newest release of flwr that the machine's uv, or else pip,
// would install.
func newestFlwr(ctx context.Context) (string, error) {
	const doing = "look for the newest flwr"
	quiet := func(string) {}
	tools, err := openInstallers(quiet)
	if err != nil {
		return "", err
	}
	defer tools.close()
	var out string
	if tools.uv != "" {
		out, err = tools.run(ctx, doing, quiet, "flwr\n", tools.uv, "pip", "compile", "--no-deps", "--quiet",
			"--no-header", "--no-annotate", "--python-version", "3.12", "-")
	} else {
		python, perr := findPython(ctx, flwr.Latest().Version)
		if perr != nil {
			return "", perr
		}
		list := []string{"-I", "-m", "pip", "index", "versions", "--disable-pip-version-check", "flwr"}
		out, err = tools.run(ctx, doing, quiet, "", python, list...)
		if err != nil && strings.Contains(out, "No module named pip") {
			// A system's Python may come without pip; its environments have one.
			env := filepath.Join(tools.dir, "pip")
			if out, err = tools.run(ctx, doing, quiet, "", python, "-I", "-m", "venv", env); err == nil {
				out, err = tools.run(ctx, doing, quiet, "", program(binOf(env), "python"), list...)
			}
		}
	}
	if err != nil {
		return "", err
	}
	m := newestPattern.FindStringSubmatch(out)
	if m == nil {
		return "", installProblem(doing, out, errors.New("the index gave no version of flwr"))
	}
	return m[1], nil
}
