package project

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"flwrup/internal/hostpath"
	"flwrup/internal/shell"
	"flwrup/internal/trust"
)

// Ground holds the facts about a project's folder that decide which values the user has to accept.
type Ground struct {
	Dir       string // absolute
	Keys      bool   // key files lie in the folder of keys
	Rehearsal bool   // the project is a rehearsal: values accepted for one do not count for a real grid
}

// real returns where a path of flwrup.toml leads, links followed.
func (p Ground) real(path string) string {
	if !filepath.IsAbs(path) {
		path = filepath.Join(p.Dir, path)
	}
	return hostpath.Real(path)
}

func (p Ground) inside(path string) bool {
	return hostpath.Within(p.real(path), hostpath.Real(p.Dir))
}

// state reports whether a path leads into .flwrup.
func (p Ground) state(path string) bool {
	return hostpath.Within(p.real(path), hostpath.Real(StateDir(p.Dir)))
}

// A risk says in plain words what one value of flwrup.toml does that the user has to accept; "" when the
// value is harmless. A list is judged entry by entry.
type risk func(value string, c *Choices, at Ground) string

// harmless is the risk of keys that neither run code, nor read or expose anything outside the folder.
func harmless(string, *Choices, Ground) string { return "" }

// always takes a sentence with %s for the value.
func always(says string) risk {
	return func(v string, _ *Choices, _ Ground) string { return sentence(says, v) }
}

// outside takes a sentence for paths that lead out of the folder.
func outside(says string) risk {
	return func(v string, _ *Choices, at Ground) string {
		if at.inside(v) && !at.state(v) {
			return ""
		}
		return sentence(says, v)
	}
}

func sentence(says, v string) string {
	if strings.Contains(says, "%s") {
		return fmt.Sprintf(says, v)
	}
	return says
}

// rehearses reports a rehearsal without an app: no code runs except flwr's, and its keys open nothing.
func rehearses(c *Choices) bool { return c.Grid.Rehearsal && c.App == "none" }

// ownGrid reports whether an address is this machine's own, in a rehearsal: flwrup starts the grid there.
func ownGrid(v string, c *Choices) bool {
	return c.Grid.Rehearsal && (strings.HasPrefix(v, "127.0.0.1:") || strings.HasPrefix(v, "localhost:"))
}

