// Package flwr describes the releases of flwr without running any: their features, their command lines, and
// the IDs in them.
package flwr

import (
	"fmt"
	"net"
	"strings"
)

// Dialect holds every difference between versions of flwr, one feature a field. Nothing else in flwrup
// compares version numbers.
type Dialect struct {
	Version Version

	// How a command names the SuperLink.
	ConfigInPyproject bool // APP CONNECTION, in pyproject.toml; else only CONNECTION, in Flower's config.toml

	// Features of the command line.
	FederationShow bool // `federation show`; else `federation list --federation @account/name`
	FederationFlag bool // `run --federation @account/name`; else the connection names the federation
	Managed        bool // `federation create`, `add-supernode`, `remove-supernode`
	Invitations    bool // `federation invite create`, `list`, `accept`, `reject`, `revoke`
	RegisterName   bool // `supernode register --name`

	RegisterLocation bool // `supernode register --location`

	AppsFromPlatform bool // `flwr new @publisher/name` fetches an app; else flwr has templates of its own

	// The protocols.
	ControlHTTP bool // CLI to SuperLink; else gRPC
	FleetHTTP   bool // SuperNode to SuperLink; else gRPC, and neither speaks to the other

	// Flags of flower-supernode.
	HostPort       bool // its own port by --host and --port; else --clientappio-api-address
	RuntimeInstall bool // --allow-runtime-dependency-installation
	GRPCRere       bool // --grpc-rere, --grpc-adapter

	// Their needs of a machine.
	MinPython  int   // the least 3.x that flwr's package accepts
	NodeMemory int64 // bytes that a SuperNode takes before its app takes any; measured, about (docs/versions.md)

	// SuperGrid's addresses, host without port and host:port. The user can always change them.
	DefaultControl string
	DefaultFleet   string
}

// Addresses of SuperGrid. flwr from 1.37 on refuses the first and takes the second instead.
const (
	oldControl   = "supergrid.flower.ai"
	newControl   = "api.flower.ai"
	defaultFleet = "fleet-supergrid.flower.ai:443"
)

// DialectOf is the only table of flwr's features, by the release that brought the change. It was read from
// the help and the code of every release from 1.24.0 to 1.42.0; Check compares it with the installed flwr.
func DialectOf(v Version) Dialect {
	d := Dialect{
		Version:           v,
		ConfigInPyproject: !v.AtLeast(26),
		FederationShow:    !v.AtLeast(26),
		FederationFlag:    v.AtLeast(26),
		Managed:           v.AtLeast(27),
		Invitations:       v.AtLeast(27),
		RegisterName:      v.AtLeast(38),
		RegisterLocation:  v.AtLeast(38),
		AppsFromPlatform:  v.AtLeast(25),
		ControlHTTP:       v.AtLeast(37),
		FleetHTTP:         v.AtLeast(40),
		HostPort:          v.AtLeast(35),
		RuntimeInstall:    v.AtLeast(29),
		GRPCRere:          !v.AtLeast(40),
		MinPython:         10,
		NodeMemory:        90 << 20,
		DefaultControl:    oldControl,
		DefaultFleet:      defaultFleet,
	}
	if v.AtLeast(26) {
		d.NodeMemory = 190 << 20
	}
	if v.AtLeast(31) {
		d.MinPython = 11
	}
	if d.ControlHTTP {
		d.DefaultControl = newControl
	}
	return d
}

// OfSuperGrid reports whether an address is one of Flower's own.
func OfSuperGrid(address string) bool {
	host := strings.ToLower(HostOf(address))
	return host == "flower.ai" || strings.HasSuffix(host, ".flower.ai")
}

// FleetBeside returns the address for SuperNodes of a SuperLink whose address for commands is control, as
// flower-superlink sets it by default: one port for all where SuperNodes speak HTTP, else 9092.
func (d Dialect) FleetBeside(control string) string {
	port := "9092"
	if d.FleetHTTP {
		if _, _, err := net.SplitHostPort(control); err == nil {
			return control
		}
		port = "443"
	}
	return net.JoinHostPort(HostOf(control), port)
}

// HostOf returns an address without its port and the brackets of IPv6.
func HostOf(address string) string {
	if host, _, err := net.SplitHostPort(address); err == nil {
		return host
	}
	return strings.Trim(address, "[]")
}

// Latest returns the dialect of the newest release in the table, for use while no flwr is known.
func Latest() Dialect { return DialectOf(Version{Major: 1, Minor: newestKnown}) }

// The minor releases between which the table is known to be right.
const (
	oldestMinor = 24
	newestKnown = 42
)

// Known reports whether the table covers this release. Where it does not, Check finds the differences.
func (d Dialect) Known() bool {
	return d.Version.Major == 1 && d.Version.Minor >= oldestMinor && d.Version.Minor <= newestKnown && !d.Version.Dev
}

// HowKnown says in one line how well the table knows the release.
func (d Dialect) HowKnown() string {
	v := d.Version.String()
	if d.Known() {
		return "flwr " + v + " is known to this flwrup"
	}
	text := "flwr " + v + " is newer than this flwrup knows"
	if d.Version.Dev {
		text = "flwr " + v + " is a development build"
	}
	return text + fmt.Sprintf(": its commands are taken from its --help, its protocols are taken to be those of 1.%d", newestKnown)
}

// SpeaksTo reports whether a SuperNode of this dialect can talk to a SuperLink of the other's release. The
// fleet's side went from gRPC to HTTP once, and neither side speaks both.
func (d Dialect) SpeaksTo(link Dialect) bool { return d.FleetHTTP == link.FleetHTTP }

// Releases names the releases of flwr whose SuperLink speaks HTTP or gRPC on its two sides as given: "1.37 to
// 1.39". It returns "" when no release of the table does.
func Releases(controlHTTP, fleetHTTP bool) string {
	first, last := 0, 0
	for minor := oldestMinor; minor <= newestKnown; minor++ {
		if d := DialectOf(Version{Major: 1, Minor: minor}); d.ControlHTTP == controlHTTP && d.FleetHTTP == fleetHTTP {
			if last = minor; first == 0 {
				first = minor
			}
		}
	}
	switch {
	case first == 0:
		return ""
	case last == newestKnown:
		return fmt.Sprintf("1.%d or later", first)
	case first == last:
		return fmt.Sprintf("1.%d", first)
	}
	return fmt.Sprintf("1.%d to 1.%d", first, last)
}
