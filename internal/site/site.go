package site

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"flwrup/dockerctl"
	"flwrup/flwrexec"
	"flwrup/flwrexec/app"
	"flwrup/flwrexec/flwr"
	"flwrup/flwrexec/install"
	"flwrup/internal/front"
	"flwrup/internal/grid"
	"flwrup/internal/ledger"
	"flwrup/internal/plainfile"
	"flwrup/internal/problem"
	"flwrup/internal/procctl"
	"flwrup/internal/project"
	"flwrup/internal/supernode"
	"flwrup/internal/trust"
	"flwrup/internal/userdirs"
)

// Flwr is what the steps need of flwr's command line; *flwrexec.Session is one.
type Flwr interface {
	Version() flwr.Version
	Dialect() flwr.Dialect
	Found() install.Found
	Login(ctx context.Context, c flwr.Connection, prompt func(flwrexec.LoginPrompt), line func(string)) error
	Nodes(ctx context.Context, c flwr.Connection) ([]flwrexec.Node, error)
	Register(ctx context.Context, c flwr.Connection, publicKey, name string) (flwr.NodeID, error)
	Unregister(ctx context.Context, c flwr.Connection, id flwr.NodeID) error
	Federations(ctx context.Context, c flwr.Connection) ([]flwrexec.Federation, error)
	FederationDetails(ctx context.Context, c flwr.Connection, id string) (flwrexec.FederationDetails, error)
	CreateFederation(ctx context.Context, c flwr.Connection, name, description string) (string, error)
	AddToFederation(ctx context.Context, c flwr.Connection, id flwr.NodeID, federation string) error
	RemoveFromFederation(ctx context.Context, c flwr.Connection, id flwr.NodeID, federation string) error
	StartRun(ctx context.Context, c flwr.Connection, app, federation, config string) (flwr.RunID, error)
	Runs(ctx context.Context, c flwr.Connection) ([]flwrexec.Run, error)
	Run(ctx context.Context, c flwr.Connection, id flwr.RunID) (flwrexec.Run, error)
	StopRun(ctx context.Context, c flwr.Connection, id flwr.RunID) error
	FollowLog(ctx context.Context, c flwr.Connection, id flwr.RunID, line func(string)) error
	ShowLog(ctx context.Context, c flwr.Connection, id flwr.RunID, line func(string)) error
	NewApp(ctx context.Context, work, publisher string, line func(string)) (app.App, error)
	Warm(ctx context.Context) (time.Duration, error)
	Close() error
}

// Options says which site to open and what cannot be kept in flwrup.toml.
type Options struct {
	Dir            string           // project folder; made when Create is set
	Create         bool             // make the folder and flwrup.toml when they are missing
	ReadOnly       bool             // status, logs, plan: no lock, nothing is written
	Ending         bool             // stop, down: nothing is started, so what was not accepted is left out
	Trust          bool             // accepts all that the folder asks for
	Accept         []trust.Value    // accepts these
	Instead        *project.Choices // for a watch: goes on with these where flwrup.toml cannot be taken over
	PassphraseFile string           // for the backup, unattended
	Rehearsal      bool             // with Create: a new site is a rehearsal
	Trap           bool             // a new rehearsal's app saves its model at the end, which a grid does not allow
	Attended       bool             // a person is there: a rehearsal waits for them at the login page
	Mend           bool             // comment out what writes files in the ServerApp, unattended, too
	Crowded        bool             // a rehearsal with more SuperNodes than memory carries
	SendAll        bool             // send what checkSent finds, keys and backups excepted
	Choose         func(*project.Choices)
}

// Site is what all steps read and change: the project folder with its choices and ledger, flwr, the
// runtime, the grid. Its methods may be called from any goroutine.
type Site struct {
	Dir    string
	Ledger *ledger.Ledger

	Options Options
	unlock  func()
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
	Flwr     Flwr              // nil until Session has found one
	aside    []error           // of every flwr that could not be taken
	Runtime  supernode.Runtime // nil until NodesRuntime has opened it
	Grid     *grid.Grid        // rehearsal only
	World    world
	written  []byte                    // flwrup.toml as this site knows it
	told     map[string]string         // values of variables that the person gave, by name; in memory alone
	undo     map[front.StepID][]string // step → undo files of its edits, the last one at the end
}

