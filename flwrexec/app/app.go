// Package app reads a Flower app before it runs: its metadata, the files and hosts that its source writes and
// reaches, the packages that it needs, and the files that flwr would send.
package app

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"flwrup/internal/pep508"
	"flwrup/internal/plainfile"
	"flwrup/internal/problem"
	"flwrup/internal/termsafe"
)

// App holds the contents of a Flower app's pyproject.toml.
type App struct {
	Dir          string
	Name         string // [project] name
	Version      string
	Publisher    string
	Server       string         // module of the ServerApp: numpyfl.server_app
	Client       string         // module of the ClientApp
	Agent        string         // module of the AgentApp, which an app may have instead of both
	Config       map[string]any // [tool.flwr.app.config], nested keys joined by dots
	Dependencies []string       // [project] dependencies
}

// Title names the app as flwr does: @publisher/name.
func (a App) Title() string { return "@" + a.Publisher + "/" + a.Name }

// Exists reports whether folder dir holds a Flower app.
func Exists(dir string) bool {
	_, err := Read(dir)
	return err == nil
}

// Read reads the app in dir. A folder without a Flower app is a Problem with code Broken; a pyproject.toml
// that flwr refuses is Unusable.
func Read(dir string) (App, error) {
	file := filepath.Join(dir, "pyproject.toml")
	content, err := plainfile.Read(file)
	if err != nil {
		return App{}, &problem.Problem{Code: Broken, What: "no Flower app in " + dir, Why: "it has no pyproject.toml that can be read",
			Fix: "name the folder of an app, or make one: flwr new", Err: err}
	}
	all, err := decodeApp(file, content)
	if err != nil {
		return App{}, err
	}
	termsafe.Value(&all) // an app is another person's text as well
	parts := table(all, "tool", "flwr", "app", "components")
	if parts == nil {
		return App{}, problem.New(Broken, "no Flower app in "+dir, "its pyproject.toml has no [tool.flwr.app.components]", "name the folder of an app, or make one: flwr new")
	}
	project := table(all, "project")
	a := App{Dir: dir, Name: text(project, "name"), Version: text(project, "version"), Publisher: text(table(all, "tool", "flwr", "app"), "publisher"),
		Server: module(text(parts, "serverapp")), Client: module(text(parts, "clientapp")), Agent: module(text(parts, "agentapp")), Config: map[string]any{}}
	flatten(a.Config, "", table(all, "tool", "flwr", "app", "config"))
	list, _ := project["dependencies"].([]any)
	for _, d := range list {
		if s, ok := d.(string); ok {
			a.Dependencies = append(a.Dependencies, s)
		}
	}
	return a, nil
}

// Find returns the Flower apps in dir and in the folders one level below it, the one in dir first, the others
// by name. Hidden folders are left out.
func Find(dir string) []App {
	var found []App
	if a, err := Read(dir); err == nil {
		found = append(found, a)
	}
	entries, _ := os.ReadDir(dir) // unreadable means none found
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			continue
		}
		if a, err := Read(filepath.Join(dir, e.Name())); err == nil {
			found = append(found, a)
		}
	}
	return found
}

// table returns a table below the given keys; nil when there is none.
func table(m map[string]any, keys ...string) map[string]any {
	for _, k := range keys {
		m, _ = m[k].(map[string]any)
	}
	return m
}

func text(m map[string]any, key string) string {
	s, _ := m[key].(string)
	return s
}

// module returns the part of "package.module:object" before the colon.
func module(component string) string {
	m, _, _ := strings.Cut(component, ":")
	return m
}

// flatten writes nested tables as in flwr's run config: a.b = 1.
func flatten(to map[string]any, prefix string, from map[string]any) {
	for k, v := range from {
		if t, ok := v.(map[string]any); ok {
			flatten(to, prefix+k+".", t)
			continue
		}
		to[prefix+k] = v
	}
}

// Minimum is one place where an app says how many nodes it wants.
type Minimum struct {
	File string // relative to the app
	Line int
	What string // min_available_nodes
	Key  string // of the run config it is read from; "" when it is in the code
	Want int
}

// Wants returns the largest number of nodes that the app wants before a round begins, with the place that
// says so. It returns the zero Minimum when the app does not say. overrides are run config values, key →
// value.
func (a App) Wants(found Findings, overrides map[string]int) Minimum {
	var all []Minimum
	for _, m := range found.Minimums {
		if v, ok := a.Config[m.Key].(int64); ok && m.Key != "" {
			m.Want = int(v)
		}
		if v, ok := overrides[m.Key]; ok && m.Key != "" {
			m.Want = v
		}
		all = append(all, m)
	}
	if len(all) == 0 {
		return Minimum{}
	}
	return slices.MaxFunc(all, func(x, y Minimum) int { return cmp.Compare(x.Want, y.Want) })
}

// Requirements returns the app's dependencies as lines for pip or uv. A line that is not a requirement, such
// as an option of pip, is a Problem with code Broken.
func (a App) Requirements() ([]string, error) {
	lines, err := pep508.Lines(a.Dependencies)
	if err != nil {
		return nil, problem.New(Broken, "the app "+a.Name+" asks for something that is not a package", termsafe.Text(err.Error()),
			"correct dependencies under [project] in its pyproject.toml")
	}
	return lines, nil
}
