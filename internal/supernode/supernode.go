// Package supernode holds the plain data about one SuperNode that the two runtimes (containers,
// processes), the steps and the front ends hand to each other, and the few words and rules that both runtimes share.
package supernode

import (
	"context"
	"os"
	"strings"
	"time"

	"flwrup/internal/problem"
)

// Spec is all that a runtime needs to start one SuperNode.
type Spec struct {
	Name    string // the person's name for it: supernode_1
	Project string // which project it belongs to; labels and folders carry it
	KeyFile string // absolute path of the private key on this machine
	CAFile  string // absolute path of the grid's CA certificate; "" when the grid has a public certificate
	Flwr    string // version of flwr that it should speak: 1.42.0
	AtOnce  int    // how many SuperNodes of this machine the app has work at the same time; 0: all
	Takes   int64  // bytes of memory that a SuperNode of this flwr takes before its app takes any; about

	// Args gives the arguments of flower-supernode, without the program's name, for the places where
	// the runtime puts the key and the CA (ca is "" when CAFile is). flwrexec makes this function.
	Args func(key, ca string) []string

	Env    map[string]string // beside FLWR_HOME, which the runtime sets; shown by whoever looks at the node: never a secret
	Labels map[string]string // extra labels (containers) or remarks (processes): fingerprint, node ID

	// Secrets are variables whose values only the node may see: neither `docker inspect`, nor a command
	// line, nor a file of flwrup's shows them. EnvFile and EnvNames say where they come from, for Commands:
	// a file of NAME=VALUE lines (absolute path, "" for none), and names in flwrup's own environment.
	Secrets  map[string]string
	EnvFile  string
	EnvNames []string
	Missing  []string // of EnvNames: without a value now. A node that kept its copy starts all the same

	// Containers only.
	Container   string   // the container's name; unique on the daemon
	Image       string   // flwr/supernode:1.42.0-py3.13-ubuntu24.04
	ImageID     string   // the image that Image must lead to; "" whichever it does
	HostNetwork bool     // rehearsal: everything stays on loopback
	AutoRemove  bool     // as the guide's --rm
	Restart     int      // Docker brings the node back, also after a reboot, but at most so often within ten minutes; 0 never
	Private     []string // folders of keys and records: none of Data may show them
	Data        []Folder // folders of this machine that the ClientApp may see
	CPUs        float64  // processor cores at most; 0 no limit
	Memory      int64    // bytes at most, ClientApps included; 0 its share of the daemon's memory, Unlimited no limit
	Sharers     int      // how many SuperNodes share that memory; 0 counts as one
	PIDs        int64    // processes and threads at most; 0 the runtime's default, Unlimited no limit
	Tmp         int64    // bytes that its /tmp, which is in memory, may hold; 0 the runtime's default
	GPUs        string   // as docker's --gpus: "all", a number, or "device=0,1"; "" none

	// Processes only.
	Program string // absolute path of flower-supernode
	Port    int    // its own ClientAppIo port, already part of Args; checked before the start. Containers on the host network use it as well
}

// Unlimited is the value of a bound that somebody took away.
const Unlimited = -1

// Folder is a folder (or file) of this machine inside of a SuperNode's container.
type Folder struct {
	Host   string // absolute path on the daemon's machine
	Inside string // absolute path in the container
	Write  bool   // the node may write to it
}

// Finding is something that would keep SuperNodes from starting or from working.
type Finding struct {
	Node    string // "": it concerns all of them
	Warning bool   // they may be started all the same
	Problem *problem.Problem
}

// Image is to what an image's name leads.
type Image struct {
	ID     string // sha256:…, of this daemon
	Digest string // repository@sha256:…; "" for one that was built here
}

// Name is what to call it by: the digest, which other machines know too, else the ID.
func (i Image) Name() string {
	if i.Digest != "" {
		return i.Digest
	}
	return i.ID
}

// Same reports whether both are one image. The IDs of one image differ between Docker's ways to store it; the
// digest comes with the first pull or push.
func (i Image) Same(o Image) bool { return i.ID == o.ID || i.Digest != "" && i.Digest == o.Digest }

// KeyFlag is how every flower-supernode is told its private key; one that was started by hand is known by it.
const KeyFlag = "--auth-supernode-private-key"

// KeyIn finds the file of the key among a SuperNode's arguments; "" when there is none.
func KeyIn(args []string) string { return FlagIn(args, KeyFlag) }

// FlagIn finds the value of a flag among arguments, "--flag value" or "--flag=value"; "" when there is none.
func FlagIn(args []string, flag string) string {
	for i, a := range args {
		if v, ok := strings.CutPrefix(a, flag+"="); ok {
			return v
		}
		if a == flag && i+1 < len(args) {
			return args[i+1]
		}
	}
	return ""
}

// KeyAt returns the fingerprint of the key that lies in file, also through links; "" when it is not one of keys,
// which has the path of each private key by its fingerprint.
func KeyAt(file string, keys map[string]string) string {
	if file == "" {
		return ""
	}
	there, err := os.Stat(file)
	for fingerprint, key := range keys {
		if key == file {
			return fingerprint
		}
		if here, e := os.Stat(key); e == nil && err == nil && os.SameFile(here, there) {
			return fingerprint
		}
	}
	return ""
}

