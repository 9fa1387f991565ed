package ledger

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fvbommel/sortorder"
)

// Values of Node.State.
const (
	Registered   = "registered"
	Unregistered = "unregistered" // no account can register its key again
	Removed      = "removed"      // registered, but taken out of use here; its key is good
	Refused      = "refused"      // the grid did not take the key; NodeID is empty
)

// Data is all that a ledger holds. Finish and Change hand it to their callback; its Put methods keep
// the records unique. As a value it answers the same questions as the Ledger that it was read from.
type Data struct {
	Format       int           `json:"format"`
	Accounts     []Account     `json:"accounts,omitempty"`
	Grids        []Grid        `json:"grids,omitempty"`
	Nodes        []Node        `json:"nodes,omitempty"` // by name, supernode_2 before supernode_10
	Intents      []Intent      `json:"intents,omitempty"`
	Runs         []Run         `json:"runs,omitempty"`
	Backups      []Backup      `json:"backups,omitempty"`
	Attestations []Attestation `json:"attestations,omitempty"`
	SuperNodes   []SuperNode   `json:"supernodes,omitempty"` // by name, as Nodes
	Sites        []Site        `json:"sites,omitempty"`      // whose SuperNodes this folder's account registered
	Requests     []Request     `json:"requests,omitempty"`   // to a coordinator, the newest at the end
	Coordinators []Coordinator `json:"coordinators,omitempty"`
	Kept         []Kept        `json:"kept,omitempty"` // by upgrades, the newest at the end
}

// Account is who was last seen signed in over a connection.
type Account struct {
	Connection string    `json:"connection"`
	Account    string    `json:"account"`
	At         time.Time `json:"at,omitzero"`
}

// Grid is a grid that the project was used with before it went over to another one: what it needs to come
// back. Empty fields are what flwrup.toml leaves empty.
type Grid struct {
	Connection string    `json:"connection"`
	Control    string    `json:"control,omitempty"`
	Fleet      string    `json:"fleet,omitempty"`
	CA         string    `json:"ca,omitempty"`
	Federation string    `json:"federation,omitempty"`
	Left       time.Time `json:"left,omitzero"`
}

// Node is what one key is on one grid. The grid's own list names neither key nor name, so this is the
// only place that joins them. Key and Connection together tell two records apart.
type Node struct {
	Key        string    `json:"key"`                // fingerprint: SHA256:…
	KeyFile    string    `json:"key-file,omitempty"` // relative to the project folder, private half
	Name       string    `json:"name"`               // supernode_1
	NodeID     string    `json:"node-id,omitempty"`  // decimal uint64, never a number in JSON; "" unknown
	State      string    `json:"state"`              // Registered, Removed, Unregistered or Refused
	Registered time.Time `json:"registered,omitzero"`
	Account    string    `json:"account,omitempty"`
	Connection string    `json:"connection,omitempty"`
	Federation string    `json:"federation,omitempty"`
	How        string    `json:"how,omitempty"` // "answer", "recovered by name", "by elimination", "from its log", "entered by hand"
}

// Upgrade is the Op of an Intent that moves the SuperNodes to another release of flwr.
const Upgrade = "upgrade"

// Kept is a release of flwr that an upgrade left, and that stays at hand for a way back.
type Kept struct {
	From  string    `json:"from"`            // release
	Image string    `json:"image,omitempty"` // that flwrup.toml named then; "": Flower's own
	At    time.Time `json:"at,omitzero"`     // when it was left
}

// RemoveSite is the Op of an Intent that removes a Site, with all of its SuperNodes.
const RemoveSite = "remove-site"

// Rotate is the Op of an Intent that gives a SuperNode a new key: Key and NodeID are the old ones. It is in the ledger
// from before the new key is made until one of the two keys is gone from the grid.
const Rotate = "rotate"

// Values of Intent.Stage. They say which key the SuperNode is started with, and what can still be chosen.
const (
	RotateMaking = ""      // the old one; the new one is made, backed up, registered
	RotateMoved  = "moved" // the new one; the old one is registered still
	RotateFinal  = "final" // the new one; the grid was asked to forget the old one
	RotateBack   = "back"  // the old one again: the new one did not come online, or the person chose so
	RotateDrop   = "drop"  // the old one; the grid was asked to forget the new one
)

