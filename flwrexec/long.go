package flwrexec

import (
	"context"
	"errors"
	"io"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"flwrup/flwrexec/flwr"
	"flwrup/internal/child"
	"flwrup/internal/problem"
	"flwrup/internal/termsafe"
)

// How long a login may be silent. Some gRPC versions hang for ever after saying "unavailable", and before the
// page is shown only the network can be slow.
const (
	afterUnavailable = 3 * time.Second
	beforePrompt     = 90 * time.Second
)

// FollowLog sends the run's log to line, from its beginning, safe for a terminal. It ends when the run has
// ended (nil), ctx ends or the connection breaks. A failed run is no error here: ask Run.
func (s *Session) FollowLog(ctx context.Context, c flwr.Connection, run flwr.RunID, line func(string)) error {
	argv, began := s.Dialect().LogArgv(s.absolute(c), run), time.Now()
	_, err := s.long(ctx, argv, line)
	if s.overtaken(ctx, c, began, err) {
		_, err = s.long(ctx, argv, line)
	}
	return err
}

var urlPattern = regexp.MustCompile(`https?://[^\s<>"']+`)
var userCode = regexp.MustCompile(`(?i)[?&](?:user_code|code)=([A-Za-z0-9_-]{1,64})(?:[&\s]|$)`)

// Login runs flwr's device flow. prompt is called once, when the page to open is known; line gets all of
// flwr's output. Login returns when the login is approved (nil), over (login-timeout) or ctx ends.
func (s *Session) Login(ctx context.Context, c flwr.Connection, prompt func(LoginPrompt), line func(string)) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	hung := errors.New("flwr login hangs")
	guard := time.AfterFunc(beforePrompt, func() { stop(hung) })
	defer guard.Stop()
	quiet, shownPage := context.WithCancel(ctx)
	defer shownPage()
	s.pulse.whileQuiet(quiet, knockAfter, stop)
	var mu sync.Mutex // stdout and stderr come concurrently
	var seen strings.Builder
	var p LoginPrompt
	shown := false
	show := func() {
		if p.URL != "" && !shown {
			shown = true
			guard.Stop()
			shownPage() // from here on the grid waits for the person
			p.Output = seen.String()
			prompt(p)
		}
	}
	ended := false
	out, err := s.login(ctx, s.Dialect().LoginArgv(s.absolute(c)), func(l string) {
		mu.Lock()
		defer mu.Unlock()
		if ended {
			return
		}
		if rest, ok := strings.CutPrefix(l, "flwrup-expires "); ok {
			if n, err := strconv.Atoi(rest); err == nil && n > 0 {
				p.Expires = time.Duration(n) * time.Second
			}
			return
		}
		seen.WriteString(l + "\n")
		line(l)
		if strings.Contains(l, "Connection to the SuperLink is unavailable") {
			guard.Stop()
			guard = time.AfterFunc(afterUnavailable, func() { stop(hung) })
		}
		if u := urlPattern.FindString(l); u != "" && !shown && !strings.Contains(l, "ref-exit-codes") {
			p.URL = u
			if m := userCode.FindStringSubmatch(u); m != nil {
				p.Code = m[1]
			}
			show()
		}
	})
	mu.Lock()
	ended = true
	guard.Stop()
	mu.Unlock()
	if silent := silenceOf(ctx); silent != nil {
		return silent
	}
	if errors.Is(context.Cause(ctx), hung) {
		if strings.TrimSpace(out) == "" {
			out = "Connection to the SuperLink is unavailable"
		}
		q := classify(out, 1)
		if q.Code == problem.FlwrFailed {
			q = classify("Connection to the SuperLink is unavailable\n"+out, 1)
		}
		return q
	}
	// Up to 1.25 flwr exits 0 on some errors.
	if err == nil && !strings.Contains(out, "Login successful") {
		return classify(out, 1)
	}
	return err
}

