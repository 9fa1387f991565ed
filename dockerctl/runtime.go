// Package dockerctl runs SuperNodes as Docker containers: it finds the daemon as the docker command
// does, pulls the image, and creates, starts, stops, removes, lists and watches one container for
// every SuperNode of a project. It implements supernode.Runtime.
//
// A container gets, and why:
//   - no capability, no new privileges, a read-only root file system, and the image's own user (uid
//     49999 in flwr/supernode); an image that would run as root runs as uid 49999 instead
//   - an anonymous volume at KeyDir with this node's private key (0400, that user's) and the grid's CA,
//     copied in as a tar stream before the start. Nothing depends on file modes of this machine and
//     nothing is bind-mounted, so it works as root, as a member of the docker group, and against a
//     daemon elsewhere. Root owns the folder: the node cannot change its key
//   - an anonymous volume at HomeDir, which Docker fills with the image's own /app and so with its
//     owner. FLWR_HOME, unpacked apps and packages installed at run time (with uv's cache) go
//     to disk, not to memory, and survive a restart
//   - /tmp in memory, of a bounded size; a bound on memory, and one on processes and threads: see bounds.go
//   - the proxies of the docker command's config.json, as docker run gives them: see proxies.go
//   - the variables that only the node may see, in the volume at KeyDir and not in the container's
//     configuration; and where it is to come back on its own, a policy with a limit: see starter.go
//   - only those folders of this machine that were asked for, read-only unless asked otherwise
//
// Both volumes are anonymous so that `docker rm -v` and --rm take the copy of the key away with the
// container, and labelled so that Remove also finds one that `docker rm` without -v left behind.
package dockerctl

import (
	"context"
	"sync"

	"github.com/docker/docker/client"

	"flwrup/internal/supernode"
)

// Where things are in every container.
const (
	KeyDir   = "/run/supernode"       // volume: the files that flwrup copies in
	KeyPath  = KeyDir + "/key"        // the node's private key, for Spec.Args
	CAPath   = KeyDir + "/ca.crt"     // the grid's CA certificate, for Spec.Args when CAFile is set
	HomeDir  = "/app"                 // volume: HOME and working folder, as in flwr/supernode
	HomePath = HomeDir + "/.flwr"     // FLWR_HOME
	userID   = 49999                  // user `app` of flwr/supernode: https://flower.ai/docs/framework/docker/
	logSize  = "10m"                  // a log file of a container
	logFiles = "3"                    // how many of them Docker keeps
	tmpfsOpt = "rw,exec,nosuid,nodev" // exec: wheels may unpack and load libraries there
)

// Labels on containers and volumes.
const (
	LabelProject     = "flwrup.project"
	LabelNode        = "flwrup.node"
	LabelFingerprint = "flwrup.fingerprint"
	LabelSpec        = "flwrup.spec"   // SpecHash of the spec that the container was made with
	LabelImage       = "flwrup.image"  // the image's name; Docker shows an ID once the name leads elsewhere
	LabelEngine      = "flwrup.engine" // on containers that another engine runs, from files that flwrup wrote: compose, swarm
	labelPrefix      = "flwrup."
)

// Options says which containers are ours and where they run.
type Options struct {
	Project string // value of LabelProject: List, Watch and all by-name calls see only this project's
	Host    string // the daemon's address (unix://…, ssh://…), or the name of a Docker context; "" finds it as the docker command does
	Dir     string // absolute folder for files of the lines of Commands; nothing else touches it
}

// Runtime is a connection to one Docker daemon. Its methods may be called concurrently.
type Runtime struct {
	project string
	dir     string
	at      endpoint
	cli     *client.Client
	agreed  chan bool // reports whether the version of the API is agreed on; see ready

	mu       sync.Mutex
	readings map[string]reading  // the last one of every container, by ID; see Usage
	users    map[string]int      // uid that an image runs as, by image ID
	entries  map[string][]string // an image's own entrypoint, by its name
	holds    map[string]string   // version of flwr in an image, by image ID
	memory   int64               // bytes that the daemon's machine has; 0 while unknown
}

var _ supernode.Runtime = (*Runtime)(nil)

// New prepares a connection. It sends nothing yet, so it succeeds without a daemon (see Check). It fails,
// with a Problem, when the Docker context or address that the user chose cannot be used.
func New(ctx context.Context, o Options) (*Runtime, error) {
	at, err := findEndpoint(o.Host)
	if err != nil {
		return nil, err
	}
	cli, err := at.client()
	if err != nil {
		return nil, err
	}
	r := &Runtime{project: o.Project, dir: o.Dir, at: at, cli: cli, agreed: make(chan bool, 1),
		readings: map[string]reading{}, users: map[string]int{}, entries: map[string][]string{}, holds: map[string]string{}}
	r.agreed <- false
	return r, ctx.Err()
}

// Kind is "docker".
func (r *Runtime) Kind() string { return "docker" }

// Host returns the daemon's address, and the name of the Docker context it came from ("" for none).
func (r *Runtime) Host() (address, contextName string) { return r.at.host, r.at.context }

// Close closes the connections. Containers go on.
func (r *Runtime) Close() error { return r.cli.Close() }

// ready agrees with the daemon on a version of the API, once. The client would do so at its first call, but
// two concurrent first calls race there.
func (r *Runtime) ready(ctx context.Context) error {
	var done bool
	select {
	case done = <-r.agreed:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { r.agreed <- done }()
	if done {
		return nil
	}
	ping, err := r.cli.Ping(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return unreachable(r, err)
	}
	r.cli.NegotiateAPIVersionPing(ping)
	done = true
	_ = measure(ctx, r) // create asks again, and fails where there is no answer
	return nil
}
