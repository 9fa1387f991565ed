// Package project holds the user's choices for one project: flwrup.toml in the project's folder, readable,
// commented and fit for version control, never with a secret in it. It also owns the project's folder
// .flwrup: the lock, the project's id on this machine, and the mark on folders that flwrup made.
package project

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"flwrup/internal/notify"
)

// Choices is flwrup.toml. The zero value of a field means that nothing was chosen and flwrup decides; Load
// fills in the values of Defaults for the keys that the file leaves out.
type Choices struct {
	// ID labels this project's containers and processes. It belongs to the folder on this machine and lives in
	// .flwrup, not in flwrup.toml: a second set-up from a copied flwrup.toml has its own.
	ID string

	Name             string // the folder's base name by default
	Nodes            int    // number of SuperNodes; 0: not chosen yet, or none here, see SitesOnly
	SitesOnly        bool   // a coordinator has no SuperNode here: all are at other sites. It counts while Nodes is 0
	Federation       string // "@account/name", or a bare name for flwr <= 1.25; "": not chosen yet
	CreateFederation bool   // make it when it does not exist (flwr >= 1.27)
	Keys             string // folder of the key pairs, relative to the project; "keys" by default
	Runtime          string // RuntimeAuto, RuntimeDocker or RuntimeProcess
	Image            string // SuperNode image; "": the official one of the flwr version
	HostNetwork      bool   // containers share the machine's network
	ContainerPrefix  string // "": DefaultPrefix; a rehearsal has its own
	App              string // folder of the app to run, relative to the project
	Backup           string // file of the encrypted key backup
	BackupRecipient  string // age recipient (a public key) for unattended backups
	BackupPassphrase string // file with the passphrase of unattended backups, never the passphrase itself

	Flwr   FlwrChoice
	Grid   GridChoice
	Site   SiteChoice
	Notify notify.Settings       // whom a watch tells what
	All    NodeChoice            // [node.all]: settings of all SuperNodes, which a SuperNode's own override
	Node   map[string]NodeChoice // by SuperNode: supernode_1 …
}

// FlwrChoice says which flwr is used.
type FlwrChoice struct {
	Version string // wanted version, such as "1.42.0"; "": an installed one, else the newest
	Path    string // a flwr program or the folder of its environment; "": flwrup searches for it
	Home    string // FLWR_HOME; "": the user's own (~/.flwr)
	Check   bool   // the package index is asked once a day which releases are out
}

// GridChoice says which SuperGrid (or SuperLink) the SuperNodes belong to.
type GridChoice struct {
	Connection string // name of the connection in Flower's configuration; "supergrid" by default
	Control    string // host or host:port that the CLI talks to; "": the official address
	Fleet      string // host:port that SuperNodes talk to; "": the official address
	CA         string // CA certificate file of a private grid; "": a public certificate
	Rehearsal  bool   // the grid is flwrup's own, on this machine
}

// SiteChoice says which site this folder is of a federation that somebody else coordinates. The site has no account
// there: a coordinator admits its SuperNodes.
type SiteChoice struct {
	Name    string // such as "St. Mary's Hospital"; "": the SuperNodes are of the person's own account
	Contact string // whom the coordinator calls
}

// Coordinated reports whether somebody else coordinates the federation of these SuperNodes.
func (c *Choices) Coordinated() bool { return c.Site.Name != "" }

// NoneHere reports whether the person has chosen to run no SuperNode here: all are at other sites.
func (c *Choices) NoneHere() bool { return c.SitesOnly && c.Nodes == 0 && !c.Coordinated() }

// NodeChoice holds the settings of one SuperNode, or of all.
type NodeChoice struct {
	Name       string   // the name it is shown, registered and run under; "": the key of its table
	Key        string   // private key file, relative to the project; "": keys/client_credentials_N
	NodeConfig string   // --node-config: 'partition-id=0 num-partitions=2'
	Args       []string // further arguments of flower-supernode
	Env        []string // names of variables passed on from flwrup's environment, or asked for; values stay out of files
	EnvFile    string   // file of NAME=VALUE lines, relative to the project
	Data       []string // folders the ClientApp may see: "host:container", ":rw" behind it to write; relative to the project
	CPUs       string   // processor cores at most: "1.5"
	Memory     string   // memory at most: "2g", "512m", Unlimited; "": its share of the machine's
	PIDs       string   // processes and threads at most: "4096", Unlimited; "": flwrup's default
	Tmp        string   // size of /tmp, which is in memory: "1g"; "": flwrup's default
	GPUs       string   // "all", a number, or "device=0,1"
	Location   string   // "latitude,longitude", which it is registered with (flwr >= 1.38)
	Install    *bool    // --allow-runtime-dependency-installation
	Host       string   // Docker host that runs it: the name of a Docker context, or an address; "": this machine's own
	Lasting    *bool    // nil or true: comes back after a reboot; false: gone with its log when it ends
}

