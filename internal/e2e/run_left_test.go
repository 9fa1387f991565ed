//go:build linux

package e2e

import (
	"bufio"
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestRunIsLeftAndFoundAgain ends a rehearsal with Ctrl-C, first in the middle of the registrations, then while a
// run goes on. The same command goes on each time; the last line says how to come back to the run, and that
// command, and the next flwrup, find the same run. A watch then minds the SuperNodes of that rehearsal.
func TestRunIsLeftAndFoundAgain(t *testing.T) {
	const version = "1.24.0"
	h := newHome(t, version)
	dir := filepath.Join(h.dir, "rehearsal")
	defer func() { h.run("down", "--dir", dir) }()
	args := []string{"rehearse", "--yes", "--nodes", "2", "--flwr", version, "--runtime", "process", "--trap", "--dir", dir}
	ids := h.stopped(dir, append(args, "--json"))

	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	// The grid goes with the rehearsal, before the run's ServerApp was there; the next grid has it again.
	gone, _, last := h.interruptedAtRun(ctx, args...)
	if strings.Contains(last, "flwrup runs log") || len(processesOf(h.dir)) > 0 {
		t.Fatalf("the grid was not to stay: %q, %v", last, processesOf(h.dir))
	}
	id, _, last := h.interruptedAtRun(ctx, append(args, "--keep")...)
	back := "flwrup runs log " + id + " -f --dir " + dir
	if !strings.HasSuffix(last, back) {
		t.Fatalf("the last line does not end with %q: %q", back, last)
	}
	now := ledgerNodes(t, dir)
	for key, id := range ids {
		if now[key] != id {
			t.Errorf("the node ID of %s was %s, now %q", key, id, now[key])
		}
	}

	// left once more, from where one came back to
	again, _, last := h.interruptedAtRun(ctx, "runs", "log", id, "-f", "--dir", dir)
	if again != id || !strings.HasSuffix(last, back) {
		t.Errorf("run %s, last line %q", again, last)
	}
	if out := h.must("runs", "log", id, "-f", "--dir", dir).out; !strings.Contains(out, "final model") {
		t.Errorf("followed to its end:\n%s", tail(out))
	}

	got := parse(t, h.must("rehearse", "--yes", "--json", "--keep", "--dir", dir).out)
	if got.Data.Online != 2 {
		t.Errorf("two nodes online wanted, got %+v", got.Data)
	}
	for _, r := range got.Data.Runs { // run gone went on as run id, or was stopped before that one was started
		if r.ID == id && r.Status != "finished:completed" || r.ID != id && (r.ID != gone || r.Status != "finished:stopped") {
			t.Errorf("run %s alone wanted, completed: %+v", id, got.Data.Runs)
		}
	}
	if len(got.Data.Runs) == 0 {
		t.Error("no run is there")
	}
	if out := h.must("runs", "metrics", id, "--dir", dir).out; !strings.HasPrefix(out, "round,") || strings.Count(out, "\r\n") < 4 {
		t.Errorf("metrics of three rounds wanted:\n%s", out)
	}
	if out := h.must("runs", "nodes", id, "--dir", dir).out; strings.Count(out, "\n") != 2 {
		t.Errorf("both SuperNodes took part, got %q", out)
	}
	h.takenOver(dir)
	h.runIsMended(dir)
	h.watched(dir)
}

// takenOver plays an upgrade from a flwrup that kept no acceptance: while SuperNodes run with the folder's keys
// nothing is asked; a copy without the keys is somebody's folder.
func (h *home) takenOver(dir string) {
	t := h.t
	t.Helper()
	accepted := filepath.Join(h.dir, ".local", "state", "flwrup", "state", "trust")
	if _, err := os.Stat(accepted); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(accepted); err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(h.dir, "copied")
	if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(copied, "keys")); err != nil {
		t.Fatal(err)
	}
	if got := h.run("up", "--yes", "--dir", copied); got.code != 3 || !strings.Contains(got.out+got.err, ".flwrup: ") {
		t.Errorf("a copy without keys: exit code %d\n%s", got.code, got.out+got.err)
	}
	if got := h.run("status", "--json", "--dir", dir); got.code != 0 || strings.Contains(got.out+got.err, "accept") || parse(t, got.out).Data.Online != 2 {
		t.Errorf("exit code %d\n%s", got.code, got.out+got.err)
	}
	h.must("up", "--yes", "--dir", dir)
	h.must("stop", "--dir", dir) // nothing runs any more: what was taken over stays so
	if got := h.must("start", "--dir", dir); strings.Contains(got.out+got.err, "accept") {
		t.Errorf("asked after all:\n%s", got.out+got.err)
	}
}

