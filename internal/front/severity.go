package front

import "flwrup/internal/supernode"

// Severity says how well anything stands: a step, an item, a SuperNode, a run, all of a dashboard. It is the one
// scale of the program: every state has its sign, its word and its colour from here.
type Severity int

const (
	NotKnown Severity = iota // nobody could be asked: neither well nor failing
	OK                       // as it should be
	Idle                     // nothing is asked of it: to do later, not needed, stopped on purpose
	Working                  // on its way
	Warning                  // works, and wants attention
	Failing                  // does not work
)

// rank orders the scale from good to bad.
var rank = [...]int{NotKnown: 3, OK: 0, Idle: 1, Working: 2, Warning: 4, Failing: 5}

var severityWords = [...]string{NotKnown: "unknown", OK: "ok", Idle: "idle", Working: "working", Warning: "warning", Failing: "failing"}

// String returns the word for a severity.
func (s Severity) String() string { return severityWords[s] }

// Sign returns the sign for a severity, one cell wide; ascii is for terminals whose locale is not UTF-8.
func (s Severity) Sign(ascii bool) string {
	if ascii {
		return [...]string{NotKnown: "?", OK: "+", Idle: ".", Working: "~", Warning: "!", Failing: "X"}[s]
	}
	return [...]string{NotKnown: "?", OK: "✓", Idle: "·", Working: "◷", Warning: "!", Failing: "✗"}[s]
}

// Worst returns the worst of several severities, which is what a line that sums them up takes; Idle for none.
func Worst(all ...Severity) Severity {
	if len(all) == 0 {
		return Idle
	}
	worst := all[0]
	for _, s := range all[1:] {
		if rank[s] > rank[worst] {
			worst = s
		}
	}
	return worst
}

// Severity of a step's state. The state does not say that a step failed; its error does.
func (s State) Severity() Severity {
	return [...]Severity{Unknown: NotKnown, Done: OK, Ready: Idle, Blocked: Idle, NotNeeded: Idle, Waiting: Working}[s]
}

// Severity of a step: that of its state, but nothing is OK while one of its items fails.
func (s Status) Severity() Severity {
	v := s.State.Severity()
	for _, it := range s.Items {
		if it.State == ItemFailed {
			v = Worst(v, Warning)
		}
	}
	return v
}

// Severity of an item of a step.
func (s ItemState) Severity() Severity {
	return [...]Severity{ItemWaiting: Idle, ItemWorking: Working, ItemDone: OK, ItemFailed: Failing}[s]
}

// Severity of a run.
func (r RunStatus) Severity() Severity {
	switch {
	case r == RunCompleted:
		return OK
	case r.Failed():
		return Failing
	case r.Going():
		return Working
	case r == RunStopped:
		return Idle
	}
	return NotKnown
}

// Severity of a SuperNode, from what the grid and the runtime say of it.
func (n NodeView) Severity() Severity {
	here := n.Runtime.State
	up := here == supernode.Running
	switch {
	case n.Diagnosis != nil && (up || here == supernode.Unknown) && n.Grid == GridOnline && n.Runtime.Reason != supernode.Suspended:
		return Warning
	case n.Diagnosis != nil || n.Grid == GridUnregistered || n.Runtime.Reason == supernode.Suspended:
		return Failing
	case here == supernode.Starting || here == supernode.Restarting:
		return Working
	case n.Wanted == WantedDown && (here == supernode.Stopped || here == supernode.Absent):
		return Idle
	case here == supernode.Stopped || here == supernode.Absent && n.Wanted == WantedUp:
		return Failing
	case n.Grid == GridOnline:
		return OK
	case up && n.Grid != GridUnknown: // the grid has not seen it yet; a diagnosis comes when it takes too long
		return Working
	case here == supernode.Absent && (n.Grid != GridUnknown || n.NodeID == ""):
		return Idle // never started
	}
	return NotKnown
}

// SeverityOf returns the severity of one SuperNode of the overview. What the grid said before it fell silent does
// not count.
func (o Overview) SeverityOf(n NodeView) Severity {
	if o.GridErr != nil {
		n.Grid = GridUnknown
	}
	return n.Severity()
}

// Severity of all of the overview: the worst of its SuperNodes and of what keeps it from knowing better.
func (o Overview) Severity() Severity {
	var all []Severity
	for _, n := range o.Nodes {
		all = append(all, o.SeverityOf(n))
	}
	for _, other := range o.Sites {
		if o.GridErr == nil {
			all = append(all, other.Severity())
		}
	}
	switch {
	case o.RuntimeErr != nil:
		all = append(all, Failing)
	case o.GridErr != nil || o.FileErr != nil:
		all = append(all, Warning)
	case o.GridAt.IsZero() && len(o.Nodes) > 0:
		all = append(all, NotKnown)
	}
	return Worst(all...)
}