// risks has every key of flwrup.toml.
var risks = map[string]risk{
	"name":                harmless,
	"nodes":               harmless,
	"sites-only":          harmless,
	"federation":          harmless, // the grid lets only members of a federation add SuperNodes to it
	"create-federation":   harmless, // in the user's own account
	"container-prefix":    harmless, // a taken name is refused
	"flwr.version":        harmless, // a release of flwr, from the user's own package index
	"flwr.check-releases": harmless, // asks that index
	"grid.connection":     harmless, // a connection in the user's own Flower configuration
	"site.name":           harmless, // stands in a request, which the user sends
	"site.contact":        harmless,

	"keys": outside("keeps private keys in %s, outside this folder"),
	"app":  outsideApp,
	"backup": func(v string, _ *Choices, at Ground) string {
		if at.inside(v) && !at.state(v) {
			return ""
		}
		return "writes the backup of the private keys to " + v + ", outside this folder"
	},
	"backup-recipient": func(v string, c *Choices, at Ground) string {
		if c.Grid.Rehearsal && !at.Keys {
			return "" // the keys that it can read are made for the rehearsal, and open nothing else
		}
		return "encrypts the backup to " + v + ": whoever has that identity can read the private keys"
	},
	"backup-passphrase-file": always("takes the passphrase of the backup from %s: whoever knows the file can read the private keys"),
	"runtime": func(v string, c *Choices, _ Ground) string {
		if v != RuntimeProcess || rehearses(c) {
			return ""
		}
		return "runs SuperNodes as plain processes: apps of the federation run with your rights, outside of a container"
	},
	"image": always("runs SuperNodes, which get your private keys, from the image %s"),
	"host-network": func(_ string, c *Choices, _ Ground) string {
		if c.Grid.Rehearsal {
			return "" // containers of a rehearsal always share it: all is on loopback
		}
		return "lets the containers reach every service of this machine"
	},

	"flwr.path": always("runs %s as flwr"),
	"flwr.home": always("takes Flower's addresses and logins from %s"),

	"grid.control": func(v string, c *Choices, _ Ground) string {
		if ownGrid(v, c) {
			return ""
		}
		return "logs in at " + v + " and sends it your apps"
	},
	"grid.fleet": func(v string, c *Choices, _ Ground) string {
		if ownGrid(v, c) {
			return ""
		}
		return "connects SuperNodes to " + v + ", which sends them code to run"
	},
	"grid.ca": func(v string, c *Choices, at Ground) string {
		if c.Grid.Rehearsal && at.state(v) {
			return ""
		}
		return "trusts every grid that " + v + " vouches for"
	},
	"grid.rehearsal": func(_ string, c *Choices, _ Ground) string {
		if rehearses(c) {
			return ""
		}
		return "starts a grid on this machine and runs the app's code with your rights"
	},

	"notify.command":      always("runs %s with every message, with your rights"),
	"notify.webhook":      always("sends names and states of SuperNodes and runs to %s"),
	"notify.webhook-file": always("sends names and states of SuperNodes and runs to the address in %s"),
	"notify.webhook-env":  always("sends names and states of SuperNodes and runs to the address in your variable %s"),
	"notify.shape":        harmless,
	"notify.token-file":   always("sends the content of %s to the webhook, as its token"),
	"notify.token-env":    always("sends your variable %s to the webhook, as its token"),
	"notify.mail":         always("sends names and states of SuperNodes and runs by e-mail to %s"),
	"notify.mail-from":    always("sends e-mail in the name of %s"),
	"notify.after":        harmless,
	"notify.quiet":        harmless,
	"notify.about":        harmless,
	"notify.terminal":     harmless,

	"node.name":             harmless,
	"node.location":         harmless,
	"node.key":              outside("reads the private key %s, outside this folder"),
	"node.node-config":      harmless, // data for the app
	"node.args":             always("starts SuperNodes with the arguments %s"),
	"node.env":              always("hands your variable %s to the apps of the federation"),
	"node.env-file":         always("hands the variables in %s to SuperNodes"),
	"node.data":             dataRisk,
	"node.cpus":             harmless,
	"node.memory":           harmless,
	"node.pids":             harmless,
	"node.tmp":              harmless,
	"node.gpus":             harmless,
	"node.install-packages": always("lets SuperNodes install packages that an app asks for"),
	"node.lasting":          harmless,
	"node.host":             always("puts private keys on the Docker host %s, and runs SuperNodes there"),
}

func outsideApp(v string, c *Choices, at Ground) string {
	switch {
	case v == "none":
		return ""
	case strings.HasPrefix(v, "@"):
		return "fetches the app " + v + " from Flower's hub and sends it to the grid"
	}
	return outside("sends the app in %s, outside this folder, to the grid")(v, c, at)
}

func dataRisk(v string, _ *Choices, _ Ground) string {
	host, _, write := ParseData(v)
	if write {
		return "lets the apps of the federation read and change " + host
	}
	return "lets the apps of the federation read " + host
}

// Sensitive returns the values that the user has to accept before flwrup acts on them.
func (c *Choices) Sensitive(at Ground) []trust.Value {
	return slices.DeleteFunc(c.Values(at), func(v trust.Value) bool { return v.Says == "" })
}

// Values returns all values, including harmless ones; those have no text.
func (c *Choices) Values(at Ground) []trust.Value {
	var all []trust.Value
	for _, f := range fields {
		all = append(all, values(f, c, f.key, f.key, c, at)...)
	}
	for _, k := range append([]string{AllKey}, slices.Sorted(maps.Keys(c.Node))...) {
		n := c.Node[k]
		if k == AllKey {
			n = c.All
		}
		for _, f := range nodeFields {
			all = append(all, values(f, &n, "node."+f.key, "node."+k+"."+f.key, c, at)...)
		}
	}
	return all
}

