package site

import (
	"context"
	"os/exec"
	"slices"
	"strings"
	"time"

	"flwrup/flwrexec"
	"flwrup/flwrexec/flwr"
	"flwrup/flwrexec/install"
	"flwrup/flwrexec/releases"
	"flwrup/internal/front"
	"flwrup/internal/grid"
	"flwrup/internal/ledger"
	"flwrup/internal/machine"
	"flwrup/internal/problem"
	"flwrup/internal/shell"
	"flwrup/internal/supernode"
	"flwrup/keys"
)

// Part is something that a look can read. Parts are joined with |.
type Part uint32

// The parts. Folder, choices, ledger, the kind of runtime and whether there is a login are in every Snapshot:
// reading them asks nobody.
const (
	ReadKeys           Part = 1 << iota // the folder of keys
	ReadFlwr                            // the flwr at hand
	ReadFlwrAtHand                      // the same, as far as it was found before: looks for none
	ReadConfig                          // the edits that flwr's configuration still needs
	ReadNodes                           // the account's nodes on the grid
	ReadAccount                         // ReadNodes, and who is logged in; noted in the ledger
	ReadFederations                     // the account's federations, may be older; nothing before a login
	ReadFederationsNow                  // the same, where flwr manages federations and one is chosen
	ReadInvitations                     // of others, where no federation is chosen or the account is not in it
	ReadMembership                      // the chosen federation's members, nodes and runs
	ReadRuns                            // the account's runs
	ReadLastRun                         // the last run of this site; its new status is noted in the ledger
	ReadRuntime                         // whether SuperNodes can be started
	ReadImage                           // whether the image of a container is here
	ReadStates                          // what runs here
	ReadGrid                            // whether a rehearsal's grid runs
	ReadNetwork                         // what answers at the grid's two addresses
	ReadNetworkSeen                     // the same, as it was seen last: asks nobody
	ReadReleases                        // which releases of flwr are out, as the index said last: asks nobody
	ReadMachine                         // free disk and memory
	PartsAbove                          // the first part of the rooms above

	// ReadByAccount are the parts that need an account on the grid.
	ReadByAccount = ReadConfig | ReadNodes | ReadAccount | ReadFederations | ReadFederationsNow | ReadInvitations | ReadMembership | ReadRuns | ReadLastRun
)

// Want says what a look reads, and how old an answer of the grid may be.
type Want struct {
	Parts  Part
	MaxAge time.Duration
}

// Fact is one part of a look: what was read, or why it could not be.
type Fact[T any] struct {
	Value T
	At    time.Time // of an answer of the grid's
	Err   error
}

// Tool is the flwr at hand.
type Tool struct {
	install.Found
	Dialect flwr.Dialect
	Shell   string // how a person's shell reaches it
}

// LocalGrid is a rehearsal's grid.
type LocalGrid struct {
	Running   bool
	Ready     grid.Ready // of one that runs, or has ended
	Suspended *problem.Problem
}

// SuperNode is all that one look knows of a SuperNode of this site.
type SuperNode struct {
	Member
	Lost    bool          // its key is not in the folder any more
	Listed  bool          // the grid has answered, and lists it; also one that was unregistered
	Grid    flwrexec.Node // zero unless Listed
	Runtime supernode.Status
	Wanted  front.Wanted
}

// Snapshot is one look at a site: a value in which nothing changes. A part that was not asked for is empty.
type Snapshot struct {
	Folder
	Parts    Part      // that were read
	At       time.Time // of the last part
	Ledger   ledger.Data
	Kind     string       // of runtime; see Site.RuntimeKind
	Dialect  flwr.Dialect // of the flwr at hand, else of the chosen or the newest
	Flwr     string       // version at hand, else the chosen one; ""
	LoggedIn bool         // the grid answered the last question
	Crowded  error        // why this machine does not carry the chosen number (ReadMachine)
	DiskFree Fact[uint64] // bytes

	Keys       Fact[keys.Folder]
	SuperNodes []SuperNode // that have a key, as many as were chosen; joined from all that was read
	Lost       []SuperNode // registered, and their key is not in the folder any more

	Tool        Fact[Tool]
	LeftAside   []string // lines about flwrs that do not work
	Config      Fact[Configuration]
	Account     string // "" while it is not known
	Nodes       Fact[[]flwrexec.Node]
	Federations Fact[[]flwrexec.Federation]
	Invitations Fact[[]flwrexec.Invitation]
	Membership  Fact[flwrexec.FederationDetails]
	Runs        Fact[[]flwrexec.Run]
	LastRun     ledger.Run // as the ledger has it; with ReadLastRun, as the grid does
	Ran         bool       // LastRun was started; else there is none
	Runtime     error
	Image       Fact[bool] // Err: cannot be known
	States      Fact[map[string]supernode.Status]
	Grid        LocalGrid
	Network     Fact[Network]
	Releases    releases.List

	members []Member // as the ledger had them before the grid was asked
}

