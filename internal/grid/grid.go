// Package grid runs the rehearsal SuperGrid: the real open-source SuperLink of an installed flwr, with TLS,
// SuperNode authentication, account login and federations, only on this machine's loopback. Its Python part
// is embedded. The grid ends when flwrup is gone, however flwrup ended, unless the grid was kept.
package grid

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"flwrup/internal/plainfile"
	"flwrup/internal/problem"
)

// ReadyTimeout is how long a grid may take to accept connections. On a machine whose Python has not compiled
// flwr yet the start was seen to take 8 s, and several times that on a busy machine.
const ReadyTimeout = 90 * time.Second

// Options configures a grid. Zero durations and empty texts leave the grid's own defaults. They count when a
// grid starts; a running one keeps its own.
type Options struct {
	Dir           string        // its state; made when missing, everything that survives a restart is there
	Python        string        // the Python of an environment that has flwr
	AutoAccount   string        // whose login an approval without a name is for: "ada" (default) or "bob"
	LoginTTL      time.Duration // time to approve a login (300 s)
	TokenTTL      time.Duration // life of an access token (1 h)
	RefreshTTL    time.Duration // life of a login, refreshed or not (24 h)
	RotateRefresh bool          // a refresh token works once
	ConfirmNodes  string        // "off", "federation" or "fleet": closed to a node until Confirm
	Federations   []string      // flwr up to 1.26: the fixed federations; none: flowerlabs, @flowerlabs/default
	Extra         []string      // more arguments for flower-superlink
	Env           []string      // more environment, NAME=value
	Timeout       time.Duration // until ready (ReadyTimeout)
}

// Ready says how to reach a grid that accepts connections.
type Ready struct {
	Version          string   `json:"version"` // of flwr
	Control          string   `json:"control_address"`
	Fleet            string   `json:"fleet_address"` // the same as Control where flwr has one port for all
	CA               string   `json:"ca"`            // certificate file, absolute
	Portal           string   `json:"portal"`        // http://127.0.0.1:PORT
	PID              int      `json:"pid"`
	Managed          bool     `json:"managed_federations"` // the CLI can create federations and add SuperNodes
	Accounts         []string `json:"accounts"`
	Federations      []string `json:"federations"`       // at the start; State has the present ones
	ControlTransport string   `json:"control_transport"` // "grpc" or "http"
	FleetTransport   string   `json:"fleet_transport"`
	Instance         string   `json:"instance"` // a different one at each start
}

// Grid is a running grid.
type Grid struct {
	Ready    Ready
	Dir      string
	Attached bool // it ran before; its life is not tied to this flwrup

	client *http.Client
	secret string   // opens the portal; different at each start
	child  *process // nil when attached
}

func files(dir string) (ready, failed, lock string) {
	return filepath.Join(dir, "ready.json"), filepath.Join(dir, "failed.json"), filepath.Join(dir, "grid.lock")
}

// Log returns the path of the log of the grid in dir.
func Log(dir string) string { return filepath.Join(dir, "grid.log") }

// Start starts the grid of o.Dir, or attaches to a running one, and returns when it accepts connections. say,
// which may be nil, gets a line for each wait. Problems: python-missing, port-taken (its own port of last
// time has another owner now), rehearsal-grid-failed (with the last lines of its log), unsupported-platform,
// cancelled.
func Start(ctx context.Context, o Options, say func(string)) (*Grid, error) {
	if say == nil {
		say = func(string) {}
	}
	if err := supported(); err != nil {
		return nil, err
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, err
	}
	o.Dir = dir
	if o.Timeout == 0 {
		o.Timeout = ReadyTimeout
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, folderProblem(dir, err)
	}
	deadline := time.Now().Add(o.Timeout)
	hung := 0
	for {
		if _, is := Suspended(dir); is {
			say("the rehearsal grid is suspended: resuming it")
			if err := Resume(dir); err != nil {
				return nil, err
			}
		}
		if !alive(dir) {
			g, err := launch(ctx, o, say, deadline)
			if !errors.Is(err, errRace) {
				return g, err
			}
		}
		g, err := attach(ctx, dir)
		if err == nil {
			say("the rehearsal grid is running already")
			return g, nil
		}
		if ctx.Err() != nil {
			return nil, problem.Stopped(context.Cause(ctx), "starting the rehearsal grid was cancelled", "")
		}
		if errors.Is(err, errHangs) {
			hung++
		}
		if time.Now().After(deadline) || hung > 1 {
			return nil, &problem.Problem{Code: problem.GridFailed, What: "a rehearsal grid runs in " + dir + " but does not answer",
				Why: err.Error(), Fix: "end it with flwrup down, then run the same command again", Err: err}
		}
		pause(ctx, 50*time.Millisecond) // it is starting, or about to end
	}
}

