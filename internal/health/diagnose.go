package health

import (
	"context"
	"fmt"
	"regexp"
	"time"

	"flwrup/flwrexec"
	"flwrup/flwrexec/app"
	"flwrup/flwrexec/flwr"
	"flwrup/internal/front"
	"flwrup/internal/ledger"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/site"
	"flwrup/internal/supernode"
	"flwrup/keys"
)

// What can be wrong with a SuperNode beside what its log tells (flwrexec.DiagnoseNodeLog). Scripts read
// these codes from `flwrup status --json`.
const (
	NodeKilled    problem.Code = "node-killed"             // ended by SIGKILL: by somebody, or for want of memory
	NodeEnded     problem.Code = "node-ended"              // ended, and nobody asked flwrup to stop it
	NodeSuspended problem.Code = "node-suspended"          // paused, or stopped with SIGSTOP
	NodeGone      problem.Code = "node-gone"               // its container or process was removed
	KeyLost       problem.Code = "node-key-lost"           // the key that was registered is not in the folder
	KeySwapped    problem.Code = "node-key-changed"        // another key is in its place
	Unfinished    problem.Code = "node-removal-unfinished" // flwrup was ended while it removed the node
	NotListed     problem.Code = "node-not-listed"         // the grid has no such node for this account
	NodeElsewhere problem.Code = "node-elsewhere"          // runs for a grid that the project has left
	startsWithin               = 4 * time.Second           // a SuperNode that is younger is still starting; its log is not read
	comesWithin                = 30 * time.Second          // on a busy machine; until then only what its log says is a trouble
)

// Diagnose says why a SuperNode is not as it should be, and what helps: what the grid says, held against
// the runtime and the log. nil when all is well, when the person stopped it, or when nothing can be said.
func Diagnose(ctx context.Context, s *site.Site, m site.Member, v front.NodeView, o front.Overview) (*problem.Problem, *front.Remedy) {
	name := v.Name
	up := v.Runtime.State == supernode.Running
	switch {
	case m.Record.State == ledger.Refused:
		return problem.New(problem.NodeRefused, name+" was refused at its registration", m.Record.How, ""), &front.Remedy{Says: "register it", Step: front.StepRegister, Args: []string{"up"}}
	case o.RuntimeErr != nil:
		return nil, nil // said once, of all
	case site.Wanted(s, name) == site.WantedDown && !up:
		return nil, nil
	case isElsewhere(ctx, s, v.Runtime):
		p := problem.New(NodeElsewhere, name+" runs for another grid, at "+site.NodeLabel(v.Runtime, site.FleetLabel), "it was started before the project went over to "+s.Choices().Grid.Connection, "")
		if !m.Known() {
			p.Fix = "register its key on this grid first"
			return p, &front.Remedy{Says: "register it here", Step: front.StepRegister, Args: []string{"up"}}
		}
		p.Fix = "start it for this grid; it is stopped there first"
		return p, remedy(front.RestartNodes, "start it for this grid", "restart", name)
	}
	if IsSuspended(v.Runtime) {
		return suspended(v), remedy(front.StartNodes, "let it go on", "start", name)
	}
	if p, r := IdDiffers(ctx, s, m, v.Runtime); p != nil {
		return p, r
	}
	switch {
	case o.GridErr == nil && m.Known() && v.Grid == flwrexec.StatusUnregistered:
		return problem.New(flwrexec.NodeUnregistered, name+" was unregistered on the grid", "its key is burnt: no account can register it again",
			"remove it here, then add a new SuperNode"), remedy(front.RemoveNodes, "remove it", "remove", name, "--unregister")
	case o.GridErr == nil && m.Known() && v.Grid == "":
		return problem.New(NotListed, "the grid does not list "+name, "node "+v.NodeID+" belongs to another account, or the grid has lost it",
			"log in with the account that registered it"), &front.Remedy{Says: "log in", Step: front.StepLogin, Args: []string{"up"}}
	case !up && wrongImage(s) != nil:
		return wrongImage(s), remedy(front.OwnImage, "use the image of flwr "+s.Title().Flwr, "restart", name, "--own-image")
	case v.Runtime.State == supernode.Absent:
		return gone(ctx, s, m, v)
	case up && (v.Grid == flwrexec.StatusOnline || o.GridErr != nil || time.Since(v.Runtime.Since) < startsWithin):
		return nil, nil
	}
	start := remedy(front.RestartNodes, "start it anew", "restart", name)
	if p := Slept(s, v, time.Now()); p != nil {
		return p, start
	}
	lines := site.SaidLately(ctx, s, name)
	hints := Hints(s, v)
	p := flwrexec.DiagnoseNodeLog(lines, hints)
	if !up && (p == nil || p.Code == flwrexec.NodeHeld) && v.Grid == flwrexec.StatusOnline {
		p = heldProblem(s, v, p)
	}
	if p != nil && (p.Code == problem.NodeNotOnline || p.Code == problem.Untrusted) && !flwrexec.Silent(o.GridErr) {
		whyNot(ctx, s, p)
	}
	if p == nil && up && time.Since(v.Runtime.Since) < comesWithin {
		return nil, nil
	}
	if p == nil && up && !flwrexec.CameOnline(lines) {
		p = problem.New(problem.NodeNotOnline, name+" runs and is not online yet", "its log tells no reason; a busy machine takes longer to start it", "look at its log: flwrup logs "+name)
	}
	if p == nil {
		p = unexplained(s, v)
	}
	return p, remedyFor(s, p, v, hints)
}

