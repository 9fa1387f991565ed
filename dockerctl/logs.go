package dockerctl

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/client"

	"flwrup/internal/problem"
	"flwrup/internal/safego"
	"flwrup/internal/supernode"
	"flwrup/internal/termsafe"
)

// Logs sends the lines of a node's container, even one that has ended or was started by hand (name is then
// the container's). With Follow it goes on over restarts, replaced containers and restarts of the daemon,
// without repeating a line. It ends when ctx ends (which is no error) or each fails.
func (r *Runtime) Logs(ctx context.Context, name string, o supernode.LogOptions, each func(supernode.Line) error) error {
	f := follower{r: r, name: name, each: each, tail: "all"}
	if o.Tail >= 0 {
		f.tail = strconv.Itoa(o.Tail)
	}
	if !o.Follow {
		err := f.read(ctx, false)
		if ctx.Err() != nil {
			return nil
		}
		return f.cause(err)
	}
	wait := backoff{first: 300 * time.Millisecond, most: 3 * time.Second}
	for {
		seen := f.count
		err := f.read(ctx, true)
		if ctx.Err() != nil {
			return nil
		}
		var stop *eachError
		if errors.As(err, &stop) {
			return stop.error
		}
		if err != nil && !passing(err) {
			return err
		}
		if f.count > seen {
			wait.reset()
		}
		if safego.Sleep(ctx, wait.next()) != nil {
			return nil
		}
	}
}

// passing reports whether waiting may help: the daemon restarts, the node is between two containers.
func passing(err error) bool {
	return problem.Is(err, NodeAbsent, problem.DockerDown, problem.DockerDenied, problem.DockerMissing) ||
		cerrdefs.IsNotFound(err) || cerrdefs.IsConflict(err) || client.IsErrConnectionFailed(err) || errors.Is(err, errCut) ||
		cerrdefs.IsInternal(err) || cerrdefs.IsUnavailable(err)
}

// eachError is an error of the caller's own function, returned as it was.
type eachError struct{ error }

func (e *eachError) Unwrap() error { return e.error }

// follower remembers its place in a container's log.
type follower struct {
	r    *Runtime
	name string
	each func(supernode.Line) error
	tail string

	id    string    // container that was read last
	last  time.Time // time of the newest line that was sent
	same  int       // how many lines of that very time
	count int       // lines sent in all
	ended string    // container and time of its end, once its log was read to the end
}

func (f *follower) cause(err error) error {
	var stop *eachError
	if errors.As(err, &stop) {
		return stop.error
	}
	return err
}

// read sends the new lines of the log, once or until the stream ends.
func (f *follower) read(ctx context.Context, follow bool) error {
	if err := f.r.ready(ctx); err != nil {
		return err
	}
	c, err := find(ctx, f.r, f.name)
	if err != nil {
		return err
	}
	if c.ID != f.id {
		if f.id != "" {
			f.tail = "all" // a new container: all of its log is new
		}
		f.id, f.last, f.same = c.ID, time.Time{}, 0
	}
	if !c.State.Running && f.ended == c.ID+c.State.FinishedAt {
		return nil // read to its end before
	}
	o := container.LogsOptions{ShowStdout: true, ShowStderr: true, Timestamps: true, Follow: follow, Tail: f.tail}
	if !f.last.IsZero() {
		// Docker sends lines of this time again; skip counts them.
		o.Since, o.Tail = stamp(f.last), "all"
	}
	body, err := f.r.cli.ContainerLogs(ctx, c.ID, o)
	if err != nil {
		return f.r.logProblem(ctx, c, err)
	}
	defer body.Close()
	from, skip := f.last, f.same
	send := func(at time.Time, text string) error {
		if !from.IsZero() {
			if at.Before(from) {
				return nil
			}
			if at.Equal(from) && skip > 0 {
				skip--
				return nil
			}
		}
		switch {
		case at.After(f.last):
			f.last, f.same = at, 1
		case at.Equal(f.last):
			f.same++
		}
		f.count++
		if err := f.each(supernode.Line{Node: f.name, Time: at, Text: termsafe.Line(text)}); err != nil {
			return &eachError{err}
		}
		return nil
	}
	reader := readFrames
	if c.Config.Tty {
		reader = readRaw
	}
	if err = reader(body, send); err == nil && !c.State.Running {
		f.ended = c.ID + c.State.FinishedAt
	}
	return err
}

// LogNotKept says that Docker has no log of a container: its log driver keeps none here.
const LogNotKept problem.Code = "log-not-kept"

// keepsNothing reports whether a log driver leaves Docker nothing to read. For drivers that send logs away,
// Docker has kept a copy of its own since 20.10.
func keepsNothing(driver string) bool { return driver == "none" }

// logProblem says in words where a container's log is when Docker cannot read it.
func (r *Runtime) logProblem(ctx context.Context, c container.InspectResponse, err error) error {
	driver := ""
	if c.HostConfig != nil {
		driver = c.HostConfig.LogConfig.Type
	}
	if !keepsNothing(driver) && !strings.Contains(err.Error(), "does not support reading") {
		return r.explain(ctx, err, "read the log of "+strings.TrimPrefix(c.Name, "/"))
	}
	why := "its log driver " + driver + " sends the lines away, and Docker keeps no copy"
	if keepsNothing(driver) {
		why = "its log driver none throws every line away"
	}
	p := problem.New(LogNotKept, "Docker has no log of the container "+strings.TrimPrefix(c.Name, "/"), why,
		"have flwrup replace it by its own (flwrup restart NODE --replace), whose log is kept")
	if driver != "none" && driver != "" {
		p.Fix = "look where " + driver + " sends it; or " + p.Fix
	}
	p.Err = err
	return p
}

// stamp formats a time for Docker's API: seconds and nanoseconds.
func stamp(t time.Time) string {
	n := strconv.Itoa(t.Nanosecond())
	return strconv.FormatInt(t.Unix(), 10) + "." + "000000000"[len(n):] + n
}

// backoff is a wait that doubles.
type backoff struct{ first, most, now time.Duration }

func (b *backoff) next() time.Duration {
	b.now = min(max(2*b.now, b.first), b.most)
	return b.now
}

func (b *backoff) reset() { b.now = 0 }