// Open opens the site in o.Dir and takes its lock. The caller closes it. What the folder asks for and
// nobody accepted is an *Unaccepted; nothing was changed then.
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
	if !o.ReadOnly {
		if s.unlock, err = project.Lock(s.Dir); err != nil {
			return nil, err
		}
		v, err = surveyFolder(s) // another flwrup may have been at work
		switch {
		case err != nil:
		case s.frozen():
			err = refused(s, v)
		default:
			err = settle(s, v)
		}
	}
	if err == nil {
		err = s.load(v)
	}
	if err == nil && !s.frozen() {
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
	s := &Site{Dir: dir, Options: o, state: project.StateDir(dir), undo: map[front.StepID][]string{}}
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
	s.written, _ = plainfile.Read(project.File(s.Dir))
	return s.Change(func(c *project.Choices) error { return takeFlags(s, c) })
}

// Choices returns the present choices. Nobody may modify them: Change changes a copy. A function that decides by
// several of them takes the value once, so that it sees one state.
func (s *Site) Choices() *project.Choices { return s.choices.Load() }

// Change is the only writer of the choices: it changes a copy, saves it, and puts it in the place of the present
// ones. An edit that the person made meanwhile is taken over first. After an error all is as before. change may call Choices, which returns the present ones, and must not
// call Change.
func (s *Site) Change(change func(*project.Choices) error) error {
	return s.choose(func() error {
		if err := s.takeFile(); err != nil && !errors.Is(err, os.ErrNotExist) { // a save would undo what the person is about to mend
			return err
		}
		c := s.Choices().Clone()
		if err := change(c); err != nil {
			return err
		}
		return s.swap(c)
	})
}

// choose calls do, which alone may swap the choices meanwhile. The answers of a grid that was left are forgotten.
func (s *Site) choose(do func() error) error {
	s.choosing.Lock()
	from := s.Choices().Grid
	err := do()
	to := s.Choices().Grid
	s.choosing.Unlock()
	if from != to {
		s.ForgetGrid()
	}
	return err
}

// swap saves c and makes it the choices. The caller holds choosing.
func (s *Site) swap(c *project.Choices) error {
	if err := s.save(c); err != nil {
		return err
	}
	s.choices.Store(c)
	return nil
}

// edited reads flwrup.toml where it is no longer as this site knows it: a person may have changed it since,
// in an editor. It gives nil where nothing changed, and an error for what cannot be taken over.
func (s *Site) edited() (*project.Choices, error) {
	s.mu.Lock()
	text, err := plainfile.Read(project.File(s.Dir))
	same := err == nil && bytes.Equal(text, s.written)
	s.mu.Unlock()
	if same {
		return nil, Withheld(s)
	}
	now, err := project.Load(s.Dir)
	if err != nil {
		return nil, err
	}
	if open := s.store.Missing(now.ID, now.Sensitive(ground(s, now))); len(open) > 0 {
		p := trust.Refused(s.Dir, open)
		p.What = "flwrup.toml was changed, and asks for something that you have not accepted"
		p.Fix = "accept it with `flwrup trust` in another terminal, or undo the change; until then all goes on with the values before it"
		return nil, p
	}
	return now, nil
}

// TakeEdits takes over a person's changes of flwrup.toml.
func (s *Site) TakeEdits() error {
	return s.choose(s.takeFile)
}

// takeFile makes flwrup.toml the choices where it has changed. The caller holds choosing.
func (s *Site) takeFile() error {
	if s.frozen() {
		return nil
	}
	now, err := s.edited()
	if err != nil || now == nil {
		return err
	}
	if before := s.Choices(); before.Grid.Connection != now.Grid.Connection {
		if err := leaveGridBehind(s, before); err != nil {
			return err
		}
	}
	return s.swap(now)
}

