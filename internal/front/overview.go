package front

import (
	"strings"
	"time"

	"flwrup/internal/problem"
	"flwrup/internal/supernode"
)

// Title is what every screen's first line says.
type Title struct {
	Project    string // folder or project name
	Federation string // "" while it is not chosen
	Connection string // name of the superlink connection: supergrid
	Account    string // "" while it is not known: flwr up to 1.25 tells it of nodes alone
	LoggedIn   bool   // the grid answered the last question
	Flwr       string // version; "" while there is none
	Rehearsal  bool
	Site       string // where somebody else coordinates the federation; "": the SuperNodes are of this account
}

// Others is what other flwrups do in the same folder: in a second terminal, a colleague's.
type Others struct {
	PID       int    // of who acts; 0 while nobody does
	Doing     string // "starting supernode_2"
	WatchedBy int    // the process that restarts lost SuperNodes; 0 for none
	Service   bool   // it is a service
	Installed bool   // a service should watch the folder
	Record    string // changes whenever a flwrup began to act, this one or another
}

// NodeView is all that is known of one SuperNode at one moment.
type NodeView struct {
	Name        string
	NodeID      string // decimal; "" while it is not registered or not known
	KeyFile     string // private key, relative to the project
	Fingerprint string // SHA256:…
	Grid        GridState
	GridSince   time.Time
	Runtime     supernode.Status
	Digest      string           // of the image that its container was made from; "" for a process
	Flwr        string           // version that it was started with; "" while it is not known
	Fits        string           // whether that speaks to the grid: yes, no, "" while it is not known
	Wanted      Wanted           // what the person last asked of it
	Engine      *Engine          // who runs it in flwrup's place; nil for flwrup
	Diagnosis   *problem.Problem // why it is not as it should be; nil when all is well
	Remedy      *Remedy          // its remedy; nil without one
}

// Up reports whether the SuperNode runs here, and the grid calls it online.
func (v NodeView) Up() bool { return v.Runtime.State == supernode.Running && v.Grid == GridOnline }

// Engine is another engine that runs a SuperNode, with the commands that a person types for it.
type Engine struct {
	Kind, Dir              string // compose, swarm, kubernetes, helm, systemd; the folder of its files
	Start, Stop, End, Logs string
}

// SiteView is another site whose SuperNodes this account registered. They run there: nothing here starts or stops them.
type SiteView struct {
	Name    string // short: st-marys-hospital
	Title   string // as the site calls itself
	Contact string
	Nodes   []NodeView // without a Runtime
}

// Online returns how many of the site's SuperNodes the grid calls online.
func (s SiteView) Online() int {
	n := 0
	for _, v := range s.Nodes {
		if v.Grid == GridOnline {
			n++
		}
	}
	return n
}

// Severity of a site: the worst of its SuperNodes; one that never connected is on its way.
func (s SiteView) Severity() Severity {
	var all []Severity
	for _, n := range s.Nodes {
		switch {
		case n.Grid == GridOnline:
			all = append(all, OK)
		case n.Grid == GridRegistered:
			all = append(all, Working)
		case n.Grid == GridUnknown:
			all = append(all, NotKnown)
		default:
			all = append(all, Failing)
		}
	}
	return Worst(all...)
}

// GridState is how the grid lists a SuperNode.
type GridState string

const (
	GridUnknown      GridState = ""           // the grid was not asked, or does not list it
	GridRegistered   GridState = "registered" // never online so far
	GridOnline       GridState = "online"
	GridOffline      GridState = "offline"
	GridUnregistered GridState = "unregistered" // gone for good; flwr goes on listing it
)

// Wanted is the state that the person last asked for: it tells a SuperNode that was stopped on purpose
// from one that ended.
type Wanted string

const (
	WantedNone Wanted = "" // nothing was asked for
	WantedUp   Wanted = "up"
	WantedDown Wanted = "down"
)

// RunView is one run of the federation.
type RunView struct {
	ID      string
	App     string // publisher/name version
	Status  RunStatus
	Elapsed time.Duration
	Details string    // why it failed, where the grid says so
	Pending time.Time // since when it was pending, running, over; zero when it was not, or is not known
	Running time.Time
	Over    time.Time
	Here    bool // it was started from this folder
}

// RunProgress is how far a run has come, as its log says.
type RunProgress struct {
	Round, Rounds int      // 0: not said so far
	Metrics       []Metric // of the rounds so far
}

// RunStatus is how a run stands, in the words of `flwr list`, or RunLost. A newer flwr may have other words.
type RunStatus string

const (
	RunUnknown   RunStatus = "" // the grid was not asked, or does not list it
	RunPending   RunStatus = "pending"
	RunStarting  RunStatus = "starting"
	RunRunning   RunStatus = "running"
	RunCompleted RunStatus = finished + ":completed"
	RunFailed    RunStatus = finished + ":failed"
	RunStopped   RunStatus = finished + ":stopped"
	RunLost      RunStatus = "lost" // its grid ended under it, and never says how the run ended
)

