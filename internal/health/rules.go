package health

import (
	"context"
	"fmt"
	"time"

	"flwrup/flwrexec"
	"flwrup/flwrexec/app"
	"flwrup/internal/fit"
	"flwrup/internal/front"
	"flwrup/internal/ledger"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/site"
	"flwrup/internal/supernode"
	"flwrup/internal/wording"
)

// evidence is what is known of one SuperNode at one moment. The rules decide by it alone.
type evidence struct {
	node       front.NodeView
	record     ledger.Node
	known      bool // its node ID is
	now        time.Time
	gridErr    error
	runtimeErr error

	connection string        // of the project
	admittedBy string        // the coordinator of this site, with the contact; "" for SuperNodes of the own account
	elsewhere  bool          // it runs for another grid
	kind       string        // the project's runtime
	pinned     string        // the image that the person chose; ""
	flwr       string        // version at hand; ""
	upgrade    ledger.Intent // that is not finished; zero: none
	sleptFrom  time.Time     // the machine's last sleep
	sleptTo    time.Time
	slept      bool // it matters still

	idProblem *problem.Problem // readSaidID
	idRemedy  *front.Remedy
	foreign   *supernode.Status  // readForeign: somebody else's container under its name
	lines     []string           // readLog: what it said lately
	hints     flwrexec.NodeHints // readLog: what the log alone does not tell
	log       *problem.Problem   // readLog: what its log tells, with what its address tells
}

// reading is something that takes long to read: a rule that needs it says so.
type reading int

const (
	readSaidID  reading = iota // the node ID that it logged
	readForeign                // containers that somebody else made
	readLog                    // the tail of its log, and the network where that is asked for
)

// readings fill the evidence. All input and output of a diagnosis is here.
var readings = map[reading]func(context.Context, *site.Site, *site.Snapshot, site.Member, *evidence){
	readSaidID: func(ctx context.Context, s *site.Site, p *site.Snapshot, m site.Member, e *evidence) {
		e.idProblem, e.idRemedy = IDDiffers(ctx, s, p, m, e.node.Runtime)
	},
	readForeign: func(ctx context.Context, s *site.Site, _ *site.Snapshot, m site.Member, e *evidence) {
		if st, ok := foreign(ctx, s, m); ok {
			e.foreign = &st
		}
	},
	readLog: func(ctx context.Context, s *site.Site, p *site.Snapshot, m site.Member, e *evidence) {
		e.lines, e.hints = site.SaidLately(ctx, s, m.Name), Hints(p, e.node)
		found := flwrexec.DiagnoseNodeLog(e.lines, e.hints)
		if !e.up() && (found == nil || found.Code == flwrexec.NodeHeld) && e.node.Grid == flwrexec.StatusOnline {
			found = heldProblem(e.node, e.now, found)
		}
		if found != nil && (found.Code == problem.NodeNotOnline || found.Code == problem.Untrusted) && !flwrexec.Silent(e.gridErr) {
			whyNot(ctx, s, found)
		}
		e.log = found
	},
}

// gather takes the evidence that a look has.
func gather(s *site.Site, p *site.Snapshot, m site.Member, v front.NodeView, o front.Overview) evidence {
	e := evidence{node: v, record: m.Record, known: m.Known(), now: p.At, gridErr: o.GridErr, runtimeErr: o.RuntimeErr,
		connection: p.Choices.Grid.Connection, elsewhere: p.Elsewhere(v.Runtime) != "", kind: p.Kind, pinned: p.Choices.Image, flwr: p.Flwr}
	e.upgrade, _ = p.Ledger.UpgradeUnderWay(p.Choices.Grid.Connection)
	if c, ok := p.Ledger.Coordinator(p.Choices.Grid.Connection); ok && p.Coordinated() {
		e.admittedBy = c.Name + wording.Around(" (", c.Contact, ")")
	}
	e.sleptFrom, e.sleptTo, e.slept = site.Kept[sleeper](s).recent(e.now)
	return e
}

func (e *evidence) up() bool { return e.node.Runtime.State == supernode.Running }

func (e *evidence) absent() bool { return e.node.Runtime.State == supernode.Absent }

// listed reports whether the grid has answered, and ought to list the SuperNode.
func (e *evidence) listed() bool { return e.gridErr == nil && e.known }

// imageDiffers reports whether the image that the person chose is of another flwr, by its name: nothing can be
// started from it.
func (e *evidence) imageDiffers() bool {
	v, ok := fit.OfImage(e.pinned)
	return ok && e.flwr != "" && v.String() != e.flwr && e.kind == project.RuntimeDocker
}