// errRace means that another flwrup started the same grid first.
var errRace = errors.New("another grid took the folder")

// launch starts the grid's process and waits until it is ready.
func launch(ctx context.Context, o Options, say func(string), deadline time.Time) (*Grid, error) {
	if info, err := os.Stat(o.Python); err != nil || info.IsDir() {
		return nil, problem.New(problem.PythonMissing, fmt.Sprintf("no Python %q for the rehearsal grid", o.Python), "", "install flwr into an environment first")
	}
	program, err := writeProgram(o.Dir)
	if err != nil {
		return nil, folderProblem(o.Dir, err)
	}
	say("starting the rehearsal grid (log: " + Log(o.Dir) + ")")
	c, err := spawn(o.Python, append([]string{program}, arguments(o)...), o.Env, Log(o.Dir))
	if err != nil {
		return nil, &problem.Problem{Code: problem.GridFailed, What: "cannot start the rehearsal grid", Why: err.Error(), Err: err}
	}
	late := time.After(5 * time.Second)
	for {
		r, secret, err := readReady(o.Dir)
		if err == nil && r.PID == c.pid {
			g := &Grid{Ready: r, Dir: o.Dir, client: newClient(), secret: secret, child: c}
			say("the rehearsal grid is ready: flwr " + r.Version + " at " + r.Control + ", which only this machine reaches")
			return g, nil
		}
		select {
		case <-c.done:
			return nil, died(o, c)
		case <-ctx.Done():
			c.kill()
			return nil, problem.Stopped(context.Cause(ctx), "starting the rehearsal grid was cancelled", "")
		case <-late:
			say("still starting: Python compiles flwr the first time")
		case <-time.After(25 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			c.kill()
			return nil, &problem.Problem{Code: problem.GridFailed, What: fmt.Sprintf("the rehearsal grid was not ready after %v", o.Timeout),
				Fix: "look at " + Log(o.Dir) + ", then run the same command again", Raw: c.lastLines(15)}
		}
	}
}

// died turns the end of a starting grid into a Problem.
func died(o Options, c *process) error {
	_, failed, _ := files(o.Dir)
	raw := c.lastLines(15)
	var why struct {
		Code, Name string
		Port       int
	}
	if content, err := plainfile.Read(failed); err == nil && json.Unmarshal(content, &why) == nil && why.Code == "port-taken" {
		return &problem.Problem{Code: problem.PortTaken,
			What: fmt.Sprintf("port %d is taken by another program", why.Port),
			Why:  "it is the " + why.Name + " address of this rehearsal grid, which its SuperNodes and the configuration know",
			Fix:  fmt.Sprintf("end what listens there (lsof -nP -iTCP:%d -sTCP:LISTEN shows it), or rehearse in another folder", why.Port)}
	}
	if strings.Contains(raw, "another grid runs in") {
		return errRace
	}
	p := &problem.Problem{Code: problem.GridFailed, What: "the rehearsal grid ended while it started", Why: c.ending(),
		Fix: "look at " + Log(o.Dir), Raw: raw}
	if strings.Contains(raw, "ModuleNotFoundError") || strings.Contains(raw, "PackageNotFoundError") {
		p.Why = "the environment of " + o.Python + " lacks flwr or a part of it"
		p.Fix = "install flwr there again: " + o.Python + " -m pip install flwr numpy"
	}
	return p
}

func arguments(o Options) []string {
	args := []string{"--dir", o.Dir, "--watch-stdin"}
	add := func(name, value string) {
		if value != "" {
			args = append(args, name, value)
		}
	}
	seconds := func(name string, d time.Duration) {
		if d > 0 {
			args = append(args, name, strconv.FormatFloat(d.Seconds(), 'f', -1, 64))
		}
	}
	add("--auto-account", o.AutoAccount)
	seconds("--login-ttl", o.LoginTTL)
	seconds("--token-ttl", o.TokenTTL)
	seconds("--refresh-ttl", o.RefreshTTL)
	if o.RotateRefresh {
		args = append(args, "--rotate-refresh")
	}
	add("--confirm-nodes", o.ConfirmNodes)
	for _, f := range o.Federations {
		add("--federation", f)
	}
	if len(o.Extra) > 0 {
		args = append(append(args, "--"), o.Extra...)
	}
	return args
}

// Running returns the grid that runs in dir and accepted connections once. Only the process that holds the
// folder's lock and answers on the portal with this start's own secret counts; a hanging one counts as well.
func Running(dir string) (*Grid, bool) {
	dir, err := filepath.Abs(dir)
	if err != nil || supported() != nil || !alive(dir) {
		return nil, false
	}
	g, err := attach(context.Background(), dir)
	return g, err == nil || errors.Is(err, errHangs)
}

// Suspended reports whether the grid in dir was stopped with SIGSTOP, and returns its pid. It asks only the
// system.
func Suspended(dir string) (pid int, is bool) {
	dir, err := filepath.Abs(dir)
	if err != nil || supported() != nil {
		return 0, false
	}
	if _, _, err := readReady(dir); err != nil { // a starting one is in no hurry
		return 0, false
	}
	pid = holder(dir, "")
	return pid, pid != 0 && suspended(pid)
}

// Resume continues a grid that was stopped with SIGSTOP. A running grid, or none at all, is no error.
func Resume(dir string) error {
	pid, is := Suspended(dir)
	if !is {
		return nil
	}
	if err := resume(pid); err != nil {
		return &problem.Problem{Code: problem.GridFailed, What: "cannot resume the rehearsal's grid", Why: err.Error(),
			Fix: fmt.Sprintf("kill -CONT %d", pid), Err: err}
	}
	return nil
}

// errHangs means that the grid of a folder holds its lock and does not answer.
var errHangs = errors.New("the rehearsal grid does not answer")

// attach finds the grid that runs in dir. With errHangs it returns the grid as well.
func attach(ctx context.Context, dir string) (*Grid, error) {
	r, secret, err := readReady(dir)
	if err != nil {
		return nil, err
	}
	g := &Grid{Ready: r, Dir: dir, Attached: true, client: newClient(), secret: secret}
	if _, is := Suspended(dir); is && g.Alive() {
		return g, errHangs
	}
	asking, cancel := context.WithTimeout(ctx, pingWait)
	defer cancel()
	ping, err := g.ping(asking)
	if err != nil {
		if asking.Err() != nil && ctx.Err() == nil && g.Alive() {
			return g, errHangs
		}
		return nil, err
	}
	if ping.Instance != r.Instance {
		return nil, errors.New("another program answers at " + r.Portal)
	}
	return g, g.post(asking, "/attach", struct{}{}, nil)
}

// pingWait is how long a grid on this machine may take to answer a ping.
const pingWait = 5 * time.Second

// readReady returns a grid's description of itself once it is ready. Separately, because Ready is shown, it
// returns the secret that opens its portal. Only the owner may read the file.
func readReady(dir string) (Ready, string, error) {
	file, _, _ := files(dir)
	var content struct {
		Ready
		Secret string `json:"secret"`
	}
	text, err := plainfile.Read(file)
	if err == nil {
		err = json.Unmarshal(text, &content)
	}
	return content.Ready, content.Secret, err
}

// Keep keeps the grid alive when flwrup ends. Then only Stop ends it.
func (g *Grid) Keep(ctx context.Context) error {
	return g.post(ctx, "/keep", struct{}{}, nil)
}

// Alive reports whether the grid's process lives, without asking it.
func (g *Grid) Alive() bool { return holder(g.Dir, g.Ready.Instance) != 0 }

// Kept reports whether the grid lives on when the flwrup that started it ends.
func (g *Grid) Kept(ctx context.Context) (bool, error) {
	p, err := g.ping(ctx)
	return p.Kept, err
}

// Stop ends the grid: SIGTERM once, SIGKILL for all remaining processes after ten seconds or when ctx ends.
// None of its processes lives when Stop returns. A grid that has ended already is no error.
func (g *Grid) Stop(ctx context.Context) error {
	pid := holder(g.Dir, g.Ready.Instance)
	if g.child != nil {
		pid = g.child.pid // ours, and nobody else waits for it: the pid cannot have a new owner
	}
	if pid == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	return end(ctx, pid, g.child, func() bool { return holder(g.Dir, g.Ready.Instance) == pid })
}

// StopDir ends the grid that runs in dir, even one that does not answer. A grid that does not run is no
// error.
func StopDir(ctx context.Context, dir string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	pid := holder(dir, "")
	if pid == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	return end(ctx, pid, nil, func() bool { return holder(dir, "") == pid })
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

func folderProblem(dir string, err error) error {
	fix := "see that it is a folder that you can write to"
	if errors.Is(err, fs.ErrPermission) {
		fix = "choose a folder of your own with --dir"
	}
	return &problem.Problem{Code: problem.BadInput, What: "cannot use the folder " + dir, Why: err.Error(), Fix: fix, Err: err}
}
