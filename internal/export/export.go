// Package export writes the files from which another engine runs SuperNodes: Docker Compose, Docker Swarm, Kubernetes
// (plain, and by Helm), systemd. They say what dockerctl and procctl would do, from the same Spec. It reads and writes no file: the CA's
// text comes with the Set, and private keys stay where they are. A file names a key by its path, or names a secret
// that a command makes, which the README shows.
package export

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"flwrup/internal/hostpath"
	"flwrup/internal/problem"
	"flwrup/internal/shell"
	"flwrup/internal/supernode"
	"flwrup/internal/termsafe"
	"flwrup/internal/wording"
)

// Kind is an engine that runs SuperNodes.
type Kind string

// The engines.
const (
	Compose    Kind = "compose"
	Swarm      Kind = "swarm"
	Kubernetes Kind = "kubernetes"
	Helm       Kind = "helm" // Kubernetes, by Flower's own SuperNode chart
	Systemd    Kind = "systemd"
)

// Kinds are all of them, in the order of the help.
var Kinds = []Kind{Compose, Swarm, Kubernetes, Helm, Systemd}

// Processes reports whether the engine runs plain processes and not containers.
func (k Kind) Processes() bool { return k == Systemd }

// OnDocker reports whether the SuperNodes are containers that Docker's own API shows, by flwrup's labels.
func (k Kind) OnDocker() bool { return k == Compose || k == Swarm }

// Node is one SuperNode to write down.
type Node struct {
	supernode.Spec
	ID     string // on the grid
	Digest string // repository@sha256:… of its image; "" for an image that no registry has
}

// Set is what one export is about.
type Set struct {
	Project    string // its name
	ID         string // its ID, as the labels carry it
	Federation string
	Rehearsal  bool
	Root       string // the project's folder, absolute
	Dir        string // where the files will be, absolute
	CA         []byte // the grid's certificate; nil for a public one
	Nodes      []Node
}

// File is one file of an export; Name is relative to Set.Dir.
type File struct {
	Name string
	Data []byte
}

// Step is a command that a person types in Set.Dir, with what it does.
type Step struct{ Says, Command string }

// Guide is what a person types, in order.
type Guide struct {
	Before []Step // once, before the first start
	Start  Step
	State  Step
	Logs   Step
	Again  Step // takes the files of a later export; Start where it does that as well
	Stop   Step // they stay set up
	End    Step // so that flwrup can take them back
	After  []Step
	Notes  []string // what differs from flwrup's own SuperNodes, and what to know
}

// Files returns the files of an export, the README last, and what to type.
func Files(kind Kind, s Set) ([]File, Guide, error) {
	if err := check(s); err != nil {
		return nil, Guide{}, err
	}
	write := map[Kind]func(Set) ([]File, Guide, error){Compose: compose, Swarm: swarm, Kubernetes: kubernetes, Helm: helm, Systemd: systemd}[kind]
	if write == nil {
		return nil, Guide{}, fmt.Errorf("no engine %q", kind)
	}
	files, guide, err := write(s)
	if err != nil {
		return nil, Guide{}, err
	}
	if guide.Again.Command == "" {
		guide.Again.Command = guide.Start.Command
	}
	if (kind == Compose || kind == Systemd) && slices.ContainsFunc(s.Nodes, Node.secretive) {
		files = append(files, File{".gitignore", []byte("# Variables that only a SuperNode may see.\nsecret-*.env\n")})
	}
	return append(files, File{"README.md", readme(kind, s, guide)}), guide, nil
}

// check refuses what no file of an engine can carry.
func check(s Set) error {
	names := map[string]string{}
	for _, n := range s.Nodes {
		if other, taken := names[serviceName(n.Name)]; taken {
			return problem.New(problem.BadInput, "cannot export "+termsafe.Quote(n.Name), "an engine would take it for "+termsafe.Quote(other), "give one of them another name in flwrup.toml")
		}
		names[serviceName(n.Name)] = n.Name
		if n.Args == nil {
			return fmt.Errorf("%s has no arguments", n.Name)
		}
		texts := append(n.Args(n.KeyFile, n.CAFile), n.Name, n.KeyFile, n.EnvFile, n.Image, n.Container, n.Program)
		for _, d := range n.Data {
			texts = append(texts, d.Host, d.Inside)
		}
		for k, v := range n.Env {
			texts = append(texts, k, v)
		}
		for k, v := range n.Labels {
			texts = append(texts, k, v)
		}
		for _, t := range texts {
			if !utf8.ValidString(t) || strings.ContainsAny(t, "\x00\n\r") {
				return problem.New(problem.BadInput, "cannot export "+termsafe.Quote(n.Name), termsafe.Quote(t)+" has more than one line, or is not UTF-8", "change it in flwrup.toml, or rename the file")
			}
		}
	}
	return nil
}