// Clone returns a copy that shares nothing with c.
func (c *Choices) Clone() *Choices {
	to := *c
	to.All, to.Node = c.All.clone(), maps.Clone(c.Node)
	for key, n := range to.Node {
		to.Node[key] = n.clone()
	}
	for _, list := range []*[]string{&to.Notify.Command, &to.Notify.Mail, &to.Notify.About} {
		*list = slices.Clone(*list)
	}
	return &to
}

// clone returns a copy that shares nothing with n.
func (n NodeChoice) clone() NodeChoice {
	from := n
	for _, f := range nodeFields {
		n.Take(f.key, from)
	}
	return n
}

// ForNode returns the settings of SuperNode i (from 1): its own, else those of all.
func (c *Choices) ForNode(i int) NodeChoice {
	n := c.Node[NodeKey(i)]
	for _, f := range nodeFields {
		if f.given(&c.All) && !f.given(&n) {
			n.Take(f.key, c.All)
		}
	}
	return n
}

// Take copies the value of one key of the [node.…] tables, even when it is unset.
func (n *NodeChoice) Take(key string, from NodeChoice) {
	for _, f := range nodeFields {
		if f.key != key {
			continue
		}
		switch to := f.ref(n).(type) {
		case *string:
			*to = *f.ref(&from).(*string)
		case *[]string:
			*to = slices.Clone(*f.ref(&from).(*[]string))
		case **bool:
			*to = nil
			if v := *f.ref(&from).(**bool); v != nil {
				b := *v
				*to = &b
			}
		}
	}
}

// Unlimited removes a limit.
const Unlimited = "unlimited"

// The values of Choices.Runtime.
const (
	RuntimeAuto    = "auto"
	RuntimeDocker  = "docker"
	RuntimeProcess = "process"
)

// DefaultPrefix is the beginning of container names when nothing else was chosen: the guide's supernode_1.
const DefaultPrefix = "supernode_"

// FileName is the name of the file in the project's folder.
const FileName = "flwrup.toml"

// Defaults returns the choices of a project in dir for which nothing was chosen yet. Its ID is the folder's,
// or a new one that Save keeps.
func Defaults(dir string) *Choices {
	name := "flower-project"
	if abs, err := filepath.Abs(dir); err == nil {
		base := filepath.Base(abs)
		if base != string(filepath.Separator) && !strings.ContainsFunc(base, unfit) && notEmpty(base) == "" {
			name = base
		}
	}
	return &Choices{
		ID:      knownID(dir),
		Name:    name,
		Keys:    "keys",
		Runtime: RuntimeAuto,
		Flwr:    FlwrChoice{Check: true},
		Grid:    GridChoice{Connection: "supergrid"},
	}
}

// AllKey is the table for all SuperNodes: [node.all].
const AllKey = "all"

// NodeKey returns the name of SuperNode i (from 1) in the [node.…] tables: supernode_1.
func NodeKey(i int) string { return fmt.Sprintf("supernode_%d", i) }

// NodeName returns the name that SuperNode i (from 1) is shown and registered under: its own, else NodeKey.
func (c *Choices) NodeName(i int) string {
	if n := c.Node[NodeKey(i)].Name; n != "" {
		return n
	}
	return NodeKey(i)
}

// ContainerName returns the name of the container of SuperNode i (from 1): ContainerPrefix and the number. A
// node with a name of its own has that name, after the prefix if a prefix other than the default was chosen.
func (c *Choices) ContainerName(i int) string {
	own := c.Node[NodeKey(i)].Name
	switch {
	case own != "" && (c.ContainerPrefix == "" || c.ContainerPrefix == DefaultPrefix):
		return own
	case own != "":
		return c.ContainerPrefix + own
	case c.ContainerPrefix == "":
		return NodeKey(i)
	}
	return fmt.Sprintf("%s%d", c.ContainerPrefix, i)
}

// File returns the path of flwrup.toml of the project in dir.
func File(dir string) string { return filepath.Join(dir, FileName) }

// ExportDir returns the folder of a project in dir into which SuperNodes are exported, a folder each kind of engine.
func ExportDir(dir string) string { return filepath.Join(dir, "flwrup-export") }

// StateDir returns the folder of the project in dir for files that do not belong in version control: ledger,
// lock, marks. EnsureStateDir makes it.
func StateDir(dir string) string { return filepath.Join(dir, ".flwrup") }