// Look reads the parts that are wanted. It is the only reader of a site, and decides nothing. See flwrexec.OneLook.
func (s *Site) Look(ctx context.Context, want Want) Snapshot {
	return LookFurther(ctx, s, Snapshot{}, want)
}

// LookFurther returns p with the parts that it lacks.
func LookFurther(ctx context.Context, s *Site, p Snapshot, want Want) Snapshot {
	if want.Parts&ReadAccount != 0 {
		want.Parts |= ReadNodes
	}
	if s.Folder().Coordinated() {
		want.Parts &^= ReadByAccount
	}
	lacks := want.Parts &^ p.Parts
	if lacks == 0 && !p.At.IsZero() {
		return p
	}
	if p.At.IsZero() || p.Parts == 0 {
		if lacks != 0 && !s.turn.Held() {
			follow(s)
		}
		p.Folder = s.Folder()
		p.LastRun, p.Ran = s.LastRun()
	}
	if lacks&ReadNodes != 0 {
		lacks |= p.Parts & ReadStates // see readings
	}
	p.Parts |= lacks
	look := &look{s: s, p: &p, maxAge: want.MaxAge}
	for _, r := range readings {
		if lacks&r.part != 0 {
			r.read(look, ctx)
		}
	}
	p.Ledger, p.Kind, p.LoggedIn, p.Dialect, p.Flwr = s.Ledger.Data(), s.RuntimeKind(), s.LoggedInBefore(), s.Dialect(), flwrVersion(s)
	p.At = time.Now()
	p.join()
	return p
}

// look is a look under way.
type look struct {
	s      *Site
	p      *Snapshot
	maxAge time.Duration
}

// readings are in the order in which one needs the other. What runs here is looked at after the grid, which may
// take seconds to answer: the other way round all SuperNodes that were stopped meanwhile would seem to run and be
// lost.
var readings = []struct {
	part Part
	read func(*look, context.Context)
}{
	{ReadMachine, (*look).machine},
	{ReadKeys, (*look).keys},
	{ReadFlwr, (*look).flwr},
	{ReadFlwrAtHand, (*look).flwrAtHand},
	{ReadConfig, (*look).config},
	{ReadNodes, (*look).nodes},
	{ReadAccount, (*look).account},
	{ReadFederations, (*look).federations},
	{ReadFederationsNow, (*look).federationsNow},
	{ReadInvitations, (*look).invitations},
	{ReadMembership, (*look).membership},
	{ReadGrid, (*look).grid},
	{ReadRuns, (*look).runs},
	{ReadLastRun, (*look).lastRun},
	{ReadStates, (*look).states},
	{ReadRuntime, (*look).runtime},
	{ReadImage, (*look).image},
	{ReadNetwork, (*look).network},
	{ReadNetworkSeen, (*look).networkSeen},
	{ReadReleases, func(l *look, _ context.Context) { l.p.Releases = releases.Kept() }},
}

func (l *look) machine(context.Context) {
	l.p.Crowded = NoRoom(l.s, l.p.Choices.Nodes)
	free, err := machine.DiskFree(l.s.Dir)
	l.p.DiskFree = Fact[uint64]{Value: free, Err: err}
}

func (l *look) keys(context.Context) {
	l.p.Keys.Value, l.p.Keys.Err = keys.Scan(l.p.KeysDir())
	if Holds(l.s, "keys") { // the usual folder was read
		l.p.Keys.Err = Withheld(l.s)
	}
	l.p.members = membersOf(l.p.Folder, l.s.Ledger.Data(), l.p.Keys.Value)
}

func (l *look) flwr(ctx context.Context) {
	_, l.p.Tool.Err = l.s.Session(ctx)
	l.flwrAtHand(ctx)
	l.p.LeftAside = l.s.LeftAside()
}

func (l *look) flwrAtHand(context.Context) {
	l.s.mu.Lock()
	f := l.s.flwr
	l.s.mu.Unlock()
	if f != nil {
		found := f.Found()
		l.p.Tool.Value = Tool{Found: found, Dialect: f.Dialect(), Shell: inShell(found.Program)}
	}
}

