//go:build linux

package e2e

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"flwrup/internal/ptytest"
	"flwrup/internal/require"
	"flwrup/internal/termsafe"
)

// mostKeys is how often a person has to press Enter between an empty folder and the dashboard.
const mostKeys = 12

// TestWizard goes from an empty folder to the dashboard with three SuperNodes online, as containers, as a
// person does who knows Enter, and who leaves at steps 7 and 12. On the way back comes what a hostile log
// can do, and how it all ends by a signal. The same rehearsal then goes on to its run from the command line, as
// TestRehearse does.
func TestWizard(t *testing.T) {
	require.Image(t, "1.24.0")
	h := newHome(t, "1.24.0")
	dir := filepath.Join(h.dir, "Übung with spaces")
	t.Cleanup(func() {
		if _, err := os.Stat(dir); err == nil {
			h.run("down", "--dir", dir)
		}
	})
	start := func() *ptytest.Terminal {
		return h.onTerminal(120, 40, "rehearse", "--flwr", "1.24.0", "--runtime", "docker", "--dir", dir)
	}
	began := time.Now()

	s := start()
	presses := s.EnterUntil("hidden as you type", 2*time.Minute) // step 7 asks for the passphrase of the backup
	s.Press("\x1b")
	s.Wait("Enter asks again")
	s.Press("q")
	s.Over(0)
	made := keyFiles(t, dir)
	if len(made) == 0 {
		t.Fatal("no keys at step 7")
	}

	s = start()
	s.Wait("7  Back up the keys")
	presses += s.EnterUntil("continuing to Start", 2*time.Minute) // nobody has to be waited for here: 11 and 12 are done with 10
	s.Press("jj")                                                 // a key holds it: nothing starts
	s.Wait("12  Wait for the confirmation")
	s.Wait("3 of 3 confirmed")
	s.Press("q")
	s.Over(0)
	ids := ledgerNodes(t, dir)
	if len(ids) != 3 {
		t.Fatalf("three node IDs wanted at step 12, got %v", ids)
	}

	s = start()
	s.Wait("13  Start the SuperNodes")
	presses += s.EnterUntil("the grid calls 3 of 3 online", 2*time.Minute)
	s.Press("q")
	s.Over(0)

	s = start() // all is set up: the dashboard comes first
	s.Wait("3 of 3 SuperNodes online")
	t.Logf("at the dashboard after %d times Enter and %.0f s", presses, time.Since(began).Seconds())
	if presses > mostKeys {
		t.Errorf("%d times Enter to the dashboard, at most %d wanted", presses, mostKeys)
	}
	h.sideBySide(dir, s)
	if !maps.Equal(keyFiles(t, dir), made) {
		t.Error("the keys are other ones than at step 7")
	}
	if !maps.Equal(ledgerNodes(t, dir), ids) {
		t.Error("the node IDs are other ones than at step 12")
	}
	if online := h.flwrSays(dir)["online"]; online != 3 {
		t.Errorf("`flwr supernode list` says that %d are online, 3 wanted", online)
	}
	containers := containersOf(t, dir, "")
	if len(containers) != 3 {
		t.Errorf("three containers wanted, got %v", containers)
	}
	hostileLog(t, s, containers[0])

	// The grid that q kept stays, however the next flwrup ends; down ends it.
	for how, end := range map[string]func(){
		"SIGTERM": func() { s.Signal(syscall.SIGTERM); s.Over(130) },
		"SIGHUP":  func() { s.Signal(syscall.SIGHUP); s.Over(130) },
		"Ctrl-C":  func() { s.Press("\x03"); s.Over(130) },
	} {
		end()
		if up := containersOf(t, dir, "running"); len(up) != 3 {
			t.Errorf("%s: of three containers these run: %v", how, up)
		}
		s = h.onTerminal(120, 40, "--dir", dir)
		s.Wait("3 of 3 SuperNodes online")
	}
	s.Press("q")
	s.Over(0)
	h.rehearsed(dir, "1.24.0", "docker")
	h.tornDown(dir, "docker")
}

