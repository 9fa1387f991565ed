// Package flwrexec runs flwr. A Session keeps one Python process with flwr's command line, sends it commands
// and decodes its answers. The package also reads flwr's errors, and the logs of SuperNodes and runs.
package flwrexec

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"flwrup/flwrexec/flwr"
	"flwrup/flwrexec/install"
	"flwrup/internal/child"
	"flwrup/internal/problem"
	"flwrup/internal/termsafe"
	"flwrup/internal/userdirs"
)

// SessionOptions says where and how flwr's commands run.
type SessionOptions struct {
	FlwrHome string        // FLWR_HOME; "" leaves the user's own
	Dir      string        // working folder; "" is one of flwrup's own, without a pyproject.toml (see Session)
	Env      []string      // further variables, NAME=value
	Log      func(Call)    // gets every command after it has run, one at a time; may be nil
	Limit    time.Duration // for one short command; 0 is two minutes
	NoWorker bool          // a process for each command from the beginning

	// Silent reports why the grid does not answer, and returns nil at its first sign of life. A Session calls it
	// while it waits for an answer. nil: every command may take Limit.
	Silent func(context.Context) error
}

// Session runs the commands of one flwr for one FLWR_HOME. It keeps one Python process with flwr's command
// line loaded and sends it one command after the other. When that is impossible it falls back to a process
// for each command. Methods may be called from several goroutines; short commands wait for each other.
//
// From 1.26 on flwr rewrites a pyproject.toml with [tool.flwr.federations] in its working folder (and fails).
// So a Session works in a folder without one unless Dir says otherwise, and makes app folders and key files
// absolute.
type Session struct {
	o       SessionOptions
	runner  *runner
	pulse   *pulse
	log     sync.Mutex
	dialect flwr.Dialect // Check may change it
	dmu     sync.RWMutex
}

// NewSession makes a Session; no process is started before the first command.
func NewSession(found install.Found, o SessionOptions) *Session {
	if o.Limit == 0 {
		o.Limit = 2 * time.Minute
	}
	return &Session{o: o, runner: newRunner(found, o), pulse: &pulse{ask: o.Silent}, dialect: flwr.DialectOf(found.Version)}
}

// Found returns the flwr that the session runs.
func (s *Session) Found() install.Found { return s.runner.found }

// Version returns flwr's version.
func (s *Session) Version() flwr.Version { return s.runner.found.Version }

// Dialect returns the abilities of flwr, as corrected by Check.
func (s *Session) Dialect() flwr.Dialect {
	s.dmu.RLock()
	defer s.dmu.RUnlock()
	return s.dialect
}

// helpWait is how long flower-supernode may take to show its help.
const helpWait = 30 * time.Second

// Check compares the session's dialect with the installed flwr and corrects it. It is worth its 2 to 3
// seconds where Dialect.Known is false.
func (s *Session) Check(ctx context.Context) error {
	d, err := s.Dialect().Check(ctx, helpBy(s), s.runner.nodeHelp(ctx))
	s.dmu.Lock()
	s.dialect = d
	s.dmu.Unlock()
	return err
}

// Compare compares all that flwrup uses of this release with what the installed flwr offers. It takes about 5 seconds.
func (s *Session) Compare(ctx context.Context) (flwr.Comparison, error) {
	return flwr.DialectOf(s.Version()).Compare(ctx, helpBy(s), s.runner.nodeHelp(ctx))
}

// helpBy returns a function that returns what `flwr ARGS --help` prints, run by s.
func helpBy(s *Session) func(ctx context.Context, args ...string) (string, error) {
	return func(ctx context.Context, args ...string) (string, error) {
		out, err := s.runUnattended(ctx, nil, append(append([]string{"flwr"}, args...), "--help"))
		if err == nil && out.code != 0 {
			err = classify(out.stdout+out.stderr, out.code)
		}
		return out.stdout, err
	}
}

// nodeHelp returns what `flower-supernode --help` prints; "" where there is none: nothing to compare.
func (r *runner) nodeHelp(ctx context.Context) string {
	if r.found.Bin == "" {
		return ""
	}
	text, _ := child.Ask(ctx, helpWait, r.found.SuperNode(), "--help")
	return text
}

// Environ returns the environment of flwr's commands; for a SuperNode process of the same flwr.
func (s *Session) Environ() []string { return append([]string(nil), s.runner.env...) }

// Close ends the worker. A command that runs in it is cut off. Close may be called more than once.
func (s *Session) Close() error {
	s.runner.close()
	return nil
}

// Warm starts the worker, so that the first command needs no 2 to 4 seconds of Python imports. It returns how
// long that took; 0 when the worker runs already or there is none.
func (s *Session) Warm(ctx context.Context) (time.Duration, error) { return s.runner.warm(ctx) }

// Pulse reports why the grid shows no sign of life, without running flwr: nil, or a silent grid's error.
func (s *Session) Pulse(ctx context.Context) error { return s.pulse.knock(ctx) }

// output is the output of one command, and how it ended.
type output struct {
	stdout string
	stderr string
	code   int
	worker bool
}