// IsSuspended tells whether a SuperNode runs and is kept from working: docker pause, SIGSTOP, Ctrl-Z. The grid
// notices only after a minute; this machine knows at once.
func IsSuspended(st supernode.Status) bool {
	return st.State == supernode.Running && st.Reason == supernode.Suspended
}

// suspended is the trouble of a SuperNode that is held.
func suspended(v front.NodeView) *problem.Problem {
	grid := "the grid loses it within a minute"
	if v.Grid == flwrexec.StatusOffline {
		grid = "the grid has lost it"
	}
	p := problem.New(NodeSuspended, v.Name+" is suspended", "somebody stopped its process with Ctrl-Z or SIGSTOP; "+grid, "let it go on: kill -CONT "+v.Runtime.ID)
	if v.Runtime.Image != "" {
		p.Why, p.Fix = "somebody paused its container; "+grid, "let it go on: docker unpause "+v.Runtime.ID[:min(12, len(v.Runtime.ID))]
	}
	return p
}

// isElsewhere tells whether a SuperNode runs for another grid than the project's.
func isElsewhere(ctx context.Context, s *site.Site, st supernode.Status) bool {
	f, err := s.Session(ctx)
	return err == nil && site.Elsewhere(s, st, f.Dialect()) != ""
}

// wrongImage says that the image that the person chose is of another flwr, by its name: nothing can be
// started from it. nil when it fits, or when its name does not tell.
func wrongImage(s *site.Site) *problem.Problem {
	found := imageVersion.FindStringSubmatch(Pinned(s))
	here := s.Title().Flwr
	if found == nil || here == "" || found[1] == here || s.RuntimeKind() != project.RuntimeDocker {
		return nil
	}
	return problem.New(flwrexec.NodeVersion, "flwrup.toml asks for an image of another flwr",
		Pinned(s)+" holds flwr "+found[1]+"; flwr on this machine and the grid are "+here, "give that image up for the one of flwr "+here)
}

// imageVersion finds flwr's version in an image's name: flwr/supernode:1.42.0-py3.13-ubuntu24.04.
var imageVersion = regexp.MustCompile(`:(\d+\.\d+\.\d+)`)

// Hints are what the node's log alone does not tell.
func Hints(s *site.Site, v front.NodeView) flwrexec.NodeHints {
	grid, _ := flwr.ParseVersion(s.Title().Flwr)
	node := grid
	if found := imageVersion.FindStringSubmatch(v.Runtime.Image); found != nil {
		node, _ = flwr.ParseVersion(found[1])
	} else if label := v.Runtime.Labels["flwr"]; label != "" {
		node, _ = flwr.ParseVersion(label)
	}
	return flwrexec.NodeHints{Node: node, Grid: grid, Status: v.Grid, Fleet: s.Choices().Grid.Fleet}
}