// sideBySide acts from other terminals while the dashboard s is open and does nothing.
func (h *home) sideBySide(dir string, s *ptytest.Terminal) {
	t := h.t
	t.Helper()
	h.must("stop", "supernode_3", "--dir", dir)
	began := time.Now()
	s.Wait("2 of 3 SuperNodes online")
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("the open dashboard shows after %s what another terminal did", took)
	}

	// Two verbs at the same time: one waits for the other.
	restarts := h.command(context.Background(), "restart", "supernode_1", "--dir", dir)
	if err := restarts.Start(); err != nil {
		t.Fatal(err)
	}
	h.acting(dir, "restarting supernode_1")
	hold := func(sig syscall.Signal) { // a restart may be over before a screen is drawn
		t.Helper()
		if err := restarts.Process.Signal(sig); err != nil {
			t.Error(err)
		}
	}
	hold(syscall.SIGSTOP)
	s.Wait("pid " + strconv.Itoa(restarts.Process.Pid))
	time.AfterFunc(2*time.Second, func() { hold(syscall.SIGCONT) })
	r := h.must("start", "supernode_3", "--dir", dir)
	if want := fmt.Sprintf("flwrup (pid %d) is restarting supernode_1; waiting…", restarts.Process.Pid); !strings.Contains(r.out, want) {
		t.Errorf("%q is not in\n%s", want, r.out)
	}
	if err := restarts.Wait(); err != nil {
		t.Errorf("restart: %v", err)
	}

	// A flwrup that is killed in the middle of its turn keeps no other one waiting.
	stops := h.command(context.Background(), "stop", "supernode_2", "--dir", dir)
	if err := stops.Start(); err != nil {
		t.Fatal(err)
	}
	h.acting(dir, "stopping supernode_2")
	if err := stops.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = stops.Wait()
	h.must("restart", "supernode_2", "--dir", dir) // Docker may still be stopping it

	second := h.onTerminal(120, 40, "--dir", dir)
	second.Wait("3 of 3 SuperNodes online")
	s.Wait("3 of 3 SuperNodes online")
	second.Press("q")
	second.Over(0)
}

// acting waits until a flwrup has the turn for what is said.
func (h *home) acting(dir, doing string) {
	h.t.Helper()
	eventually(h.t, 20*time.Second, func() string {
		note, err := os.ReadFile(filepath.Join(dir, ".flwrup", "lock.pid"))
		if err != nil || !strings.Contains(string(note), doing) {
			return "no flwrup is " + doing + ": " + string(note)
		}
		return ""
	})
}

