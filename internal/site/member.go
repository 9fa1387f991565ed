package site

import (
	"cmp"
	"context"
	"fmt"
	"hash/fnv"
	"maps"
	"net"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"flwrup/flwrexec/flwr"
	"flwrup/internal/ledger"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/supernode"
	"flwrup/internal/termsafe"
	"flwrup/keys"
)

// Member is one SuperNode of this site: a key pair, the name it goes by, what the ledger knows of it.
type Member struct {
	Number int // of its [node.…] table; see project.Seats
	Name   string
	Pair   keys.Pair
	Record ledger.Node // zero while nothing was registered
}

// Known reports whether the node's ID on the grid is known.
func (m Member) Known() bool { return m.Record.State == ledger.Registered && m.Record.NodeID != "" }

// Members returns the site's SuperNodes, as many as there are usable keys, at most as many as were chosen, with the
// folder of keys; see Snapshot for all that is known of them.
func Members(s *Site) ([]Member, keys.Folder, error) {
	p := s.Look(context.Background(), Want{Parts: ReadKeys})
	list := make([]Member, len(p.SuperNodes))
	for i, n := range p.SuperNodes {
		list[i] = n.Member
	}
	return list, p.Keys.Value, p.Keys.Err
}

// membersOf returns the SuperNodes of the keys in a folder. A key that was unregistered, or removed here, is left
// out. Names stay with their keys: the ledger has them, and those go first. A new key's name comes from its own
// number where that is free.
func membersOf(f Folder, d ledger.Data, folder keys.Folder) []Member {
	c := f.Choices
	gone := map[string]bool{}
	for _, i := range leaving(f, d) {
		gone[i.Key] = true
	}
	idle := d.IdleKeys(c.Grid.Connection)
	var list []Member
	registered := 0
	for _, p := range slices.Concat(folder.Pairs, folder.Others) {
		record, _ := d.NodeOn(c.Grid.Connection, p.Fingerprint)
		switch {
		case record.State == ledger.Unregistered, record.State == ledger.Removed, gone[p.Fingerprint], idle[p.Fingerprint], idle[f.Rel(p.Private)]:
			continue
		case slices.ContainsFunc(list, func(m Member) bool { return m.Pair.Fingerprint == p.Fingerprint }): // a copy
			continue
		case record.State == ledger.Registered:
			registered++
		case !slices.ContainsFunc(folder.Pairs, func(o keys.Pair) bool { return o.Name == p.Name }):
			continue // no SuperNode's own, unless it was registered as one
		}
		list = append(list, Member{Pair: p, Record: record})
	}
	room := max(c.Nodes-registered, 0) // for new ones
	list = slices.DeleteFunc(list, func(m Member) bool {
		if m.Record.State == ledger.Registered {
			return false
		}
		room--
		return room < 0
	})
	list = list[:min(len(list), c.Nodes)]
	name(f, d, list)
	return list
}

// name gives each of list its number and its name.
func name(f Folder, d ledger.Data, list []Member) {
	c := f.Choices
	seats := make([]project.Seat, len(list))
	for i, m := range list {
		seat := project.Seat{Recorded: m.Record.Name, Own: m.Pair.Number}
		for _, in := range d.Intents { // its registration may have been cut short
			if seat.Recorded == "" && in.Op == "register" && in.Key == m.Pair.Fingerprint {
				seat.Recorded = in.Name
			}
		}
		if other, ok := d.NodeByKey(m.Pair.Fingerprint); ok && seat.Recorded == "" {
			seat.Recorded = other.Name // on another grid
		}
		file := f.Rel(m.Pair.Private)
		seat.Barred = func(name string) bool {
			return slices.ContainsFunc(d.Nodes, func(n ledger.Node) bool {
				return n.Connection == c.Grid.Connection && n.Key != m.Pair.Fingerprint && strings.EqualFold(n.Name, name) &&
					n.KeyFile != file // in the place of a key that was exchanged it has that one's name
			})
		}
		seats[i] = seat
	}
	for i, place := range c.Seats(seats) {
		list[i].Number, list[i].Name = place.Number, place.Name
	}
	slices.SortStableFunc(list, func(a, b Member) int { return cmp.Compare(a.Number, b.Number) }) // a rotated key is the newest file
}

