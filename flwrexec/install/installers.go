package install

import (
	"cmp"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"

	"flwrup/internal/child"
	"flwrup/internal/problem"
	"flwrup/internal/termsafe"
	"flwrup/internal/userdirs"
)

// installers are uv and pip, with a private folder to work in. The settings of the user and of the system
// count: at many a hospital they name the index. Settings from a working folder or a shared temporary folder
// never do.
type installers struct {
	uv   string   // "" where there is none
	args []string // the first ones of uv
	dir  string   // working folder, removed by close
	env  []string
}

// scratchAge is the age at which a working folder counts as left by a killed installation.
const scratchAge = 24 * time.Hour

// openInstallers looks for uv and makes the working folder. A file of settings that another user can
// write is a Problem.
func openInstallers(say func(string)) (installers, error) {
	root, err := userdirs.Cache("installing")
	if err != nil {
		return installers{}, err
	}
	if err := userdirs.Private(root); err != nil {
		return installers{}, err
	}
	left, _ := filepath.Glob(filepath.Join(globEscape(root), "*"))
	for _, dir := range left {
		if info, err := os.Lstat(dir); err == nil && time.Since(info.ModTime()) > scratchAge {
			os.RemoveAll(dir) //nolint:errcheck // it takes up space and nothing else
		}
	}
	var t installers
	if t.dir, err = os.MkdirTemp(root, ""); err != nil {
		return t, installProblem("make a folder in "+root, err.Error(), err)
	}
	temp := filepath.Join(t.dir, "tmp")
	if err := os.Mkdir(temp, 0o700); err != nil {
		t.close()
		return t, installProblem("make a folder in "+root, err.Error(), err)
	}
	t.env = []string{"NO_COLOR=1", "PYTHONUTF8=1", "PIP_NO_INPUT=1", "UV_NO_PROGRESS=1", "TMPDIR=" + temp, "TMP=" + temp, "TEMP=" + temp}
	t.env = append(t.env, authorities(os.Getenv)...)
	if t.uv, err = exec.LookPath("uv"); err == nil {
		err = t.uvSettings(say)
	} else {
		err = t.pipSettings(say)
	}
	if err != nil {
		t.close()
	}
	return t, err
}

func (t installers) close() { os.RemoveAll(t.dir) } //nolint:errcheck // the next one clears what is left

// run runs uv or pip, sends its lines to say, and returns its output. uv brings its own list of authorities; where
// the index has a certificate of another one, such as a proxy's, it runs again with those of this machine.
func (t installers) run(ctx context.Context, doing string, say func(string), stdin, name string, args ...string) (string, error) {
	out, err := t.once(ctx, doing, say, stdin, name, args...)
	if err != nil && name == t.uv && ctx.Err() == nil && os.Getenv("UV_SYSTEM_CERTS") == "" && untrusted.MatchString(out) {
		say("uv does not know the authority of the index's certificate: trying again with those that this machine trusts")
		t.env = append(slices.Clone(t.env), "UV_SYSTEM_CERTS=1", "UV_NATIVE_TLS=1") // the second for uv before 0.9
		out, err = t.once(ctx, doing, say, stdin, name, args...)
	}
	return out, err
}

// untrusted finds in the output of uv and pip that a certificate has an authority that they do not know.
var untrusted = regexp.MustCompile(`(?i)UnknownIssuer|invalid peer certificate|CERTIFICATE_VERIFY_FAILED|certificate verify failed|unable to get local issuer`)

// authorities returns the variables that name to uv and to pip the same file with authorities that the person named
// to the one or the other: uv reads SSL_CERT_FILE, pip REQUESTS_CA_BUNDLE.
func authorities(env func(string) string) []string {
	var list []string
	file := cmp.Or(env("REQUESTS_CA_BUNDLE"), env("CURL_CA_BUNDLE"))
	if file != "" && env("SSL_CERT_FILE") == "" {
		list = append(list, "SSL_CERT_FILE="+file)
	}
	if own := env("SSL_CERT_FILE"); own != "" && file == "" && env("PIP_CERT") == "" {
		list = append(list, "PIP_CERT="+own)
	}
	return list
}

func (t installers) once(ctx context.Context, doing string, say func(string), stdin, name string, args ...string) (string, error) {
	cmd := child.Command(ctx, t.dir, name, t.with(name, args)...)
	kept := child.NewTail(32 << 10)
	lines := &termsafe.Splitter{Each: func(l string) error {
		kept.Write([]byte(l + "\n")) //nolint:errcheck // never fails
		say(l)
		return nil
	}}
	cmd.Stdout, cmd.Stderr = lines, lines // one writer: os/exec then uses one pipe
	if stdin != "" {
		cmd.Stdin = strings.NewReader(stdin)
	}
	env := cmd.Env[:0]
	for _, kv := range cmd.Env {
		if name, _, _ := strings.Cut(kv, "="); !elsewhere[strings.ToUpper(name)] {
			env = append(env, kv)
		}
	}
	cmd.Env = append(env, t.env...)
	err := cmd.Run()
	lines.Close() //nolint:errcheck // Each never fails
	if ctx.Err() != nil {
		return kept.String(), problem.Stopped(context.Cause(ctx), "flwr was stopped", "")
	}
	if err != nil {
		return kept.String(), installProblem(doing, kept.String(), err)
	}
	return kept.String(), nil
}

