package site

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"flwrup/flwrexec"
	"flwrup/flwrexec/app"
	"flwrup/flwrexec/flwr"
	"flwrup/flwrexec/install"
	"flwrup/internal/front"
	"flwrup/internal/grid"
	"flwrup/internal/ledger"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/supernode"
	"flwrup/internal/trust"
	"flwrup/internal/turn"
)

// Flwr is what the steps need of flwr's command line; *flwrexec.Session is one.
type Flwr interface {
	Version() flwr.Version
	Dialect() flwr.Dialect
	Found() install.Found
	Login(ctx context.Context, c flwr.Connection, prompt func(flwrexec.LoginPrompt), line func(string)) error
	Nodes(ctx context.Context, c flwr.Connection) ([]flwrexec.Node, error)
	Register(ctx context.Context, c flwr.Connection, r flwr.Registration) (flwr.NodeID, error)
	Unregister(ctx context.Context, c flwr.Connection, id flwr.NodeID) error
	Federations(ctx context.Context, c flwr.Connection) ([]flwrexec.Federation, error)
	FederationDetails(ctx context.Context, c flwr.Connection, id string) (flwrexec.FederationDetails, error)
	CreateFederation(ctx context.Context, c flwr.Connection, name, description string) (string, error)
	AddToFederation(ctx context.Context, c flwr.Connection, id flwr.NodeID, federation string) error
	RemoveFromFederation(ctx context.Context, c flwr.Connection, id flwr.NodeID, federation string) error
	Invitations(ctx context.Context, c flwr.Connection) (flwrexec.Invitations, error)
	Invite(ctx context.Context, c flwr.Connection, op flwr.InviteOp, account, federation string) error
	StartRun(ctx context.Context, c flwr.Connection, app, federation, config string) (flwr.RunID, error)
	Runs(ctx context.Context, c flwr.Connection) ([]flwrexec.Run, error)
	Run(ctx context.Context, c flwr.Connection, id flwr.RunID) (flwrexec.Run, error)
	StopRun(ctx context.Context, c flwr.Connection, id flwr.RunID) error
	FollowLog(ctx context.Context, c flwr.Connection, id flwr.RunID, line func(string)) error
	ShowLog(ctx context.Context, c flwr.Connection, id flwr.RunID, line func(string)) error
	NewApp(ctx context.Context, work string, argv []string, line func(string)) (app.App, error)
	Warm(ctx context.Context) (time.Duration, error)
	Close() error
}

// Options says which site to open and what cannot be kept in flwrup.toml.
type Options struct {
	Dir            string           // project folder; made when Create is set
	Create         bool             // make the folder and flwrup.toml when they are missing
	ReadOnly       bool             // status, logs, plan: nothing is written
	Ending         bool             // stop, down: nothing is started, so what was not accepted is left out
	Trust          bool             // accepts all that the folder asks for
	Accept         []trust.Value    // accepts these
	Instead        *project.Choices // for a watch: goes on with these where flwrup.toml cannot be taken over
	PassphraseFile string           // for the backup, unattended
	Rehearsal      bool             // with Create: a new site is a rehearsal
	Rehearsed      bool             // with Create: the new site takes part in another folder's rehearsal
	Trap           bool             // a new rehearsal's app saves its model at the end, which a grid does not allow
	Attended       bool             // a person is there: a rehearsal waits for them at the login page
	Mend           bool             // comment out what writes files in the ServerApp, unattended, too
	Join           string           // the federation whose invitation the person accepts: they have named it
	Crowded        bool             // a rehearsal with more SuperNodes than memory carries
	SendAll        bool             // send what checkSent finds, keys and backups excepted
	Choose         func(*project.Choices)
	Ctx            context.Context // ends the wait for another flwrup that acts in the folder; may be nil
	To             front.Sink      // hears of that wait; may be nil
}

