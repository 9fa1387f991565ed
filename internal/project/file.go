package project

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"syscall"

	"flwrup/internal/atomicfile"
	"flwrup/internal/plainfile"
	"flwrup/internal/problem"
	"flwrup/internal/tomledit"
)

// Load reads dir/flwrup.toml and writes nothing. The error is os.ErrNotExist when there is no file. Invalid
// TOML, an unknown key, or a value of the wrong type or out of range is a Problem (bad-input) with the line
// and the remedy.
func Load(dir string) (*Choices, error) {
	src, err := read(dir)
	if err != nil {
		return nil, err
	}
	return parse(src, dir)
}

func read(dir string) ([]byte, error) {
	file := File(dir)
	src, err := plainfile.ReadAtMost(file, most)
	switch {
	case err == nil:
		return src, nil
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return nil, fmt.Errorf("%s: %w", file, os.ErrNotExist)
	}
	return nil, AccessProblem("cannot read "+file, file, err)
}

// most is how large flwrup.toml may be, in bytes: a thousand SuperNodes with every setting take less.
const most = 4 << 20

func parse(src []byte, dir string) (*Choices, error) {
	file := File(dir)
	m, err := tomledit.Decode(src)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	at := func(path []string) string {
		if line := tomledit.Line(src, path); line > 0 {
			return fmt.Sprintf("%s, line %d", file, line)
		}
		return file
	}
	wrong := func(path []string, what, why, fix string) error {
		return problem.New(problem.BadInput, at(path)+": "+what, why, fix)
	}
	c := Defaults(dir)
	known := map[string]bool{"node": true}
	for _, f := range fields {
		known[f.key] = true
		v, there := tomledit.Lookup(m, f.path())
		if !there {
			continue
		}
		if want := f.set(c, v); want != "" {
			return nil, wrong(f.path(), f.key+" is not "+want, "", "write "+f.key+" as "+want)
		}
	}
	for _, k := range keysOf(m, nil) {
		if top := k[0]; top != "node" && !known[strings.Join(k, ".")] {
			return nil, wrong(k, "flwrup knows no key "+strings.Join(k, "."), "", unknownFix(strings.Join(k, "."), known))
		}
	}
	nodes, isTable := m["node"].(map[string]any)
	if _, there := m["node"]; there && !isTable {
		return nil, wrong([]string{"node"}, "node is not a table", "", "write the settings of a SuperNode below a line [node.supernode_1]")
	}
	knownNode := map[string]bool{}
	for _, f := range nodeFields {
		knownNode[f.key] = true
	}
	for _, k := range slices.Sorted(maps.Keys(nodes)) {
		path := []string{"node", k}
		t, ok := nodes[k].(map[string]any)
		if !ok || (k != AllKey && !nodeKey.MatchString(k)) {
			return nil, wrong(path, "flwrup knows no node."+k, "the tables are called node.all, node.supernode_1, node.supernode_2, …",
				"call the table by the number of the SuperNode; a name of its own goes into its key \"name\"")
		}
		var n NodeChoice
		for _, f := range nodeFields {
			if v, there := t[f.key]; there {
				if want := f.set(&n, v); want != "" {
					return nil, wrong(append(path, f.key), f.key+" is not "+want, "", "write it as "+want)
				}
			}
		}
		for _, key := range slices.Sorted(maps.Keys(t)) {
			if !knownNode[key] {
				return nil, wrong(append(path, key), "flwrup knows no key "+key+" of a SuperNode", "", unknownFix(key, knownNode))
			}
		}
		if k == AllKey {
			c.All = n
		} else if !n.empty() {
			if c.Node == nil {
				c.Node = map[string]NodeChoice{}
			}
			c.Node[k] = n
		}
	}
	bad := c.invalid()
	if bad == nil {
		bad = c.badMount(dir)
	}
	if bad != nil {
		return nil, badValue(at(bad.path), bad.path, bad.why)
	}
	return c, nil
}

// keysOf returns the paths of all values, tables with values left out, in order.
func keysOf(m map[string]any, above []string) [][]string {
	var all [][]string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		path := append(slices.Clone(above), k)
		_, isTable := tables[k]
		if t, ok := m[k].(map[string]any); ok && (len(t) > 0 || isTable && len(above) == 0) {
			all = append(all, keysOf(t, path)...)
		} else {
			all = append(all, path)
		}
	}
	return all
}

// unknownFix names the known key that is closest to a mistyped one.
func unknownFix(key string, known map[string]bool) string {
	plain := func(s string) string {
		s = strings.ToLower(s[strings.LastIndex(s, ".")+1:])
		return strings.TrimSuffix(strings.NewReplacer("-", "", "_", "", " ", "").Replace(s), "s")
	}
	names := slices.Sorted(maps.Keys(known))
	for _, k := range names {
		if plain(key) == plain(k) {
			return "write " + k + " instead"
		}
	}
	return "take the key out, or correct its name; known are " + strings.Join(names, ", ")
}

func (n NodeChoice) empty() bool {
	for _, f := range nodeFields {
		if f.given(&n) {
			return false
		}
	}
	return true
}