// with returns the arguments to run name with.
func (t installers) with(name string, args []string) []string {
	if name != t.uv {
		return args
	}
	return append(slices.Clone(t.args), args...)
}

// elsewhere are the variables that make pip and uv install something else, or somewhere else.
var elsewhere = map[string]bool{
	"PIP_TARGET": true, "PIP_PREFIX": true, "PIP_ROOT": true, "PIP_USER": true, "PIP_REQUIREMENT": true, "PIP_EDITABLE": true,
	"UV_SYSTEM_PYTHON": true, "UV_PROJECT_ENVIRONMENT": true, "UV_WORKING_DIRECTORY": true,
}

// uvSettings decides which settings uv uses: none, or the user's and the system's. uv joins these with the
// first uv.toml of the working folder and those above, so an empty one of ours is there.
// https://docs.astral.sh/uv/concepts/configuration-files/
func (t *installers) uvSettings(say func(string)) error {
	if file := os.Getenv("UV_CONFIG_FILE"); file != "" {
		t.env = append(t.env, "UV_CONFIG_FILE="+userdirs.Abs(file))
		say("uv takes its settings from " + userdirs.Abs(file))
		return userdirs.Check(userdirs.Abs(file))
	}
	own, err := trusted(uvFiles(), "uv", say)
	if err != nil {
		return err
	}
	if !own {
		t.args = []string{"--no-config"}
		return nil
	}
	return os.WriteFile(filepath.Join(t.dir, "uv.toml"), nil, 0o600)
}

// uvFiles returns the places of uv's settings, those that count first.
func uvFiles() []string {
	if runtime.GOOS == "windows" {
		return []string{filepath.Join(os.Getenv("APPDATA"), "uv", "uv.toml"), filepath.Join(os.Getenv("PROGRAMDATA"), "uv", "uv.toml")}
	}
	return append(configFiles(filepath.Join("uv", "uv.toml")), "/etc/uv/uv.toml")
}

// pipSettings refuses settings of pip that another user can write. pip reads no working folder.
// https://pip.pypa.io/en/stable/topics/configuration/
func (t *installers) pipSettings(say func(string)) error {
	if file := os.Getenv("PIP_CONFIG_FILE"); file != "" {
		if file == os.DevNull {
			return nil
		}
		t.env = append(t.env, "PIP_CONFIG_FILE="+userdirs.Abs(file))
		say("pip takes its settings from " + userdirs.Abs(file))
		return userdirs.Check(userdirs.Abs(file))
	}
	_, err := trusted(pipFiles(), "pip", say)
	return err
}

// pipFiles returns the places of pip's settings, those that count first.
func pipFiles() []string {
	files := configFiles(filepath.Join("pip", "pip.conf"))
	if home, err := userdirs.Home(); err == nil {
		files = append(files, filepath.Join(home, ".pip", "pip.conf"), filepath.Join(home, "Library", "Application Support", "pip", "pip.conf"),
			filepath.Join(home, "pip", "pip.ini"))
	}
	if runtime.GOOS == "windows" {
		files = append(files, filepath.Join(os.Getenv("APPDATA"), "pip", "pip.ini"), filepath.Join(os.Getenv("PROGRAMDATA"), "pip", "pip.ini"))
	} else {
		files = append(files, "/etc/pip.conf", "/Library/Application Support/pip/pip.conf")
	}
	return files
}

// configFiles returns the places of a settings file below the user's and the system's folders.
func configFiles(name string) []string {
	var files []string
	config := os.Getenv("XDG_CONFIG_HOME")
	if home, err := userdirs.Home(); config == "" && err == nil {
		config = filepath.Join(home, ".config")
	}
	dirs := os.Getenv("XDG_CONFIG_DIRS")
	if dirs == "" {
		dirs = "/etc/xdg"
	}
	for _, dir := range append([]string{config}, filepath.SplitList(dirs)...) {
		if filepath.IsAbs(dir) {
			files = append(files, filepath.Join(dir, name))
		}
	}
	return files
}

// trusted reports whether one of the files exists; a file that another user can write is a Problem.
func trusted(files []string, tool string, say func(string)) (bool, error) {
	found := false
	for _, file := range files {
		if _, err := os.Stat(file); err != nil || !filepath.IsAbs(file) {
			continue
		}
		if err := userdirs.Check(file); err != nil {
			return false, err
		}
		found = true
		say(tool + " takes its settings from " + file)
	}
	return found, nil
}
