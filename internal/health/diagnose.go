package health

import (
	"context"
	"time"

	"flwrup/flwrexec"
	"flwrup/flwrexec/flwr"
	"flwrup/internal/fit"
	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/site"
	"flwrup/internal/supernode"
	"flwrup/keys"
)

// Troubles of a SuperNode that its log does not tell (flwrexec.DiagnoseNodeLog). Scripts read
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

// diagnose says why a SuperNode is not as it should be, and what helps: nil when all is well, when the person
// stopped it, or when nothing can be said. It reads no more than the rules ask for, in their order.
func diagnose(ctx context.Context, s *site.Site, p *site.Snapshot, m site.Member, v front.NodeView, o front.Overview) (*problem.Problem, *front.Remedy) {
	e := gather(s, p, m, v, o)
	return judge(ctx, s, p, m, &e)
}

// judge returns what the first rule that applies says, and reads what a rule asks for before it is asked.
func judge(ctx context.Context, s *site.Site, p *site.Snapshot, m site.Member, e *evidence) (*problem.Problem, *front.Remedy) {
	read := map[reading]bool{}
	for _, r := range rules {
		if r.when != nil && !r.when(e) {
			continue
		}
		for _, what := range r.reads {
			if !read[what] {
				read[what] = true
				readings[what](ctx, s, p, m, e)
			}
		}
		if r.applies(e) {
			if r.says == nil {
				return nil, nil
			}
			return r.says(e)
		}
	}
	return nil, nil
}

// IsSuspended reports whether a SuperNode runs and is kept from working: docker pause, SIGSTOP, Ctrl-Z. The grid
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
	p := problem.New(NodeSuspended, v.Name+" is suspended", "its process was stopped with Ctrl-Z or SIGSTOP; "+grid, "resume it: kill -CONT "+v.Runtime.ID)
	if v.Runtime.Image != "" {
		p.Why, p.Fix = "its container was paused; "+grid, "resume it: docker unpause "+v.Runtime.ID[:min(12, len(v.Runtime.ID))]
	}
	return p
}

// Hints are what the node's log alone does not tell.
func Hints(p *site.Snapshot, v front.NodeView) flwrexec.NodeHints {
	grid, _ := flwr.ParseVersion(p.Flwr)
	node, known := fit.VersionOf(v.Runtime)
	if !known {
		node = grid
	}
	return flwrexec.NodeHints{Node: node, Grid: grid, Status: string(v.Grid), Fleet: p.Choices.Grid.Fleet}
}

// foreign finds somebody else's container under m's name.
func foreign(ctx context.Context, s *site.Site, m site.Member) (supernode.Status, bool) {
	rt, err := s.NodesRuntime(ctx)
	if err != nil {
		return supernode.Status{}, false
	}
	docker, ok := site.At(rt, s.Choices().ForNode(m.Number).Host).(interface {
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

func remedy(verb front.Verb, says string, nodes ...string) *front.Remedy {
	return &front.Remedy{Says: says, Verb: verb, Nodes: nodes}
}

// KeyProblem says what became of the key of a lost SuperNode.
func KeyProblem(s *site.Site, m site.Member, folder keys.Folder) (*problem.Problem, *front.Remedy) {
	file := s.Path(m.Record.KeyFile)
	back := "put the registered key back"
	restore := remedy(front.RestoreKey, "restore the key from the backup", m.Name)
	if BackupOf(s, m.Record.Key) == "" {
		back += "; none of flwrup's backups still has it"
		restore = nil
	} else {
		back = "restore it from the backup; the file in its place is kept under another name"
	}
	for _, p := range folder.Pairs {
		if p.Private == file {
			return problem.New(KeySwapped, "the key of "+m.Name+" was changed",
				m.Record.KeyFile+" has another key ("+p.Fingerprint+") than was registered ("+m.Record.Key+")", back), restore
		}
	}
	why := m.Record.KeyFile + " is missing"
	for _, issue := range folder.Issues {
		if !issue.Harmless && (issue.File == file || issue.File == file+".pub") {
			why = issue.Problem.Error()
		}
	}
	return problem.New(KeyLost, "the key of "+m.Name+" cannot be used", why, back), restore
}

// VerifyAgain is how long after its verification a backup should be verified again: disks and memories fail.
const VerifyAgain = 90 * 24 * time.Hour

// BackupNow returns the backup of all SuperNodes' keys that was verified last, in a look that has read site.ReadKeys.
func BackupNow(p *site.Snapshot) front.Backup {
	var all []string
	for _, n := range p.SuperNodes {
		all = append(all, n.Pair.Fingerprint)
	}
	b, ok := p.Ledger.VerifiedBackup(all)
	if !ok || len(all) == 0 {
		return front.Backup{}
	}
	at := b.LastVerified()
	return front.Backup{File: b.File, Verified: at, Old: p.At.Sub(at) > VerifyAgain && !p.Rehearsal()}
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
