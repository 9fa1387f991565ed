package service

import (
	"context"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"flwrup/internal/problem"
	"flwrup/internal/require"
)

// machine is a Manager in a home of its own, with what it was asked to run.
type machine struct {
	Manager
	home  string
	calls []string
	fails string // a call with this word fails
	says  string // answer of loginctl
}

func newMachine(t *testing.T, system string) *machine {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("paths of Unix")
	}
	m := &machine{home: t.TempDir()}
	t.Setenv("HOME", m.home)
	m.Manager = Manager{system: system, env: func(string) string { return "" }, root: t.TempDir()}
	m.run = func(_ context.Context, program string, args ...string) (string, error) {
		call := program + " " + strings.Join(args, " ")
		m.calls = append(m.calls, call)
		if m.fails != "" && strings.Contains(call, m.fails) {
			return "Failed to connect to bus: No medium found", errors.New("exit status 1")
		}
		return m.says, nil
	}
	if err := os.MkdirAll(filepath.Join(m.root, "run/systemd/system"), 0o755); err != nil {
		t.Fatal(err)
	}
	return m
}

func (m *machine) folder(t *testing.T, name string) string {
	t.Helper()
	dir := filepath.Join(m.home, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// One service for all folders: the second install adds its folder, each uninstall takes one away, the last one the file.
func TestInstallAndUninstall(t *testing.T) {
	for _, system := range []string{"linux", "darwin"} {
		m := newMachine(t, system)
		a, b := m.folder(t, "study a"), m.folder(t, "b")
		first, err := m.Install(t.Context(), Watch{Program: "/bin/true", Folders: []string{b}, Env: map[string]string{"PATH": "/usr/bin"}})
		if err != nil {
			t.Fatal(err)
		}
		second, err := m.Install(t.Context(), Watch{Program: "/bin/true", Folders: []string{a}, Args: []string{"--metrics", "127.0.0.1:9"}, Env: map[string]string{"PATH": "/opt/bin"}})
		if err != nil || !slices.Equal(second.Watch.Folders, []string{b, a}) && !slices.Equal(second.Watch.Folders, []string{a, b}) {
			t.Fatalf("%v %+v", err, second)
		}
		text := read(t, first.File)
		for _, want := range []string{a, b, "--metrics", "127.0.0.1:9", "/opt/bin"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: no %s in\n%s", system, want, text)
			}
		}
		if info, err := os.Stat(first.File); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%v %v", info.Mode(), err)
		}
		if w, err := m.Installed(); err != nil || len(w.Folders) != 2 {
			t.Errorf("%+v %v", w, err)
		}
		if _, err := m.Uninstall(t.Context(), []string{m.folder(t, "c")}); !problem.Is(err, problem.BadInput) || !strings.Contains(err.Error(), a) {
			t.Errorf("%v", err)
		}
		left, err := m.Uninstall(t.Context(), []string{b})
		if text := read(t, first.File); err != nil || left.Removed || strings.Contains(text, b+"\"") || !strings.Contains(text, a) || !strings.Contains(text, "/opt/bin") || !strings.Contains(text, "127.0.0.1:9") {
			t.Errorf("%v %+v\n%s", err, left, text)
		}
		m.calls = nil
		gone, err := m.Uninstall(t.Context(), []string{a})
		if _, serr := os.Stat(first.File); err != nil || !gone.Removed || serr == nil {
			t.Errorf("%v %+v", err, gone)
		}
		want := map[string]string{"linux": "systemctl --user disable --now flwrup-watch.service|systemctl --user daemon-reload", "darwin": "launchctl bootout " + domain() + "/flwrup.watch"}[system]
		if got := strings.Join(m.calls, "|"); got != want {
			t.Errorf("%s: %s", system, got)
		}
	}
}