// save writes c. Flwrup chose it itself, or the person accepted it.
func (s *Site) save(c *project.Choices) error {
	if s.frozen() {
		return nil
	}
	if err := accept(s, c); err != nil {
		return err
	}
	if err := c.Save(s.Dir); err != nil {
		return fmt.Errorf("save the choices: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.written, _ = plainfile.Read(project.File(s.Dir))
	return nil
}

// Close gives back the lock and connections. A rehearsal grid that was not kept ends with it.
func (s *Site) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	if s.Flwr != nil {
		errs = append(errs, s.Flwr.Close())
		s.Flwr = nil
	}
	if s.Runtime != nil {
		errs = append(errs, s.Runtime.Close())
		s.Runtime = nil
	}
	if s.unlock != nil {
		s.unlock()
		s.unlock = nil
	}
	return errors.Join(errs...)
}

// frozen reports whether flwrup.toml is neither written nor read again.
func (s *Site) frozen() bool { return s.Options.ReadOnly || s.Options.Ending || s.instead }

// Rehearsal tells whether this site's grid is the one on this machine.
func (s *Site) Rehearsal() bool { return s.Choices().Grid.Rehearsal }

// StateDir joins names below .flwrup.
func (s *Site) StateDir(names ...string) string {
	return filepath.Join(append([]string{s.state}, names...)...)
}

// Path makes a path of flwrup.toml absolute.
func (s *Site) Path(p string) string {
	if p == "" || filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(s.Dir, p)
}

// Rel shortens a path for a person: relative to the project where it lies inside.
func (s *Site) Rel(p string) string {
	if r, err := filepath.Rel(s.Dir, p); err == nil && !filepath.IsAbs(r) && (len(r) < 2 || r[:2] != "..") {
		return r
	}
	return p
}

// AppDir is the folder of the Flower app that is run, and for flwr up to 1.25 of the connection.
func (s *Site) AppDir() string {
	c := s.Choices()
	if c.App == "" || c.App == NoApp {
		return s.Dir
	}
	return s.Path(c.App)
}

// RunsElsewhere tells whether the person said that somebody else starts the runs.
func (s *Site) RunsElsewhere() bool { return s.Choices().App == NoApp }

// NoApp stands in flwrup.toml and on the command line for "runs are started elsewhere".
const NoApp = "none"

// Connection names the grid in the dialect of the flwr at hand.
func (s *Site) Connection() flwr.Connection {
	return flwr.Connection{Name: s.Choices().Grid.Connection, App: s.AppDir()}
}

// FlwrHome is the FLWR_HOME to set; "" leaves the person's own.
func (s *Site) FlwrHome() string {
	c := s.Choices()
	if c.Flwr.Home != "" {
		return s.Path(c.Flwr.Home)
	}
	if c.Grid.Rehearsal {
		return s.StateDir("flwr-home")
	}
	return ""
}

// Session gives the flwr of this site, found as chosen. It installs nothing. One that the table of
// dialects does not cover is held against its own help first, once.
func (s *Site) Session(ctx context.Context) (Flwr, error) {
	s.opening.Lock()
	defer s.opening.Unlock()
	s.mu.Lock()
	have := s.Flwr
	s.mu.Unlock()
	if have != nil {
		return have, nil
	}
	if Holds(s, needFlwr...) {
		return nil, Withheld(s)
	}
	found, err := s.findFlwr(ctx)
	if err != nil {
		return nil, err
	}
	dir, err := s.neutralDir()
	if err != nil {
		return nil, err
	}
	f := flwrexec.NewSession(found, flwrexec.SessionOptions{FlwrHome: s.FlwrHome(), Dir: dir, Silent: func(ctx context.Context) error { return SilentGrid(ctx, s) }})
	if !f.Dialect().Known() {
		if err := f.Check(ctx); err != nil {
			f.Close()
			return nil, err
		}
	}
	s.mu.Lock()
	s.Flwr = f
	s.mu.Unlock()
	return f, nil
}

// Dialect is that of the flwr at hand, else of the chosen one, else of the newest. It looks for none.
func (s *Site) Dialect() flwr.Dialect {
	s.mu.Lock()
	f := s.Flwr
	s.mu.Unlock()
	if f != nil {
		return f.Dialect()
	}
	if v, err := flwr.ParseVersion(s.Choices().Flwr.Version); err == nil {
		return flwr.DialectOf(v)
	}
	return flwr.Latest()
}

// neutralDir is a folder without pyproject.toml: a flwr from 1.26 on rewrites a
// pyproject.toml with the guide's block that it finds where it is started.
func (s *Site) neutralDir() (string, error) {
	dir := s.StateDir("cwd")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", &problem.Problem{Code: problem.BadInput, What: "cannot make the folder " + dir, Why: problem.Cause(err),
			Fix: "make " + s.Dir + " writable for you", Err: err}
	}
	return dir, nil
}

