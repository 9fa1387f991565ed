// Package supernode holds the plain data about one SuperNode that the two runtimes (containers, processes),
// the steps and the front ends pass to each other, and the few words and rules that both runtimes share.
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
	Name    string // the user's name for it: supernode_1
	Project string // its project; labels and folders carry it
	KeyFile string // absolute path of the private key on this machine
	CAFile  string // absolute path of the grid's CA certificate; "" when the grid has a public certificate
	Flwr    string // version of flwr that it should speak: 1.42.0
	AtOnce  int    // how many SuperNodes of this machine the app uses at the same time; 0: all
	Takes   int64  // bytes of memory that a SuperNode of this flwr takes before its app takes any; about

	// Args returns the arguments of flower-supernode, without the program's name, for the places where the
	// runtime puts the key and the CA (ca is "" when CAFile is). flwrexec makes this function.
	Args func(key, ca string) []string

	Env    map[string]string // in addition to FLWR_HOME, which the runtime sets; visible to anyone who looks at the node: never a secret
	Labels map[string]string // extra labels (containers) or remarks (processes): fingerprint, node ID

	// Secrets are variables whose values only the node may see: neither `docker inspect`, nor a command line, nor
	// a file of flwrup's shows them. EnvFile and EnvNames say where they come from, for Commands: a file of
	// NAME=VALUE lines (absolute path, "" for none), and names in flwrup's own environment.
	Secrets  map[string]string
	EnvFile  string
	EnvNames []string
	Missing  []string // of EnvNames: without a value now. A node that kept its copy starts anyway

	// Containers only.
	Host        string   // the Docker host that runs it: the name of a Docker context, or an address; "" is this machine's own
	Container   string   // the container's name; unique on the daemon
	Image       string   // flwr/supernode:1.42.0-py3.13-ubuntu24.04
	ImageID     string   // the image that Image must lead to; "" for any
	HostNetwork bool     // rehearsal: everything stays on loopback
	AutoRemove  bool     // as the guide's --rm
	Restart     int      // Docker restarts the node, even after a reboot, but at most this often within ten minutes; 0 never
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

// Unlimited is the value of a bound that the user removed.
const Unlimited = -1

// Folder is a folder (or file) of this machine in a SuperNode's container.
type Folder struct {
	Host   string // absolute path on the daemon's machine
	Inside string // absolute path in the container
	Write  bool   // the node may write to it
}

// Finding is an obstacle to SuperNodes that start or work.
type Finding struct {
	Node    string // "": it concerns all of them
	Warning bool   // they may start anyway
	Problem *problem.Problem
}

// Image is the image that a name leads to.
type Image struct {
	ID     string // sha256:…, of this daemon
	Digest string // repository@sha256:…; "" for an image that was built here
}

// Name returns the digest, which other machines know as well, else the ID.
func (i Image) Name() string {
	if i.Digest != "" {
		return i.Digest
	}
	return i.ID
}

// Same reports whether both are one image. The IDs of one image differ between Docker's ways to store it; the
// digest comes with the first pull or push.
func (i Image) Same(o Image) bool { return i.ID == o.ID || i.Digest != "" && i.Digest == o.Digest }

// KeyFlag is the flag for every flower-supernode's private key; SuperNodes started by hand are recognised by
// it.
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

// KeyAt returns the fingerprint of the key in file, even through links; "" when it is not one of keys, which
// maps fingerprints to the paths of private keys.
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

// ValueMissing is the code of a Problem about a variable without a known value: the user has to supply one.
const ValueMissing problem.Code = "value-missing"

// WithoutValue returns the Problem (value-missing) of a SuperNode that lacks the values of spec.Missing.
func WithoutValue(spec Spec) *problem.Problem {
	return problem.New(ValueMissing, "the value of "+strings.Join(spec.Missing, ", ")+" for "+spec.Name+" is not known",
		"flwrup.toml names it, and no file keeps it", "export "+spec.Missing[0]+" before you start flwrup, or have flwrup ask for it")
}

// WrongFlwr is the code of a Problem about an image that holds another flwr than Spec.Flwr.
const WrongFlwr problem.Code = "wrong-flwr"

// State is a runtime's state of a SuperNode. Only the grid knows whether it is online.
type State string