// projectID returns the ID of the project in dir.
func projectID(t *testing.T, dir string) string {
	t.Helper()
	id, err := os.ReadFile(filepath.Join(dir, ".flwrup", "id"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(id))
}

// containersOf returns the names of the containers of the project in dir, in order; with a status only those.
func containersOf(t *testing.T, dir, status string) []string {
	t.Helper()
	return containersWith(t, projectID(t, dir), status)
}

// containersWith is containersOf for the ID of a project.
func containersWith(t *testing.T, id, status string) []string {
	t.Helper()
	args := []string{"ps", "-a", "--format", "{{.Names}}", "--filter", "label=flwrup.project=" + id}
	if status != "" {
		args = append(args, "--filter", "status="+status)
	}
	out, err := exec.Command("docker", args...).Output()
	if err != nil {
		t.Fatalf("docker ps: %v", err)
	}
	names := strings.Fields(string(out))
	slices.Sort(names)
	return names
}

// hostile is what a container may print to take over the terminal that shows its log.
var hostile = strings.Join([]string{
	"clipboard \x1b]52;c;aGVsbG8=\x07 eight bit \x9d52;c;aGVsbG8=\x9c",
	"title \x1b]0;OWNED\x07\x1b]2;OWNED\x1b\\ icon \x1b]1;OWNED\x07",
	"clear \x1b[2J\x1b[3J\x1b[H home \x1bc reset \x1b[!p",
	"screen \x1b[?1049l\x1b[?47l\x1b[?25h\x1b[?1000h\x1b[?1002h mouse",
	"scroll \x1b[1;2r\x1b[10A\x1b[99D\x1b[5;5HOVERWRITTEN",
	"ask \x1b[6n\x1b[c\x1b]11;?\x07\x05 device \x1bP+q544e\x1b\\ link \x1b]8;;http://example.com\x07here\x1b]8;;\x07",
	"long " + strings.Repeat("L", 1<<20),
	"invalid \xff\xfe\xc3\x28 utf8 \xed\xa0\x80 end",
	"bidi \u202eDERETLA\u202c \u2066isolated\u2069 zero\u200bwidth",
	"bar 1%\rbar 50%\rbar 100%",
	"back\b\b\b\b\b\bspace bell\a vertical\vtab form\ffeed",
	"unfinished \x1b]52;c;",
	"the hostile log ends here",
}, "\n") + "\n"

// hostileLog has a container print hostile, and looks at its log pane: nothing of it reaches the terminal.
func hostileLog(t *testing.T, s *ptytest.Terminal, container string) {
	s.Press("l")
	s.Wait("esc back")
	s.Wait("online · SuperNode ID")
	time.Sleep(time.Second) // until the panes have drawn what was there
	frame := func() []string {
		lines := strings.Split(s.Screen(), "\n")
		return []string{lines[0][:strings.Index(lines[0], "SuperNodes online")], lines[1], lines[38], lines[39]}
	}
	before, from := frame(), len(s.Output())
	cmd := exec.Command("docker", "exec", "-i", container, "python3", "-c",
		"import sys; open('/proc/1/fd/1', 'wb').write(sys.stdin.buffer.read())")
	cmd.Stdin = strings.NewReader(hostile)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("docker exec: %v\n%s", err, out)
	}
	s.Wait("the hostile log ends here")
	s.Wait("bar 100%")
	if after := frame(); !slices.Equal(after, before) {
		t.Errorf("outside the pane:\n%s\nbefore:\n%s", strings.Join(after, "\n"), strings.Join(before, "\n"))
	}
	title, cursor := s.Marks()
	if title != "" || cursor {
		t.Errorf("title %q, cursor shown: %v", title, cursor)
	}
	text := s.Screen()
	for _, line := range []string{"bar 1%", "bar 50%"} {
		if strings.Contains(text, line) {
			t.Errorf("%q was overwritten and is still there", line)
		}
	}
	out := s.Output()[from:]
	if !utf8.ValidString(out) {
		t.Error("invalid UTF-8 on the terminal")
	}
	for _, r := range out {
		if r != 0x1b && r != '\r' && r != '\n' && r < 0x20 || r >= 0x7f && r <= 0x9f || termsafe.Hidden(r) {
			t.Errorf("%U on the terminal", r)
		}
	}
	for _, seq := range []string{"\x1b]", "\x1bP", "\x1bc", "\x1b[!p", "\x1b[3J", "\x1b[2J", "\x1b[?1049", "\x1b[?47", "\x1b[?1000h",
		"\x1b[?1002h", "\x1b[?25h", "\x1b[1;2r", "\x1b[10A", "\x1b[5;5H", "\x1b[6n", "\x1b[c"} {
		if strings.Contains(out, seq) {
			t.Errorf("%q on the terminal", seq)
		}
	}
	if n := strings.Count(out, "L"); n > 1<<16 {
		t.Errorf("%d bytes of the long line were drawn", n)
	}
	s.Press("\x1b")
	s.Wait("space mark") // the dashboard: a key that follows at once would be one with Esc
	s.Wait("3 of 3 SuperNodes online")
}

// TestWizardEnds ends a rehearsal in the middle of its work, by a signal and by closing its terminal: the
// terminal is as it was, nothing runs on, and the next start goes on.
func TestWizardEnds(t *testing.T) {
	h := newHome(t, "1.24.0")
	dir := filepath.Join(h.dir, "flwrup-rehearsal") // where `flwrup rehearse` puts it
	t.Cleanup(func() { h.run("down", "--dir", dir) })
	for _, c := range []struct {
		name string
		end  func(*ptytest.Terminal)
	}{
		{"TERM", func(s *ptytest.Terminal) { s.Signal(syscall.SIGTERM); s.Over(130) }},
		{"HUP", func(s *ptytest.Terminal) { s.Signal(syscall.SIGHUP); s.Over(130) }},
		{"closed terminal", func(s *ptytest.Terminal) { s.Close(); s.End() }},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := *h
			h.t = t
			s := h.onTerminal(80, 24, "rehearse", "--flwr", "1.24.0", "--runtime", "process")
			s.EnterUntil("starting a SuperGrid", time.Minute)
			c.end(s)
			if _, err := os.Stat(filepath.Join(dir, "flwrup.toml")); err != nil {
				t.Error(err)
			}
			if left := processesOf(h.dir); len(left) > 0 {
				t.Errorf("processes left: %v", left)
			}
		})
	}
}