// lostOf returns the registered SuperNodes whose key is not in the folder any more: replaced, damaged, or taken
// away. They are on the grid all the same, and may even run.
func lostOf(f Folder, d ledger.Data, list []Member, folder keys.Folder) []Member {
	have, names := d.IdleKeys(f.Choices.Grid.Connection), map[string]bool{} // a key that is not in use is not missed
	for _, p := range folder.Pairs {
		have[p.Fingerprint] = true
	}
	for _, m := range list {
		if m.Known() {
			names[m.Name] = true
		}
	}
	var lost []Member
	for _, n := range d.Nodes {
		if n.Connection == f.Choices.Grid.Connection && n.State == ledger.Registered && n.NodeID != "" && !have[n.Key] && !names[n.Name] {
			lost = append(lost, Member{Name: n.Name, Record: n})
		}
	}
	return lost
}

// MemberNamed finds one SuperNode by name.
func MemberNamed(s *Site, name string) (Member, error) {
	list, _, err := Members(s)
	if err != nil {
		return Member{}, err
	}
	if i := slices.IndexFunc(list, func(m Member) bool { return m.Name == name }); i >= 0 {
		return list[i], nil
	}
	return Member{}, NoSuperNode(name)
}

// NoSuperNode is the Problem (usage) about a name that no SuperNode has.
func NoSuperNode(name string) error {
	return problem.New(problem.Usage, "cannot find SuperNode "+termsafe.Quote(name), "none here has that name", "`flwrup status` lists them")
}