// readme is the README of an export.
func readme(kind Kind, s Set, g Guide) []byte {
	var b bytes.Buffer
	title := map[Kind]string{Compose: "Docker Compose", Swarm: "Docker Swarm", Kubernetes: "Kubernetes", Helm: "Flower's Helm chart", Systemd: "systemd"}[kind]
	fmt.Fprintf(&b, "# SuperNodes of %s, run by %s\n\n", markdown(s.Project), title)
	fmt.Fprintf(&b, "`flwrup export %s` wrote these files. No private key is in them, so they can go into version control.\nType the commands in this folder.\n", kind)
	part := func(head string, steps ...Step) {
		if len(steps) == 0 {
			return
		}
		fmt.Fprintf(&b, "\n## %s\n", head)
		for _, st := range steps {
			if st.Says != "" {
				fmt.Fprintf(&b, "\n%s:\n", st.Says)
			}
			fmt.Fprintf(&b, "\n    %s\n", strings.ReplaceAll(st.Command, "\n", "\n    "))
		}
	}
	part("Before the first start", g.Before...)
	part("Start", g.Start)
	part("After a later export", g.Again)
	part("Look", g.State, g.Logs)
	part("Stop", g.Stop)
	fmt.Fprintf(&b, "\n## Back to flwrup\n\nEnd them here:\n\n    %s\n", strings.ReplaceAll(g.End.Command, "\n", "\n    "))
	fmt.Fprintf(&b, "\nThen have flwrup start them, in the project's folder. They keep their keys and node IDs:\n\n    flwrup start %s\n", shell.Line(namesOf(s.Nodes)))
	part("Clean up", g.After...)
	if len(g.Notes) > 0 {
		b.WriteString("\n## Good to know\n\n")
		for _, n := range g.Notes {
			b.WriteString("- " + n + "\n")
		}
	}
	b.WriteString("\n## SuperNodes\n\n| name | node ID | key fingerprint |\n|---|---|---|\n")
	for _, n := range s.Nodes {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", markdown(n.Name), markdown(cmp.Or(n.ID, "-")), markdown(n.Labels["flwrup.fingerprint"]))
	}
	return b.Bytes()
}

// markdown keeps a name from being more than text.
func markdown(s string) string {
	var b strings.Builder
	for _, r := range termsafe.Line(s) {
		if strings.ContainsRune("\\`*_{}[]<>#|!&", r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

func namesOf(list []Node) []string {
	names := make([]string, len(list))
	for i, n := range list {
		names[i] = n.Name
	}
	return names
}

// path returns how a file of the exports names another file: from the export's folder while both are in the project's
// folder, which can then be moved as a whole, else absolute.
func (s Set) path(file string) string {
	if !hostpath.Within(file, s.Root) || !hostpath.Within(s.Dir, s.Root) {
		return file
	}
	rel, err := filepath.Rel(s.Dir, file)
	if err != nil {
		return file
	}
	if !strings.HasPrefix(rel, "..") {
		rel = "./" + rel
	}
	return filepath.ToSlash(rel)
}

// joined writes arguments one flag a word, --flag=value, as a person writes them below each other. flower-supernode
// has no arguments without a flag.
func joined(args []string) []string {
	var out []string
	for i := 0; i < len(args); i++ {
		a := args[i]
		if strings.HasPrefix(a, "--") && !strings.Contains(a, "=") && i+1 < len(args) && !strings.HasPrefix(args[i+1], "-") {
			a += "=" + args[i+1]
			i++
		}
		out = append(out, a)
	}
	return out
}

// secretive reports whether the node has variables that only it may see.
func (n Node) secretive() bool {
	return n.EnvFile != "" || len(n.EnvNames) > 0 || len(n.Secrets) > 0
}

// variables returns a command that writes the variables which only the node may see to its output.
func (n Node) variables(s Set) string {
	var write []string
	if n.EnvFile != "" {
		write = append(write, "cat "+shell.Path(s.path(n.EnvFile))+"; echo")
	}
	for _, name := range slices.Sorted(slices.Values(n.EnvNames)) {
		write = append(write, `printf '%s\n' "`+name+"=$"+name+`"`)
	}
	if n.EnvFile == "" && len(write) == 1 {
		return write[0] // one command; of several the shell would take the last one's output alone
	}
	return "{ " + strings.Join(write, "; ") + "; }"
}

// readVariables is a line of /bin/sh that takes over variables from a file of NAME=VALUE lines, as they stand, and
// becomes the program in its arguments. No command line and no `docker inspect` shows their values.
func readVariables(file string) string {
	return `while IFS= read -r v || [ -n "$v" ]; do case $v in [#]*|HOME=*|FLWR_HOME=*) ;; [A-Za-z_]*=*) export "$v" ;; esac; done <` + shell.Word(file) + `; exec "$@"`
}

// program is the image's own program, which Flower's images start.
const program = "flower-supernode"

// restartPause is how long an engine waits before it starts a SuperNode again: the grid holds a killed one for about a
// minute, and refuses its key until then.
const restartPause = 60

// serviceName is a SuperNode's name for engines that take lower-case letters, digits and hyphens alone. One that has to
// be changed gets a sum of the original behind it, so that names which differ stay different.
func serviceName(name string) string { return fitted(name, 30) }

func fitted(name string, most int) string {
	out := wording.Slug(name)
	if out != "" && out[0] >= '0' && out[0] <= '9' {
		out = "n-" + out
	}
	if plain := strings.ReplaceAll(name, "_", "-"); out == plain && len(out) <= most {
		return out
	}
	sum := sha256.Sum256([]byte(name))
	end := hex.EncodeToString(sum[:4])
	return strings.TrimLeft(strings.TrimRight(out[:min(len(out), most-len(end)-1)], "-")+"-x"+end[:7], "-")
}

// stack is the name under which an engine keeps the project's SuperNodes apart from others. With a service's name it
// stays below the 63 characters of a name in DNS.
func (s Set) stack() string { return "flwrup-" + fitted(s.Project+"-"+s.ID, 24) }

// unit is the systemd unit of a SuperNode.
func (s Set) unit(name string) string { return s.stack() + "-" + serviceName(name) + ".service" }

// sortedPairs returns a map as name=value, sorted.
func sortedPairs(m map[string]string) (out [][2]string) {
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, [2]string{k, m[k]})
	}
	return out
}