// NewInUse reports whether a rotation has the SuperNode started with its new key.
func (i Intent) NewInUse() bool { return i.Stage == RotateMoved || i.Stage == RotateFinal }

// Intent is an irreversible call that is about to be made. While it is in the ledger, nobody knows
// whether the grid has done it.
type Intent struct {
	ID         string    `json:"id"`
	Op         string    `json:"op"` // "register", "unregister", "add", "remove", "run", "create-federation", RemoveSite, Upgrade, Rotate
	Key        string    `json:"key,omitempty"`
	Name       string    `json:"name,omitempty"`
	NodeID     string    `json:"node-id,omitempty"`
	Connection string    `json:"connection,omitempty"`
	Federation string    `json:"federation,omitempty"`
	Before     []string  `json:"before,omitempty"` // node IDs (or run IDs) known before the call: what is new afterwards is its result
	At         time.Time `json:"at,omitzero"`
	Try        int       `json:"try,omitempty"`
	Nodes      int       `json:"nodes,omitempty"`     // remove, unregister: how many SuperNodes are to remain
	From       string    `json:"from,omitempty"`      // upgrade: the release of flwr that is left
	To         string    `json:"to,omitempty"`        // upgrade: the release that takes its place
	Image      string    `json:"image,omitempty"`     // upgrade: the image that flwrup.toml named before
	Fleet      string    `json:"fleet,omitempty"`     // upgrade: the address for SuperNodes that flwrup.toml named before
	Down       bool      `json:"down,omitempty"`      // rotate: the SuperNode was down on purpose, and is to be so afterwards
	Next       string    `json:"next,omitempty"`      // Rotate: fingerprint of the new key, "" before it was made
	NextFile   string    `json:"next-file,omitempty"` // Rotate: its private half, relative to the project folder
	Stage      string    `json:"stage,omitempty"`     // Rotate: how far it is
}

// Run is a run that was started from here.
type Run struct {
	ID         string    `json:"id"` // decimal uint64
	Connection string    `json:"connection,omitempty"`
	Federation string    `json:"federation,omitempty"`
	App        string    `json:"app,omitempty"`
	Started    time.Time `json:"started,omitzero"`
	Status     string    `json:"status,omitempty"` // as `flwr list` has it: finished:completed
	Lost       time.Time `json:"lost,omitzero"`    // when a rehearsal's next grid was started, after the grid of this run had ended
}

// Backup is an encrypted archive of keys that was made.
type Backup struct {
	File         string    `json:"file"`
	SHA256       string    `json:"sha256"`
	Made         time.Time `json:"made,omitzero"`
	Fingerprints []string  `json:"fingerprints,omitempty"`
	Verified     bool      `json:"verified"`         // restored and compared byte for byte
	Checked      time.Time `json:"checked,omitzero"` // when that was done again last
}

// LastVerified returns when the backup was last opened and compared with the keys; zero for never.
func (b Backup) LastVerified() time.Time {
	switch {
	case !b.Checked.IsZero():
		return b.Checked
	case b.Verified:
		return b.Made
	}
	return time.Time{}
}

// VerifiedBackup returns the backup, among those that hold all of these keys, with the newest verification; false without one.
func (d Data) VerifiedBackup(fingerprints []string) (best Backup, ok bool) {
	for _, b := range d.Backups {
		whole := !slices.ContainsFunc(fingerprints, func(f string) bool { return !slices.Contains(b.Fingerprints, f) })
		if at := b.LastVerified(); whole && !at.IsZero() && !at.Before(best.LastVerified()) {
			best, ok = b, true
		}
	}
	return best, ok
}