func (l *look) config(ctx context.Context) {
	l.p.Config.Value, l.p.Config.Err = ReadConfiguration(ctx, l.s)
}

func (l *look) grid(context.Context) {
	if !l.p.Rehearsal() {
		return
	}
	l.p.Grid.Suspended = GridSuspended(l.s)
	g, running := GridRunning(l.s)
	if l.p.Grid.Running = running; g != nil {
		l.p.Grid.Ready = g.Ready
	}
}

func (l *look) nodes(ctx context.Context) {
	l.p.Nodes.Value, l.p.Nodes.At, l.p.Nodes.Err = l.s.AllNodes(ctx, l.maxAge)
}

// account finds out who is logged in and notes it. Not every flwr can tell.
func (l *look) account(ctx context.Context) {
	if l.p.Nodes.Err != nil {
		return
	}
	connection := l.p.Choices.Grid.Connection
	l.p.Account = l.s.Ledger.Account(connection)
	seen := flwrexec.AccountOf(registered(l.p.Nodes.Value), nil)
	if seen == "" {
		if list, err := l.s.Federations(ctx, 6*l.maxAge); err == nil {
			seen = flwrexec.AccountOf(nil, list)
		}
	}
	if seen != "" && seen != l.p.Account && !l.s.Options.ReadOnly {
		l.p.Account = seen
		_ = l.s.Ledger.SetAccount(connection, seen) // the next look tries again
	}
}

func (l *look) federations(ctx context.Context) {
	if l.s.LoggedInBefore() && l.p.Choices.Federation != "" {
		l.p.Federations.Value, l.p.Federations.Err = l.s.Federations(ctx, 6*l.maxAge)
	}
}

func (l *look) federationsNow(ctx context.Context) {
	if l.p.Tool.Err == nil && l.p.Nodes.Err == nil && l.p.Tool.Value.Dialect.Managed && l.p.Choices.Federation != "" {
		l.p.Federations.Value, l.p.Federations.Err = l.s.Federations(ctx, l.maxAge)
	}
}

// invitations asks the grid only where an invitation would help.
func (l *look) invitations(ctx context.Context) {
	if !l.s.LoggedInBefore() || !l.s.Dialect().Invitations || l.s.Rehearsal() {
		return
	}
	if l.p.Choices.Federation != "" {
		list, err := l.s.Federations(ctx, 6*l.maxAge)
		if err != nil || slices.ContainsFunc(list, func(f flwrexec.Federation) bool { return f.ID == l.p.Choices.Federation }) {
			return
		}
	}
	all, err := Invitations(ctx, l.s, 6*l.maxAge)
	l.p.Invitations = Fact[[]flwrexec.Invitation]{Value: all.Received, Err: err}
}

func (l *look) membership(ctx context.Context) {
	l.p.Membership.Value, l.p.Membership.Err = l.s.Federation(ctx, l.maxAge)
}

func (l *look) runs(ctx context.Context) {
	l.p.Runs.Value, l.p.Runs.Err = l.s.GridRuns(ctx, l.maxAge)
}

func (l *look) lastRun(ctx context.Context) {
	l.p.LastRun, l.p.Ran = RefreshRun(ctx, l.s, l.maxAge)
}

func (l *look) states(ctx context.Context) {
	if l.s.RuntimeKind() != "" || Holds(l.s, NeedRuntime...) {
		l.p.States.Value, l.p.States.Err = States(ctx, l.s)
	}
}

func (l *look) runtime(ctx context.Context) {
	rt, err := l.s.NodesRuntime(ctx)
	if err == nil {
		err = rt.Check(ctx)
	}
	l.p.Runtime = err
}

func (l *look) image(ctx context.Context) {
	none := problem.New(problem.NotSupported, "no image is needed", "", "")
	if l.p.Image.Err = l.p.Tool.Err; l.p.Image.Err != nil {
		l.p.Image.Err = none
		return
	}
	name := Image(l.p.Choices, l.p.Tool.Value.Version.String())
	l.p.Image.Value = true
	l.p.Image.Err = onHosts(ctx, l.s, func(_ string, rt supernode.Runtime) error {
		docker, ok := rt.(interface {
			HasImage(context.Context, string) (bool, error)
		})
		if !ok {
			return none
		}
		has, err := docker.HasImage(ctx, name)
		l.p.Image.Value = l.p.Image.Value && has
		return err
	})
}

