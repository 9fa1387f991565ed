package flwrexec

import (
	"regexp"
	"strings"

	"flwrup/flwrexec/app"
	"flwrup/internal/problem"
	"flwrup/internal/termsafe"
)

// Codes of this package, in addition to those of package problem.
const (
	RunOver      problem.Code = "run-over"           // the run has finished already
	NoFederation problem.Code = "federation-missing" // a run needs --federation
	BadRunConfig problem.Code = "bad-run-config"
	OldAddress   problem.Code = "old-address"
	WrongService problem.Code = "wrong-service" // something else, or another flwr, answers there
	NoAccounts   problem.Code = "no-accounts"   // the SuperLink has no login

	AccountIn    problem.Code = "account-is-member" // an invited account is in the federation
	Invited      problem.Code = "already-invited"
	NoAccount    problem.Code = "account-not-found"
	NoInvitation problem.Code = "no-invitation" // none is open for this federation
)

// rule maps flwr's output to a problem. One of the substrings is enough. Texts are those of flwr 1.24 to
// 1.42, seen unless marked (code): read in flwr's source, or (docs).
type rule struct {
	code     problem.Code
	any      []string
	what     string
	why, fix string
}

// rules are tried in order: particular ones first, because an error's text carries the chatter before it.
var rules = [...]rule{
	{problem.Untrusted, []string{"CERTIFICATE_VERIFY_FAILED", "certificate verify failed"},
		"the SuperLink's certificate is not trusted",
		"it was not signed by an authority that this machine or the connection's root certificate knows",
		"set the connection's root certificate to the grid's CA file, or leave it out for the public SuperGrid"},
	{WrongService, []string{"WRONG_VERSION_NUMBER", "wrong version number"},
		"what answers at the address does not speak TLS", "", "check host and port of the connection"},
	{problem.LegacyConfig, []string{"Failed to migrate legacy TOML configuration", "migrate legacy"},
		"the folder's pyproject.toml still has [tool.flwr.federations], and this flwr refuses to work there",
		"from flwr 1.26 on connections live in Flower's config.toml",
		"move the connection to config.toml and comment the block out (step 8 does it)"},
	{OldAddress, []string{"uses the old SuperGrid address"},
		"the connection has SuperGrid's old address", "flwr 1.37 and newer refuse supergrid.flower.ai",
		"change the connection's address to api.flower.ai"},
	{problem.KeyInUse, []string{"[code: 23]", "public key is already in use by another SuperNode", "Public key already in use"},
		"the public key has been registered before",
		"a key can be registered once, by one account, and never again after it was unregistered",
		"find its node ID in the list of SuperNodes; if it is another account's or was unregistered, make a new key"},
	{problem.BadKey, []string{"Exit Code: 500", "[code: 22]", "provided public key is invalid", "provided public key is not valid"},
		"flwr does not take the public key", "it must be an elliptic-curve key (NIST P-384) in OpenSSH format",
		"make a new pair: ssh-keygen -t ecdsa -b 384 -N '' -C ''"},
	{problem.BadKey, []string{"Public key file '"},
		"there is no public key file at that path", "", "check the path, or make the keys first"},
	{problem.BadKey, []string{"IsADirectoryError"},
		"the public key's path is a folder", "", "give the path of the .pub file"},
	{problem.BadInput, []string{"PermissionError: [Errno 13]"},
		"flwr may not read a file", "", "check who owns the file and its mode"},
	{problem.NodeNotFound, []string{"[code: 24]", "[code: 28]", "Node ID not found", "not found or you are not its owner"},
		"the grid knows no such SuperNode of this account",
		"it was never registered, was unregistered, or belongs to another account",
		"look at the list of SuperNodes, and at which account is signed in"},
	{problem.AlreadyMember, []string{"[code: 11]", "already part of the federation"},
		"the SuperNode is in the federation already", "", ""},
	{problem.FedExists, []string{"[code: 4]", "Federation already exists"},
		"there is, or was, a federation of that name", "an archived federation keeps its name", "choose another name"},
	{problem.FedBadName, []string{"[code: 27]", "Invalid federation name"},
		"that cannot be the name of a federation", "a name has a letter first, then letters, digits and hyphens, 32 at most",
		"choose another name"},
	{problem.FedBadName, []string{"Invalid federation format", "Invalid federation ID format"},
		"the federation is not written as @account/name", "", "write it as @account/name"},
	{AccountIn, []string{"[code: 3]", "Account is already a member"},
		"the account is a member of the federation already", "", ""},
	{Invited, []string{"[code: 5]", "pending invitation already exists"},
		"the account has an open invitation already", "", ""},
	{NoAccount, []string{"[code: 6]", "specified accounts were not found"},
		"the grid knows no such account", "", "check the account's name: its owner sees it at flower.ai, top right"},
	{NoInvitation, []string{"[code: 7]", "no pending invitation was found"},
		"no invitation to this federation is open", "it was never sent, was taken back or declined, or is for another account", "ask the federation's owner to send one: flwrup invite @ACCOUNT"},
	{problem.FedNotFound, []string{"[code: 2]", "[code: 25]", "[code: 26]"},
		"the grid knows no such federation that this account may use", "it does not exist, is archived, or you are not a member",
		"list the federations, and check which account is signed in"},
	{problem.NotAllowed, []string{"[code: 13]", "Entitlement error"}, // (docs)
		"the account is not entitled to this", "SuperGrid allows it to listed accounts only",
		"ask Flower Labs for access: hello@flower.ai"},
	{problem.NotAllowed, []string{"[code: 9]", "[code: 10]", "You do not have permission", "Permission denied."}, // (code)
		"the account may not do this", "it belongs to somebody else, or the role does not allow it",
		"check which account is signed in, or ask the federation's owner"},
	{problem.NotSupported, []string{"[code: 1]", "does not support federation management"},
		"this SuperLink does not manage federations", "", "ask whoever runs it to put the SuperNodes into the federation"},
	{NoAccounts, []string{"requires TLS to be enabled", "`enable-account-auth`", "Account authentication is not enabled for"}, // (code)
		"the connection is not set up for a login", "a login needs TLS, and up to flwr 1.25 enable-account-auth = true",
		"take `insecure` out of the connection and set enable-account-auth = true"},
	{NoAccounts, []string{"[code: 19]", "Account authentication is not enabled"}, // (code)
		"this SuperLink has no login", "it runs without account authentication", "go on without logging in"},
	{RunOver, []string{"[code: 18]", "is already finished", "Run is already finished"},
		"the run is over already", "", ""},
	{problem.RunNotFound, []string{"[code: 16]", "[code: 31]", "Run ID not found", "Invalid run_id"},
		"the grid knows no such run of this account", "", "list the runs: flwr list"},
	{NoFederation, []string{"[code: 12]", "No federation specified"},
		"the run names no federation", "", "give a federation, @account/name"},
	{BadRunConfig, []string{"[code: 15]", "is not present in the main dictionary", "Invalid run configuration"}, // (code)
		"the run configuration is not valid", "a value must be TOML and its key one of the app's own", "correct the run configuration"},
	{problem.NotSupported, []string{"[code: 44]", "user prompt is required to start an AgentApp"},
		"an AgentApp starts with a person's prompt", "`flwr run` gives it none", "talk to it in `flwr chat`, or give the app a ServerApp"},
	{WrongService, []string{"[code: 1001]", "Runtime version compatibility check failed", "cannot process this request"}, // (code)
		"this flwr and the SuperLink do not understand each other",
		"their versions are too far apart, or the address is not the one for commands", "check the address, and use a flwr of the grid's release"},
	{problem.NotLoggedIn, []string{"Please run `flwr login`", "[code: 36]", "[code: 37]", "[code: 1008]", "Authentication failed", "No authentication credentials",
		"Missing authentication tokens", "Invalid credentials file"}, // the last two: (code)
		"not logged in", "there is no session for this connection, or it is over", "log in again"},
	{problem.LoginTimeout, []string{"Login failed: Process timed out"},
		"the login was not approved", "nobody approved it in time, or it was denied", "log in again and select \"Yes\" in the browser"},
	{problem.NoConnection, []string{"SuperLink connection '", "federation declared in the `pyproject.toml`", "federation declared in"},
		"flwr knows no connection of that name", "", "write the connection first (step 8), or use one that flwr has: flwr config list"},
	{problem.FedNotFound, []string{"not found or has been archived", "not found or flwr_aid", "' does not exist.", "Federation does not exist", "Federation not found"},
		"the grid knows no such federation that this account may use", "it does not exist, is archived, or you are not a member",
		"list the federations, and check which account is signed in"},
	{problem.Unreachable, []string{"Unable to connect to Platform API"},
		"Flower's platform does not answer: apps are fetched from there", "no connection to api.flower.ai from this machine",
		"check the network, or put an app's folder here by hand: https://flower.ai/apps has them"},
	{problem.BadInput, []string{"Unable to fetch app", "Failed to fetch app", "is not available on the platform"}, // (code)
		"Flower's platform did not give the app", "", "check its name: @publisher/name"},
	{problem.Unreachable, []string{"Connection to the SuperLink is unavailable", "StatusCode.UNAVAILABLE", "503 Service Unavailable", "502 Bad Gateway", "504 Gateway"},
		"no connection to the SuperLink", "the network, the address or the SuperLink itself",
		"check the network and the connection's address, then try again"},
	{problem.ServerError, []string{"StatusCode.INTERNAL", "500 Internal Server Error", "StatusCode.UNKNOWN", "Server error '"},
		"the SuperLink answered with an error of its own", "", "try again in a minute; if it stays, tell whoever runs the grid"},
	{problem.Unreachable, []string{"429 Too Many Requests", "StatusCode.RESOURCE_EXHAUSTED", "408 Request Timeout"}, // (code)
		"the SuperLink takes no more questions now", "it was asked too often, or is busy", "wait a minute, then try again"},
	{problem.NotAllowed, []string{"403 Forbidden", "407 Proxy Authentication Required"},
		"something on the way to the SuperLink said no", "a proxy, a firewall, or the SuperLink", "check the proxy settings and the address"},
	{WrongService, []string{"404 Not Found", "Client error '4", "StatusCode.UNIMPLEMENTED"},
		"what answers at the address is not the SuperLink that this flwr expects", "another service, or another release of flwr",
		"check host and port of the connection, and use a flwr of the grid's release"},
	{app.Broken, []string{"Failed to load Flower App configuration", "pyproject.toml configuration is invalid", "Project configuration could not be loaded", "Failed to build", "does not appear to be a Flower App", "No Flower App", "App directory"}, // (code)
		"flwr cannot use the app", "its pyproject.toml is missing or not valid", "check the app's folder and its pyproject.toml"},
	{problem.Usage, []string{"No such command", "No such option", "unrecognized arguments", "Got unexpected extra argument", "Missing argument", "Invalid value for"},
		"this flwr does not take that command", "its command line has changed", "try another version of flwr, or a newer flwrup"},
	{problem.BadInput, []string{"No space left on device"},
		"the disk is full", "", "make room, then try again"},
	{problem.BadInput, []string{"Read-only file system"},
		"flwr cannot write: the file system is read-only", "", "set FLWR_HOME to a folder that can be written"},
	{problem.BadInput, []string{"TOMLDecodeError", "TomlDecodeError", "Invalid TOML", "while reading the Flower configuration file"},
		"a configuration file of flwr is not valid", "", "correct the file that flwr names"},
}