// SuperNode is how one SuperNode of this folder is run, on any grid.
type SuperNode struct {
	Name   string    `json:"name"`
	Port   int       `json:"port,omitempty"`   // its own on this machine, the same at every start; 0 while it has none
	Wanted string    `json:"wanted,omitempty"` // the state that the person last asked for: "up", "down", or "" before any
	Asked  time.Time `json:"asked,omitzero"`   // when Wanted was asked for
	Hosts  []string  `json:"hosts,omitempty"`  // Docker hosts that may hold its container, the newest first; "" is this machine's own
	Engine Engine    `json:"engine,omitzero"`  // who runs it in flwrup's place
}

// Engine is another engine that runs a SuperNode, from files that `flwrup export` wrote. The zero value is none.
type Engine struct {
	Kind string    `json:"kind"` // compose, swarm, kubernetes, helm, systemd
	Dir  string    `json:"dir"`  // of its files, relative to the project folder where it is inside
	At   time.Time `json:"at,omitzero"`
}

// Site is another institution whose SuperNodes this folder's account registered. Its private keys are not here.
type Site struct {
	Name       string     `json:"name"` // short: the first part of the names of its SuperNodes
	Connection string     `json:"connection"`
	Title      string     `json:"title"` // as the site calls itself
	Contact    string     `json:"contact,omitempty"`
	Requests   []string   `json:"requests,omitempty"` // IDs of the requests that were admitted, the newest at the end
	Replies    uint64     `json:"replies,omitempty"`  // how many replies were written to it
	Nodes      []SiteNode `json:"nodes,omitempty"`
}

// SiteNode is one SuperNode of a Site.
type SiteNode struct {
	Key        string    `json:"key"`    // fingerprint: SHA256:…
	Public     string    `json:"public"` // one line as in a .pub file
	Name       string    `json:"name"`   // registered: st-mary.supernode_1
	There      string    `json:"there"`  // its name at the site
	NodeID     string    `json:"node-id,omitempty"`
	State      string    `json:"state,omitempty"` // "" until it was registered, else as Node.State
	Registered time.Time `json:"registered,omitzero"`
	How        string    `json:"how,omitempty"` // as Node.How
}

// Request is a letter that asks a coordinator to admit SuperNodes of this folder.
type Request struct {
	ID    string    `json:"id"`
	Words string    `json:"words"` // compared by telephone
	File  string    `json:"file"`  // relative to the project's folder
	Made  time.Time `json:"made,omitzero"`
	Keys  []string  `json:"keys"` // fingerprints
}

// Coordinator is who admitted SuperNodes of this folder, by a reply that was taken.
type Coordinator struct {
	Connection string    `json:"connection"`
	Key        string    `json:"key"`  // fingerprint of the key that signs the replies
	Name       string    `json:"name"` // @account
	Contact    string    `json:"contact,omitempty"`
	Request    string    `json:"request"` // ID of the request that was answered
	Made       time.Time `json:"made,omitzero"`
	Serial     uint64    `json:"serial,omitempty"` // of the reply
	Taken      time.Time `json:"taken,omitzero"`
}

// Attestation is something that only the person knows: a message sent, an account made.
type Attestation struct {
	What   string    `json:"what"`
	Detail string    `json:"detail,omitempty"`
	At     time.Time `json:"at,omitzero"`
}

// NodeByKey returns the record of a fingerprint. Of a key that is known on several connections it returns
// a registered record before others, then the newest; NodeOn chooses the connection.
func (d Data) NodeByKey(fingerprint string) (Node, bool) {
	var best Node
	for _, n := range d.Nodes {
		if n.Key != fingerprint {
			continue
		}
		up, had := n.State == Registered, best.State == Registered
		if best.Key == "" || up && !had || up == had && n.Registered.After(best.Registered) {
			best = n
		}
	}
	return best, best.Key != ""
}

// NodeOn returns the record of a fingerprint on one connection.
func (d Data) NodeOn(connection, fingerprint string) (Node, bool) {
	for _, n := range d.Nodes {
		if n.Key == fingerprint && n.Connection == connection {
			return n, true
		}
	}
	return Node{}, false
}

// Account returns the account that was last seen signed in over a connection, "" when none was.
func (d Data) Account(connection string) string {
	for _, a := range d.Accounts {
		if a.Connection == connection {
			return a.Account
		}
	}
	return ""
}

