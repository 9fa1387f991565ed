package flwrexec

import (
	"bufio"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"sync"
	"time"

	"flwrup/internal/child"
	"flwrup/internal/safego"
)

//go:embed worker.py
var workerSource string

// bootstrap reads worker.py from stdin, so that nothing needs to be on disk, and leaves the rest of stdin to
// it. "python -c" puts the working folder first on the path: no module is taken from there.
const bootstrap = `import os,sys;sys.path[:]=[p for p in sys.path if p not in ("",os.getcwd())];requests=os.fdopen(os.dup(0),"rb");exec(compile(requests.read(int(sys.argv[1])),"flwrup-worker","exec"))`

// maxLine is the longest line of the worker: an answer as JSON, whose escapes take more than a byte.
// worker.py bounds the text of an answer as child.MaxOutput does.
const maxLine = 4 * child.MaxOutput

// startWait is how long flwr's imports may take: 2 to 4 s on an idle machine, more on a cold disk.
const startWait = 90 * time.Second

// errNoWorker says that the environment cannot hold a worker at all; a process for each call still works.
var errNoWorker = errors.New("flwr's command line cannot be held in one process")

// worker is one Python process with flwr's CLI loaded. It is not safe for two calls at once.
type worker struct {
	cmd     *exec.Cmd
	in      io.WriteCloser
	answers chan answer // closed when the process has ended
	stderr  *child.Tail
	next    int
	started time.Duration // imports included

	mu     sync.Mutex
	reaped bool // from here on the process ID may belong to another
}

// answer is one line of the worker.
type answer struct {
	Ready   *bool   `json:"ready"`
	Error   string  `json:"error"`
	Version string  `json:"version"`
	ID      int     `json:"id"`
	Code    int     `json:"code"`
	Out     string  `json:"out"`
	Err     string  `json:"err"`
	Native  string  `json:"native"`
	Secs    float64 `json:"secs"`
	Last    bool    `json:"last"`
	Text    *string `json:"text"` // printed by a live command that goes on
	Over    bool    `json:"over"` // the command printed more than an answer may hold
	bad     error   // the line was not JSON, or too long
}

// pythonArgs returns the arguments of python for running worker.py in a mode.
func pythonArgs(mode string, rest ...string) []string {
	return append([]string{"-u", "-X", "utf8", "-c", bootstrap, strconv.Itoa(len(workerSource)), mode}, rest...)
}

// startWorker starts python and waits until flwr is imported. On errNoWorker trying again is of no use.
func startWorker(ctx context.Context, python, dir string, env []string) (*worker, error) {
	begun := time.Now()
	w := &worker{answers: make(chan answer, 1), stderr: child.NewTail(8 << 10)}
	w.cmd = child.Command(context.WithoutCancel(ctx), dir, python, pythonArgs("worker")...)
	w.cmd.Env, w.cmd.Stderr = env, w.stderr
	in, err := w.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	w.in = in
	out, err := w.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := w.cmd.Start(); err != nil {
		return nil, fmt.Errorf("%w: %w", errNoWorker, err)
	}
	safego.Go("flwr worker", func(error) { w.killGroup() }, func() { w.read(out) })
	if _, err := io.WriteString(w.in, workerSource); err != nil {
		w.kill()
		return nil, fmt.Errorf("%w: %w %s", errNoWorker, err, w.stderr)
	}
	limit := time.NewTimer(startWait)
	defer limit.Stop()
	select {
	case a, ok := <-w.answers:
		if !ok || a.bad != nil || a.Ready == nil || !*a.Ready {
			w.kill()
			return nil, fmt.Errorf("%w: %s", errNoWorker, child.LastLines(a.Error+w.stderr.String(), 3))
		}
		w.started = time.Since(begun)
		return w, nil
	case <-limit.C:
		w.kill()
		return nil, fmt.Errorf("%w: not ready after %v", errNoWorker, startWait)
	case <-ctx.Done():
		w.kill()
		return nil, ctx.Err()
	}
}

// read passes on the answers until the process ends, then reaps it.
func (w *worker) read(out io.Reader) {
	defer close(w.answers)
	lines := bufio.NewReader(out)
	for {
		line, err := boundedLine(lines, maxLine)
		if errors.Is(err, child.ErrTooLong) {
			w.answers <- answer{bad: err}
			break
		}
		if len(line) > 0 {
			var a answer
			if bad := json.Unmarshal(line, &a); bad != nil {
				a = answer{bad: bad}
			}
			w.answers <- a
		}
		if err != nil {
			break
		}
	}
	// Without its answers the process is of no use; and until it is reaped its ID is its own.
	w.mu.Lock()
	child.KillGroup(w.cmd)
	w.reaped = true
	w.mu.Unlock()
	w.cmd.Wait() //nolint:errcheck // how it ended is of no interest: an answer is missing or it is not
}

// boundedLine reads a line with its line feed, at most max bytes of it; a longer one is child.ErrTooLong.
func boundedLine(r *bufio.Reader, max int) ([]byte, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		if len(line)+len(part) > max {
			return nil, child.ErrTooLong
		}
		line = append(line, part...)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, err
		}
	}
}

func (w *worker) killGroup() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.reaped {
		child.KillGroup(w.cmd)
	}
}

// call runs one command; args without "flwr". live, if not nil, gets the output as it comes. When call
// returns an error the worker is dead, and the effect of the command is unknown.
func (w *worker) call(ctx context.Context, args []string, live func(text string)) (answer, error) {
	w.next++
	b, err := json.Marshal(map[string]any{"id": w.next, "args": args, "live": live != nil})
	if err != nil {
		return answer{}, err
	}
	if _, err := w.in.Write(append(b, '\n')); err != nil {
		w.kill()
		return answer{}, fmt.Errorf("the flwr process has ended: %w", err)
	}
	for {
		select {
		case a, ok := <-w.answers:
			switch {
			case !ok:
				return a, fmt.Errorf("the flwr process ended before it answered: %s", child.LastLines(w.stderr.String(), 3))
			case a.bad != nil:
				w.kill()
				return a, fmt.Errorf("the flwr process answered in no known form: %w", a.bad)
			case a.Over:
				return a, child.ErrTooLong
			case a.ID != w.next:
				w.kill()
				return a, errors.New("the flwr process answered out of turn")
			case a.Text != nil:
				if live != nil {
					live(*a.Text)
				}
				continue
			}
			return a, nil
		case <-ctx.Done():
			w.kill()
			return answer{}, ctx.Err()
		}
	}
}

// kill ends the process and its children now and waits until they are gone.
func (w *worker) kill() {
	w.in.Close()
	w.killGroup()
	for range w.answers {
	}
}

// close closes the stdin of the process, which then ends.
func (w *worker) close() {
	w.in.Close()
	limit := time.NewTimer(2 * time.Second)
	defer limit.Stop()
	for {
		select {
		case _, ok := <-w.answers:
			if !ok {
				return
			}
		case <-limit.C:
			w.kill()
			return
		}
	}
}
