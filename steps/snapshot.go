package steps

import (
	"context"
	"log/slog"
	"maps"
	"time"

	"flwrup/flwrexec"
	"flwrup/flwrexec/app"
	"flwrup/flwrexec/config"
	"flwrup/flwrexec/install"
	"flwrup/internal/byguide"
	"flwrup/internal/custody"
	"flwrup/internal/fleet"
	"flwrup/internal/front"
	"flwrup/internal/health"
	"flwrup/internal/problem"
	"flwrup/internal/runs"
	"flwrup/internal/site"
	"flwrup/internal/sites"
	"flwrup/internal/supernode"
	"flwrup/keys"
)

// Snapshot is all that the steps decide by: one look at the site, and what single steps look at. It is a value: nothing in
// it changes.
type Snapshot struct {
	site.Snapshot
	before map[front.StepID]front.Status // how the steps stand that the present one needs

	ByHand      byguide.Found                  // what was done by hand, while nothing was chosen
	InstallRoot site.Fact[string]              // where flwrup installs flwr
	Certificate site.Fact[config.Edit]         // of certificate.conf; no file: there is none
	Unwritable  error                          // why it cannot be edited
	Script      byguide.Script                 // of Flower's authentication example
	Intact      map[string]bool                // backups that are as they were made, by file
	NextBackup  string                         // where the next one goes
	Overview    front.Overview                 // with diagnoses
	OtherIDs    map[string]*problem.Problem    // SuperNodes that logged another node ID than the ledger has, by name
	App         site.Fact[runs.AppReport]      // that is run
	NoApp       bool                           // there is none in its folder
	AppsNear    int                            // in the project's folder and one level below
	Sending     []front.Action                 // what a run would keep out or stop at
	Preflight   site.Fact[[]supernode.Finding] // on the SuperNodes that do not run
	Request     *front.Letter                  // of a site that waits for its coordinator's reply
	Starting    site.Fact[map[string][]string] // commands that start each SuperNode that does not run here
}

// Status returns how a step stands that the present one needs.
func (p *Snapshot) Status(id front.StepID) front.Status { return p.before[id] }

// The parts of a look that single steps read.
const (
	readInstallRoot = site.PartsAbove << iota
	readByHand
	readCertificate
	readScript
	readBackups
	readOverview
	readApp
	readSending
	readPreflight
	readStarting
	readRequest
	readMembers // site.ReadMembership, where flwr manages federations and there are keys to compare
)

// readings read those parts, in the order in which one needs the other.
var readings = []struct {
	part site.Part
	read func(*Look, context.Context)
}{
	{readInstallRoot, func(l *Look, _ context.Context) { l.p.InstallRoot.Value, l.p.InstallRoot.Err = install.OwnRoot() }},
	{readByHand, func(l *Look, ctx context.Context) { l.p.ByHand = byguide.Look(ctx, l.p.Folder, l.p.Ledger) }},
	{readCertificate, func(l *Look, _ context.Context) {
		l.p.Certificate.Value, l.p.Certificate.Err = certificateEdit(l.p.Folder)
		l.p.Unwritable = l.p.Certificate.Value.Writable()
	}},
	{readScript, func(l *Look, _ context.Context) { l.p.Script = byguide.ReadScript(l.p.Folder) }},
	{readBackups, (*Look).backups},
	{readOverview, (*Look).overview},
	{readApp, (*Look).app},
	{readSending, func(l *Look, ctx context.Context) { l.p.Sending = runs.SentActions(ctx, l.s) }},
	{readPreflight, (*Look).preflight},
	{readStarting, (*Look).starting},
	{readRequest, func(l *Look, _ context.Context) {
		l.p.Request = sites.PendingLetter(l.p.Snapshot)
	}},
	{readMembers, func(l *Look, ctx context.Context) {
		if l.p.Keys.Err == nil && l.p.Tool.Err == nil && l.p.Dialect.Managed {
			l.further(ctx, site.ReadMembership)
		}
	}},
}