// heldProblem says that the grid has not noticed the node's end yet, and when it will.
func heldProblem(s *site.Site, v front.NodeView, seen *problem.Problem) *problem.Problem {
	p := problem.New(flwrexec.NodeHeld, v.Name+" has ended and the grid has not noticed", "", "start it again; flwrup waits until the grid lets it in")
	if v.Runtime.ExitCode == 137 {
		p.Code, p.What = NodeKilled, v.Name+" was killed"
	}
	p.Why = "the grid counts it as online for about a minute, and lets its key in only after that"
	if left := site.GridLetsGo - time.Since(v.Runtime.Since); v.Runtime.State == supernode.Stopped && left > 0 && left <= site.GridLetsGo {
		p.Why = fmt.Sprintf("the grid counts it as online for about %d s more, and lets its key in only after that", int(left.Seconds()))
	}
	if v.Runtime.State == supernode.Restarting {
		p.Fix = "wait: Docker starts it again by itself"
	}
	if seen != nil {
		p.Raw = seen.Raw
	}
	return p
}

// unexplained is what is left when the log says nothing.
func unexplained(s *site.Site, v front.NodeView) *problem.Problem {
	r := v.Runtime
	switch {
	case r.State == supernode.Running && v.Grid == flwrexec.StatusOffline:
		return problem.New(problem.NodeNotOnline, v.Name+" runs and the grid has lost it", "its log tells no reason: the network, a laptop that slept, or trouble on the grid",
			"start it anew")
	case r.State == supernode.Running:
		return problem.New(problem.NodeNotOnline, v.Name+" runs and is not online yet", "", "look at its log: flwrup logs "+v.Name)
	case r.ExitCode == 137:
		why := "somebody, or the system, ended it with SIGKILL"
		if r.Reason != "" && r.Reason != "killed (SIGKILL)" {
			why = r.Reason
		}
		return problem.New(NodeKilled, v.Name+" was killed", why, "start it again")
	case r.ExitCode == 0:
		return problem.New(NodeEnded, v.Name+" has ended", "it was asked to, and not by flwrup: a docker stop or kill, or a restart of Docker or of this machine", "start it again")
	}
	why := fmt.Sprintf("it ended with exit code %d", r.ExitCode)
	if r.Reason != "" {
		why = r.Reason
	}
	return problem.New(NodeEnded, v.Name+" has ended", why, "look at its log (flwrup logs "+v.Name+"), then start it again")
}

// gone is the diagnosis of a node of which there is nothing on this machine, though it was started once.
func gone(ctx context.Context, s *site.Site, m site.Member, v front.NodeView) (*problem.Problem, *front.Remedy) {
	if site.Wanted(s, v.Name) != site.WantedUp {
		return nil, nil
	}
	start := remedy(front.StartNodes, "start it", "start", v.Name)
	if f, ok := foreign(ctx, s, m); ok {
		return problem.New(problem.NameTaken, v.Name+" is not here, and its name is taken",
				"the container "+f.Name+" (image "+f.Image+", "+string(f.State)+") was not made by this flwrup project",
				"start it: that container is left alone, and the SuperNode gets another name"),
			start
	}
	what := "container"
	if s.RuntimeKind() != "docker" {
		what = "process's folder"
	}
	return problem.New(NodeGone, v.Name+" is not here any more", "its "+what+" was removed, and not by flwrup", "start it: it is made anew"), start
}

// foreign finds somebody else's container under m's name.
func foreign(ctx context.Context, s *site.Site, m site.Member) (supernode.Status, bool) {
	rt, err := s.NodesRuntime(ctx)
	if err != nil {
		return supernode.Status{}, false
	}
	docker, ok := site.Inner(rt).(interface {
		Foreign(ctx context.Context, names []string) ([]supernode.Status, error)
	})
	if !ok || m.Number == 0 {
		return supernode.Status{}, false
	}
	list, err := docker.Foreign(ctx, []string{s.Choices().ContainerName(m.Number)})
	if err != nil || len(list) == 0 {
		return supernode.Status{}, false
	}
	return list[0], true
}

func remedy(verb front.Verb, says string, args ...string) *front.Remedy {
	return &front.Remedy{Says: says, Verb: verb, Args: args}
}