// Spec says how m is started, in the dialect of the flwr at hand, by the runtime as; "" is the site's own.
func Spec(ctx context.Context, s *Site, m Member, as string) (supernode.Spec, error) {
	f, err := s.Session(ctx)
	if err != nil {
		return supernode.Spec{}, err
	}
	found, dialect, kind := f.Found(), f.Dialect(), cmp.Or(as, s.RuntimeKind())
	c := s.Choices()
	choice := c.ForNode(m.Number)
	hostNetwork := kind == project.RuntimeDocker && (c.HostNetwork || c.Grid.Rehearsal)
	port := 0
	if kind == project.RuntimeProcess || hostNetwork {
		if port, err = portOf(s, m.Name); err != nil {
			return supernode.Spec{}, err
		}
	}
	if err := checkNodeConfig(m.Name, choice, kind); err != nil {
		return supernode.Spec{}, err
	}
	config := choice.NodeConfig
	if config == "" && c.Grid.Rehearsal {
		config = fmt.Sprintf("partition-id=%d num-partitions=%d", (m.Number-1)%max(c.Nodes, 1), c.Nodes)
	}
	fleet := FleetOf(c.Grid, dialect)
	env := map[string]string{}
	if c.Grid.Rehearsal || c.Coordinated() && isLoopback(fleet) {
		// A rehearsal sends nothing anywhere.
		maps.Copy(env, map[string]string{"FLWR_TELEMETRY_ENABLED": "0", "FLWR_DISABLE_UPDATE_CHECK": "1",
			// flwr 1.42 looks for work this often, in seconds; its default is longer.
			"FLWR_SUPEREXEC_TASK_POLL_INTERVAL": workInterval(c.Nodes, runtime.NumCPU())})
	}
	spec := supernode.Spec{
		Name: m.Name, Project: c.ID, KeyFile: m.Pair.Private, Private: []string{s.Path(c.Keys), project.StateDir(s.Dir)}, CAFile: s.Path(c.Grid.CA),
		Flwr: found.Version.String(), Takes: dialect.NodeMemory, AtOnce: loadOf(s, 0).AtOnce,
		Args: func(key, ca string) []string {
			return dialect.SuperNodeArgs(flwr.SuperNodeOptions{Fleet: fleet, Key: key, CA: ca,
				Port: port, NodeConfig: config, AllowInstall: choice.Install != nil && *choice.Install, Extra: choice.Args})
		},
		Env:       env,
		Labels:    map[string]string{"flwrup.fingerprint": m.Pair.Fingerprint, "flwr": found.Version.String(), FleetLabel: fleet},
		Container: c.ContainerName(m.Number), Image: Image(c, found.Version.String()),
		HostNetwork: hostNetwork, Restart: restartLimit,
		Memory: project.ParseMemory(choice.Memory), Sharers: c.Nodes,
		PIDs: project.ParsePIDs(choice.PIDs), Tmp: project.ParseMemory(choice.Tmp), GPUs: choice.GPUs,
		Program: found.SuperNode(), Port: port,
	}
	if kind == project.RuntimeDocker {
		spec.Host = choice.Host
		spec.Sharers = sharers(c, choice.Host)
	} else if choice.Host != "" {
		return supernode.Spec{}, problem.New(problem.BadInput, m.Name+" cannot run on "+choice.Host, "SuperNodes run as plain processes here, which stay on this machine",
			"flwrup up --runtime docker, or take host out of "+project.FileName)
	}
	if known, ok := KnownImage(s.Ledger.Data(), spec.Host, spec.Image); ok && kind == project.RuntimeDocker {
		spec.ImageID = known.ID
	}
	if choice.Lasting != nil && !*choice.Lasting {
		spec.AutoRemove, spec.Restart = true, 0
	}
	if choice.CPUs != "" {
		if spec.CPUs, err = strconv.ParseFloat(choice.CPUs, 64); err != nil {
			return supernode.Spec{}, err // the project's own check takes numbers only
		}
	}
	for _, d := range choice.Data {
		host, inside, write := project.ParseData(d)
		if choice.Host != "" && !filepath.IsAbs(host) {
			return supernode.Spec{}, problem.New(problem.BadInput, "the data folder "+host+" of "+m.Name+" is relative", m.Name+" runs on "+choice.Host+", where this folder is not",
				"write its whole path on "+choice.Host+" into "+project.FileName)
		}
		spec.Data = append(spec.Data, supernode.Folder{Host: s.Path(host), Inside: inside, Write: write})
	}
	return spec, secrets(s, &spec, choice)
}

// sharers returns how many SuperNodes share the memory of a Docker host.
func sharers(c *project.Choices, host string) int {
	n := 0
	for i := range c.Nodes {
		if c.ForNode(i+1).Host == host {
			n++
		}
	}
	return n
}

// FleetLabel is where the runtime keeps which address a SuperNode was started for.
const FleetLabel = "fleet"

// NodeLabel reads a label of a SuperNode. Containers have theirs under flwrup's name, which Docker's runtime
// takes off; processes have them as they were given.
func NodeLabel(st supernode.Status, key string) string {
	return cmp.Or(st.Labels[key], st.Labels["flwrup."+key])
}

// Elsewhere returns the address of another grid that a running SuperNode was started for; "" when it runs for g.
func Elsewhere(g project.GridChoice, st supernode.Status, d flwr.Dialect) string {
	address := NodeLabel(st, FleetLabel)
	if st.State == supernode.Stopped || st.State == supernode.Absent || address == FleetOf(g, d) {
		return ""
	}
	return address
}

// restartLimit is how often Docker brings a SuperNode back within ten minutes. A refused node ends within
// seconds each time, so without a limit it would knock for ever; Docker doubles its pause each time, so
// ten tries span a minute and a half or more, longer than the minute in which the grid refuses a node
// that was killed and comes back.
const restartLimit = 10

// Image returns the SuperNode image for a flwr version: the chosen one, else Flower's own.
func Image(c *project.Choices, version string) string {
	if c.Image != "" {
		return c.Image
	}
	return OfficialImage(version)
}