// login runs argv in a worker that runs already, else in a process of its own. Other short commands wait for
// it.
func (s *Session) login(ctx context.Context, argv []string, each func(string)) (string, error) {
	ctx, release := s.runner.within(ctx)
	defer release()
	if err := s.runner.take(ctx); err != nil {
		return "", err
	}
	defer s.runner.give()
	w, err := s.runner.ensure(ctx)
	if err != nil {
		return "", s.noAnswer(ctx, err, s.o.Limit)
	}
	if w == nil {
		return s.long(ctx, argv, each)
	}
	call := Call{Argv: argv, Began: time.Now(), Worker: true}
	kept := child.NewTail(32 << 10)
	lines := &termsafe.Splitter{Each: func(l string) error {
		kept.Write([]byte(l + "\n")) //nolint:errcheck // never fails
		each(l)
		return nil
	}}
	write := func(text string) { lines.Write([]byte(text)) } //nolint:errcheck // Each never fails
	a, err := s.runner.call(ctx, w, argv[1:], write)
	lines.Close() //nolint:errcheck
	switch {
	case err != nil:
		err = s.noAnswer(ctx, err, s.o.Limit)
	case a.Code != 0:
		for _, l := range termsafe.Lines(a.Err + "\n" + a.Native) {
			if l != "" {
				lines.Each(l) //nolint:errcheck
			}
		}
		err = classify(kept.String(), a.Code)
	}
	call.Took, call.Err, call.Raw = time.Since(call.Began), err, kept.String()
	s.record(call)
	return kept.String(), err
}

// long runs argv in a process of its own, sends its lines to each as they come, and ends it with ctx or with
// flwrup. It returns the end of the output.
func (s *Session) long(ctx context.Context, argv []string, each func(string)) (string, error) {
	call := Call{Argv: argv, Began: time.Now()}
	out, err := s.longRun(ctx, argv, each)
	call.Took, call.Err, call.Raw = time.Since(call.Began), err, out
	s.record(call)
	return out, err
}

func (s *Session) longRun(ctx context.Context, argv []string, each func(string)) (string, error) {
	ctx, release := s.runner.within(ctx)
	defer release()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	heard := s.pulse.whileQuiet(ctx, knockAfter, stop)
	line := each
	each = func(l string) { heard(); line(l) }
	dir, err := s.runner.dir()
	if err != nil {
		return "", err
	}
	if s.runner.found.Python == "" {
		return s.longWait(ctx, child.Command(ctx, dir, s.runner.found.Program, argv[1:]...), each, nil)
	}
	cmd := child.Command(ctx, dir, s.runner.found.Python, pythonArgs("one", argv[1:]...)...)
	in, err := cmd.StdinPipe() // stays open: its end shows the process that flwrup is gone
	if err != nil {
		return "", err
	}
	defer in.Close()
	return s.longWait(ctx, cmd, each, func() error {
		_, err := io.WriteString(in, workerSource)
		return err
	})
}

// longWait starts cmd, feeds it, and waits for its end.
func (s *Session) longWait(ctx context.Context, cmd *exec.Cmd, each func(string), feed func() error) (string, error) {
	kept := child.NewTail(32 << 10)
	var mu sync.Mutex
	safe := func(l string) error {
		mu.Lock()
		defer mu.Unlock()
		kept.Write([]byte(l + "\n")) //nolint:errcheck // never fails
		each(l)
		return nil
	}
	stdout, stderr := &termsafe.Splitter{Each: safe}, &termsafe.Splitter{Each: safe}
	cmd.Stdout, cmd.Stderr, cmd.Env = stdout, stderr, s.runner.env
	if err := cmd.Start(); err != nil {
		return "", err
	}
	if feed != nil {
		if err := feed(); err != nil && ctx.Err() == nil {
			child.KillGroup(cmd)
		}
	}
	err := cmd.Wait()
	stdout.Close() //nolint:errcheck // safe never fails
	stderr.Close() //nolint:errcheck
	if silent := silenceOf(ctx); silent != nil {
		return kept.String(), silent
	}
	if ctx.Err() != nil {
		return kept.String(), problem.Stopped(context.Cause(ctx), "flwr was stopped", "")
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return kept.String(), classify(kept.String(), exit.ExitCode())
	}
	return kept.String(), err
}