// stopped ends args with Ctrl-C as soon as a node is registered: exit code 130, nothing left running. Before that a
// second flwrup in the same folder learns that another is at work. It returns the node IDs by key.
func (h *home) stopped(dir string, args []string) map[string]string {
	t := h.t
	t.Helper()
	cmd := h.command(context.Background(), args...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, time.Minute, func() string {
		if _, err := os.Stat(filepath.Join(dir, ".flwrup", "walk.lock.pid")); err != nil {
			return "nothing begun yet"
		}
		return ""
	})
	if err := cmd.Process.Signal(syscall.SIGSTOP); err != nil { // a fast one gets into the run meanwhile
		t.Fatal(err)
	}
	if r := h.run(args...); r.code != 1 || !strings.Contains(r.out, `"busy"`) {
		t.Errorf("a second flwrup in the folder: exit %d\n%s", r.code, tail(r.out))
	}
	if err := cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	eventually(t, time.Minute, func() string {
		if len(ledgerNodes(t, dir)) == 0 {
			return "nothing registered yet"
		}
		return ""
	})
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 130 {
		t.Errorf("exit code %d after Ctrl-C, 130 wanted", code)
	}
	if left := processesOf(h.dir); len(left) > 0 {
		t.Errorf("processes left: %v", left)
	}
	return ledgerNodes(t, dir)
}

// runIsMended has a run fail on a file that the app saves, on the grid of a rehearsal with --trap whose app
// was mended before its first run: the mend is taken back and not wanted again, the run fails and is
// understood; a script that asks for the mend with --mend gets it, and the next run finishes.
func (h *home) runIsMended(dir string) {
	t := h.t
	t.Helper()
	server := filepath.Join(dir, "numpyfl", "server_app.py")
	mended, err := os.ReadFile(server)
	if err != nil {
		t.Fatal(err)
	}
	copies, err := filepath.Glob(server + ".before-flwrup-*")
	if err != nil || len(copies) != 1 {
		t.Fatalf("the copy of server_app.py: %v, %v", copies, err)
	}
	trapped, err := os.ReadFile(copies[0])
	if err != nil || strings.Contains(string(trapped), "# np.savez") || !strings.Contains(string(mended), "# np.savez") {
		t.Fatalf("commented out by --trap, not in the copy: %v\n%s", err, mended)
	}
	if err := os.WriteFile(server, trapped, 0o644); err != nil {
		t.Fatal(err)
	}

	screen := h.onTerminal(120, 40, "run", "-c", "num-server-rounds=1", "--dir", dir)
	screen.Wait("Comment out np.savez")
	screen.Press("n\r")
	screen.Over(1)
	for _, want := range []string{"finished:failed: the app could not save final_model.npz", "comment out what saves it, server_app.py line "} {
		if out := screen.Output(); !strings.Contains(out, want) {
			t.Fatalf("a run that failed on final_model.npz wanted, with %q; got\n%s", want, tail(out))
		}
	}
	if now, err := os.ReadFile(server); err != nil || string(now) != string(trapped) {
		t.Errorf("no was answered, and server_app.py was changed (%v)", err)
	}

	r := h.must("run", "-c", "num-server-rounds=1", "--json", "--mend", "--dir", dir) // and tells meanwhile what happens
	got := parse(t, r.out)
	if got.Data.Run.Status != "finished:completed" || len(got.Data.Metrics["server loss"]) < 2 {
		t.Errorf("a completed run with its metrics wanted: %+v", got.Data)
	}
	if !strings.Contains(r.err, `{"event":"says","text":"commented out np.savez`) || !strings.Contains(r.err, `{"event":"run","id":"`+got.Data.Run.ID+`"}`) {
		t.Errorf("what happened meanwhile:\n%s", tail(r.err))
	}
	if now, err := os.ReadFile(server); err != nil || string(now) != string(mended) {
		t.Errorf("the mended server_app.py (%v):\n%s", err, now)
	}
	seen := map[string]int{}
	for _, r := range parse(t, h.must("status", "--json", "--dir", dir).out).Data.Runs {
		seen[r.Status]++
	}
	if apps, _ := filepath.Glob(filepath.Join(dir, ".flwrup/nodes/*/home/apps/*")); len(apps) < 2 {
		t.Errorf("the app as the SuperNodes got it was not found: %v", apps)
	}
	if sent, _ := filepath.Glob(filepath.Join(dir, ".flwrup/nodes/*/home/apps/*/.flwrup")); len(sent) > 0 {
		t.Errorf("flwrup's own folder was sent to the SuperNodes: %v", sent)
	}
	if seen["finished:completed"] != 2 || seen["finished:failed"] != 1 {
		t.Errorf("two completed runs and one failed wanted: %v", seen)
	}
}

// interruptedAtRun runs flwrup, sends it SIGINT as soon as it names its run, and gives the run's ID, all
// output and the last line.
func (h *home) interruptedAtRun(ctx context.Context, args ...string) (id, out, last string) {
	t := h.t
	t.Helper()
	cmd := h.command(ctx, args...)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cmd.Stdout, cmd.Stderr = w, w
	err = cmd.Start()
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		line := lines.Text()
		out += line + "\n"
		if line != "" {
			last = line
		}
		if word, found := strings.CutPrefix(line, "    run "); found && id == "" {
			id = word
			if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); id == "" || code != 130 {
		t.Fatalf("flwrup %s: run %q, exit %d, 130 wanted\n%s", strings.Join(args, " "), id, code, tail(out))
	}
	t.Logf("interrupted: %s", last)
	return id, out, last
}
