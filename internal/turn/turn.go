// Package turn lets the flwrups that are open in one folder act one after the other: dashboards in two terminals, a
// command in a third. One at a time has the turn to act; the others wait in line, and show what it does. The kernel
// releases the turn of a flwrup that was killed, and its place in the line.
package turn

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofrs/flock"

	"flwrup/internal/plainfile"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/safego"
	"flwrup/internal/termsafe"
)

const (
	turnFile  = "lock"
	watchFile = "watch.lock"
	walkFile  = "walk.lock"

	retry   = 20 * time.Millisecond  // between two tries to get a lock
	patient = 300 * time.Millisecond // a wait that is not worth a word
	// dyingTime is how long a killed or interrupted flwrup may still hold its lock.
	dyingTime = 2 * time.Second
	maxNote   = 4096 // bytes
)

// Holder is the flwrup that acts in a folder, or watches over it.
type Holder struct {
	PID   int       `json:"pid"`
	Doing string    `json:"doing"`          // "starting supernode_2"; safe to show
	Asks  bool      `json:"asks,omitempty"` // and it waits for its person's answer
	Since time.Time `json:"since"`
	// Service: the system runs it, not a terminal.
	Service bool `json:"service,omitempty"`
}

// AgentLabel is what launchd calls flwrup's watch.
const AgentLabel = "flwrup.watch"

// AsService reports whether the system's manager of services started this process: systemd, or launchd.
func AsService() bool {
	return os.Getenv("SYSTEMD_EXEC_PID") == strconv.Itoa(os.Getpid()) || os.Getenv("XPC_SERVICE_NAME") == AgentLabel
}

// String says who it is and what it does: "flwrup (pid 123) is starting supernode_2".
func (h Holder) String() string {
	who := "another flwrup"
	if h.PID > 0 {
		who = fmt.Sprintf("flwrup (pid %d)", h.PID)
	}
	return who + " is " + h.Does()
}

// Does says what it does: "starting supernode_2".
func (h Holder) Does() string {
	text := cmp.Or(h.Doing, "at work")
	if h.Asks {
		text += " and waits for an answer there"
	}
	return text
}

// Turn is the right to act in one folder, as one site of this process has it. Who takes it while the site has it
// already shares it.
type Turn struct {
	dir     string
	getting chan struct{} // held while the turn is taken

	mu   sync.Mutex
	held int
	lock *flock.Flock
	now  Holder
	note []byte // as this Turn wrote it last
}

// In returns the turn of a site in dir.
func In(dir string) *Turn { return &Turn{dir: dir, getting: make(chan struct{}, 1)} }

// Take waits for the turn, for at most the time given, and notes what it is for, such as "starting supernode_2".
// waits is called with the flwrup that has the turn, and again when that changes. alone says that no other flwrup
// had the turn since this one had it last. A wait that was too long is a Problem (busy). For a folder that cannot be
// written, or that does not exist, the error is a Problem (bad-input).
func (t *Turn) Take(ctx context.Context, doing string, within time.Duration, waits func(Holder)) (done func(), alone bool, err error) {
	select {
	case t.getting <- struct{}{}:
	case <-ctx.Done():
		return nil, false, ctx.Err()
	}
	defer func() { <-t.getting }()
	if t.join() {
		return sync.OnceFunc(t.leave), true, nil
	}
	lock, err := t.queue(ctx, within, waits)
	if err != nil {
		return nil, false, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	before, _ := plainfile.ReadAtMost(t.path(turnFile+".pid"), maxNote)
	alone = t.note != nil && string(before) == string(t.note)
	t.lock, t.held = lock, 1
	t.now = Holder{PID: os.Getpid(), Doing: doing, Since: time.Now()}
	t.write()
	return sync.OnceFunc(t.leave), alone, nil
}

// Held reports whether this process has the turn.
func (t *Turn) Held() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.held > 0
}

