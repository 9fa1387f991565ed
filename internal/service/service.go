// Package service has the system run `flwrup watch` without a terminal: as a unit of the user's own systemd, or as an agent
// of launchd. It writes one file for all folders, and changes or removes none that somebody else wrote or has changed.
package service

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"flwrup/internal/atomicfile"
	"flwrup/internal/child"
	"flwrup/internal/plainfile"
	"flwrup/internal/problem"
	"flwrup/internal/shell"
	"flwrup/internal/termsafe"
	"flwrup/internal/turn"
	"flwrup/internal/userdirs"
)

// The names of the service: systemd's, and launchd's.
const (
	Unit  = "flwrup-watch.service"
	Label = turn.AgentLabel
)

const mostFile = 256 << 10 // bytes of a unit

// Watch says what the service runs.
type Watch struct {
	Program string            `json:"program"` // flwrup, absolute
	Folders []string          `json:"folders"` // absolute
	Args    []string          `json:"args,omitempty"`
	Env     map[string]string `json:"env,omitempty"`   // no secrets: they are in the file
	Plain   bool              `json:"plain,omitempty"` // a SuperNode is a plain process: a child of the watch, with what the unit leaves it
}

// Done is what became of a file.
type Done struct {
	File    string
	Watch   Watch    // as it is now; no folders: the file is gone
	Notes   []string // sentences for the person
	Logs    string   // the command, or the file, that has the log
	Removed bool
}

// Manager is what runs services on a system. The zero value is none.
type Manager struct {
	system string // linux, darwin
	env    func(string) string
	run    func(ctx context.Context, program string, args ...string) (string, error)
	root   string // before the paths of the system; "" but in tests
}

// Here returns the manager of this machine.
func Here() Manager {
	return Manager{system: runtime.GOOS, env: os.Getenv, run: run}
}

func run(ctx context.Context, program string, args ...string) (string, error) {
	out, err := child.Tool(ctx, program, args...).CombinedOutput()
	return strings.TrimSpace(termsafe.Text(string(out))), err
}

// check returns the Problem of a system without a manager that flwrup knows.
func (m Manager) check() error {
	switch m.system {
	case "linux":
		if _, err := os.Stat(m.root + "/run/systemd/system"); err != nil {
			return problem.New(problem.Unsupported, "cannot install a service", "systemd does not run this system",
				"have what starts services here run: flwrup watch DIR…")
		}
		return nil
	case "darwin":
		return nil
	case "windows":
		return problem.New(problem.Unsupported, "cannot install a service", "flwrup installs none on Windows",
			"keep `flwrup watch` running in a terminal, or make a scheduled task that runs it when you sign in")
	}
	return problem.New(problem.Unsupported, "cannot install a service", "flwrup knows no service manager of "+m.system, "have what starts services here run: flwrup watch DIR…")
}

// config is the folder for the user's own settings.
func (m Manager) config() (string, error) {
	if dir := m.env("XDG_CONFIG_HOME"); filepath.IsAbs(dir) {
		return dir, nil
	}
	home, err := userdirs.Home()
	return filepath.Join(home, ".config"), err
}

// file is where the service's file lies.
func (m Manager) file() (string, error) {
	if m.system == "darwin" {
		home, err := userdirs.Home()
		return filepath.Join(home, "Library", "LaunchAgents", Label+".plist"), err
	}
	dir, err := m.config()
	return filepath.Join(dir, "systemd", "user", Unit), err
}

// EnvFile is a file with variables for the service, which the person writes: a line NAME=VALUE each.
func (m Manager) EnvFile() (string, error) {
	dir, err := m.config()
	return filepath.Join(dir, "flwrup", "watch.env"), err
}

// others are the places where a unit of the same name may be somebody else's.
func (m Manager) others() []string {
	if m.system != "linux" {
		return nil
	}
	var list []string
	for _, dir := range []string{"/etc/systemd/user", "/run/systemd/user", "/usr/local/lib/systemd/user", "/usr/lib/systemd/user"} {
		list = append(list, filepath.Join(m.root+dir, Unit))
	}
	return list
}

