package config

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"flwrup/internal/problem"
	"flwrup/internal/tomledit"
	"flwrup/internal/userdirs"
)

// Connection is one connection of the CLI to a SuperLink, wherever flwr keeps it. An edit leaves alone fields
// that are "" here, with one exception: a CA of the file goes with its address.
type Connection struct {
	Name       string // supergrid
	Address    string // host or host:port of the Control API
	CA         string // file of the CA certificate, absolute; "": gRPC's or Python's own roots
	Federation string // "@account/name"; for flwr <= 1.25 the name on the server
	Insecure   bool   // without TLS; only ever read: an edit switches TLS on
}

// Simulation reports whether the connection is flwr's own simulation on this machine, and not a grid.
func (s Connection) Simulation() bool {
	return s.Address == "" || strings.HasPrefix(s.Address, ":")
}

// The tables that hold connections, by name.
var (
	pyprojectTable = []string{"tool", "flwr", "federations"} // flwr <= 1.25, and the guide's step 8
	flowerTable    = []string{"superlink"}                   // flwr >= 1.26
)

// ReadFlower reads the [superlink.NAME] tables of Flower's config.toml (flwr >= 1.26), by name; empty when
// the file does not exist. A simulation ("local") has no Address.
func ReadFlower(file string) ([]Connection, error) {
	all, _, err := readConnections(file, flowerTable)
	return all, err
}

// LegacyBlock finds [tool.flwr.federations] in a pyproject.toml: flwr >= 1.26 rewrites the file when it
// sees that table, or fails in that folder altogether. The settings are those of its connections.
func LegacyBlock(pyproject string) (has bool, settings []Connection, err error) {
	settings, has, err = readConnections(pyproject, pyprojectTable)
	return has, settings, err
}

// RetireLegacyBlock plans to turn [tool.flwr.federations] of a pyproject.toml into comments; every other byte
// stays.
func RetireLegacyBlock(pyproject string) (Edit, error) {
	e := Edit{File: pyproject, Why: "flwr 1.26 and later keep connections in Flower's config.toml and trip over this block"}
	var err error
	if e.Before, _, err = readConfig(pyproject); err != nil || e.Before == nil {
		return e, err
	}
	if e.After, err = tomledit.CommentOut(e.Before, pyprojectTable); err != nil {
		return e, fmt.Errorf("%s: %w", pyproject, err)
	}
	return e, nil
}

// FlowerFile returns Flower's config.toml for a value of FLWR_HOME. "" is the user's own: $FLWR_HOME, else
// ~/.flwr, as flwr >= 1.26 looks for it. Without HOME that is below the account's home; without an account's
// home it is a Problem.
func FlowerFile(flwrHome string) (string, error) {
	if flwrHome == "" {
		flwrHome = os.Getenv("FLWR_HOME")
	}
	if flwrHome == "" {
		home, err := userdirs.Home()
		if err != nil {
			p := problem.Of(err)
			p.What = "cannot find Flower's configuration"
			p.Fix += ", or FLWR_HOME to the one for flwr's files"
			return "", p
		}
		flwrHome = filepath.Join(home, ".flwr")
	}
	return filepath.Join(userdirs.Abs(flwrHome), "config.toml"), nil
}

// configFederation matches the federations that flwr >= 1.26 accepts in config.toml (check_federation_format
// in flwr); with another text every command fails.
var configFederation = regexp.MustCompile(`^@[a-zA-Z0-9_-]+/[a-zA-Z0-9_-]+$`)

// EditFlower plans [superlink.NAME] of Flower's config.toml (flwr >= 1.26). A missing file is written whole,
// with the connection "local" as default as flwr itself makes it. So a bare `flwr run` still means a
// simulation on this machine.
func EditFlower(file string, s Connection) (Edit, error) {
	e := Edit{File: file, Why: "flwr reads the connection \"" + s.Name + "\" from this file"}
	if err := s.check(); err != nil {
		return e, err
	}
	if s.Federation != "" && !configFederation.MatchString(s.Federation) {
		return e, problem.New(problem.FedBadName, fmt.Sprintf("%q cannot be a federation of this flwr", s.Federation),
			"flwr 1.26 and later want @account/name", "give the federation as @account/name")
	}
	if s.CA != "" && !filepath.IsAbs(s.CA) {
		return e, problem.New(problem.BadInput, "the CA file "+s.CA+" is relative", "flwr 1.26 and later want an absolute path", "give the whole path")
	}
	var err error
	if e.Before, _, err = readConfig(file); err != nil {
		return e, err
	}
	text := e.Before
	if text == nil {
		text = []byte(newFlowerConfig)
		if s.Name == "local" {
			text = nil
		}
	}
	e.After, err = s.edit(text, file, flowerTable, nil)
	return e, err
}