// Save writes the choices to dir/flwrup.toml, and the ID to .flwrup. The first time it writes a whole
// commented file. Later it changes only keys whose values differ, and keeps the user's comments and order.
// Errors are Problems (bad-input): a value out of range, a file that cannot be parsed (it stays as it is), a
// folder that cannot be written.
func (c *Choices) Save(dir string) error {
	if err := c.Validate(); err != nil {
		return err
	}
	if bad := c.badMount(dir); bad != nil {
		return badValue(FileName, bad.path, bad.why)
	}
	if err := c.KeepID(dir); err != nil {
		return err
	}
	file := File(dir)
	src, err := read(dir)
	var out []byte
	switch {
	case errors.Is(err, os.ErrNotExist):
		if out, err = c.whole(); err != nil {
			return fmt.Errorf("make %s: %w", file, err)
		}
	case err != nil:
		return err
	default:
		old, err := parse(src, dir)
		if err != nil {
			return err
		}
		if out, err = tomledit.Set(src, c.changes(old)); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		if string(out) == string(src) {
			return nil
		}
		if info, err := os.Stat(file); err == nil && info.Mode().Perm()&0o200 == 0 {
			return problem.New(problem.BadInput, file+" is read-only", "", "allow writing to it, then try again")
		}
	}
	if err := atomicfile.Write(file, out, 0o644); err != nil {
		return AccessProblem("cannot write "+file, dir, err)
	}
	return nil
}

// changes returns the edits that turn a file of old into one of c.
func (c *Choices) changes(old *Choices) []tomledit.Change {
	var all []tomledit.Change
	for _, f := range fields {
		if v := f.value(c); fmt.Sprintf("%q", v) != fmt.Sprintf("%q", f.value(old)) {
			all = append(all, tomledit.Change{Path: f.path(), Value: v, Comment: f.comment})
		}
	}
	names := map[string]bool{AllKey: true}
	for k := range c.Node {
		names[k] = true
	}
	for k := range old.Node {
		names[k] = true
	}
	for _, k := range slices.Sorted(maps.Keys(names)) {
		now, was := c.Node[k], old.Node[k]
		if k == AllKey {
			now, was = c.All, old.All
		}
		for _, f := range nodeFields {
			v, w := f.value(&now), f.value(&was)
			if fmt.Sprintf("%q", v) == fmt.Sprintf("%q", w) && f.given(&now) == f.given(&was) {
				continue
			}
			gone := !f.given(&now)
			all = append(all, tomledit.Change{Path: []string{"node", k, f.key}, Value: v, Delete: gone})
		}
	}
	return all
}

const head = `# What was chosen for this Flower project: read and written by flwrup, fit for version control.
# There is no secret in it. Change what you like and run flwrup again; paths are relative to this folder.

`

const nodeHead = `
# What all SuperNodes are started with goes into [node.all], what one has of its own into a table with its
# number, whose keys go before those of [node.all]:
#   [node.supernode_2]
#   name = "clinic-b"                  # shown, registered and run under this name (one node only)
#   key = "keys/clinic-b"              # its private key (one node only)
#   node-config = "partition-id=1"     # handed to the ClientApp
#   data = ["data/b:/data"]            # folders the ClientApp may read, here:in the container; ":rw" to write
#   env = ["DB_PASSWORD"]              # variables handed on from your environment, or asked for: no values here
#   env-file = "secrets/b.env"         # file with lines NAME=VALUE; keep it out of version control
#   cpus = "1.5"                       # limits of the container
#   memory = "2g"                      # with its apps; without: its share of the machine; "unlimited": no limit
#   pids = "4096"                      # processes and threads; "unlimited": no limit
#   tmp = "1g"                         # its /tmp, which is in memory
#   gpus = "all"                       # or a number, or "device=0,1"
#   location = "48.14,11.58"           # registered with it: latitude,longitude (flwr 1.38 or later)
#   install-packages = true            # the SuperNode installs what the app asks for (flwr 1.29 or later)
#   lasting = false                    # gone with its log when it ends; true: comes back after a reboot
#   args = ["--max-retries", "10"]     # more arguments of flower-supernode
`

// whole returns a new file.
func (c *Choices) whole() ([]byte, error) {
	var b strings.Builder
	b.WriteString(head)
	table := ""
	for _, f := range fields {
		path := f.path()
		if len(path) == 2 && path[0] != table {
			table = path[0]
			fmt.Fprintf(&b, "\n# %s\n[%s]\n", tables[table], table)
		}
		key := path[len(path)-1]
		line := key + " = " + tomledit.Format(f.value(c))
		fmt.Fprintf(&b, "%-31s # %s\n", line, f.comment)
	}
	b.WriteString(nodeHead)
	without := *c
	without.Node, without.All = nil, NodeChoice{}
	return tomledit.Set([]byte(b.String()), c.changes(&without))
}

// AccessProblem words a refusal of the operating system; folder is the folder that has to become usable.
func AccessProblem(what, folder string, err error) error {
	p := problem.New(problem.BadInput, what, "", "")
	p.Err = err
	var pe *fs.PathError
	if p.Why = err.Error(); errors.As(err, &pe) {
		p.Why = pe.Err.Error()
	}
	switch {
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		p.Fix = "make " + folder + " readable and writable for you, or choose another folder with --dir"
	case errors.Is(err, syscall.ENOSPC):
		p.Fix = "free some disk space, then try again"
	case errors.Is(err, syscall.ENOTDIR), errors.Is(err, fs.ErrExist):
		p.Fix = "move the file away that stands where a folder is needed, or choose another folder with --dir"
	case errors.Is(err, fs.ErrNotExist):
		p.Fix = "make the folder, or choose another one with --dir"
	default:
		p.Fix = "choose another folder with --dir"
	}
	return p
}