// remedyFor gives what helps against p.
func remedyFor(s *site.Site, p *problem.Problem, v front.NodeView, h flwrexec.NodeHints) *front.Remedy {
	start := remedy(front.StartNodes, "start it again", "start", v.Name)
	if v.Runtime.State == supernode.Running || v.Runtime.State == supernode.Restarting {
		start = remedy(front.RestartNodes, "start it anew", "restart", v.Name)
	}
	if other := v.Runtime.ByHand; other != "" {
		start = remedy(front.ReplaceNodes, "replace "+other+" by flwrup's own", "restart", v.Name, "--replace")
	}
	switch p.Code {
	case flwrexec.NodeConfig:
		if v.Runtime.ByHand == "" {
			return remedy(front.ChangeSettings, "change its settings", "settings", v.Name)
		}
	case flwrexec.NodeVersion:
		if v.Runtime.Image != "" && Pinned(s) != "" {
			return remedy(front.OwnImage, "use the image of flwr "+h.Grid.String(), "restart", v.Name, "--own-image")
		}
		return start
	case problem.Untrusted, flwrexec.WrongService:
		return &front.Remedy{Says: "look at the addresses", Step: front.StepConfigure, Args: []string{"doctor"}}
	case flwrexec.NodeUnregistered:
		return remedy(front.RemoveNodes, "remove it", "remove", v.Name, "--unregister")
	case problem.NodeRefused:
		if v.Grid == flwrexec.StatusRegistered {
			return &front.Remedy{Says: "see whether it is confirmed", Step: front.StepConfirmation, Args: []string{"up"}}
		}
		return start
	case app.Broken:
		return &front.Remedy{Says: "look at the app", Step: front.StepRun}
	case problem.NodeNotOnline:
		if v.Runtime.State == supernode.Running && v.Grid != flwrexec.StatusOffline {
			return &front.Remedy{Says: "see who is online and why not", Step: front.StepOnline, Args: []string{"doctor"}}
		}
	}
	return start
}

// Pinned is the image that the person chose for all SuperNodes; "" when they run the one of their flwr.
func Pinned(s *site.Site) string { return s.Choices().Image }

// Lost gives the registered SuperNodes whose key is not in the folder any more: replaced, damaged, or
// taken away. They are on the grid all the same, and may even run.
func Lost(s *site.Site, list []site.Member, folder keys.Folder) []site.Member {
	have := map[string]bool{}
	for _, p := range folder.Pairs {
		have[p.Fingerprint] = true
	}
	names := map[string]bool{}
	for _, m := range list {
		if m.Known() {
			names[m.Name] = true
		}
	}
	var out []site.Member
	for _, n := range s.Ledger.Nodes() {
		if n.Connection != s.Choices().Grid.Connection || n.State != ledger.Registered || n.NodeID == "" || have[n.Key] || names[n.Name] {
			continue
		}
		out = append(out, site.Member{Name: n.Name, Record: n})
	}
	return out
}

// KeyProblem says what became of the key of a lost SuperNode.
func KeyProblem(s *site.Site, m site.Member, folder keys.Folder) (*problem.Problem, *front.Remedy) {
	file := s.Path(m.Record.KeyFile)
	back := "put the key back that was registered"
	restore := remedy(front.RestoreKey, "take the key from the backup", "restore-key", m.Name)
	if BackupOf(s, m.Record.Key) == "" {
		back += "; no backup of flwrup's that is still there holds it"
		restore = nil
	} else {
		back = "take it from the backup; what lies in its place is set aside"
	}
	for _, p := range folder.Pairs {
		if p.Private == file {
			return problem.New(KeySwapped, "the key of "+m.Name+" was changed",
				m.Record.KeyFile+" holds another key ("+p.Fingerprint+") than the one that was registered ("+m.Record.Key+")", back), restore
		}
	}
	why := m.Record.KeyFile + " is not there"
	for _, issue := range folder.Issues {
		if !issue.Harmless && (issue.File == file || issue.File == file+".pub") {
			why = issue.Problem.Error()
		}
	}
	return problem.New(KeyLost, "the key of "+m.Name+" is not usable", why, back), restore
}

// BackupOf is a backup, unchanged since it was made, that holds the key; "" when there is none.
func BackupOf(s *site.Site, fingerprint string) string {
	backups := s.Ledger.Backups()
	for i := len(backups) - 1; i >= 0; i-- {
		for _, f := range backups[i].Fingerprints {
			if f == fingerprint && keys.CheckHash(s.Path(backups[i].File), backups[i].SHA256) == nil {
				return s.Path(backups[i].File)
			}
		}
	}
	return ""
}