// run runs one short command that asks the grid, argv with "flwr" first. An error means that flwr did not
// answer; the effect of the command is then unknown.
func (s *Session) run(ctx context.Context, argv []string) (output, error) {
	ctx, release := s.runner.within(ctx)
	defer release()
	look := lookOf(ctx)
	if _, err := look.open(s.o.Limit); err != nil {
		return output{}, err
	}
	var out output
	asking, leave, err := s.pulse.attend(ctx)
	if err == nil {
		defer leave()
		if out, err = s.runUnattended(asking, look, argv); err != nil && ctx.Err() != nil {
			err = problem.Stopped(context.Cause(ctx), "flwr was stopped", "")
		} else if silent := silenceOf(asking); err != nil && silent != nil {
			err = silent
		}
	}
	look.ended(err)
	return out, err
}

// runUnattended is run for a command that does not ask the grid: flwr's help.
func (s *Session) runUnattended(ctx context.Context, look *look, argv []string) (output, error) {
	if err := s.runner.take(ctx); err != nil {
		return output{}, err
	}
	defer s.runner.give()
	starting, cancel := context.WithTimeout(ctx, s.o.Limit)
	w, err := s.runner.ensure(starting)
	cancel()
	if err != nil {
		return output{}, s.noAnswer(ctx, err, s.o.Limit)
	}
	limit, err := look.open(s.o.Limit)
	if err != nil {
		return output{}, err
	}
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	began := time.Now()
	defer func() { look.waited(time.Since(began)) }()
	if w == nil {
		out, err := s.runner.runOnce(limited, argv)
		if err != nil {
			return out, s.noAnswer(ctx, err, limit)
		}
		return out, nil
	}
	a, err := s.runner.call(limited, w, argv[1:], nil)
	if err != nil {
		return output{worker: true}, s.noAnswer(ctx, err, limit)
	}
	return output{stdout: a.Out, stderr: a.Err + "\n" + a.Native, code: a.Code, worker: true}, nil
}

// noAnswer says why flwr did not answer within limit: the user stopped it, it took too long, or it died.
func (s *Session) noAnswer(ctx context.Context, err error, limit time.Duration) error {
	if ctx.Err() != nil {
		return problem.Stopped(context.Cause(ctx), "flwr was stopped", "")
	}
	if errors.Is(err, child.ErrTooLong) {
		return tooLong(err)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return tooSlow(limit)
	}
	p := problem.New(problem.FlwrFailed, "flwr ended before it gave an answer", "", "try again; if it happens again, run the command by hand")
	p.Err, p.Raw = err, termsafe.Text(err.Error())
	return p
}

func tooLong(err error) error {
	p := problem.New(problem.FlwrFailed, fmt.Sprintf("flwr's answer is longer than %d MB", child.MaxOutput>>20),
		"no list of a SuperGrid is that long: something is wrong with this grid or this flwr",
		"check the address of the grid, and which flwr this is")
	p.Err = err
	return p
}

// absolute returns c with an absolute App.
func (s *Session) absolute(c flwr.Connection) flwr.Connection {
	if s.Dialect().ConfigInPyproject && (c.App != "" || s.o.Dir == "") {
		c.App = userdirs.Abs(c.App)
	}
	return c
}

// record adds a call to the log of commands.
func (s *Session) record(c Call) {
	slog.Debug("flwr", "argv", c.Argv, "took", c.Took, "error", c.Err, "worker", c.Worker)
	if s.o.Log == nil {
		return
	}
	s.log.Lock()
	defer s.log.Unlock()
	s.o.Log(c)
}

// environment returns the environment of flwr's commands: its own programs first on PATH (it finds
// flower-superexec there), wide plain output, no browser, no update check. Telemetry stays the user's choice.
func environment(f install.Found, o SessionOptions) []string {
	drop := map[string]bool{"FORCE_COLOR": true, "CLICOLOR_FORCE": true}
	set := [][2]string{
		{"PATH", f.Bin + string(os.PathListSeparator) + os.Getenv("PATH")},
		{"FLWR_DISABLE_UPDATE_CHECK", "1"},
		{"COLUMNS", "200"},
		{"BROWSER", "true"},
		{"PYTHONUTF8", "1"},
		{"PYTHONUNBUFFERED", "1"},
		{"PYTHONSAFEPATH", "1"},
		{"NO_COLOR", "1"},
		{"TERM", "dumb"},
	}
	if f.Bin == "" {
		set = set[1:]
	}
	home := o.FlwrHome
	if home == "" {
		home = os.Getenv("FLWR_HOME")
	}
	if home != "" {
		set = append(set, [2]string{"FLWR_HOME", userdirs.Abs(home)})
	}
	for _, kv := range set {
		drop[kv[0]] = true
	}
	var env []string
	for _, kv := range child.Environ() {
		if name, _, _ := strings.Cut(kv, "="); !drop[strings.ToUpper(name)] {
			env = append(env, kv)
		}
	}
	for _, kv := range set {
		env = append(env, kv[0]+"="+kv[1])
	}
	return append(env, o.Env...)
}