// Asks notes whether the flwrup that has the turn waits for its person.
func (t *Turn) Asks(asks bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.held > 0 && t.now.Asks != asks {
		t.now.Asks = asks
		t.write()
	}
}

// Drop returns the turn, whoever still shares it.
func (t *Turn) Drop() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.release()
}

func (t *Turn) join() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.held == 0 {
		return false
	}
	t.held++
	return true
}

func (t *Turn) leave() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.held > 1 {
		t.held--
		return
	}
	t.release()
}

// release closes the lock. The note stays: it tells the next holder whether somebody else had the turn in between.
func (t *Turn) release() {
	if t.lock != nil {
		_ = t.lock.Close()
	}
	t.lock, t.held = nil, 0
}

// write writes the note, which is only for other flwrups' words. t.mu is held.
func (t *Turn) write() {
	t.note, _ = json.Marshal(t.now)
	_ = os.WriteFile(t.path(turnFile+".pid"), t.note, 0o600)
}

func (t *Turn) path(name string) string { return filepath.Join(project.StateDir(t.dir), name) }

// queue waits in line for the lock.
func (t *Turn) queue(ctx context.Context, within time.Duration, waits func(Holder)) (*flock.Flock, error) {
	var mine ticket
	defer func() { mine.drop() }()
	began, told := time.Now(), Holder{}
	for {
		state, err := project.EnsureStateDir(t.dir)
		if err != nil {
			return nil, err
		}
		if !othersAhead(state, mine.name) {
			lock, err := tryLock(filepath.Join(state, turnFile))
			if err != nil {
				return nil, project.AccessProblem("cannot lock "+t.dir, state, err)
			}
			if lock != nil {
				return lock, nil
			}
		}
		if !mine.valid(state) {
			if mine, err = newTicket(state); err != nil {
				return nil, project.AccessProblem("cannot wait in "+t.dir, state, err)
			}
		}
		if h, _ := noteOf(t.path(turnFile)); waits != nil && time.Since(began) > patient && h != told {
			told = h
			waits(h)
		}
		if time.Since(began) > within {
			h, _ := noteOf(t.path(turnFile))
			return nil, problem.New(problem.Busy, h.String()+" in "+t.dir, fmt.Sprintf("waited %d s for it", int(within.Seconds())),
				"wait until that is done, or stop it there")
		}
		if err := safego.Sleep(ctx, retry); err != nil {
			return nil, err
		}
	}
}

// Acting returns what another flwrup does in dir just now. record changes with every turn that any flwrup takes.
func (t *Turn) Acting() (h Holder, acts bool, record string) {
	file := t.path(turnFile)
	h, text := noteOf(file)
	if t.Held() || text == "" || !locked(file) {
		return Holder{}, false, text
	}
	return h, true, text
}

// Watcher returns the flwrup that watches over the SuperNodes of dir; see LockWatch.
func Watcher(dir string) (Holder, bool) {
	file := filepath.Join(project.StateDir(dir), watchFile)
	h, text := noteOf(file)
	return h, text != "" && locked(file)
}

// LockWatch takes the watch over the SuperNodes in dir for this process, until unlock is called. The kernel
// releases that when the process dies. Where another one watches, the error is a Problem (busy).
func LockWatch(dir string) (unlock func(), err error) {
	return lockRole(dir, watchFile, "watching the SuperNodes", "one watch is enough; end that one to watch from here")
}

// LockWalk takes the way through all steps in dir, as LockWatch takes the watch: two that go it at once would do it by halves.
func LockWalk(dir string) (unlock func(), err error) {
	return lockRole(dir, walkFile, "going through the steps", "wait until it has ended, or end it")
}