// rule is one thing that can be said of a SuperNode. The first rule that applies is the diagnosis; one without
// words says that there is nothing to say.
type rule struct {
	name    string
	when    func(*evidence) bool // decides before anything is read; nil: always
	reads   []reading
	applies func(*evidence) bool
	says    func(*evidence) (*problem.Problem, *front.Remedy)
}

var rules = []rule{
	{name: "refused at its registration",
		applies: func(e *evidence) bool { return e.record.State == ledger.Refused },
		says: func(e *evidence) (*problem.Problem, *front.Remedy) {
			return problem.New(problem.NodeRefused, e.node.Name+" was refused at its registration", e.record.How, ""),
				&front.Remedy{Says: "register it", Step: front.StepRegister}
		}},
	{name: "run by another engine, and online",
		applies: func(e *evidence) bool {
			return e.node.Engine != nil && (e.node.Grid == flwrexec.StatusOnline || e.gridErr != nil || e.up() && e.now.Sub(e.node.Runtime.Since) < startsWithin)
		}},
	{name: "run by another engine", when: func(e *evidence) bool { return e.node.Engine != nil }, reads: []reading{readLog},
		applies: func(*evidence) bool { return true },
		says:    leftToEngine},
	{name: "the runtime does not answer", // said once, of all
		applies: func(e *evidence) bool { return e.runtimeErr != nil }},
	{name: "its Docker host does not answer",
		applies: func(e *evidence) bool { return e.node.Runtime.State == supernode.Unknown },
		says:    func(e *evidence) (*problem.Problem, *front.Remedy) { return e.node.Runtime.Away, nil }},
	{name: "stopped by the person",
		applies: func(e *evidence) bool { return e.node.Wanted == front.WantedDown && !e.up() }},
	{name: "left by an upgrade that is not finished", // which may have found the grid's new address: it is no other grid
		applies: func(e *evidence) bool {
			v, known := fit.VersionOf(e.node.Runtime)
			return e.elsewhere && e.upgrade.To != "" && known && v.String() != e.upgrade.To
		},
		says: func(e *evidence) (*problem.Problem, *front.Remedy) {
			v, _ := fit.VersionOf(e.node.Runtime)
			return problem.New(flwrexec.NodeVersion, e.node.Name+" runs flwr "+v.String()+" still", "the upgrade to "+e.upgrade.To+" is not finished", "continue the upgrade"),
				remedy(front.Upgrade, "continue the upgrade to flwr "+e.upgrade.To)
		}},
	{name: "runs for another grid",
		applies: func(e *evidence) bool { return e.elsewhere },
		says:    runsElsewhere},
	{name: "suspended",
		applies: func(e *evidence) bool { return IsSuspended(e.node.Runtime) },
		says: func(e *evidence) (*problem.Problem, *front.Remedy) {
			return suspended(e.node), remedy(front.StartNodes, "resume it", e.node.Name)
		}},
	{name: "has another node ID", reads: []reading{readSaidID},
		applies: func(e *evidence) bool { return e.idProblem != nil },
		says:    func(e *evidence) (*problem.Problem, *front.Remedy) { return e.idProblem, e.idRemedy }},
	{name: "unregistered by the coordinator, as far as its log tells",
		applies: func(e *evidence) bool { return e.admittedBy != "" && e.node.Grid == flwrexec.StatusUnregistered },
		says: func(e *evidence) (*problem.Problem, *front.Remedy) {
			return problem.New(flwrexec.NodeUnregistered, "the grid refuses "+e.node.Name, "your coordinator has removed it, or another SuperNode runs with its key",
				"ask "+e.admittedBy+"; if it was removed, remove it here and make a new request"), remedy(front.UnregisterNodes, "remove it", e.node.Name)
		}},
	{name: "unregistered on the grid",
		applies: func(e *evidence) bool { return e.listed() && e.node.Grid == flwrexec.StatusUnregistered },
		says: func(e *evidence) (*problem.Problem, *front.Remedy) {
			return problem.New(flwrexec.NodeUnregistered, e.node.Name+" was unregistered on the grid", "its key can never be registered again, by any account",
				"remove it here, then add a new SuperNode: flwrup add"), remedy(front.UnregisterNodes, "remove it", e.node.Name)
		}},
	{name: "not listed by the grid",
		applies: func(e *evidence) bool { return e.listed() && e.node.Grid == "" },
		says: func(e *evidence) (*problem.Problem, *front.Remedy) {
			return problem.New(NotListed, "the grid does not list "+e.node.Name, "node "+e.node.NodeID+" belongs to another account, or the grid no longer knows it",
				"log in with the account that registered it"), &front.Remedy{Says: "log in", Step: front.StepLogin}
		}},
	{name: "its image has another flwr version",
		applies: func(e *evidence) bool { return !e.up() && e.imageDiffers() },
		says: func(e *evidence) (*problem.Problem, *front.Remedy) {
			v, _ := fit.OfImage(e.pinned)
			return problem.New(flwrexec.NodeVersion, "flwrup.toml names an image with another flwr version",
					e.pinned+" holds flwr "+v.String()+"; flwr on this machine and on the grid is "+e.flwr, "replace it with the image of flwr "+e.flwr),
				remedy(front.OwnImage, "use the image of flwr "+e.flwr, e.node.Name)
		}},
	{name: "never started",
		applies: func(e *evidence) bool {
			return e.absent() && e.node.Wanted != front.WantedUp
		}},
	{name: "its name is taken", when: (*evidence).absent, reads: []reading{readForeign},
		applies: func(e *evidence) bool { return e.foreign != nil },
		says: func(e *evidence) (*problem.Problem, *front.Remedy) {
			return problem.New(problem.NameTaken, e.node.Name+" is missing, and its name is taken",
				"the container "+e.foreign.Name+" (image "+e.foreign.Image+", "+string(e.foreign.State)+") does not belong to this project",
				"start it: flwrup leaves that container alone and uses another name"), remedy(front.StartNodes, "start it", e.node.Name)
		}},
	{name: "removed by somebody",
		applies: (*evidence).absent,
		says: func(e *evidence) (*problem.Problem, *front.Remedy) {
			what := "container"
			if e.kind != project.RuntimeDocker {
				what = "process's folder"
			}
			return problem.New(NodeGone, e.node.Name+" is gone", "its "+what+" was removed, but not by flwrup", "start it: flwrup creates it again"),
				remedy(front.StartNodes, "start it", e.node.Name)
		}},
	{name: "all is well, as far as can be known",
		applies: func(e *evidence) bool {
			return e.up() && (e.node.Grid == flwrexec.StatusOnline || e.gridErr != nil || e.now.Sub(e.node.Runtime.Since) < startsWithin)
		}},
	{name: "lost while the machine slept",
		applies: func(e *evidence) bool { return e.slept && e.up() && e.node.Grid == flwrexec.StatusOffline },
		says: func(e *evidence) (*problem.Problem, *front.Remedy) {
			return sleptProblem(e.node.Name, e.sleptFrom, e.sleptTo), remedy(front.RestartNodes, "restart it", e.node.Name)
		}},
	{name: "its log tells", reads: []reading{readLog},
		applies: func(e *evidence) bool { return e.log != nil },
		says:    func(e *evidence) (*problem.Problem, *front.Remedy) { return e.withRemedy(e.log) }},
	{name: "still starting",
		applies: func(e *evidence) bool { return e.up() && e.now.Sub(e.node.Runtime.Since) < comesWithin }},
	{name: "not online yet, and its log gives no reason",
		applies: func(e *evidence) bool { return e.up() && !flwrexec.CameOnline(e.lines) },
		says: func(e *evidence) (*problem.Problem, *front.Remedy) {
			return e.withRemedy(problem.New(problem.NodeNotOnline, e.node.Name+" runs but is not online yet",
				"its log gives no reason; on a busy machine it starts slowly", "read its log: flwrup logs "+e.node.Name))
		}},
	{name: "unexplained",
		applies: func(*evidence) bool { return true },
		says:    func(e *evidence) (*problem.Problem, *front.Remedy) { return e.withRemedy(unexplained(e.node)) }},
}