// errForeign is the reason why a file is left alone.
var errForeign = errors.New("somebody else wrote it, or changed it since")

// Installed returns what the service runs; no folders where there is none of flwrup's. A file that somebody else wrote or
// changed is an error.
func (m Manager) Installed() (Watch, error) {
	path, err := m.file()
	if err != nil {
		return Watch{}, err
	}
	return readFile(path)
}

func readFile(path string) (w Watch, err error) {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Watch{}, nil
	case err != nil:
		return Watch{}, err
	case !info.Mode().IsRegular(): // a link to another file, or to /dev/null, which masks the unit
		return Watch{}, errForeign
	}
	text, err := plainfile.ReadAtMost(path, mostFile)
	if err != nil {
		return Watch{}, err
	}
	return parse(text)
}

// For reports whether the service watches a folder. It reads one small file.
func For(dir string) bool {
	m := Here()
	if m.system != "linux" && m.system != "darwin" {
		return false
	}
	w, err := m.Installed()
	return err == nil && slices.Contains(w.Folders, dir)
}

const mark = "flwrup: "

// signed puts a line before text that says what it is for, with a hash by which a change of the text shows.
func signed(begin, text, end string, w Watch) string {
	j, _ := json.Marshal(struct {
		Watch
		Sum string `json:"sum"`
	}{w, sum(text)})
	return begin + mark + strings.ReplaceAll(string(j), "-", `\u002d`) + end + "\n" + text // no two hyphens: a comment of XML
}

func sum(text string) string {
	h := sha256.Sum256([]byte(text))
	return hex.EncodeToString(h[:])
}

// parse reads a file that signed wrote; errForeign for every other.
func parse(text []byte) (Watch, error) {
	for range 5 { // a head of XML comes first
		line, rest, ok := bytes.Cut(text, []byte("\n"))
		if !ok {
			break
		}
		if _, after, has := strings.Cut(string(line), mark); has {
			var got struct {
				Watch
				Sum string `json:"sum"`
			}
			if json.NewDecoder(strings.NewReader(after)).Decode(&got) != nil || got.Sum != sum(string(rest)) {
				return Watch{}, errForeign
			}
			return got.Watch, nil
		}
		text = rest
	}
	return Watch{}, errForeign
}