// network asks nobody while there is no flwr: its answer would be kept, and say nothing.
func (l *look) network(ctx context.Context) {
	if l.p.Network.Err = l.p.Tool.Err; l.p.Network.Err == nil {
		l.p.Network.Value, l.p.Network.Err = LookAtNetwork(ctx, l.s, NetworkAge)
	}
}

// networkSeen leaves what was just read, and an answer too old to say anything.
func (l *look) networkSeen(context.Context) {
	if seen, at, err := l.s.world.network.Last(); l.p.Parts&ReadNetwork == 0 && err == nil && time.Since(at) < networkSeenAge {
		l.p.Network = Fact[Network]{Value: seen, At: at}
	}
}

// networkSeenAge is how long what was seen of the network says which protocol the grid speaks.
const networkSeenAge = time.Hour

// join puts together what was read of each SuperNode.
func (p *Snapshot) join() {
	if p.Keys.Err != nil || p.Parts&ReadKeys == 0 {
		return
	}
	byID := map[string]flwrexec.Node{}
	if p.Nodes.Err == nil { // an old answer is no answer: the grid may have changed its mind
		for _, n := range p.Nodes.Value {
			byID[n.ID.String()] = n
		}
	}
	join := func(list []Member, lost bool) (joined []SuperNode) {
		for _, m := range list {
			n := SuperNode{Member: m, Lost: lost, Runtime: p.States.Value[m.Name], Wanted: front.Wanted(p.Ledger.SuperNode(m.Name).Wanted)}
			if m.Record.NodeID != "" {
				n.Grid, n.Listed = byID[m.Record.NodeID]
			}
			joined = append(joined, n)
		}
		return joined
	}
	p.SuperNodes, p.Lost = join(p.members, false), join(lostOf(p.Folder, p.Ledger, p.members, p.Keys.Value), true)
}

// Leaving returns the removals that are not settled: under way, or cut short by a crash.
func (p *Snapshot) Leaving() []ledger.Intent { return leaving(p.Folder, p.Ledger) }

// MissingKeys returns the names of the pairs that are to be made for the chosen number of SuperNodes.
func (p *Snapshot) MissingKeys() []string {
	if len(p.SuperNodes) >= p.Choices.Nodes {
		return nil
	}
	unusable := len(p.Keys.Value.Pairs) - len(p.SuperNodes)
	return p.Keys.Value.NextNames(p.Choices.Nodes + unusable)
}

// Elsewhere returns the address of another grid that a running SuperNode was started for; "" when it runs for the
// present one, or when no flwr tells which that is.
func (p *Snapshot) Elsewhere(st supernode.Status) string {
	if p.Tool.Err != nil {
		return ""
	}
	return Elsewhere(p.Choices.Grid, st, p.Tool.Value.Dialect)
}

// registered returns the nodes but for those that were unregistered.
func registered(nodes []flwrexec.Node) []flwrexec.Node {
	return slices.DeleteFunc(slices.Clone(nodes), func(n flwrexec.Node) bool { return n.Status == flwrexec.StatusUnregistered })
}

// Command returns a command of flwr's, written so that it can be typed into /bin/sh in the project's folder to the
// same effect: with FLWR_HOME where the site has its own, and with flwr's whole path where a plain `flwr` would be
// another one.
func (p *Snapshot) Command(says string, argv []string) front.Action {
	words := make([]string, 0, len(argv)+1)
	if home := p.FlwrHome(); home != "" {
		words = append(words, "FLWR_HOME="+shell.Path(home))
	}
	for i, w := range argv {
		if i == 0 && w == "flwr" && p.Tool.Value.Shell != "" {
			w = p.Tool.Value.Shell
		}
		words = append(words, shell.Word(w))
	}
	return front.Action{Says: says, Command: strings.Join(words, " "), Flags: Explain(argv)}
}

// inShell returns how a person's shell reaches flwr's program.
func inShell(program string) string {
	if p, err := exec.LookPath("flwr"); err == nil && p == program {
		return "flwr"
	}
	return program
}

// Title returns what every screen's first line says.
func (p *Snapshot) Title() front.Title {
	return front.Title{Project: p.Choices.Name, Federation: p.Choices.Federation, Connection: p.Choices.Grid.Connection,
		Account: p.Ledger.Account(p.Choices.Grid.Connection), Flwr: p.Flwr, Rehearsal: p.Rehearsal(), LoggedIn: p.LoggedIn, Site: p.Choices.Site.Name}
}
