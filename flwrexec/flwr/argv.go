package flwr

import (
	"cmp"
	"regexp"
	"strconv"
	"strings"

	"flwrup/internal/shell"
)

// Connection says which SuperLink a command talks to.
type Connection struct {
	Name string // [superlink.NAME], or up to flwr 1.25 [tool.flwr.federations.NAME]: supergrid
	App  string // the project's folder; used where Dialect.ConfigInPyproject; "" is the working folder
}

// connection returns the arguments that name c's SuperLink.
func (d Dialect) connection(c Connection) []string {
	if !d.ConfigInPyproject {
		return []string{c.Name}
	}
	app := c.App
	if app == "" {
		app = "."
	}
	return []string{shell.Arg(app), c.Name}
}

func join(parts ...[]string) []string {
	argv := []string{"flwr"}
	for _, p := range parts {
		argv = append(argv, p...)
	}
	return argv
}

// The functions below return commands as a person would type them, "flwr" first. A session runs the same ones
// with `--format json` behind them.

// LoginArgv is the device-flow login.
func (d Dialect) LoginArgv(c Connection) []string { return join([]string{"login"}, d.connection(c)) }

// NodesArgv lists the account's own SuperNodes.
func (d Dialect) NodesArgv(c Connection) []string {
	return join([]string{"supernode", "list"}, d.connection(c))
}

// Registration is what a SuperNode is registered with: its public key file, and where the dialect has them a name
// and a location, "latitude,longitude"; "" leaves them out.
type Registration struct{ PublicKey, Name, Location string }

// RegisterArgv registers a SuperNode.
func (d Dialect) RegisterArgv(c Connection, r Registration) []string {
	argv := join([]string{"supernode", "register", shell.Arg(r.PublicKey)}, d.connection(c))
	if r.Name != "" && d.RegisterName {
		argv = append(argv, "--name", r.Name)
	}
	if r.Location != "" && d.RegisterLocation {
		argv = append(argv, "--location="+r.Location) // which may begin with a minus
	}
	return argv
}

// UnregisterArgv unregisters a SuperNode, after which its key can never be registered again.
func (d Dialect) UnregisterArgv(c Connection, id NodeID) []string {
	return join([]string{"supernode", "unregister", id.String()}, d.connection(c))
}

// FederationsArgv lists the federations that the account can see.
func (d Dialect) FederationsArgv(c Connection) []string {
	return join([]string{"federation", "list"}, d.connection(c))
}

// FederationDetailsArgv shows one federation; up to flwr 1.25 it is always the connection's own.
func (d Dialect) FederationDetailsArgv(c Connection, federation string) []string {
	if d.FederationShow {
		return join([]string{"federation", "show"}, d.connection(c))
	}
	if federation == "" { // none is chosen yet
		return d.FederationsArgv(c)
	}
	return join([]string{"federation", "list"}, d.connection(c), []string{"--federation", federation})
}

// CreateFederationArgv makes a deployment federation; name without the account.
func (d Dialect) CreateFederationArgv(c Connection, name, description string) []string {
	argv := join([]string{"federation", "create", name}, d.connection(c))
	if description != "" {
		argv = append(argv, "--description", description)
	}
	return argv
}

// AddArgv adds a SuperNode to a federation.
func (d Dialect) AddArgv(c Connection, id NodeID, federation string) []string {
	return join([]string{"federation", "add-supernode", id.String(), federation}, d.connection(c))
}

// RemoveArgv removes a SuperNode from a federation.
func (d Dialect) RemoveArgv(c Connection, id NodeID, federation string) []string {
	return join([]string{"federation", "remove-supernode", id.String(), federation}, d.connection(c))
}

// InvitationsArgv lists the open invitations that the account has sent and received.
func (d Dialect) InvitationsArgv(c Connection) []string {
	return join([]string{"federation", "invite", "list"}, d.connection(c))
}

// InviteOp is something that is done to an invitation, as flwr calls it.
type InviteOp string

// The owner of a federation invites and revokes; the invited account accepts or rejects.
const (
	Invite InviteOp = "create"
	Accept InviteOp = "accept"
	Reject InviteOp = "reject"
	Revoke InviteOp = "revoke"
)

// InvitationArgv does op to an invitation to a federation. account is the invited one, without its @, of what the owner
// does; who accepts or rejects is the account itself.
func (d Dialect) InvitationArgv(c Connection, op InviteOp, account, federation string) []string {
	argv := []string{"federation", "invite", string(op)}
	if op == Invite || op == Revoke {
		argv = append(argv, account)
	}
	return join(argv, []string{federation}, d.connection(c))
}

