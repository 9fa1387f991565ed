// Package byguide finds what a person did by hand, after Flower's guide, before flwrup was started in the folder: key
// pairs, a federation in pyproject.toml, containers, a login. It reads, and changes nothing of theirs.
package byguide

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"flwrup/dockerctl"
	"flwrup/flwrexec/config"
	"flwrup/internal/hostpath"
	"flwrup/internal/procctl"
	"flwrup/internal/project"
	"flwrup/internal/site"
	"flwrup/internal/supernode"
	"flwrup/internal/termsafe"
	"flwrup/internal/whichgrid"
	"flwrup/internal/wording"
	"flwrup/keys"
)

// within bounds the search for containers and processes.
const within = 3 * time.Second

// Found is what was found. The zero value is nothing.
type Found struct {
	Keys       string // their folder, as flwrup.toml has it
	Pairs      int
	Federation string
	File       string   // that names the federation, for a person
	Running    []string // what runs with one of the keys: "container supernode_1"
	Login      string   // the file of flwr's tokens, for a person
}

// Any reports whether there is something to offer. A login is used in any case, and Flower's own configuration serves
// all projects: neither says that somebody began in this folder.
func (f Found) Any() bool { return f.Pairs > 0 || f.Federation != "" && f.File == pyproject }

const pyproject = "pyproject.toml"

// Question names what was found in one line: "Found 3 keys and federation radiology. Use them?"
func (f Found) Question() string {
	var parts []string
	if f.Pairs > 0 {
		parts = append(parts, wording.Count(f.Pairs, "key"))
	}
	if f.Federation != "" {
		parts = append(parts, "federation "+f.Federation)
	}
	them := "them"
	if f.Pairs == 0 || f.Pairs == 1 && f.Federation == "" {
		them = "it"
	}
	return "Found " + strings.Join(parts, " and ") + ". Use " + them + "?"
}

// Evidence says where each was found, a line each.
func (f Found) Evidence() (lines []string) {
	if f.Pairs > 0 {
		lines = append(lines, fmt.Sprintf("%d key %s in %s", f.Pairs, wording.Plural(f.Pairs, "pair"), termsafe.Quote(f.Keys)))
	}
	if f.Federation != "" {
		lines = append(lines, "federation "+f.Federation+" in "+f.File)
	}
	if n := len(f.Running); n > 0 {
		run := " that run already: "
		if n == 1 {
			run = " that runs already: "
		}
		lines = append(lines, wording.Count(n, "SuperNode")+run+strings.Join(f.Running, ", "))
	}
	if f.Login != "" {
		lines = append(lines, "a login of flwr's in "+f.Login)
	}
	return lines
}

// search looks through the folder of a project in which nothing was chosen yet.
func search(ctx context.Context, f site.Folder) (found Found) {
	folder := keysIn(f)
	if n := len(folder.Pairs); n > 0 {
		found.Keys, found.Pairs = f.Rel(folder.Dir), n
		found.Running = running(ctx, f, folder)
	}
	found.Federation, found.File = federation(f)
	found.Login = login(f)
	return found
}

// keysIn returns the first folder with keys: the usual one, else one of Flower's authentication example that was
// cloned into the project.
func keysIn(f site.Folder) keys.Folder {
	dirs := []string{f.KeysDir()}
	below, _ := filepath.Glob(filepath.Join(f.Dir, "*", "keys"))
	for _, dir := range append(dirs, below...) {
		if !hostpath.Within(hostpath.Real(dir), hostpath.Real(f.Dir)) {
			continue // a link out of the project
		}
		if folder, err := keys.Scan(dir); err == nil && len(folder.Pairs) > 0 {
			return folder
		}
	}
	return keys.Folder{}
}

// running returns the containers and processes that run with one of the keys.
func running(ctx context.Context, f site.Folder, folder keys.Folder) []string {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	private := map[string]string{}
	for _, p := range folder.Pairs {
		private[p.Fingerprint] = p.Private
	}
	found := map[string]string{}
	note := func(list map[string]supernode.Status) {
		for fingerprint, st := range list {
			found[fingerprint] = termsafe.Line(st.ByHand)
		}
	}
	if list, err := procctl.RunningWith(ctx, private); err == nil {
		note(list)
	}
	if docker, err := dockerctl.New(ctx, dockerctl.Options{Project: f.Choices.ID, Dir: f.StateDir("starter")}); err == nil {
		if list, err := docker.ByHand(ctx, private); err == nil {
			note(list) // on this machine the processes in them were seen, too
		}
		_ = docker.Close()
	}
	return slices.Sorted(maps.Values(found))
}

// federation returns the federation of the connection to SuperGrid, and the file that names it. In the guide's place,
// pyproject.toml, it wins over Flower's configuration, which serves all projects.
func federation(f site.Folder) (name, file string) {
	_, list, _ := config.LegacyBlock(filepath.Join(f.Dir, pyproject))
	if name = of(list, f.Choices.Grid.Connection); name != "" {
		return name, pyproject
	}
	own, err := config.FlowerFile(f.FlwrHome())
	if err != nil {
		return "", ""
	}
	list, _ = config.ReadFlower(own)
	if name = of(list, f.Choices.Grid.Connection); name != "" {
		return name, termsafe.Line(own)
	}
	return "", ""
}

func of(list []config.Connection, connection string) string {
	for _, c := range list {
		placeholder := strings.ContainsAny(c.Federation, "<>") // "<FEDERATION_NAME>", as in the guide
		if c.Name == connection && c.Federation == termsafe.Line(c.Federation) && !placeholder && whichgrid.CheckFederation(c.Federation) == nil {
			return c.Federation
		}
	}
	return ""
}

// login returns where flwr keeps tokens for the grid: next to its configuration, and up to flwr 1.25 in the app.
func login(f site.Folder) string {
	files := []string{filepath.Join(f.AppDir(), ".flwr", ".credentials", f.Choices.Grid.Connection+".json")}
	if own, err := config.FlowerFile(f.FlwrHome()); err == nil {
		files = append(files, filepath.Join(filepath.Dir(own), "credentials.yaml"))
	}
	for _, file := range files {
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() && info.Size() > 0 {
			return termsafe.Line(f.Rel(file))
		}
	}
	return ""
}

// Use makes flwrup go on with what was found, as far as nothing else was chosen.
func (f Found) Use(c *project.Choices) {
	if f.Pairs > 0 {
		c.Keys = f.Keys
		if c.Nodes == 0 {
			c.Nodes = f.Pairs
		}
	}
	if c.Federation == "" {
		c.Federation = f.Federation
	}
}

// OwnKeys is the folder of keys for a person who leaves those that were found alone.
const OwnKeys = "flwrup-keys"

// Leave makes flwrup go on without what was found: with keys in a folder of their own.
func (f Found) Leave(c *project.Choices) {
	if f.Pairs > 0 {
		c.Keys = OwnKeys
	}
}