// A file that somebody else wrote, or changed, stays as it is, and so does a link and what it leads to.
func TestForeignFilesStay(t *testing.T) {
	for _, system := range []string{"linux", "darwin"} {
		for name, put := range map[string]func(m *machine, path, ours string) error{
			"theirs": func(_ *machine, path, _ string) error {
				return os.WriteFile(path, []byte("[Service]\nExecStart=/opt/theirs\n"), 0o644)
			},
			"edited": func(_ *machine, path, ours string) error { return os.WriteFile(path, []byte(ours+"\n# mine\n"), 0o644) },
			"empty":  func(_ *machine, path, _ string) error { return os.WriteFile(path, nil, 0o644) },
			"forged head": func(_ *machine, path, _ string) error {
				return os.WriteFile(path, []byte("# flwrup: {\"folders\":[\"/x\"],\"sum\":\"0\"}\nx\n"), 0o644)
			},
			"masked": func(_ *machine, path, _ string) error { return os.Symlink("/dev/null", path) },
			"a link": func(m *machine, path, ours string) error {
				target := filepath.Join(m.home, "dotfiles")
				return errors.Join(os.WriteFile(target, []byte(ours), 0o644), os.Symlink(target, path))
			},
			"a folder": func(_ *machine, path, _ string) error { return os.Mkdir(path, 0o755) },
		} {
			m := newMachine(t, system)
			dir := m.folder(t, "study")
			d, err := m.Install(t.Context(), Watch{Program: "/bin/true", Folders: []string{dir}})
			if err != nil {
				t.Fatal(err)
			}
			ours := read(t, d.File)
			if err := errors.Join(os.Remove(d.File), put(m, d.File, ours)); err != nil {
				t.Fatal(err)
			}
			before, _ := os.Lstat(d.File)
			text, _ := os.ReadFile(d.File)
			m.calls = nil
			for word, err := range map[string]error{
				"install":   second(m.Install(t.Context(), Watch{Program: "/bin/true", Folders: []string{dir}})),
				"uninstall": second(m.Uninstall(t.Context(), []string{dir})),
			} {
				if !problem.Is(err, problem.BadInput) || problem.Of(err).Fix == "" {
					t.Errorf("%s, %s: %v", name, word, err)
				}
			}
			after, err := os.Lstat(d.File)
			if now, _ := os.ReadFile(d.File); err != nil || after.Mode() != before.Mode() || string(now) != string(text) || len(m.calls) > 0 {
				t.Errorf("%s on %s: it was changed, or %q was run", name, system, m.calls)
			}
		}
	}
	m := newMachine(t, "linux")
	other := m.others()[0]
	if err := errors.Join(os.MkdirAll(filepath.Dir(other), 0o755), os.WriteFile(other, []byte("[Service]\n"), 0o644)); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Install(t.Context(), Watch{Program: "/bin/true", Folders: []string{m.folder(t, "x")}}); err == nil || !strings.Contains(err.Error(), other) {
		t.Errorf("a unit of the administrator: %v", err)
	}
}

func second[T any](_ T, err error) error { return err }

// Where there is no systemd, or it does not answer, the person reads what to do.
func TestNoManager(t *testing.T) {
	m := newMachine(t, "linux")
	dir := m.folder(t, "study")
	m.fails = "daemon-reload"
	d, err := m.Install(t.Context(), Watch{Program: "/bin/true", Folders: []string{dir}})
	if !problem.Is(err, problem.BadInput) || !strings.Contains(err.Error(), "No medium found") || !strings.Contains(problem.Of(err).Fix, "systemctl --user enable --now") || d.File == "" {
		t.Errorf("%v %+v", err, d)
	}
	m.fails = "disable"
	if _, err := m.Uninstall(t.Context(), []string{dir}); err == nil {
		t.Error("it runs on, and its file is gone")
	}
	if _, err := os.Stat(d.File); err != nil {
		t.Error(err)
	}
	m.fails = ""
	if err := os.RemoveAll(filepath.Join(m.root, "run")); err != nil {
		t.Fatal(err)
	}
	for _, system := range []string{"linux", "windows", "freebsd"} {
		m.system = system
		for _, err := range []error{second(m.Install(t.Context(), Watch{Program: "/bin/true", Folders: []string{dir}})), second(m.Uninstall(t.Context(), []string{dir}))} {
			if !problem.Is(err, problem.Unsupported) || !strings.Contains(problem.Of(err).Fix, "flwrup watch") {
				t.Errorf("%s: %v", system, err)
			}
		}
	}
}