// Attestation returns what the person said about what.
func (d Data) Attestation(what string) (Attestation, bool) {
	for _, a := range d.Attestations {
		if a.What == what {
			return a, true
		}
	}
	return Attestation{}, false
}

// SuperNode returns the record of a name, with nothing but the name while there is none.
func (d Data) SuperNode(name string) SuperNode {
	for _, n := range d.SuperNodes {
		if n.Name == name {
			return n
		}
	}
	return SuperNode{Name: name}
}

// Rotation returns the rotation of a SuperNode's key that is not finished.
func (d Data) Rotation(connection, name string) (Intent, bool) {
	for _, i := range d.Intents {
		if i.Op == Rotate && i.Connection == connection && i.Name == name {
			return i, true
		}
	}
	return Intent{}, false
}

// IdleKeys returns, of the SuperNodes that have two keys while one takes the other's place, the key that is not in use:
// its fingerprint, and its file where it is the new one.
func (d Data) IdleKeys(connection string) map[string]bool {
	idle := map[string]bool{}
	for _, i := range d.Intents {
		switch {
		case i.Op != Rotate || i.Connection != connection:
		case i.NewInUse():
			idle[i.Key] = true
		default:
			idle[i.Next], idle[i.NextFile] = true, true
		}
	}
	return idle
}

// PutIntent adds i or takes the place of the intent of the same ID.
func (d *Data) PutIntent(i Intent) { put(&d.Intents, i, func(o Intent) bool { return o.ID == i.ID }) }

// SiteNamed returns the record of a site's short name on one connection.
func (d Data) SiteNamed(connection, name string) (Site, bool) {
	for _, s := range d.Sites {
		if s.Connection == connection && s.Name == name {
			return s, true
		}
	}
	return Site{}, false
}

// SitesOn returns the sites on one connection, by name.
func (d Data) SitesOn(connection string) []Site {
	return slices.DeleteFunc(slices.Clone(d.Sites), func(s Site) bool { return s.Connection != connection })
}

// UpgradeUnderWay returns the intent of an upgrade on one connection that is not finished: under way, cut short, or with SuperNodes that stay
// behind.
func (d Data) UpgradeUnderWay(connection string) (Intent, bool) {
	for _, i := range d.Intents {
		if i.Op == Upgrade && i.Connection == connection {
			return i, true
		}
	}
	return Intent{}, false
}

// SiteRemoval returns the removal of a site that is not finished.
func (d Data) SiteRemoval(connection, name string) (Intent, bool) {
	for _, i := range d.Intents {
		if i.Op == RemoveSite && i.Connection == connection && i.Name == name {
			return i, true
		}
	}
	return Intent{}, false
}

// Coordinator returns who admitted this folder's SuperNodes on one connection.
func (d Data) Coordinator(connection string) (Coordinator, bool) {
	for _, c := range d.Coordinators {
		if c.Connection == connection {
			return c, true
		}
	}
	return Coordinator{}, false
}

// PutSite adds s or takes the place of the record of the same name and connection.
func (d *Data) PutSite(s Site) {
	for i := range s.Nodes {
		s.Nodes[i].Registered = second(s.Nodes[i].Registered)
	}
	put(&d.Sites, s, func(o Site) bool { return o.Name == s.Name && o.Connection == s.Connection })
	slices.SortStableFunc(d.Sites, func(a, b Site) int { return sortorder.NaturalCompare(a.Name, b.Name) })
}

// RemoveSite takes the record of a site away; there need not be one.
func (d *Data) RemoveSite(connection, name string) {
	d.Sites = slices.DeleteFunc(d.Sites, func(s Site) bool { return s.Connection == connection && s.Name == name })
}

// PutRequest adds r at the end, or takes the place of the record of the same ID.
func (d *Data) PutRequest(r Request) {
	r.Made = second(r.Made)
	put(&d.Requests, r, func(o Request) bool { return o.ID == r.ID })
}

// PutCoordinator adds c or takes the place of the record of the same connection.
func (d *Data) PutCoordinator(c Coordinator) {
	c.Made, c.Taken = second(c.Made), second(c.Taken)
	put(&d.Coordinators, c, func(o Coordinator) bool { return o.Connection == c.Connection })
}