// RunArgv starts a run of the app in folder app. federation is left out where the connection names
// it; config is one --run-config value, "" for none; stream follows the run's log.
func (d Dialect) RunArgv(c Connection, app, federation, config string, stream bool) []string {
	if app == "" {
		app = "."
	}
	argv := []string{"flwr", "run", shell.Arg(app), c.Name}
	if federation != "" && d.FederationFlag {
		argv = append(argv, "--federation", federation)
	}
	if config != "" {
		argv = append(argv, "--run-config", config)
	}
	if stream {
		argv = append(argv, "--stream")
	}
	return argv
}

// RunsArgv lists the account's runs.
func (d Dialect) RunsArgv(c Connection) []string { return join([]string{"list"}, d.connection(c)) }

// RunStatusArgv shows one run.
func (d Dialect) RunStatusArgv(c Connection, run RunID) []string {
	return append(d.RunsArgv(c), "--run-id", run.String())
}

// LogArgv follows a run's log until the run ends.
func (d Dialect) LogArgv(c Connection, run RunID) []string {
	return join([]string{"log", run.String()}, d.connection(c))
}

// StopArgv stops a run.
func (d Dialect) StopArgv(c Connection, run RunID) []string {
	return join([]string{"stop", run.String()}, d.connection(c))
}

// NewAppName is the app that NewAppArgv makes, and its folder.
const NewAppName = "quickstart-numpy"

// NewAppArgv makes a new app in a folder below the working folder. From flwr 1.25 on apps come from Flower's
// platform; before, flwr has templates.
func (d Dialect) NewAppArgv(publisher string) []string {
	if d.AppsFromPlatform {
		return []string{"flwr", "new", "@flwrlabs/" + NewAppName}
	}
	return []string{"flwr", "new", NewAppName, "--framework", "NumPy", "--username", cmp.Or(publisher, "me")}
}

var appID = regexp.MustCompile(`^@[A-Za-z0-9_][A-Za-z0-9_.-]*/[A-Za-z0-9_][A-Za-z0-9_.-]*(==\d+\.\d+\.\d+)?$`)

// IsAppID reports whether text names an app of Flower's hub: @publisher/name, with ==1.2.3 behind it for one release.
func IsAppID(text string) bool { return appID.MatchString(text) }

// AppFolder is the folder that FetchAppArgv makes.
func AppFolder(id string) string {
	id, _, _ = strings.Cut(id, "==")
	_, name, _ := strings.Cut(id, "/")
	return name
}

// FetchAppArgv fetches an app from Flower's hub into a folder below the working folder; see AppsFromPlatform.
func (d Dialect) FetchAppArgv(id string) []string { return []string{"flwr", "new", id} }

// SuperNodeOptions describes how to start a SuperNode.
type SuperNodeOptions struct {
	Fleet        string   // host:port of the fleet's side; the port is always needed
	Key, CA      string   // paths as the SuperNode sees them; CA "" trusts the system's certificates
	Port         int      // its own port; 0 is flwr's default, 9094
	NodeConfig   string   // key=value pairs for the ClientApp
	AllowInstall bool     // install the app's packages when a run needs them, where the dialect can
	Extra        []string // further arguments, word for word
}

// ownPort is flwr's default for the port that a SuperNode's ClientApps talk to.
const ownPort = 9094

// SuperNodeArgs returns the arguments of flower-supernode, without its name. Port listens on loopback only. A
// fleet address without a port gets 443.
func (d Dialect) SuperNodeArgs(o SuperNodeOptions) []string {
	args := []string{"--superlink", withPort(o.Fleet)}
	if o.CA != "" {
		args = append(args, "--root-certificates", o.CA)
	}
	args = append(args, "--auth-supernode-private-key", o.Key)
	if o.NodeConfig != "" {
		args = append(args, "--node-config", o.NodeConfig)
	}
	// Without this flag flwr up to 1.34 listens on all addresses of its machine or container.
	if port := strconv.Itoa(cmp.Or(o.Port, ownPort)); d.HostPort {
		args = append(args, "--host", "127.0.0.1", "--port", port)
	} else {
		args = append(args, "--clientappio-api-address", "127.0.0.1:"+port)
	}
	if o.AllowInstall && d.RuntimeInstall {
		args = append(args, "--allow-runtime-dependency-installation")
	}
	return append(args, o.Extra...)
}

// withPort adds :443 to an address that has no port: flower-supernode exits with code 600 without one. An
// IPv6 address must be in brackets already.
func withPort(address string) string {
	if address == "" {
		return address
	}
	host := address
	if i := strings.LastIndexByte(address, ']'); i >= 0 {
		host = address[i:]
	}
	if strings.Contains(host, ":") {
		return address
	}
	return address + ":443"
}