const finished = "finished"

// StartsSince reports whether the ServerApp of a run of this status, which began to run at running, started after the time
// from or has yet to start. running is in whole seconds, rounded down; a grid needs more than one until it starts a run.
func (r RunStatus) StartsSince(from, running time.Time) bool {
	return r == RunPending || r == RunRunning && !running.Before(from)
}

// Ended reports whether the run is over, however it ended.
func (r RunStatus) Ended() bool { return strings.HasPrefix(string(r), finished) || r == RunLost }

// Failed reports whether the run is over and has to be started again.
func (r RunStatus) Failed() bool {
	return strings.HasPrefix(string(r), string(RunFailed)) || r == RunLost
}

// Going reports whether the run waits for SuperNodes, or runs.
func (r RunStatus) Going() bool { return r == RunPending || r == RunStarting || r == RunRunning }

// Outcome returns how the run ended, or the whole status while it has not.
func (r RunStatus) Outcome() string { return strings.TrimPrefix(string(r), finished+":") }

// Clock is how long the run has been in its present state, or took in all once it is over.
func (r RunView) Clock(now time.Time) time.Duration {
	switch {
	case r.Status.Ended():
		return r.Elapsed
	case r.Status == RunRunning && !r.Running.IsZero():
		return now.Sub(r.Running)
	case !r.Pending.IsZero():
		return now.Sub(r.Pending)
	}
	return r.Elapsed
}

// Backup is the backup of all keys of now that was verified last; the zero value is none.
type Backup struct {
	File     string
	Verified time.Time // opened and compared with the keys
	Old      bool      // longer ago than is good
}

// Says returns one line for people about a backup that was verified too long ago; "" about others.
func (b Backup) Says() string {
	if !b.Old {
		return ""
	}
	return "the keys' backup was last verified on " + b.Verified.Local().Format("2 January 2006") + ": flwrup backup --verify"
}

// Overview is the dashboard's data.
type Overview struct {
	Nodes      []NodeView // that run here, or should
	Sites      []SiteView // by name
	Runs       []RunView
	GridAt     time.Time // when the grid was asked last; zero: never
	GridErr    error     // why the grid's side is old or missing
	RuntimeErr error     // why the runtime's side is missing
	FileErr    error     // why flwrup.toml as it is now is not gone by
	Online     int       // nodes that the grid calls online, but for those that have ended here
	Remedy     *Remedy   // remedy of GridErr; nil without one
	Fit        Fit       // which flwr fits the grid
	Backup     Backup    // of the keys, verified last
	Rotating   []string  // SuperNodes with a rotation that is not finished
	FromLogs   bool      // the states on the grid are those of the SuperNodes' own logs: nobody here may ask the grid
}

// KeysSay returns one line for people about keys: a rotation that is not finished, else a backup that was verified too
// long ago; "" where all is well.
func (o Overview) KeysSay() string {
	if len(o.Rotating) > 0 {
		return "the rotation of " + o.Rotating[0] + "'s key is not finished: flwrup rotate " + o.Rotating[0]
	}
	return o.Backup.Says()
}

// Verb is what the dashboard can do to SuperNodes.
type Verb string

const (
	StartNodes      Verb = "start"       // waits until the grid lets a killed one in again
	StopNodes       Verb = "stop"        // gracefully
	RestartNodes    Verb = "restart"     // both, one after the other
	ReplaceNodes    Verb = "replace"     // restart that also replaces containers started by hand
	RemoveNodes     Verb = "remove"      // stops it and takes it out of the federation; its key stays good
	ChangeSettings  Verb = "settings"    // asks for settings of the named ones, or of all
	TakeOutNodes    Verb = "take-out"    // asks which of the two: RemoveNodes or UnregisterNodes
	UnregisterNodes Verb = "unregister"  // the same, and off the grid for good; asks first: its key can never be registered again
	RemoveSite      Verb = "remove-site" // the name is another site's: its SuperNodes out of the federation and off the grid for good; asks first
	AdmitSite       Verb = "admit"       // asks for the request of another site, and admits its SuperNodes
	AddNode         Verb = "add"         // one more: key, registration, membership, start; or one that was removed comes back, with its name or asked for
	StopRun         Verb = "stop-run"    // the names are run IDs; asks first
	OwnImage        Verb = "own-image"   // gives up the chosen image for the one of the flwr at hand, and restarts
	RestoreKey      Verb = "restore-key"
	RotateKeys      Verb = "rotate-key"  // gives each a new key and another node ID; asks first
	GiveUpRotation  Verb = "rotate-back" // of a rotation that is not finished: the old key again, the new one unregistered
	StartGrid       Verb = "start-grid"  // a rehearsal's
	Upgrade         Verb = "upgrade"     // to the release of flwr that fits, one SuperNode first; asks first
)