func TestLinger(t *testing.T) {
	for says, want := range map[string]string{"yes": "whether you are logged in or not", "no": "loginctl enable-linger"} {
		m := newMachine(t, "linux")
		m.says = says
		d, err := m.Install(t.Context(), Watch{Program: "/bin/true", Folders: []string{m.folder(t, "x")}})
		if text := strings.Join(d.Notes, "\n"); err != nil || !strings.Contains(text, want) || strings.Contains(text, "enable-linger") != (says == "no") {
			t.Errorf("%s: %v %s", says, err, text)
		}
	}
}

// odd are folders with all that a unit takes for its own.
var odd = []string{"/srv/a b", "/srv/100% $HOME ${x} \"q\" 'y' \\z", "/srv/-x", "/srv/ä;b#c"}

// TestUnitIsRead: systemd finds no fault in the unit, for containers and for plain processes, whatever the folders are called.
func TestUnitIsRead(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		require.Missing(t, "docker", "no systemd-analyze on PATH")
	}
	for _, plain := range []bool{false, true} {
		dir := t.TempDir()
		path := filepath.Join(dir, Unit)
		text := unit(Watch{Program: "/bin/true", Folders: odd, Args: []string{"--metrics", "127.0.0.1:9464"}, Plain: plain,
			Env: map[string]string{"PATH": "/usr/bin:/opt/a b/100%", "XDG_STATE_HOME": `/x "y" \z $1`}}, "/home/a b/100%/watch.env")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(analyze, "verify", "--user", path)
		cmd.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+t.TempDir())
		if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("%v\n%s\n%s", err, out, text)
		}
		if strings.Contains(text, "NoNewPrivileges=yes") == plain || strings.Contains(text, "KillMode=process") != plain {
			t.Error(text)
		}
	}
	if _, err := newMachine(t, "linux").Install(t.Context(), Watch{Program: "/bin/true", Folders: []string{"/srv/x\nExecStartPre=/bin/evil"}}); !problem.Is(err, problem.BadInput) {
		t.Errorf("a folder with a line feed: %v", err)
	}
}

// TestPlistIsRead: the agent is well-formed, and its words come out as they went in.
func TestPlistIsRead(t *testing.T) {
	w := Watch{Program: "/bin/true", Folders: append(slices.Clone(odd), "/srv/<a>&b--c"), Args: []string{"--metrics", "127.0.0.1:9464"}, Env: map[string]string{"PATH": "/x&y"}}
	text := plist(w, "/Users/ada")
	var words []string
	d := xml.NewDecoder(strings.NewReader(text))
	for {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if s, is := token.(xml.StartElement); is && s.Name.Local == "string" {
			var word string
			if err := d.DecodeElement(&word, &s); err != nil {
				t.Fatal(err)
			}
			words = append(words, word)
		}
	}
	for _, word := range slices.Concat(w.Folders, w.Args, []string{"/x&y", "/Users/ada/Library/Logs/flwrup-watch.log", Label}) {
		if !slices.Contains(words, word) {
			t.Errorf("no %q in %q", word, words)
		}
	}
	if got, err := parse([]byte(text)); err != nil || !slices.Equal(got.Folders, w.Folders) {
		t.Errorf("%v %+v", err, got)
	}
	if python, err := exec.LookPath("python3"); err == nil { // it has a reader of property lists
		cmd := exec.Command(python, "-c", "import io,plistlib,sys; d=plistlib.load(io.BytesIO(sys.stdin.buffer.read())); sys.exit(d['ProgramArguments'][-1] != '/srv/<a>&b--c' or d['KeepAlive'] != {'SuccessfulExit': False} or d['Umask'] != 0o077)")
		cmd.Stdin = strings.NewReader(text)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	}
}