// ValueMissing is the code of a Problem about a variable whose value is not known: one has to be given.
const ValueMissing problem.Code = "value-missing"

// WithoutValue returns the Problem (value-missing) of a SuperNode that lacks the values of spec.Missing.
func WithoutValue(spec Spec) *problem.Problem {
	return problem.New(ValueMissing, "the value of "+strings.Join(spec.Missing, ", ")+" for "+spec.Name+" is not known",
		"flwrup.toml names it, and no file keeps it", "export "+spec.Missing[0]+" before you start flwrup, or have flwrup ask for it")
}

// WrongFlwr is the code of a Problem about an image that holds another flwr than Spec.Flwr.
const WrongFlwr problem.Code = "wrong-flwr"

// State is what a runtime says about a SuperNode. It says nothing about being online: the grid does.
type State string

const (
	Absent     State = "absent"     // never started, or removed
	Starting   State = "starting"   // created, not running yet
	Running    State = "running"    //
	Restarting State = "restarting" // Docker is about to start it again
	Stopped    State = "stopped"    // ended by itself or by us; ExitCode says how
)

// Suspended is the Reason of a SuperNode that runs and is held: docker pause, SIGSTOP, Ctrl-Z.
const Suspended = "suspended"

// Status is what a runtime can see of one SuperNode.
type Status struct {
	Name       string
	Project    string
	ID         string // container ID or pid
	State      State
	ExitCode   int       // when Stopped
	Reason     string    // OOM killed, killed by signal, …; "" when nothing is known
	Since      time.Time // start of the present state
	Restarts   int
	Image      string // containers: image reference
	ImageID    string // containers: the image itself, sha256:…
	Labels     map[string]string
	Ours       bool   // false for one that was found, started by hand
	ByHand     string // "container NAME" or "process PID", not the project's, that runs with the node's key; "" for the project's own
	Fleet      string // of a process found by hand: the address that it was told; "" where none was
	EndWith    string // with ByHand: the command that ends it
	Inside     string // of a process found by hand: the ID of the container that it runs in; "" for none
	LogKeptFor string // where the log is: a file path, or "docker logs NAME"
}

// Usage is one reading of what a running SuperNode takes.
type Usage struct {
	At     time.Time
	CPU    float64 // percent of one core
	Memory uint64  // bytes, page cache excluded
}

// Line is one line of a SuperNode's log, already safe to show in a terminal (package termsafe).
type Line struct {
	Node string
	Time time.Time // zero when the source keeps no time
	Text string
}

// LogOptions chooses what Logs gives.
type LogOptions struct {
	Follow bool // go on until the context ends, across restarts of the node
	Tail   int  // last N lines first; < 0 all that is kept
}

// Runtime starts and watches SuperNodes on this machine. dockerctl and procctl implement it. Every
// method may block and honours ctx; none draws anything; errors are *problem.Problem where a person
// can do something about it.
type Runtime interface {
	// Kind is "docker" or "process".
	Kind() string
	// Check says whether the runtime can be used at all: nil, or a Problem that says exactly why not.
	Check(ctx context.Context) error
	// Prepare makes what Start needs (an image, a program) present; say gets progress lines.
	Prepare(ctx context.Context, spec Spec, say func(Progress)) error
	// Preflight says what would keep the given nodes, none of which runs, from starting or from working.
	// It changes nothing and starts nothing.
	Preflight(ctx context.Context, specs []Spec) ([]Finding, error)
	// Start brings the node up. A node that is already running is left alone; one that is stopped is
	// started again, anew when spec differs from what it was made with. It returns when the node's
	// process runs, not when it is online.
	Start(ctx context.Context, spec Spec) error
	// Stop ends the node gracefully (SIGTERM, then up to grace) and keeps its log. Stopping a node
	// that does not run is no error. A second signal is never sent before grace is over: it would
	// keep flwr from telling the grid (NOTES: SIGTERM twice).
	Stop(ctx context.Context, name string, grace time.Duration) error
	// Remove deletes what belongs to a stopped node: container, its key's copy, home, log. It fails when
	// any of it stays.
	Remove(ctx context.Context, name string) error
	// Leftovers names the nodes of which Remove would delete something, sorted: also those whose container
	// somebody removed by hand, and that List therefore does not know.
	Leftovers(ctx context.Context) ([]string, error)
	// List gives every node of the project that this runtime knows, running or not, sorted by name.
	List(ctx context.Context) ([]Status, error)
	// Logs sends the node's lines to each, oldest first, until the log ends, ctx ends or each fails.
	Logs(ctx context.Context, name string, o LogOptions, each func(Line) error) error
	// Usage reads what a running node takes now.
	Usage(ctx context.Context, name string) (Usage, error)
	// Watch calls changed after any node's state may have changed, until ctx ends.
	Watch(ctx context.Context, changed func()) error
	// Commands gives the shell commands that a person would type to the same effect as Start, one
	// entry a command line, for /bin/sh, runnable word for word in this order.
	Commands(spec Spec) []string
	// Close gives back connections. It stops no node.
	Close() error
}

// Progress is how far some longer work is.
type Progress struct {
	Text  string
	Done  int64 // of Total; both 0 when unknown
	Total int64
}