func (e *evidence) withRemedy(p *problem.Problem) (*problem.Problem, *front.Remedy) {
	return p, remedyFor(p, e.node, e.hints, e.pinned)
}

func runsElsewhere(e *evidence) (*problem.Problem, *front.Remedy) {
	p := problem.New(NodeElsewhere, e.node.Name+" runs for another grid, at "+site.NodeLabel(e.node.Runtime, site.FleetLabel), "it was started before the project moved to "+e.connection, "")
	if !e.known {
		p.Fix = "register its key on this grid first"
		return p, &front.Remedy{Says: "register it here", Step: front.StepRegister}
	}
	p.Fix = "start it for this grid; flwrup stops it there first"
	return p, remedy(front.RestartNodes, "start it for this grid", e.node.Name)
}

// heldProblem says that the grid has not noticed the node's end yet, and when it will.
func heldProblem(v front.NodeView, now time.Time, seen *problem.Problem) *problem.Problem {
	p := problem.New(flwrexec.NodeHeld, v.Name+" ended, and the grid has not noticed yet", "", "start it again; flwrup waits until the grid accepts it")
	if v.Runtime.ExitCode == 137 {
		p.Code, p.What = NodeKilled, v.Name+" was killed"
	}
	p.Why = "the grid counts it as online for about a minute, and accepts its key only after that"
	if left := site.GridLetsGo - now.Sub(v.Runtime.Since); v.Runtime.State == supernode.Stopped && left > 0 && left <= site.GridLetsGo {
		p.Why = fmt.Sprintf("the grid counts it as online for about %d s more, and accepts its key only after that", int(left.Seconds()))
	}
	if v.Runtime.State == supernode.Restarting {
		p.Fix = "wait: Docker restarts it on its own"
	}
	if seen != nil {
		p.Raw = seen.Raw
	}
	return p
}