// findFlwr looks for the chosen flwr, or for the best one that is there. It keeps why others were left
// aside. A flwr that the person named is never replaced by another one.
func (s *Site) findFlwr(ctx context.Context) (install.Found, error) {
	c := s.Choices()
	o := install.FindOptions{Path: s.Path(c.Flwr.Path), ProjectDir: s.Dir, Seen: &s.seen}
	brought := s.store.Missing(c.ID, environments(s, c))
	if len(brought) > 0 {
		o.ProjectDir = ""
	}
	if c.Grid.Rehearsal {
		o.Path, o.OnlyOwn = "", true // a rehearsal leaves the person's own environments alone
	}
	found, errs := install.Find(ctx, o)
	if ctx.Err() != nil {
		return install.Found{}, ctx.Err()
	}
	s.mu.Lock()
	s.aside = errs
	s.mu.Unlock()
	want := c.Flwr.Version
	for _, f := range found {
		if want == "" || f.Version.String() == want || f.Version.Raw == want {
			return f, nil
		}
	}
	if len(brought) > 0 {
		return install.Found{}, trust.Refused(s.Dir, brought)
	}
	what := "no flwr found"
	if want != "" {
		what = "flwr " + want + " is not installed"
	}
	if o.Path != "" {
		if len(found) == 0 && len(errs) > 0 {
			return install.Found{}, errs[0]
		}
		if len(found) > 0 {
			what = fmt.Sprintf("the flwr at %s is %s, and flwr %s is wanted", o.Path, found[0].Version, want)
		}
		return install.Found{}, problem.New(problem.FlwrMissing, what, "", "name that one with --flwr-path, or choose the version with --flwr")
	}
	for _, err := range errs {
		if problem.Is(err, userdirs.NoPlace, userdirs.Unsafe) {
			return install.Found{}, err
		}
	}
	return install.Found{}, problem.New(problem.FlwrMissing, what, "", "step 3 installs it")
}

// LeftAside returns a line for each flwr that is there and was not taken because it does not work.
func (s *Site) LeftAside() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var lines []string
	for _, err := range s.aside {
		if problem.Is(err, problem.FlwrBroken, problem.FlwrDenied) {
			p := problem.Of(err)
			lines = append(lines, p.Error()+"; "+p.Fix)
		}
	}
	return lines
}

// RuntimeKind is "docker" or "process", as chosen or as step 3 settled "auto"; "" before that.
func (s *Site) RuntimeKind() string {
	if k := s.Choices().Runtime; k == "docker" || k == "process" {
		return k
	}
	if a, ok := s.Ledger.Attestation(AttestRuntime); ok {
		return a.Detail
	}
	return ""
}

// NodesRuntime gives the runtime that starts this site's SuperNodes.
func (s *Site) NodesRuntime(ctx context.Context) (supernode.Runtime, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.Runtime != nil {
		return s.Runtime, nil
	}
	if Holds(s, NeedRuntime...) {
		return nil, Withheld(s)
	}
	kind := s.RuntimeKind()
	if kind == "" {
		return nil, problem.New(problem.NeedsPerson, "no runtime chosen yet", "", "step 3 chooses it")
	}
	r, err := s.OpenRuntime(ctx, kind)
	if err != nil {
		return nil, err
	}
	s.Runtime = r
	return r, nil
}

func (s *Site) OpenRuntime(ctx context.Context, kind string) (supernode.Runtime, error) {
	processes, err := procctl.New(procctl.Options{Dir: s.StateDir("nodes"), Project: s.Choices().ID})
	if err != nil {
		return nil, err
	}
	if kind == "docker" {
		docker, err := dockerctl.New(ctx, dockerctl.Options{Project: s.Choices().ID, Dir: s.StateDir("starter")})
		if err != nil {
			return nil, err
		}
		return &EveryNode{Runtime: docker, s: s, finders: []byHand{docker, processes},
			containers: func(context.Context) (containerFinder, error) { return docker, nil }}, nil
	}
	containers := sync.OnceValues(func() (containerFinder, error) { // a SuperNode started by hand may be in one
		docker, err := dockerctl.New(context.Background(), dockerctl.Options{Project: s.Choices().ID, Dir: s.StateDir("starter")})
		return docker, err
	})
	return &EveryNode{Runtime: processes, s: s, finders: []byHand{processes}, containers: func(context.Context) (containerFinder, error) { return containers() }}, nil
}

// ShellDir writes a folder for a command that is typed in the project's folder.
func (s *Site) ShellDir(dir string) string {
	if r := s.Rel(dir); r != "" {
		return r
	}
	return "."
}

// CustomAddress tells whether the person (or the rehearsal) chose where the grid is.
func (s *Site) CustomAddress() bool { return s.Choices().Grid.Control != "" }
