package flwrexec

import (
	"context"
	"errors"
	"os/exec"
	"time"

	"flwrup/flwrexec/install"
	"flwrup/internal/child"
	"flwrup/internal/problem"
	"flwrup/internal/userdirs"
)

// runner runs the programs of one flwr. Short commands take turns: in the worker, or without one in a process
// for each command.
type runner struct {
	found  install.Found
	env    []string
	folder string // where commands run; "" is a folder of flwrup's own

	life context.Context // ends with close
	end  context.CancelFunc

	turn   chan struct{} // holds one token: its holder may use the fields below
	worker *worker
	deaths int // workers that died during a command, one after the other
	single bool
	closed bool
}

func newRunner(found install.Found, o SessionOptions) *runner {
	r := &runner{found: found, env: environment(found, o), folder: o.Dir, turn: make(chan struct{}, 1)}
	r.single = o.NoWorker || found.Python == ""
	r.life, r.end = context.WithCancel(context.Background())
	r.turn <- struct{}{}
	return r
}

// close ends the worker. A command that runs in it is cut off.
func (r *runner) close() {
	r.end()
	<-r.turn
	defer r.give()
	r.closed = true
	if r.worker != nil {
		r.worker.close()
		r.worker = nil
	}
}

// warm starts the worker and returns how long that took; 0 when it runs already or there is none.
func (r *runner) warm(ctx context.Context) (time.Duration, error) {
	ctx, release := r.within(ctx)
	defer release()
	if err := r.take(ctx); err != nil {
		return 0, err
	}
	defer r.give()
	had := r.worker != nil
	w, err := r.ensure(ctx)
	if err != nil || w == nil || had {
		return 0, err
	}
	return w.started, nil
}

func (r *runner) take(ctx context.Context) error {
	select {
	case <-r.turn:
	case <-ctx.Done():
		return problem.Stopped(context.Cause(ctx), "flwr was stopped", "")
	}
	if r.closed {
		r.give()
		return errors.New("the flwr session is closed")
	}
	return nil
}

func (r *runner) give() { r.turn <- struct{}{} }

// within returns a context that also ends with the session.
func (r *runner) within(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(r.life, func() { cancel(errors.New("the flwr session is closed")) })
	return ctx, func() { stop(); cancel(nil) }
}

// ensure returns the worker, nil when there is to be none.
func (r *runner) ensure(ctx context.Context) (*worker, error) {
	if r.worker != nil || r.single {
		return r.worker, nil
	}
	dir, err := r.dir()
	if err != nil {
		return nil, err
	}
	w, err := startWorker(ctx, r.found.Python, dir, r.env)
	if err != nil {
		if ctx.Err() != nil {
			return nil, problem.Stopped(context.Cause(ctx), "flwr was stopped", "")
		}
		r.single = true // a process for each command still works, slowly
		return nil, nil
	}
	r.worker = w
	return w, nil
}

// call runs a command in the worker and handles the worker's end. The caller has the turn.
func (r *runner) call(ctx context.Context, w *worker, args []string, live func(string)) (answer, error) {
	a, err := w.call(ctx, args, live)
	if err != nil {
		r.worker = nil
		if ctx.Err() == nil {
			if r.deaths++; r.deaths >= 2 {
				r.single = true
			}
		}
		return a, err
	}
	r.deaths = 0
	if a.Last { // flwr_exit ends that process
		w.close()
		r.worker = nil
	}
	return a, nil
}

// runOnce runs one command in a process of its own.
func (r *runner) runOnce(ctx context.Context, argv []string) (output, error) {
	dir, err := r.dir()
	if err != nil {
		return output{}, err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	cmd := child.Command(ctx, dir, r.found.Program, argv[1:]...)
	stdout, stderr := child.Bounded{Stop: stop}, child.Bounded{Stop: stop}
	cmd.Stdout, cmd.Stderr, cmd.Env = &stdout, &stderr, r.env
	err = cmd.Run()
	out := output{stdout: stdout.String(), stderr: stderr.String()}
	var exit *exec.ExitError
	if stdout.Over() || stderr.Over() {
		return output{}, child.ErrTooLong
	}
	if ctx.Err() != nil {
		return out, ctx.Err()
	}
	if errors.As(err, &exit) {
		out.code = exit.ExitCode()
		return out, nil
	}
	return out, err
}

// dir returns the working folder, and makes it when it is flwrup's own.
func (r *runner) dir() (string, error) {
	if r.folder != "" {
		return r.folder, nil
	}
	return userdirs.Work()
}