// classify says what went wrong, from all output of flwr and its exit code. It keeps the raw text, safe for a
// terminal.
func classify(text string, exit int) *problem.Problem {
	raw := said(text)
	flat := strings.Join(strings.Fields(raw), " ") // a box may have wrapped it
	for _, r := range rules {
		for _, sub := range r.any {
			if strings.Contains(flat, sub) {
				return &problem.Problem{Code: r.code, What: r.what, Why: r.why, Fix: r.fix, Raw: raw}
			}
		}
	}
	what := lastSentence(raw)
	if what == "" {
		what = "flwr failed without a word"
	}
	return &problem.Problem{Code: problem.FlwrFailed, What: what, Raw: raw,
		Fix: "read what flwr said, and try the command by hand"}
}

var boxPattern = regexp.MustCompile(`[─-╿]+`) // box drawing

// said returns flwr's text without boxes, empty lines and the chatter of gRPC's C core repeated.
func said(text string) string {
	var keep []string
	handshake := false
	for _, l := range termsafe.Lines(text) {
		l = strings.TrimSpace(boxPattern.ReplaceAllString(l, " "))
		if l == "" || l == "Error" {
			continue
		}
		if strings.Contains(l, "ssl_transport_security") {
			if handshake {
				continue
			}
			handshake = true
		}
		keep = append(keep, l)
	}
	return strings.Join(keep, "\n")
}