// lockRole takes a role that one flwrup in dir may have at a time.
func lockRole(dir, name, doing, fix string) (unlock func(), err error) {
	for end := time.Now().Add(dyingTime); ; time.Sleep(retry) {
		state, err := project.EnsureStateDir(dir)
		if err != nil {
			return nil, err
		}
		file := filepath.Join(state, name)
		lock, err := tryLock(file)
		switch {
		case err != nil:
			return nil, project.AccessProblem("cannot lock "+dir, state, err)
		case lock != nil:
			text, _ := json.Marshal(Holder{PID: os.Getpid(), Doing: doing, Since: time.Now(), Service: name == watchFile && AsService()})
			_ = os.WriteFile(file+".pid", text, 0o600)
			return sync.OnceFunc(func() { _ = lock.Close() }), nil
		case time.Now().After(end):
			h, _ := noteOf(file)
			return nil, problem.New(problem.Busy, h.String()+" of "+dir+" already", "", fix)
		}
	}
}

// tryLock locks the file, which it makes. It returns nil when another one has it.
func tryLock(path string) (*flock.Flock, error) {
	l := flock.New(path, flock.SetPermissions(0o600))
	ok, err := l.TryLock()
	if err == nil && ok && same(l, path) { // else its last holder removed it between our opening and locking
		return l, nil
	}
	_ = l.Close()
	if errors.Is(err, os.ErrNotExist) { // the folder is being removed
		err = nil
	}
	return nil, err
}

// locked reports whether another one has the lock.
func locked(path string) bool {
	if _, err := os.Stat(path); err != nil {
		return false
	}
	l := flock.New(path, flock.SetFlag(os.O_RDONLY))
	defer l.Close()
	ok, err := l.TryRLock()
	return err == nil && !ok
}

func same(l *flock.Flock, path string) bool {
	held, err := l.Stat()
	if err != nil {
		return false
	}
	there, err := os.Stat(path)
	return err == nil && os.SameFile(held, there)
}

// noteOf reads who had the lock last, and the note's text.
func noteOf(lock string) (Holder, string) {
	b, err := plainfile.ReadAtMost(lock+".pid", maxNote)
	var h Holder
	if err != nil || json.Unmarshal(b, &h) != nil {
		return Holder{}, string(b)
	}
	if h.Doing = termsafe.Line(h.Doing); len([]rune(h.Doing)) > 120 {
		h.Doing = string([]rune(h.Doing)[:120])
	}
	return h, string(b)
}

// ticket is a place in line: a file that its owner has locked. The files are in the order in which their owners came.
type ticket struct {
	name string
	lock *flock.Flock
}

var tickets atomic.Int64

func newTicket(state string) (ticket, error) {
	for {
		name := fmt.Sprintf("%s%020d.%d.%d", project.TicketPrefix, time.Now().UnixNano(), os.Getpid(), tickets.Add(1))
		lock, err := tryLock(filepath.Join(state, name))
		if err != nil || lock != nil {
			return ticket{name, lock}, err
		}
	}
}

// valid reports whether the ticket still lies there.
func (k ticket) valid(state string) bool {
	return k.lock != nil && same(k.lock, filepath.Join(state, k.name))
}

func (k ticket) drop() {
	if k.lock != nil {
		_ = os.Remove(k.lock.Path()) // before the lock is gone: nobody then takes the file for another's
		_ = k.lock.Close()
		_ = os.Remove(k.lock.Path()) // Windows removes no open file
	}
}

// othersAhead reports whether a living process waits with an older ticket than mine, "" for none. It removes the
// tickets of the dead.
func othersAhead(state, mine string) bool {
	entries, err := os.ReadDir(state)
	if err != nil {
		return false
	}
	for _, e := range entries { // sorted by name
		name := e.Name()
		if !strings.HasPrefix(name, project.TicketPrefix) || !e.Type().IsRegular() {
			continue
		}
		if mine != "" && name >= mine {
			return false
		}
		file := filepath.Join(state, name)
		dead, err := tryLock(file)
		switch {
		case err == nil && dead == nil && exists(file):
			return true
		case dead != nil:
			ticket{name, dead}.drop()
		}
	}
	return false
}

func exists(file string) bool {
	_, err := os.Lstat(file)
	return err == nil
}