func (l *Look) backups(context.Context) {
	l.p.Intact = map[string]bool{}
	for _, b := range l.p.Ledger.Backups {
		l.p.Intact[b.File] = keys.CheckHash(l.p.Path(b.File), b.SHA256) == nil
	}
	l.p.NextBackup = custody.NextBackup(l.p.Folder)
}

func (l *Look) overview(ctx context.Context) {
	l.p.Overview = health.View(ctx, l.s, &l.p.Snapshot)
	l.p.OtherIDs = map[string]*problem.Problem{}
	for _, n := range l.p.SuperNodes {
		if bad, _ := health.IDDiffers(ctx, l.s, &l.p.Snapshot, n.Member, n.Runtime); bad != nil {
			l.p.OtherIDs[n.Name] = bad
		}
	}
	if all := l.p.Overview.Online == len(l.p.Overview.Nodes); all && len(l.p.OtherIDs) == 0 && l.p.Status(front.StepStart).State == front.Done {
		// Then the federation is worth a line.
		l.further(ctx, site.ReadMembership)
	}
}

func (l *Look) app(ctx context.Context) {
	l.p.App.Value, l.p.App.Err = runs.ReportApp(ctx, l.s, site.Fresh)
	if problem.Is(l.p.App.Err, app.Broken) && !app.Exists(l.p.AppDir()) {
		l.p.NoApp, l.p.AppsNear = true, len(app.Find(l.p.Dir))
	}
}

func (l *Look) preflight(ctx context.Context) {
	var down []site.Member
	for _, n := range l.p.SuperNodes {
		if n.Runtime.State != supernode.Running { // one that runs for another grid holds its own name and port
			down = append(down, n.Member)
		}
	}
	l.p.Preflight.Value, l.p.Preflight.Err = fleet.Preflight(ctx, l.s, down)
}

func (l *Look) starting(ctx context.Context) {
	rt, err := l.s.NodesRuntime(ctx)
	if err != nil {
		l.p.Starting.Err = err
		return
	}
	l.p.Starting.Value = map[string][]string{}
	for _, n := range l.p.SuperNodes {
		if n.Runtime.State == supernode.Running && l.p.Elsewhere(n.Runtime) == "" || l.p.Ledger.SuperNode(n.Name).Engine.Kind != "" {
			continue
		}
		spec, err := site.Spec(ctx, l.s, n.Member, "")
		if err != nil {
			l.p.Starting.Err = err
			return
		}
		l.p.Starting.Value[n.Name] = rt.Commands(spec)
	}
}

// Look is one look at the steps. What it reads for one of them serves those after it. Not for several goroutines.
type Look struct {
	s       *site.Site
	p       Snapshot
	decided map[front.StepID]decision
}

type decision struct {
	status front.Status
	err    error
}

// NewLook returns a look that has read nothing yet.
func NewLook(s *site.Site) *Look { return &Look{s: s, decided: map[front.StepID]decision{}} }

// read reads the parts that were not read yet.
func (l *Look) read(ctx context.Context, parts site.Part) {
	l.further(ctx, parts&(site.PartsAbove-1))
	for _, r := range readings {
		if parts&r.part != 0 && l.p.Parts&r.part == 0 {
			l.p.Parts |= r.part
			r.read(l, ctx)
		}
	}
}

// further reads parts of the site that were not read yet.
func (l *Look) further(ctx context.Context, parts site.Part) {
	l.p.Snapshot = site.LookFurther(ctx, l.s, l.p.Snapshot, site.Want{Parts: parts, MaxAge: site.Fresh})
}

