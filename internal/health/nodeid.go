package health

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"flwrup/flwrexec"
	"flwrup/internal/front"
	"flwrup/internal/ledger"
	"flwrup/internal/problem"
	"flwrup/internal/site"
	"flwrup/internal/supernode"
)

// A SuperNode says in its own log which node ID the grid let it in as. flwrup compares it with the ledger: an ID
// that was found again by elimination, or typed into the ledger, may be another node's.

// NodeIDDiffers says that a SuperNode's log and the ledger name different node IDs.
const NodeIDDiffers problem.Code = "node-id-differs"

// saidID is what a SuperNode's log was last seen to say.
type saidID struct {
	id    string // "": nothing
	run   string // the container or process, and since when
	asked time.Time
}

// saidIDs is what the logs of all SuperNodes were last seen to say.
type saidIDs struct {
	mu     sync.Mutex
	byNode map[string]saidID
}

func (s *saidIDs) get(node string) saidID {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.byNode[node]
}

func (s *saidIDs) put(node string, id saidID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byNode == nil {
		s.byNode = map[string]saidID{}
	}
	s.byNode[node] = id
}

// idSaid returns the node ID that a running SuperNode logged when it came online; "" while it has not, and
// where the log does not reach back so far. A log is read once a start; without an answer once in a while.
func idSaid(ctx context.Context, s *site.Site, name string, st supernode.Status) string {
	if st.State != supernode.Running {
		return ""
	}
	run := st.ID + " " + st.Since.String()
	said := site.Kept[saidIDs](s)
	have := said.get(name)
	pause := min(time.Since(st.Since)/4, time.Minute) // a young one may say it any moment
	if have.run == run && (have.id != "" || time.Since(have.asked) < pause) {
		return have.id
	}
	have = saidID{run: run, asked: time.Now()}
	for _, l := range site.SinceStart(site.LastLines(ctx, s, name, site.LookBack)) {
		switch kind, detail := flwrexec.Landmark(l.Text); {
		case kind == flwrexec.MarkStarting:
			have.id = ""
		case kind == flwrexec.MarkOnline && have.id == "": // what comes later may be a ClientApp's words
			have.id = detail
		}
	}
	said.put(name, have)
	return have.id
}

// IDDiffers says that a SuperNode that runs logged another node ID than the ledger has for it; nil when not.
func IDDiffers(ctx context.Context, s *site.Site, p *site.Snapshot, m site.Member, st supernode.Status) (*problem.Problem, *front.Remedy) {
	if !m.Known() || p.Elsewhere(st) != "" { // on another grid it is another node
		return nil, nil
	}
	said := idSaid(ctx, s, m.Name, st)
	if said == "" || said == m.Record.NodeID {
		return nil, nil
	}
	bad := problem.New(NodeIDDiffers, fmt.Sprintf("%s is node %s, and the ledger says %s", m.Name, said, m.Record.NodeID), "", "use the node ID from its own log")
	if key := site.NodeLabel(st, "fingerprint"); key != "" && key != m.Pair.Fingerprint {
		bad.Why, bad.Fix = "it runs with a key other than "+p.Rel(m.Pair.Private)+", which was changed after it was started", "restart it with its own key"
		return bad, remedy(front.RestartNodes, "restart it", m.Name)
	}
	bad.Why = "the ledger's came \"" + m.Record.How + "\""
	for _, n := range p.Ledger.Nodes {
		if n.NodeID == said && n.Connection == m.Record.Connection {
			bad.Why += "; " + said + " is there for " + n.Name
		}
	}
	return bad, &front.Remedy{Says: "use the right one", Step: front.StepOnline}
}

// MendIDs puts the node IDs that the SuperNodes themselves say into the ledger, after asking. Only an ID that
// the grid lists for this account is believed.
func MendIDs(ctx context.Context, s *site.Site, to front.Sink) error {
	p := s.Look(ctx, site.Want{Parts: site.ReadKeys | site.ReadFlwr | site.ReadStates})
	if err := cmp.Or(p.Keys.Err, p.States.Err); err != nil {
		return err
	}
	list := slices.DeleteFunc(slices.Clone(p.SuperNodes), func(n site.SuperNode) bool {
		bad, _ := IDDiffers(ctx, s, &p, n.Member, n.Runtime)
		return bad == nil
	})
	if len(list) == 0 {
		return nil
	}
	nodes, err := site.NodesNow(ctx, s, to)
	if err != nil {
		return err
	}
	right := map[string]ledger.Node{} // by node ID
	for _, m := range list {
		bad, r := IDDiffers(ctx, s, &p, m.Member, m.Runtime)
		said := idSaid(ctx, s, m.Name, m.Runtime)
		if r.Step == 0 || !slices.ContainsFunc(nodes, func(n flwrexec.Node) bool { return n.ID.String() == said }) {
			return bad
		}
		answer, err := to.Ask(ctx, front.Question{ID: "node-id", Kind: front.AskConfirm, Default: "yes", Ask: "Note " + said + " for " + m.Name + "?",
			Help: bad.Error() + ". The SuperNode's own log is right: the grid accepted it under that ID."})
		if err != nil {
			return err
		}
		if answer != "yes" {
			return bad
		}
		right[said] = site.Record(s, m.Member, said, "from its log")
	}
	defer s.Forget()
	return s.Ledger.Change(func(d *ledger.Data) error {
		for i, n := range d.Nodes { // two may have each other's
			if r, taken := right[n.NodeID]; taken && n.Connection == r.Connection && n.Key != r.Key {
				d.Nodes[i].NodeID = "" // step 10 finds its own again
			}
		}
		for _, r := range right {
			if err := d.PutNode(r); err != nil {
				return err
			}
		}
		return nil
	})
}