// Site is what all steps read and change: the project folder with its choices and ledger, flwr, the
// runtime, the grid. Its methods may be called from any goroutine.
type Site struct {
	Dir    string
	Ledger *ledger.Ledger

	Options Options
	turn    *turn.Turn
	store   *trust.Store  // what the person accepted here
	leftOut []trust.Value // left out of the choices: nobody accepted them
	proven  []trust.Value // need no acceptance: see takeOver
	state   string        // where flwrup's records lie
	made    bool          // this call made the folder
	instead bool          // goes on with Options.Instead

	choosing sync.Mutex // held while choices are changed and saved
	choices  atomic.Pointer[project.Choices]
	ports    sync.Mutex // held while a port is chosen
	asking   sync.Mutex // held while values are asked for
	opening  sync.Mutex // held while flwr is looked for and checked, which may take seconds
	seen     install.Seen
	kept     sync.Map          // by type: see kept
	mu       sync.Mutex        // guards what follows
	flwr     Flwr              // nil until Session has found one
	aside    []error           // of every flwr that could not be taken
	runtime  supernode.Runtime // nil until NodesRuntime has opened it
	grid     *grid.Grid        // rehearsal only
	world    world
	written  []byte                    // flwrup.toml as this site knows it
	read     time.Time                 // when
	told     map[string]string         // values of variables that the person gave, by name; in memory alone
	undo     map[front.StepID][]string // step → undo files of its edits, the last one at the end
}

// Open opens the site in o.Dir. The caller closes it. What the folder asks for and nobody accepted is an
// *Unaccepted; nothing was changed then. Several flwrups may have a site open; see InTurn.
func Open(o Options) (*Site, error) {
	s, err := siteIn(o)
	if err != nil {
		return nil, err
	}
	v, err := surveyFolder(s)
	if err != nil {
		return nil, err
	}
	if err := refused(s, v); err != nil {
		return nil, err
	}
	if !s.frozen() {
		done, err := takeTurn(s, v)
		if err != nil {
			return nil, err
		}
		defer done()
	}
	if s.turn.Held() {
		if v, err = surveyFolder(s); err == nil { // another flwrup may have been at work
			err = settle(s, v)
		}
	}
	if err == nil {
		err = s.load(v)
	}
	if err == nil && s.turn.Held() {
		err = clearScratch(s)
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// siteIn makes the folder where that was asked for, and finds what was accepted in it.
func siteIn(o Options) (*Site, error) {
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, err
	}
	s := &Site{Dir: dir, Options: o, turn: turn.In(dir), state: project.StateDir(dir), undo: map[front.StepID][]string{}}
	if o.Create {
		if err := s.makeFolder(); err != nil {
			return nil, err
		}
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return nil, problem.New(problem.BadInput, "no flwrup.toml in "+dir, "nothing was set up here yet",
			"start with `flwrup`, or name the folder with --dir")
	}
	s.store, err = trust.For(dir)
	return s, err
}

// makeFolder makes the project folder.
func (s *Site) makeFolder() error {
	if info, err := os.Stat(s.Dir); err == nil {
		if !info.IsDir() {
			return problem.New(problem.BadInput, s.Dir+" is a file", "flwrup needs a folder there",
				"name another folder with --dir")
		}
		return nil
	}
	if err := os.MkdirAll(s.Dir, 0o755); err != nil { // #nosec G301 -- the project's folder, and the umask decides
		return &problem.Problem{Code: problem.BadInput, What: "cannot make the folder " + s.Dir, Why: problem.Cause(err),
			Fix: "name a folder that you may write to with --dir", Err: err}
	}
	s.made = true
	return nil
}

func (s *Site) load(v survey) (err error) {
	c := v.choices
	if s.frozen() {
		c = leaveOut(s, c, declined(s, v.open))
	}
	s.choices.Store(c)
	if s.Ledger, err = ledger.Open(s.StateDir("ledger.json")); err != nil {
		return err
	}
	noteFile(s)
	if !s.frozen() && !s.turn.Held() { // nothing to write
		return nil
	}
	return s.Change(func(c *project.Choices) error { return takeFlags(s, c) })
}

// Close returns the turn and connections. A rehearsal grid that was not kept ends with it.
func (s *Site) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	if s.flwr != nil {
		errs = append(errs, s.flwr.Close())
		s.flwr = nil
	}
	if s.runtime != nil {
		errs = append(errs, s.runtime.Close())
		s.runtime = nil
	}
	s.turn.Drop()
	return errors.Join(errs...)
}