// values judges one field; name is its key in risks, key its place in the file.
func values[T any](f field[T], of *T, name, key string, c *Choices, at Ground) []trust.Value {
	says := risks[name]
	if says == nil {
		says = always("has the value %s, which flwrup does not know how to judge")
	}
	var all []trust.Value
	for _, v := range texts(f, of) {
		all = append(all, trust.Value{Key: key, Text: boundText(name, v, at), Says: says(v, c, at)})
	}
	return all
}

// commandLine reports whether the entries of a list belong together.
func commandLine(key string) bool { return key == "args" || key == "notify.command" }

// texts returns the chosen values of a field; empty when nothing was chosen. Arguments belong together.
func texts[T any](f field[T], of *T) []string {
	switch v := f.ref(of).(type) {
	case *string:
		if *v != "" {
			return []string{*v}
		}
	case *[]string:
		if commandLine(f.key) && len(*v) > 0 {
			return []string{shell.Line(*v)}
		}
		return *v
	case *bool:
		if *v {
			return []string{"true"}
		}
	case **bool:
		if *v != nil && **v {
			return []string{"true"}
		}
	}
	return nil
}

// boundText binds a value to its context. A path is bound to its present target, so a link that leads
// elsewhere later is another value. All values of a rehearsal are bound to the rehearsal.
func boundText(name, v string, at Ground) string {
	v += leadsTo(name, v, at)
	if at.Rehearsal {
		v += "\x00rehearsal"
	}
	return v
}

func leadsTo(name, v string, at Ground) string {
	switch name {
	case "keys", "app", "backup", "backup-passphrase-file", "flwr.path", "flwr.home", "grid.ca", "node.key", "node.env-file", "notify.webhook-file", "notify.token-file":
		return "\x00" + at.real(v)
	case "node.data":
		host, _, _ := ParseData(v)
		return "\x00" + at.real(host)
	}
	return ""
}

// Without returns a copy of the choices without the given values, as if nothing had been chosen for them.
func (c *Choices) Without(values []trust.Value, at Ground) *Choices {
	gone := map[string]bool{}
	for _, v := range values {
		gone[v.Hash()] = true
	}
	out, plain := *c, Defaults(at.Dir)
	for _, f := range fields {
		withhold(f, &out, plain, f.key, f.key, gone, at)
	}
	withoutNode := func(k string, n NodeChoice) NodeChoice {
		for _, f := range nodeFields {
			withhold(f, &n, &NodeChoice{}, "node."+f.key, "node."+k+"."+f.key, gone, at)
		}
		return n
	}
	out.All, out.Node = withoutNode(AllKey, c.All), nil
	for k, n := range c.Node {
		if out.Node == nil {
			out.Node = map[string]NodeChoice{}
		}
		out.Node[k] = withoutNode(k, n)
	}
	return &out
}

func withhold[T any](f field[T], of, plain *T, name, key string, gone map[string]bool, at Ground) {
	hit := func(v string) bool {
		return gone[trust.Value{Key: key, Text: boundText(name, v, at)}.Hash()]
	}
	if list, ok := f.ref(of).(*[]string); ok && !commandLine(f.key) {
		*list = slices.DeleteFunc(slices.Clone(*list), hit)
		return
	}
	if !slices.ContainsFunc(texts(f, of), hit) {
		return
	}
	switch v := f.ref(of).(type) {
	case *string:
		*v = *f.ref(plain).(*string)
	case *[]string:
		*v = nil
	case *bool:
		*v = *f.ref(plain).(*bool)
	case **bool:
		*v = nil
	}
}

// badMount finds a data folder that no SuperNode may ever see, accepted or not.
func (c *Choices) badMount(dir string) *invalid {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil
	}
	at := func(p string) string {
		if filepath.IsAbs(p) {
			return p
		}
		return filepath.Join(abs, p)
	}
	for _, k := range append([]string{AllKey}, slices.Sorted(maps.Keys(c.Node))...) {
		n := c.Node[k]
		if k == AllKey {
			n = c.All
		}
		for _, d := range n.Data {
			host, _, _ := ParseData(d)
			if why := hostpath.Closed(at(host), at(c.Keys), StateDir(abs)); why != "" {
				return &invalid{[]string{"node", k, "data"}, "cannot give a SuperNode the folder " + host + ": " + why}
			}
		}
	}
	return nil
}
