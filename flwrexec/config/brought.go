package config

import (
	"fmt"
	"maps"
	"net"
	"regexp"
	"slices"
	"strings"

	"flwrup/flwrexec/flwr"
	"flwrup/internal/tomledit"
)

// Brought is a connection of a pyproject.toml that leads to a stranger's grid, or can run code.
type Brought struct {
	Connection Connection
	Text       string // all its settings
	Says       string // its effect, in plain words
}

var plainHost = regexp.MustCompile(`^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]+)?$`)

// BroughtConnections returns the connections of a pyproject.toml that the user should know about. Offered as
// a grid, carried into Flower's configuration, or used by flwr 1.25 and older, they decide where logins and
// apps go. SuperGrid, this machine, placeholders of a template and a plain simulation are harmless.
func BroughtConnections(pyproject string) ([]Brought, error) {
	src, _, err := readConfig(pyproject)
	if err != nil || src == nil {
		return nil, err
	}
	m, err := tomledit.Decode(src)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", pyproject, err)
	}
	v, _ := tomledit.Lookup(m, pyprojectTable)
	block, _ := v.(map[string]any)
	var list []Brought
	for _, name := range slices.Sorted(maps.Keys(block)) {
		t, ok := block[name].(map[string]any)
		if !ok {
			continue
		}
		if says := broughtSays(name, t); says != "" {
			b := Brought{Connection: Connection{Name: name, Insecure: t["insecure"] == true}, Text: fmt.Sprintf("%q %#v", name, t), Says: says}
			b.Connection.Address, _ = t["address"].(string)
			if ca, _ := t["root-certificates"].(string); ca != "" {
				b.Connection.CA = resolveCA(ca, pyproject)
			}
			list = append(list, b)
		}
	}
	return list, nil
}

func broughtSays(name string, t map[string]any) string {
	address, _ := t["address"].(string)
	ca, _ := t["root-certificates"].(string)
	says := ""
	switch host := flwr.HostOf(address); {
	case address == "" || strings.HasPrefix(address, ":"):
		options, _ := t["options"].(map[string]any)
		if odd := oddOptions("options", options); odd != "" {
			return "the simulation " + name + " has " + odd + ", which can run code"
		}
		return ""
	case strings.Contains(address, "<"), plainHost.MatchString(address) && loopback(host):
		return ""
	case !plainHost.MatchString(address) || !flwr.OfSuperGrid(address):
		says = "the connection " + name + " logs in at " + address + " and sends it your apps"
	case ca != "":
		return "the connection " + name + " trusts every grid that " + ca + " vouches for"
	default:
		return ""
	}
	if ca != "" {
		says += ", and trusts " + ca
	}
	if t["insecure"] == true {
		says += ", without TLS"
	}
	return says
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// oddOptions names an option of a simulation that is more than a number of SuperNodes and their share of the
// machine.
func oddOptions(at string, t map[string]any) string {
	for _, k := range slices.Sorted(maps.Keys(t)) {
		key := at + "." + k
		deeper, isTable := t[k].(map[string]any)
		switch {
		case isTable && (key == "options.backend" || key == "options.backend.client-resources"):
			if odd := oddOptions(key, deeper); odd != "" {
				return odd
			}
		case isTable, !slices.Contains([]string{"options.num-supernodes", "options.verbose", "options.backend.name",
			"options.backend.client-resources.num-cpus", "options.backend.client-resources.num-gpus"}, key):
			return key
		}
	}
	return ""
}