// flwr 1.26.1 writes this for "local". Later ones accept it as well and write address = ":local:", which 1.26
// would take for a host.
const newFlowerConfig = `# Flower's connections, read by every flwr command
[superlink]
default = "local"

[superlink.local]
options.num-supernodes = 10
`

// EditPyproject plans [tool.flwr.federations.NAME] of a pyproject.toml (flwr <= 1.25), with account login
// switched on. Those flwrs refuse every command in a folder without a project and an app in pyproject.toml.
// So the edit adds the missing keys, and makes a missing file.
func EditPyproject(file string, s Connection) (Edit, error) {
	e := Edit{File: file, Why: "flwr up to 1.25 reads the connection \"" + s.Name + "\" from the app's pyproject.toml"}
	if err := s.check(); err != nil {
		return e, err
	}
	var err error
	if e.Before, _, err = readConfig(file); err != nil {
		return e, err
	}
	demanded, err := appChanges(e.Before, file)
	if err != nil {
		return e, err
	}
	e.After, err = s.edit(e.Before, file, pyprojectTable, demanded)
	return e, err
}

// appChanges returns the keys without which flwr 1.24 and 1.25 refuse a pyproject.toml
// (validate_fields_in_config in flwr). Only `flwr run` reads the components.
func appChanges(src []byte, file string) ([]tomledit.Change, error) {
	m, err := tomledit.Decode(src)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	var changes []tomledit.Change
	comment := "flwr takes no command in a folder without a project and an app"
	want := func(value string, path ...string) error {
		if _, ok := tomledit.Lookup(m, path); ok {
			return nil
		}
		if dyn, _ := tomledit.Lookup(m, []string{"project", "dynamic"}); path[0] == "project" && slices.Contains(textsOf(dyn), path[1]) {
			return problem.New(problem.BadInput, file+" leaves its project's "+path[1]+" to the build (dynamic)",
				"flwr up to 1.25 wants it written down", "write "+path[1]+" into [project], or use flwr 1.26 or later")
		}
		changes = append(changes, tomledit.Change{Path: path, Value: value, Comment: comment})
		comment = ""
		return nil
	}
	for _, w := range []struct {
		value string
		path  []string
	}{
		{cmp.Or(poetry(m, "name"), projectName(file)), []string{"project", "name"}},
		{cmp.Or(poetry(m, "version"), "0.1.0"), []string{"project", "version"}},
		{"local", []string{"tool", "flwr", "app", "publisher"}},
		{"app.server_app:app", []string{"tool", "flwr", "app", "components", "serverapp"}},
		{"app.client_app:app", []string{"tool", "flwr", "app", "components", "clientapp"}},
	} {
		if err := want(w.value, w.path...); err != nil {
			return nil, err
		}
	}
	return changes, nil
}

// poetry reads a key of [tool.poetry], where projects had their name and version before [project] existed.
func poetry(m map[string]any, key string) string {
	v, _ := tomledit.Lookup(m, []string{"tool", "poetry", key})
	text, _ := v.(string)
	return text
}

var notInName = regexp.MustCompile(`[^a-z0-9]+`)

// projectName makes a valid name of a Python project from the folder of the file.
func projectName(file string) string {
	abs, err := filepath.Abs(file)
	if err != nil {
		return "app"
	}
	name := strings.Trim(notInName.ReplaceAllString(strings.ToLower(filepath.Base(filepath.Dir(abs))), "-"), "-")
	if name == "" {
		return "app"
	}
	return name
}