// lastSentence makes a one-line "what" of words that no rule knows.
func lastSentence(raw string) string {
	lines := strings.Split(raw, "\n")
	for i := len(lines) - 1; i >= 0; i-- {
		l := lines[i]
		if strings.HasPrefix(l, "cause: ") || strings.HasPrefix(l, "For more information") {
			continue
		}
		l = strings.TrimSuffix(strings.TrimLeft(l, "❌ "), ".")
		if len(l) > 200 {
			l = strings.ToValidUTF8(l[:200], "") + "…"
		}
		if l != "" {
			return "flwr says: " + l
		}
	}
	return ""
}

// refusedBefore are causes where the request was never sent.
var refusedBefore = [...]string{"ConnectError", "ConnectTimeout", "Connection refused", "failed to connect to all addresses",
	"Name or service not known", "CERTIFICATE_VERIFY_FAILED", "DNS resolution failed"}

// MayHaveHappened reports whether a command that returned err may still have done its work on the grid: its
// answer was lost, or it was stopped half way. False means that it certainly did nothing.
func MayHaveHappened(err error) bool {
	if err == nil {
		return true
	}
	p := problem.Of(err)
	switch p.Code {
	case problem.Unreachable, problem.Untrusted:
		for _, sub := range refusedBefore {
			if strings.Contains(p.Raw, sub) {
				return false
			}
		}
		return p.Code == problem.Unreachable
	case problem.ServerError, problem.Cancelled, problem.FlwrFailed, problem.Internal:
		return true
	}
	return false
}