const (
	Unknown    State = "unknown"    // the Docker host that runs it does not answer; Away says why
	Absent     State = "absent"     // never started, or removed
	Starting   State = "starting"   // created, not running yet
	Running    State = "running"    //
	Restarting State = "restarting" // Docker is about to start it again
	Stopped    State = "stopped"    // ended on its own or by us; ExitCode says how
)

// Suspended is the Reason of a SuperNode that runs but is held: docker pause, SIGSTOP, Ctrl-Z.
const Suspended = "suspended"

// Status holds everything that a runtime can see of one SuperNode.
type Status struct {
	Name       string
	Project    string
	ID         string // container ID or pid
	State      State
	ExitCode   int       // when Stopped
	Reason     string    // OOM killed, killed by signal, …; "" when unknown
	Since      time.Time // start of the present state
	Restarts   int
	Host       string           // containers: as Spec.Host
	Away       *problem.Problem // why Host does not answer, when Unknown
	Image      string           // containers: image reference
	ImageID    string           // containers: the image itself, sha256:…
	Labels     map[string]string
	Ours       bool   // false for a SuperNode that was started by hand
	ByHand     string // "container NAME" or "process PID", not the project's, that runs with the node's key; "" for the project's own
	Fleet      string // of a process found by hand: the address in its arguments; "" without one
	EndWith    string // with ByHand: the command that ends it
	Inside     string // of a process found by hand: the ID of the container that it runs in; "" for none
	LogKeptFor string // where the log is: a file path, or "docker logs NAME"
}

// Usage is one reading of the resources of a running SuperNode.
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

// LogOptions selects the lines of Logs.
type LogOptions struct {
	Follow bool // go on until the context ends, across restarts of the node
	Tail   int  // last N lines first; < 0 all lines that are kept
}

// Runtime starts and watches SuperNodes on this machine. dockerctl and procctl implement it. Every method may
// block and honours ctx, and draws nothing. Errors are *problem.Problem when the user can act on them.
type Runtime interface {
	// Kind is "docker" or "process".
	Kind() string
	// Check says whether the runtime can be used at all: nil, or a Problem that says exactly why not.
	Check(ctx context.Context) error
	// Prepare provides what Start needs (an image, a program); say gets progress lines.
	Prepare(ctx context.Context, spec Spec, say func(Progress)) error
	// Preflight reports obstacles for the given nodes, none of which runs yet. It changes nothing and starts
	// nothing.
	Preflight(ctx context.Context, specs []Spec) ([]Finding, error)
	// Start starts the node. It leaves a running node alone and starts a stopped one again; when spec has changed
	// it replaces the stopped one first. It returns when the node's process runs, not when it is online.
	Start(ctx context.Context, spec Spec) error
	// Stop ends the node gracefully (SIGTERM, then up to grace) and keeps its log. Stopping a node that does not
	// run is no error. It never sends a second signal before grace is over: that would keep flwr from reporting
	// to the grid.
	Stop(ctx context.Context, name string, grace time.Duration) error
	// Remove deletes everything of a stopped node: container, its key's copy, home, log. It fails when any of it
	// stays.
	Remove(ctx context.Context, name string) error
	// Leftovers names the nodes of which Remove would delete something, sorted. It includes nodes whose container
	// was removed by hand, which List therefore does not know.
	Leftovers(ctx context.Context) ([]string, error)
	// List returns every node of the project that this runtime knows, running or not, sorted by name.
	List(ctx context.Context) ([]Status, error)
	// Logs sends the node's lines to each, oldest first, until the log ends, ctx ends or each fails.
	Logs(ctx context.Context, name string, o LogOptions, each func(Line) error) error
	// Usage reads the present resources of a running node.
	Usage(ctx context.Context, name string) (Usage, error)
	// Watch calls changed after any node's state may have changed, until ctx ends.
	Watch(ctx context.Context, changed func()) error
	// Commands returns shell commands with the same effect as Start, one entry for each command line, for
	// /bin/sh, runnable word for word in this order.
	Commands(spec Spec) []string
	// Close closes connections. It stops no node.
	Close() error
}

// Progress is the progress of a longer task.
type Progress struct {
	Text  string
	Done  int64 // of Total; both 0 when unknown
	Total int64
}
