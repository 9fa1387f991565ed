package turn

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"flwrup/internal/problem"
	"flwrup/internal/project"
)

// TestMain lets this program be the other flwrup that has the turn.
func TestMain(m *testing.M) {
	if dir := os.Getenv("FLWRUP_TEST_HOLD_TURN"); dir != "" {
		if _, _, err := In(dir).Take(context.Background(), "starting supernode_2", time.Second, nil); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println("held")
		time.Sleep(time.Minute)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// take takes a turn, or fails the test.
func take(t *testing.T, turn *Turn, doing string) (done func(), alone bool) {
	t.Helper()
	done, alone, err := turn.Take(t.Context(), doing, 5*time.Second, nil)
	if err != nil {
		t.Fatal(err)
	}
	return done, alone
}

// TestTurn: who waits hears what the other one does, and gives up after a while.
func TestTurn(t *testing.T) {
	dir := t.TempDir()
	first, second := In(dir), In(dir)
	if _, acts, record := second.Acting(); acts || record != "" {
		t.Error("somebody acts in a new folder")
	}
	done, _ := take(t, first, "starting supernode_2")
	shared, alone := take(t, first, "stopping supernode_1") // a verb within a verb
	if !alone {
		t.Error("it shares the turn with another flwrup")
	}
	shared()
	if !first.Held() {
		t.Fatal("the end of the inner one gave the turn back")
	}
	want := fmt.Sprintf("flwrup (pid %d) is starting supernode_2", os.Getpid())
	if h, acts, _ := second.Acting(); !acts || h.String() != want {
		t.Errorf("acts %v: %s", acts, h)
	}
	if _, acts, _ := first.Acting(); acts {
		t.Error("it takes itself for another one")
	}
	first.Asks(true)
	var heard []string
	_, _, err := second.Take(t.Context(), "", time.Second, func(h Holder) {
		heard = append(heard, h.String())
		first.Asks(false)
	})
	if !problem.Is(err, problem.Busy) || !strings.Contains(err.Error(), want) {
		t.Errorf("the second: %v", err)
	}
	if strings.Join(heard, "|") != want+" and waits for an answer there|"+want {
		t.Errorf("heard: %q", heard)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := second.Take(ctx, "", time.Minute, nil); err == nil {
		t.Error("a wait that was stopped")
	}
	if left, _ := filepath.Glob(filepath.Join(project.StateDir(dir), project.TicketPrefix+"*")); len(left) > 0 {
		t.Errorf("places in line are left: %v", left)
	}

	done()
	done() // twice counts once
	if _, alone := take(t, first, "again"); !alone {
		t.Error("nobody else had the turn")
	}
	first.Drop()
	_, _, before := first.Acting()
	done, _ = take(t, second, "as another")
	done()
	if _, _, now := first.Acting(); now == before {
		t.Error("a turn of another flwrup changes no record")
	}
	if done, alone = take(t, first, "after another"); alone {
		t.Error("another one had the turn in between")
	}
	done()
}

// TestTurnsInOrder: the turn goes to who has waited longest, past the place of a flwrup that was killed.
func TestTurnsInOrder(t *testing.T) {
	dir := t.TempDir()
	done, _ := take(t, In(dir), "first")
	if err := os.WriteFile(filepath.Join(project.StateDir(dir), project.TicketPrefix+"00000000000000000001.1.1"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var order []int
	var wg sync.WaitGroup
	for i := range 4 {
		waits := make(chan bool, 9)
		wg.Go(func() {
			done, _, err := In(dir).Take(t.Context(), "", 20*time.Second, func(Holder) { waits <- true })
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			order = append(order, i)
			mu.Unlock()
			time.Sleep(2 * retry)
			done()
		})
		<-waits
	}
	done()
	wg.Wait()
	if fmt.Sprint(order) != "[0 1 2 3]" {
		t.Errorf("the order is %v", order)
	}
	if left, _ := filepath.Glob(filepath.Join(project.StateDir(dir), project.TicketPrefix+"*")); len(left) > 0 {
		t.Errorf("places in line are left: %v", left)
	}
}

func TestTurnIsFreeWhenItsHolderDies(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "FLWRUP_TEST_HOLD_TURN="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	if line, _ := bufio.NewReader(out).ReadString('\n'); line != "held\n" {
		t.Fatalf("the other process says %q", line)
	}
	turn := In(dir)
	who := fmt.Sprintf("pid %d", cmd.Process.Pid)
	if h, acts, _ := turn.Acting(); !acts || !strings.Contains(h.String(), who) {
		t.Errorf("acts %v: %s", acts, h)
	}
	if _, _, err := turn.Take(t.Context(), "", time.Second, nil); !problem.Is(err, problem.Busy) || !strings.Contains(err.Error(), who) {
		t.Errorf("held by another: %v", err)
	}
	cmd.Process.Kill()
	cmd.Wait()
	if h, acts, _ := turn.Acting(); acts {
		t.Errorf("after its death: %s", h)
	}
	done, _ := take(t, turn, "")
	done()
}

func TestOneWatch(t *testing.T) {
	dir := t.TempDir()
	done, _ := take(t, In(dir), "acting") // alongside one that acts
	defer done()
	if _, watched := Watcher(dir); watched {
		t.Error("somebody watches a new folder")
	}
	unlock, err := LockWatch(dir)
	if err != nil {
		t.Fatal(err)
	}
	if h, watched := Watcher(dir); !watched || h.PID != os.Getpid() {
		t.Errorf("watched %v by %s", watched, h)
	}
	if _, err := LockWatch(dir); !problem.Is(err, problem.Busy) || !strings.Contains(err.Error(), "is watching the SuperNodes of "+dir) {
		t.Errorf("a second watch: %v", err)
	}
	walk, err := LockWalk(dir) // another role
	if err != nil {
		t.Fatal(err)
	}
	if _, err := LockWalk(dir); !problem.Is(err, problem.Busy) || !strings.Contains(err.Error(), "is going through the steps of "+dir) {
		t.Errorf("a second walk: %v", err)
	}
	walk()
	unlock()
	unlock() // twice counts once
	if _, watched := Watcher(dir); watched {
		t.Error("it still watches")
	}
}

// TestNoteOfAStranger: what another process wrote is cleaned, and a note that is no note names nobody.
func TestNoteOfAStranger(t *testing.T) {
	dir := t.TempDir()
	done, _ := take(t, In(dir), "acting")
	defer done()
	for note, want := range map[string]string{
		`{"pid":7,"doing":"\u001b]0;owned\u0007ending"}`: "flwrup (pid 7) is ending",
		"123\n": "another flwrup is at work",
		"{}":    "another flwrup is at work",
		`{"pid":7,"doing":"` + strings.Repeat("x", 999) + `"}`: "flwrup (pid 7) is " + strings.Repeat("x", 120),
	} {
		if err := os.WriteFile(filepath.Join(project.StateDir(dir), turnFile+".pid"), []byte(note), 0o600); err != nil {
			t.Fatal(err)
		}
		if h, acts, _ := In(dir).Acting(); !acts || h.String() != want {
			t.Errorf("%.40s: acts %v, %s", note, acts, h)
		}
	}
}