// PutNode adds n, or takes the place of the record of the same key and connection. A node ID that
// another record of the connection holds, or that is no decimal uint64, is an error.
func (d *Data) PutNode(n Node) error {
	if n.Key == "" {
		return fmt.Errorf("ledger: node %q without a key fingerprint", n.Name)
	}
	if n.NodeID != "" {
		if _, err := strconv.ParseUint(n.NodeID, 10, 64); err != nil {
			return fmt.Errorf("ledger: node ID %q of %s is not a decimal number of 64 bits", n.NodeID, n.Name)
		}
		for _, o := range d.Nodes {
			if o.NodeID == n.NodeID && o.Connection == n.Connection && o.Key != n.Key {
				return fmt.Errorf("ledger: node ID %s of %s (%s) is already that of %s (%s)", n.NodeID, n.Name, n.Key, o.Name, o.Key)
			}
		}
	}
	n.Registered = second(n.Registered)
	put(&d.Nodes, n, func(o Node) bool { return o.Key == n.Key && o.Connection == n.Connection })
	slices.SortStableFunc(d.Nodes, byName)
	return nil
}

// PutSuperNode adds n or takes the place of the record of the same name.
func (d *Data) PutSuperNode(n SuperNode) {
	n.Asked, n.Engine.At = second(n.Asked), second(n.Engine.At)
	put(&d.SuperNodes, n, func(o SuperNode) bool { return o.Name == n.Name })
	slices.SortStableFunc(d.SuperNodes, bySuperNode)
}

// PutGrid adds g or takes the place of the record of the same connection.
func (d *Data) PutGrid(g Grid) {
	g.Left = second(g.Left)
	put(&d.Grids, g, func(o Grid) bool { return o.Connection == g.Connection })
}

// PutRun adds r or takes the place of the record of the same run ID.
func (d *Data) PutRun(r Run) {
	r.Started = second(r.Started)
	put(&d.Runs, r, func(o Run) bool { return o.ID == r.ID })
}

// PutBackup adds b or takes the place of the record of the same file.
func (d *Data) PutBackup(b Backup) {
	b.Made, b.Checked = second(b.Made), second(b.Checked)
	put(&d.Backups, b, func(o Backup) bool { return o.File == b.File })
}

func (d *Data) removeIntent(id string) bool {
	n := len(d.Intents)
	d.Intents = slices.DeleteFunc(d.Intents, func(i Intent) bool { return i.ID == id })
	return len(d.Intents) < n
}

// takeOver moves the ports and wishes that an earlier flwrup kept as attestations to their SuperNodes.
// An attestation overrides a field: only an earlier flwrup, used again in this folder, wrote it later.
func (d *Data) takeOver() {
	for _, a := range slices.Backward(d.Attestations) { // of two, the first counts
		if name, ok := strings.CutPrefix(a.What, "port "); ok {
			if port, err := strconv.Atoi(a.Detail); err == nil {
				n := d.SuperNode(name)
				n.Port = port
				d.PutSuperNode(n)
			}
		} else if name, ok := strings.CutPrefix(a.What, "wanted "); ok {
			n := d.SuperNode(name)
			n.Wanted, n.Asked = a.Detail, a.At
			d.PutSuperNode(n)
		}
	}
	d.Attestations = slices.DeleteFunc(d.Attestations, func(a Attestation) bool {
		return strings.HasPrefix(a.What, "port ") || strings.HasPrefix(a.What, "wanted ")
	})
}

func put[T any](list *[]T, item T, same func(T) bool) {
	if i := slices.IndexFunc(*list, same); i >= 0 {
		(*list)[i] = item
		return
	}
	*list = append(*list, item)
}

// second is t in UTC without fractions, as a person reads it.
func second(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }

func byName(a, b Node) int {
	return cmp.Or(sortorder.NaturalCompare(a.Name, b.Name), cmp.Compare(a.Connection, b.Connection), cmp.Compare(a.Key, b.Key))
}

func bySuperNode(a, b SuperNode) int { return sortorder.NaturalCompare(a.Name, b.Name) }