// Install has the service watch the folders of w, in addition to those that it watches already.
func (m Manager) Install(ctx context.Context, w Watch) (Done, error) {
	if err := m.check(); err != nil {
		return Done{}, err
	}
	path, err := m.mine()
	if err != nil {
		return Done{}, err
	}
	before, err := readFile(path)
	if err != nil {
		return Done{}, foreign(path, err)
	}
	for _, dir := range before.Folders {
		if _, err := os.Stat(dir); err == nil && !slices.Contains(w.Folders, dir) {
			w.Folders = append(w.Folders, dir)
		}
	}
	slices.Sort(w.Folders)
	w.Plain = w.Plain || before.Plain && len(before.Folders) > 0 && !sameFolders(before.Folders, w.Folders)
	if len(w.Args) == 0 {
		w.Args = before.Args
	}
	for _, text := range append(append([]string{w.Program}, w.Folders...), w.Args...) {
		if text == "" || strings.ContainsFunc(text, func(r rune) bool { return r < 0x20 || r == 0x7f || r == 0xfffd }) || strings.TrimSpace(text) != text || strings.HasSuffix(text, `\`) {
			return Done{}, problem.New(problem.BadInput, "cannot install a service", "its file cannot name "+termsafe.Quote(text), "rename it")
		}
	}
	if err := userdirs.Program(w.Program); err != nil {
		return Done{}, err
	}
	return m.write(ctx, path, w)
}

func sameFolders(a, b []string) bool { return slices.Equal(slices.Sorted(slices.Values(a)), b) }

// mine returns the path of the file, once nobody else's has its name.
func (m Manager) mine() (string, error) {
	path, err := m.file()
	if err != nil {
		return "", err
	}
	for _, other := range m.others() {
		if _, err := os.Lstat(other); err == nil {
			return "", foreign(other, errForeign)
		}
	}
	return path, nil
}

func foreign(path string, err error) error {
	if !errors.Is(err, errForeign) {
		return &problem.Problem{Code: problem.BadInput, What: "cannot read " + path, Why: problem.Cause(err), Fix: "make it readable for you", Err: err}
	}
	return problem.New(problem.BadInput, "flwrup leaves "+path+" alone", err.Error(), "look at it, and move it away or change it yourself")
}

// write writes the file and has the manager run it.
func (m Manager) write(ctx context.Context, path string, w Watch) (Done, error) {
	text, err := m.text(w)
	if err != nil {
		return Done{}, err
	}
	if err := userdirs.Private(filepath.Dir(path)); err != nil {
		return Done{}, err
	}
	if err := atomicfile.Write(path, []byte(text), 0o600); err != nil {
		return Done{}, &problem.Problem{Code: problem.BadInput, What: "cannot write " + path, Why: problem.Cause(err), Fix: "make its folder writable for you", Err: err}
	}
	d := Done{File: path, Watch: w, Logs: m.logs()}
	if m.system == "darwin" {
		err = m.startAgent(ctx, path)
	} else {
		err = m.startUnit(ctx)
		d.Notes = append(d.Notes, m.linger(ctx)...)
	}
	return d, err
}

// text is the file of the service.
func (m Manager) text(w Watch) (string, error) {
	env, err := m.EnvFile()
	if err != nil {
		return "", err
	}
	if m.system == "darwin" {
		home, err := userdirs.Home()
		return plist(w, home), err
	}
	return unit(w, env), nil
}

func (m Manager) logs() string {
	if m.system == "darwin" {
		if home, err := userdirs.Home(); err == nil {
			return "tail -f " + shell.Path(logFile(home))
		}
	}
	return "journalctl --user -u " + strings.TrimSuffix(Unit, ".service") + " -f"
}

// Uninstall has the service watch the folders no more; without any left it ends, and its file goes.
func (m Manager) Uninstall(ctx context.Context, folders []string) (Done, error) {
	if err := m.check(); err != nil {
		return Done{}, err
	}
	path, err := m.file()
	if err != nil {
		return Done{}, err
	}
	w, err := readFile(path)
	if err != nil {
		return Done{}, foreign(path, err)
	}
	left := slices.DeleteFunc(slices.Clone(w.Folders), func(dir string) bool { return slices.Contains(folders, dir) })
	if len(left) == len(w.Folders) {
		why := "no service of flwrup's is installed"
		if len(left) > 0 {
			why = "it watches " + strings.Join(left, ", ")
		}
		return Done{}, problem.New(problem.BadInput, "no service watches "+strings.Join(folders, ", "), why, "name one of its folders: flwrup watch --uninstall DIR")
	}
	if w.Folders = left; len(left) > 0 {
		return m.write(ctx, path, w)
	}
	if m.system == "darwin" {
		err = m.stopAgent(ctx)
	} else {
		err = m.stopUnit(ctx)
	}
	if err != nil {
		return Done{}, err
	}
	if err := os.Remove(path); err != nil {
		return Done{}, &problem.Problem{Code: problem.BadInput, What: "cannot remove " + path, Why: problem.Cause(err), Fix: "remove it", Err: err}
	}
	if m.system == "linux" {
		_, _ = m.run(ctx, "systemctl", "--user", "daemon-reload") // it goes by the file at the next login at the latest
	}
	return Done{File: path, Removed: true}, nil
}

// failed is the Problem of a manager that does not do its part. The file is written then.
func failed(what, said, fix string, err error) error {
	p := problem.New(problem.BadInput, what, strings.ReplaceAll(said, "\n", "; "), fix)
	if p.Why == "" {
		p.Why = problem.Cause(err)
	}
	p.Err = err
	return p
}

func list(words []string) string {
	var quoted []string
	for _, w := range words {
		quoted = append(quoted, shell.Word(w))
	}
	return strings.Join(quoted, " ")
}

// Says describes what the service does: "flwrup watch /srv/study".
func (w Watch) Says() string {
	return strings.TrimSpace("flwrup watch " + list(slices.Concat(w.Args, w.Folders)))
}