// edit returns the text with the connection in table, and the changes that come first. It drops a byte order
// mark: flwr (Python's tomli) refuses files with one.
func (s Connection) edit(text []byte, file string, table []string, first []tomledit.Change) ([]byte, error) {
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	m, err := tomledit.Decode(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	all, _, err := connections(m, file, table)
	if err != nil {
		return nil, err
	}
	var old Connection
	if i := slices.IndexFunc(all, func(c Connection) bool { return c.Name == s.Name }); i >= 0 {
		old = all[i]
	}
	base := append(slices.Clone(table), s.Name)
	path := func(key string) []string { return append(slices.Clone(base), key) }

	changes := append(first, tomledit.Change{Path: path("address"), Value: s.Address})
	switch {
	case s.CA != "" && !sameFile(s.CA, old.CA, file):
		changes = append(changes, tomledit.Change{Path: path("root-certificates"), Value: s.CA})
	case s.CA == "" && old.CA != "" && old.Address != s.Address:
		changes = append(changes, tomledit.Change{Path: path("root-certificates"), Delete: true})
	}
	if v, _ := tomledit.Lookup(m, path("insecure")); v == true { // login wants TLS, and and refuses a CA next to insecure = true
		changes = append(changes, tomledit.Change{Path: path("insecure"), Value: false})
	}
	if slices.Equal(table, pyprojectTable) {
		changes = append(changes, tomledit.Change{Path: path("enable-account-auth"), Value: true})
	}
	if s.Federation != "" {
		changes = append(changes, tomledit.Change{Path: path("federation"), Value: s.Federation})
	}
	if v, _ := tomledit.Lookup(m, base); slices.Equal(table, flowerTable) {
		if t, ok := v.(map[string]any); ok {
			for _, c := range s.mended(t, file) {
				if !slices.ContainsFunc(changes, func(have tomledit.Change) bool { return slices.Equal(have.Path, c.Path) }) {
					changes = append(changes, c)
				}
			}
		}
	}
	out, err := tomledit.Set(text, changes)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return out, nil
}

func (s Connection) check() error {
	switch {
	case s.Name == "" || s.Name == "default" || strings.ContainsFunc(s.Name, unprintable):
		return problem.New(problem.BadInput, fmt.Sprintf("%q cannot be the name of a connection", s.Name), "", "choose a plain name, such as supergrid")
	case s.Address == "" || strings.Contains(s.Address, "/") || strings.ContainsFunc(s.Address, func(r rune) bool { return r == ' ' || unprintable(r) }):
		return problem.New(problem.BadInput, fmt.Sprintf("%q is not the address of a SuperLink", s.Address), "", "give it as host or host:port, without https://")
	case strings.ContainsFunc(s.CA, unprintable) || strings.ContainsFunc(s.Federation, unprintable):
		return problem.New(problem.BadInput, "a setting of the connection has control characters", "", "type it again")
	}
	return nil
}

func unprintable(r rune) bool { return r < 0x20 || r == 0x7f || r == 0xfffd }

// sameFile reports whether two ways to write a CA file, relative to the folder of file, mean the same.
func sameFile(a, b, file string) bool {
	return a != "" && b != "" && resolveCA(a, file) == resolveCA(b, file)
}

func resolveCA(path, file string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	dir, err := filepath.Abs(filepath.Dir(file))
	if err != nil {
		return path
	}
	return filepath.Join(dir, path)
}

// readConnections reads the connections below table, and reports whether that table exists.
func readConnections(file string, table []string) ([]Connection, bool, error) {
	src, _, err := readConfig(file)
	if err != nil || src == nil {
		return nil, false, err
	}
	m, err := tomledit.Decode(src)
	if err != nil {
		return nil, false, fmt.Errorf("%s: %w", file, err)
	}
	return connections(m, file, table)
}

func connections(m map[string]any, file string, table []string) (all []Connection, has bool, err error) {
	v, has := tomledit.Lookup(m, table)
	if !has {
		return nil, false, nil
	}
	tables, ok := v.(map[string]any)
	if !ok {
		return nil, true, wrongType(file, strings.Join(table, "."), "a table")
	}
	for _, name := range slices.Sorted(maps.Keys(tables)) {
		t, ok := tables[name].(map[string]any)
		if !ok {
			continue // default = "…"
		}
		s := Connection{Name: name}
		for key, to := range map[string]*string{"address": &s.Address, "root-certificates": &s.CA, "federation": &s.Federation} {
			if v, there := t[key]; there {
				if *to, ok = v.(string); !ok {
					return nil, true, wrongType(file, strings.Join(append(slices.Clone(table), name, key), "."), "a text in quotes")
				}
			}
		}
		s.Insecure = t["insecure"] == true
		if s.CA != "" {
			s.CA = resolveCA(s.CA, file)
		}
		all = append(all, s)
	}
	return all, true, nil
}

func wrongType(file, key, want string) error {
	return problem.New(problem.BadInput, fmt.Sprintf("%s: %s is not %s", file, key, want), "", "correct it in the file")
}

func textsOf(v any) []string {
	var out []string
	items, _ := v.([]any)
	for _, i := range items {
		if s, ok := i.(string); ok {
			out = append(out, s)
		}
	}
	return out
}