// Inspect tells how step id stands, to a front end. A step after the login that finds the session over waits for the
// login.
func (l *Look) Inspect(ctx context.Context, id front.StepID) (front.Status, error) {
	if _, err := step(l.s.Folder(), id); err != nil {
		return front.Status{}, err
	}
	began := time.Now()
	status, err := l.inspect(flwrexec.OneLook(ctx), id)
	slog.Debug("step", "number", int(id), "state", status.State.String(), "why", status.Why, "evidence", status.Evidence, "error", err, "took", time.Since(began))
	if waits, ok := l.behindLogin(ctx, id, status, err); ok {
		return waits, nil
	}
	if err != nil {
		status.State = front.Unknown // a step may have begun with Done before it could not look further
	}
	return status, site.WithNetwork(ctx, l.s, err)
}

// behindLogin returns the status of a step after the login that err keeps from being looked at, where step 9 tells
// the cause, once for all: the session is over, or the grid is away.
func (l *Look) behindLogin(ctx context.Context, id front.StepID, status front.Status, err error) (front.Status, bool) {
	st := front.Status{State: front.Blocked, By: front.StepLogin}
	if !id.NeedsLogin() || err == nil {
		return st, false
	}
	if problem.Is(err, problem.NotLoggedIn) {
		st.Why = "the login expired: log in again, and this step continues where it was"
		return st, true
	}
	if _, cause := l.inspect(ctx, front.StepLogin); cause != nil && problem.Is(err, problem.Unreachable, problem.Untrusted) {
		if status.Why != "" && status.By > 0 {
			st.By, st.Why = status.By, status.Why // an earlier step is missing as well
			return st, true
		}
		st.Why = "the grid cannot be asked"
		return st, true
	}
	return st, false
}

// Plan tells what Apply of step id would do.
func (l *Look) Plan(ctx context.Context, id front.StepID) ([]front.Action, error) {
	st, err := step(l.s.Folder(), id)
	if err != nil {
		return nil, err
	}
	l.read(ctx, st.Wants().Plan)
	return st.Plan(l.p)
}

// inspect returns how step id stands, after the steps that it needs.
func (l *Look) inspect(ctx context.Context, id front.StepID) (front.Status, error) {
	if d, ok := l.decided[id]; ok {
		return d.status, d.err
	}
	status, err := l.decide(ctx, way(l.s.Folder())[id-1])
	l.decided[id] = decision{status, err}
	if err == nil {
		before := maps.Clone(l.p.before)
		if before == nil {
			before = map[front.StepID]front.Status{}
		}
		before[id] = status
		l.p.before = before
	}
	return status, err
}

// decide reads no more than the decision needs: a step that waits for another one, or is done, asks nobody.
func (l *Look) decide(ctx context.Context, st Step) (front.Status, error) {
	if waits, is, err := l.unmet(ctx, st, false); waits || err != nil {
		return is, err
	}
	l.read(ctx, st.Wants().Status)
	status, err := st.Inspect(l.p)
	if err != nil || status.State != front.Ready {
		return status, err
	}
	waits, is, err := l.unmet(ctx, st, true)
	if err != nil {
		return is, err
	}
	if waits {
		is.Items, is.Short = status.Items, status.Short
		return is, nil
	}
	if more := st.Wants().Ready; more != 0 {
		l.read(ctx, more)
		return st.Inspect(l.p)
	}
	return status, nil
}

// unmet reports whether a step has to wait for another one, and its status while it waits. With an error comes what is
// known of that other step.
func (l *Look) unmet(ctx context.Context, st Step, unlessDone bool) (bool, front.Status, error) {
	for _, n := range st.Needs() {
		if n.UnlessDone != unlessDone {
			continue
		}
		waits := front.Status{State: front.Blocked, By: n.Step, Why: n.Why}
		before, err := l.inspect(ctx, n.Step)
		if err != nil && !n.Unseen {
			waits = before
		}
		if met := before.State == front.Done || before.State == front.NotNeeded || n.Begun && before.State != front.Blocked; !met || err != nil {
			return err == nil, waits, err
		}
	}
	return false, front.Status{}, nil
}