// unexplained is what is left when the log says nothing.
func unexplained(v front.NodeView) *problem.Problem {
	r := v.Runtime
	switch {
	case r.State == supernode.Running && v.Grid == flwrexec.StatusOffline:
		return problem.New(problem.NodeNotOnline, v.Name+" runs but the grid has lost it", "its log gives no reason: perhaps the network, a laptop that slept, or trouble on the grid",
			"restart it")
	case r.State == supernode.Running:
		return problem.New(problem.NodeNotOnline, v.Name+" runs but is not online yet", "", "read its log: flwrup logs "+v.Name)
	case r.ExitCode == 137:
		why := "it was ended with SIGKILL, by a person or by the system"
		if r.Reason != "" && r.Reason != "killed (SIGKILL)" {
			why = r.Reason
		}
		return problem.New(NodeKilled, v.Name+" was killed", why, "start it again")
	case r.ExitCode == 0:
		how := "docker stop or kill, or a restart of Docker or of this machine"
		if r.Image == "" {
			how = "a signal such as that of kill, or a restart of this machine"
		}
		return problem.New(NodeEnded, v.Name+" has ended", "something other than flwrup stopped it: "+how, "start it again")
	}
	why := fmt.Sprintf("it ended with exit code %d", r.ExitCode)
	if r.Reason != "" {
		why = r.Reason
	}
	return problem.New(NodeEnded, v.Name+" has ended", why, "read its log (flwrup logs "+v.Name+"), then start it again")
}

// remedyFor returns what helps against p.
func remedyFor(p *problem.Problem, v front.NodeView, h flwrexec.NodeHints, pinned string) *front.Remedy {
	start := remedy(front.StartNodes, "start it again", v.Name)
	if v.Runtime.State == supernode.Running || v.Runtime.State == supernode.Restarting {
		start = remedy(front.RestartNodes, "restart it", v.Name)
	}
	if other := v.Runtime.ByHand; other != "" {
		start = remedy(front.ReplaceNodes, "replace "+other+" with flwrup's own", v.Name)
	}
	switch p.Code {
	case flwrexec.NodeConfig:
		if v.Runtime.ByHand == "" {
			return remedy(front.ChangeSettings, "change its settings", v.Name)
		}
	case flwrexec.NodeVersion:
		if v.Runtime.Image != "" && pinned != "" {
			return remedy(front.OwnImage, "use the image of flwr "+h.Grid.String(), v.Name)
		}
		return start
	case problem.Untrusted, flwrexec.WrongService:
		return &front.Remedy{Says: "check the addresses", Step: front.StepConfigure, Look: true}
	case flwrexec.NodeUnregistered:
		return remedy(front.UnregisterNodes, "remove it", v.Name)
	case problem.NodeRefused:
		if v.Grid == flwrexec.StatusRegistered {
			return &front.Remedy{Says: "check whether it is confirmed", Step: front.StepConfirmation}
		}
		return start
	case app.Broken:
		return &front.Remedy{Says: "check the app", Step: front.StepRun, Look: true}
	case problem.NodeNotOnline:
		if v.Runtime.State == supernode.Running && v.Grid != flwrexec.StatusOffline {
			return &front.Remedy{Says: "see which SuperNodes are not online, and why", Step: front.StepOnline, Look: true}
		}
	}
	return start
}