// OfficialImage returns the name under which Flower publishes the SuperNode image of a flwr version.
func OfficialImage(version string) string { return "flwr/supernode:" + version + "-py3.13-ubuntu24.04" }

// Port returns the node's own ClientAppIo port, the same at every start. Processes and containers on the
// host network share the machine's ports, and flwr's default (9094) serves only one of them.
func portOf(s *Site, node string) (int, error) {
	s.ports.Lock()
	defer s.ports.Unlock()
	known := s.Ledger.Data()
	if own := known.SuperNode(node).Port; own != 0 {
		return own, nil
	}
	taken := map[int]bool{}
	for _, n := range known.SuperNodes {
		taken[n.Port] = true
	}
	h := fnv.New32a()
	h.Write([]byte(s.Choices().ID + node))
	for try := range portRange {
		n := firstPort + (int(h.Sum32()%portRange)+try)%portRange
		if taken[n] || !portFree(n) {
			continue
		}
		if s.Options.ReadOnly {
			return n, nil
		}
		return n, setPort(s, node, n)
	}
	return 0, problem.New(problem.PortTaken, "no free port for "+node,
		fmt.Sprintf("ports %d to %d are all in use", firstPort, firstPort+portRange-1), "stop what holds them")
}

// ForgetPort takes the node's port from it, so that the next start gets another one.
func ForgetPort(s *Site, node string) error { return setPort(s, node, 0) }

func setPort(s *Site, node string, port int) error {
	return s.Ledger.Change(func(d *ledger.Data) error {
		n := d.SuperNode(node)
		n.Port = port
		d.PutSuperNode(n)
		return nil
	})
}

// The ports given to SuperNodes: below the range from which systems take ports for outgoing
// connections (Linux: 32768 and up), so that none is taken by chance while a node is stopped.
const (
	firstPort = 21000
	portRange = 9000
)

func portFree(n int) bool {
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(n)))
	if err != nil {
		return false
	}
	l.Close()
	return true
}

// what the ledger keeps that the world cannot tell
const (
	AttestAccount = "account"
	AttestLater   = "federation chosen after login"
	AttestRuntime = "runtime"
	AttestSent    = "node IDs handed over"
	AttestConfirm = "confirmation seen by the person"
	AttestBackup  = "backup kept elsewhere"
)

// Record returns what the ledger keeps of a registered SuperNode; how says where its node ID comes from.
func Record(s *Site, m Member, id, how string) ledger.Node {
	c := s.Choices()
	return ledger.Node{Key: m.Pair.Fingerprint, KeyFile: s.Rel(m.Pair.Private), Name: m.Name, NodeID: id,
		State: ledger.Registered, Registered: time.Now(), Account: s.Ledger.Account(c.Grid.Connection),
		Connection: c.Grid.Connection, How: how}
}

// MaxNodes is flwrup's own limit: a slip of the finger should not make a million keys.
const MaxNodes = 1000

// Leaving returns the removals that are not settled: under way, or cut short by a crash.
func Leaving(s *Site) []ledger.Intent {
	return leaving(s.Folder(), s.Ledger.Data())
}

func leaving(f Folder, d ledger.Data) []ledger.Intent {
	var list []ledger.Intent
	for _, i := range d.Intents {
		if (i.Op == "remove" || i.Op == "unregister") && i.Connection == f.Choices.Grid.Connection {
			list = append(list, i)
		}
	}
	return list
}

// KeyName is the file name of a lost SuperNode's private key.
func (m Member) KeyName() string { return filepath.Base(m.Record.KeyFile) }

// WithoutKey returns the registered SuperNodes that have no key in the folder: list and folder are those of Members.
func WithoutKey(s *Site, list []Member, folder keys.Folder) []Member {
	return lostOf(s.Folder(), s.Ledger.Data(), list, folder)
}
