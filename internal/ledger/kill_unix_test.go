//go:build unix

package ledger

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMain turns the test binary into the writer that TestKill kills.
func TestMain(m *testing.M) {
	if file := os.Getenv("LEDGER_TEST_WRITER"); file != "" {
		writer(file, os.Getenv("LEDGER_TEST_HOLD"))
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// writer registers nodes for ever and says what is done once it is on disk. hold, "STEP N", stops it
// for good when it passes STEP for the Nth time.
func writer(file, hold string) {
	l, err := Open(file)
	check(err)
	at, nth, _ := strings.Cut(hold, " at ")
	left, _ := strconv.Atoi(nth)
	l.step = func(step string) {
		if step != at {
			return
		}
		if left--; left == 0 {
			fmt.Println("held")
			time.Sleep(time.Hour)
		}
	}
	for _, i := range l.Intents() {
		check(l.Finish(i.ID, func(d *Data) error { return d.PutNode(Node{Key: i.Key, Name: i.Name, State: Registered}) }))
	}
	for n := len(l.Nodes()); ; n++ {
		key := fmt.Sprintf("SHA256:%d", n)
		id, err := l.Begin(Intent{Op: "register", Key: key, Name: fmt.Sprintf("supernode_%d", n)})
		check(err)
		fmt.Println("begun", key)
		check(l.Finish(id, func(d *Data) error {
			return d.PutNode(Node{Key: key, Name: fmt.Sprintf("supernode_%d", n), NodeID: strconv.Itoa(1000 + n), State: Registered})
		}))
		fmt.Println("done", key, 1000+n)
	}
}

func check(err error) {
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
}

// TestKill kills a writer at each step of Begin and of Finish, and at moments in between, in one
// ledger that goes on: what was said to be done is there, and the file can always be read.
func TestKill(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ledger.json")
	done := map[string]string{}
	kill := func(name, hold string, after time.Duration) {
		t.Helper()
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "LEDGER_TEST_WRITER="+file, "LEDGER_TEST_HOLD="+hold)
		out, err := cmd.StdoutPipe()
		must(t, err)
		must(t, cmd.Start())
		timer := time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
		defer timer.Stop()
		begun, held := "", false
		for s := bufio.NewScanner(out); s.Scan(); {
			switch w := strings.Fields(s.Text()); w[0] {
			case "begun":
				begun = w[1]
			case "done":
				done[w[1]] = w[2]
			case "held":
				held = true
				_ = cmd.Process.Kill()
			default:
				t.Fatalf("%s: %s", name, s.Text())
			}
		}
		_ = cmd.Wait()
		if cmd.ProcessState.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
			t.Fatalf("%s: ended by itself: %v", name, cmd.ProcessState)
		}
		if hold != "" && !held {
			t.Fatalf("%s: the step was never passed", name)
		}
		l, err := Open(file)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for key, id := range done {
			if n, ok := l.NodeByKey(key); !ok || n.NodeID != id {
				t.Fatalf("%s: lost node ID %s of %s: %+v", name, id, key, n)
			}
		}
		intents := l.Intents()
		if len(intents) > 1 {
			t.Fatalf("%s: intents %+v", name, intents)
		}
		if _, ok := l.NodeByKey(begun); begun != "" && !ok && (len(intents) == 0 || intents[0].Key != begun) {
			t.Fatalf("%s: lost the intent for %s: %+v", name, begun, intents)
		}
		for _, i := range intents {
			if n, ok := l.NodeByKey(i.Key); ok {
				t.Fatalf("%s: result %+v and intent %+v at once", name, n, i)
			}
		}
	}
	for _, step := range []string{"before previous", "before write", "written"} {
		for n := 1; n <= 6; n++ {
			name := fmt.Sprintf("%s at %d", step, n)
			kill(name, name, 20*time.Second)
		}
	}
	for i := range 40 {
		kill("random", "", 20*time.Millisecond+time.Duration(i)*1300*time.Microsecond)
	}
	if len(done) < 20 {
		t.Errorf("only %d nodes were registered: the kills came too early to say anything", len(done))
	}
	l := open(t, file)
	must(t, l.Attest("end", ""))
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(file), ".*")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}
