package flwrexec

import (
	"regexp"
	"strings"

	"flwrup/flwrexec/app"
	"flwrup/flwrexec/flwr"
	"flwrup/internal/problem"
)

// LandmarkKind is an event in a SuperNode's log that stands out for the user.
type LandmarkKind string

const (
	MarkNone      LandmarkKind = ""
	MarkStarting  LandmarkKind = "starting"  // detail: ""
	MarkOnline    LandmarkKind = "online"    // detail: node ID
	MarkRun       LandmarkKind = "run"       // a message of a run; detail: run ID. Written for every message
	MarkReceived  LandmarkKind = "received"  // detail: train, evaluate, query
	MarkSent      LandmarkKind = "sent"      // the answer was taken
	MarkRetrying  LandmarkKind = "retrying"  // the grid cannot be reached; detail: seconds until the next try
	MarkConnected LandmarkKind = "connected" // reached again
	MarkRefused   LandmarkKind = "refused"   // the grid refused
	MarkFailed    LandmarkKind = "failed"    // the ClientApp or the SuperNode; detail: its words
	MarkStopped   LandmarkKind = "stopped"   // ended as asked
	// MarkInstalling and MarkInstalled frame the installation of the app's packages, which a message waits for.
	MarkInstalling LandmarkKind = "installing"
	MarkInstalled  LandmarkKind = "installed"
)

var marks = [...]struct {
	kind    LandmarkKind
	pattern *regexp.Regexp // its group, if any, is the detail
}{
	{MarkStarting, regexp.MustCompile(`Starting Flower SuperNode`)},
	{MarkOnline, regexp.MustCompile(`SuperNode ID: (\d+)`)},
	{MarkRun, regexp.MustCompile(`\[RUN (\d+)\]`)},
	{MarkInstalling, regexp.MustCompile(`Installing application dependencies`)},
	{MarkInstalled, regexp.MustCompile(`App dependencies installed successfully|uv sync failed`)},
	{MarkReceived, regexp.MustCompile(`Receiving: (\w+) message`)},
	{MarkSent, regexp.MustCompile(`Sent successfully`)},
	{MarkRetrying, regexp.MustCompile(`Connection attempt failed, retrying in ([\d.]+) seconds`)},
	{MarkConnected, regexp.MustCompile(`Connection successful after`)},
	{MarkRefused, regexp.MustCompile(`\[code: 2004\]|Failed to activate SuperNode|No SuperNode found with the given public key|could not be activated`)},
	{MarkFailed, regexp.MustCompile(`(ClientApp raised an exception)|(Exit Code: \d+)|(?:^|\s)(\w*(?:Error|Exception): .*)`)},
	{MarkStopped, regexp.MustCompile(`SuperNode terminated gracefully`)},
}

// Landmark returns the meaning of a line of a SuperNode's log, and its detail. It remembers nothing: a run's
// first line is the first MarkRun with that detail.
func Landmark(line string) (LandmarkKind, string) {
	for _, m := range marks {
		if found := m.pattern.FindStringSubmatch(line); found != nil {
			for _, detail := range found[1:] {
				if detail != "" {
					return m.kind, detail
				}
			}
			return m.kind, ""
		}
	}
	return MarkNone, ""
}

// Installing reports, from the end of a SuperNode's log, whether it is installing the app's packages.
func Installing(lines []string) bool {
	now := false
	for _, l := range lines {
		switch kind, _ := Landmark(l); kind {
		case MarkInstalling:
			now = true
		case MarkInstalled, MarkStarting, MarkSent, MarkFailed, MarkStopped:
			now = false
		}
	}
	return now
}

// Troubles of a SuperNode that need a code of their own, because their remedies differ.
const (
	// NodeVersion says that the SuperNode is of a release that the grid does not speak.
	NodeVersion problem.Code = "node-version"
	// NodeHeld says that the grid still counts the SuperNode as online after it was killed. For about a minute it
	// lets no other in with the same key.
	NodeHeld problem.Code = "node-held"
	// ProgramMissing says that flower-superexec, which the SuperNode starts, is not on PATH.
	ProgramMissing problem.Code = "flwr-program-missing"
	// NodeUnregistered says that the node was unregistered: its key is of no use any more.
	NodeUnregistered problem.Code = "node-unregistered"
	// NodeGaveUp says that the SuperNode stopped trying to reconnect to the grid: flwr takes any trouble with TLS
	// for final, even a grid that was slow for a minute.
	NodeGaveUp problem.Code = "node-gave-up"
)

// NodeConfig says that the SuperNode's own configuration is wrong: starting it again does not help.
const NodeConfig problem.Code = "node-config"

// NodeHints is what DiagnoseNodeLog should know besides the log. Every field is optional.
type NodeHints struct {
	Node   flwr.Version // flwr of the SuperNode (its image)
	Grid   flwr.Version // flwr of the grid, as far as known: that of the CLI that talks to it
	Status string       // the node's status on the grid: registered, online, offline, unregistered
	Fleet  string       // the address that the node was given
}

// scope limits a rule to those parts of a log where its words mean what it says.
type scope int

const (
	anywhere scope = iota
	startup        // until the SuperNode has been online: later they are the ClientApp's own
	ofGrid         // about the way to the grid: not in a ClientApp's traceback
)

type nodeRule struct {
	code    problem.Code
	scope   scope
	pattern *regexp.Regexp
	what    string
	why     string
	fix     string
}

// nodeRules are matched, in order, with the log since the last start.
var nodeRules = [...]nodeRule{
	{NodeConfig, startup, regexp.MustCompile(`The provided configuration string is in an invalid format|in parse_config_args|TOML files cannot be passed alongside|The value for key \S+ needs to be of type[^\n]*`),
		"flwr cannot read the SuperNode's node-config", "it takes key=value pairs with blanks between; a text needs quotes", "correct node-config"},
	{NodeConfig, startup, regexp.MustCompile(`flower-supernode: error: (?:argument|the following arguments|one of|ambiguous)[^\n]*`),
		"flwr does not take one of the SuperNode's arguments", "", "correct args, or the setting that the argument is made from"},
	{problem.BadKey, startup, regexp.MustCompile(`PermissionError: \[Errno 13\][^\n]*'[^'\n]*(?i:key|credential)[^'\n]*'`),
		"the SuperNode may not read its key", "the key is for its owner alone (0600), and the container's user is another one (the image's is 49999)",
		"start the container as the key's owner, or let flwrup hand the key in"},
	{problem.BadInput, startup, regexp.MustCompile(`PermissionError: \[Errno 13\][^\n]*`),
		"the SuperNode may not read or write a file that it needs", "the file, or its FLWR_HOME, belongs to another user", "see its log for which, and let the SuperNode's user have it"},
	{problem.BadKey, startup, regexp.MustCompile(`Exit Code: 302\b`),
		"the SuperNode cannot use its key", "it must be an elliptic-curve private key in OpenSSH format without a passphrase; this may be the .pub file, or an RSA key",
		"give the private key that belongs to the registered public key"},
	{ProgramMissing, startup, regexp.MustCompile(`FileNotFoundError: \[Errno 2\][^\n]*'flo?we?r-\w+'`),
		"the SuperNode does not find a program of flwr's that belongs to it", "it looks for it by PATH, and the environment's folder is not there",
		"start it with the folder of flower-supernode first in PATH; flwrup does"},
	{problem.BadKey, startup, regexp.MustCompile(`FileNotFoundError: \[Errno 2\][^\n]*`),
		"a file that the SuperNode was given is not there", "the path is that inside the container", "check the paths of the key and of the certificate"},
	{problem.PortTaken, startup, regexp.MustCompile(`(?i)address already in use|Port in server address \S+ is already in use|error while attempting to bind`),
		"the SuperNode's own port is taken", "another SuperNode on this machine has it; the default is 9094 for all",
		"give each SuperNode a port of its own"},
	{problem.BadInput, startup, regexp.MustCompile(`Read-only file system: '[^']*'|OSError: \[Errno 30\]`),
		"the SuperNode cannot write its home", "its FLWR_HOME, or where the app writes, is read-only", "set FLWR_HOME to a folder that can be written, one for each SuperNode"},
	{problem.BadInput, anywhere, regexp.MustCompile(`(?i)no space left on device`),
		"the disk is full", "", "make room, then start the SuperNode again"},
	{problem.BadInput, anywhere, regexp.MustCompile(`Unable to locate site-packages in runtime environment`),
		"the SuperNode cannot install the app's packages", "several SuperNodes share one FLWR_HOME", "give each SuperNode an FLWR_HOME of its own"},
	{problem.BadInput, startup, regexp.MustCompile(`Exit Code: 600\b|address \([^)\n]*\) cannot be parsed`),
		"the SuperNode cannot read the grid's address", "it needs host and port, without https://", "write it as host:port, such as fleet-supergrid.flower.ai:443"},
	{problem.Usage, anywhere, regexp.MustCompile(`flo?we?r-\w+: error: unrecognized arguments: [^\n]*`),
		"this flwr does not take the SuperNode's arguments", "they belong to another release; --grpc-rere and --grpc-adapter went with 1.40",
		"start it with arguments for its own release"},
	{problem.Untrusted, ofGrid, regexp.MustCompile(`CERTIFICATE_VERIFY_FAILED|certificate verify failed`),
		"the SuperNode does not trust the grid's certificate", "the certificate was not signed by an authority that it knows", "give it the grid's CA with --root-certificates, or leave that out for the public SuperGrid"},
	{WrongService, ofGrid, regexp.MustCompile(`WRONG_VERSION_NUMBER|wrong version number`),
		"what answers at the grid's address does not speak TLS", "host or port is another service's", "check the address"},
	{NodeGaveUp, ofGrid, regexp.MustCompile(`SSL/TLS handshake error detected|The handshake operation timed out`),
		"the SuperNode gave up trying to reach the grid", "the grid, or something on the way, did not finish the secure handshake in time or broke it off; flwr tries no more after that",
		"start it again"},
	{problem.NodeRefused, anywhere, regexp.MustCompile(`No SuperNode found with the given public key`),
		"the grid does not know the SuperNode's key", "it was not registered, was unregistered, or awaits Flower Labs' confirmation", "register its public key, or wait for the confirmation"},
	{problem.NodeRefused, anywhere, regexp.MustCompile(`\[code: 2004\]|Failed to activate SuperNode|could not be activated`),
		"the grid did not let the SuperNode in",
		"its key is not registered or not confirmed yet, or a SuperNode with this key is online, or was killed less than a minute ago",
		"wait a minute and start it again; if it stays, look at the node's status in the list"},
	{problem.NotAllowed, startup, regexp.MustCompile(`403 Forbidden`),
		"something on the way to the grid said no", "a proxy or a firewall", "check the proxy settings; the SuperNode must be started again"},
	{app.Broken, anywhere, regexp.MustCompile(`RuntimeDependencyInstallationError[^\n]*|Exit Code: 608\b`),
		"the app's packages could not be installed", "the SuperNode may install what a run needs, and did not get it: no way to the package index, or a package that is not there",
		"see its log for which; or use an image that has the packages: `flwrup image`"},
	{app.Broken, anywhere, regexp.MustCompile(`ModuleNotFoundError: No module named '[^']+'`),
		"the app needs a package that the SuperNode does not have", "packages are not installed at run time by default",
		"name it in the app's pyproject.toml and build an image that has it: `flwrup image`; or let SuperNodes install what a run needs (flwrup.toml: install-packages)"},
	{problem.ServerError, ofGrid, regexp.MustCompile(`StatusCode\.INTERNAL|500 Internal Server Error`),
		"the grid answered the SuperNode with an error of its own", "", "start the SuperNode again in a minute"},
}

// CameOnline reports, from its log (oldest line first), whether a SuperNode has been online since its last
// start.
func CameOnline(lines []string) bool {
	came := false
	for _, l := range lines {
		switch kind, _ := Landmark(l); kind {
		case MarkStarting:
			came = false
		case MarkOnline, MarkConnected, MarkReceived, MarkSent:
			came = true
		}
	}
	return came
}

// retriesBeforeSaying is how many failed tries in a row mean something: the SuperNode's own child needs one
// or two to reach it.
const retriesBeforeSaying = 3

// DiagnoseNodeLog says why a SuperNode is not online, from its log (oldest line first). It returns nil when
// the log shows no trouble: the SuperNode is online, still starting, or was stopped as asked. Lines are safe
// for a terminal already.
func DiagnoseNodeLog(lines []string, h NodeHints) *problem.Problem {
	start := 0
	for i, l := range lines {
		if strings.Contains(l, "Starting Flower SuperNode") {
			start = i
		}
	}
	if start > 0 {
		lines = lines[start:]
	}
	online, wasOnline, retries := false, false, 0
	trouble := lines // since it was last online
	stopped := false
	for i, l := range lines {
		switch kind, _ := Landmark(l); kind {
		case MarkOnline, MarkConnected:
			online, retries, trouble = true, 0, lines[i+1:]
			wasOnline = wasOnline || kind == MarkOnline
		case MarkRetrying:
			online = false
			retries++
		case MarkReceived, MarkSent:
			online, retries = true, 0
		case MarkStopped:
			stopped = true // its child's lines mean nothing from here on
		}
	}
	text := strings.Join(trouble, "\n")
	raised := strings.Contains(text, "ClientApp raised an exception")
	for _, r := range nodeRules {
		if r.scope == startup && wasOnline || r.scope == ofGrid && raised {
			continue
		}
		if r.pattern.MatchString(text) {
			p := &problem.Problem{Code: r.code, What: r.what, Why: r.why, Fix: r.fix, Raw: around(trouble, r.pattern)}
			switch m := noModule.FindStringSubmatch(text); {
			case r.code == NodeConfig && p.Why == "":
				p.Why = strings.TrimPrefix(r.pattern.FindString(text), "flower-supernode: error: ")
			case r.code == problem.NodeRefused:
				refine(p, h)
			case r.code == app.Broken && m != nil:
				p.What = "the app needs the package " + m[1] + ", which the SuperNode does not have"
			case r.code == problem.Usage && h.Node.Major > 0 && h.Grid.Major > 0 && h.Node.String() != h.Grid.String():
				p.Code = NodeVersion
				p.Why = "it runs flwr " + h.Node.String() + " and was started with the arguments of flwr " + h.Grid.String()
				p.Fix = "start it with flwr " + h.Grid.String() + ", or the image of that version"
			}
			return p
		}
	}
	if !online && !stopped && (retries >= retriesBeforeSaying || retries > 0 && !h.speaks()) {
		return retrying(lines, h)
	}
	if raised {
		p := &problem.Problem{Code: app.Broken, What: "the app's ClientApp failed on this SuperNode", Why: "an error in the app's own code",
			Fix: "read the traceback in the log, correct the app, and run again", Raw: strings.Join(trouble[max(0, len(trouble)-25):], "\n")}
		for i := len(trouble) - 1; i >= 0; i-- {
			if m := exceptionPattern.FindString(trouble[i]); m != "" {
				p.Why = m
				break
			}
		}
		return p
	}
	return nil
}

// retrying says why a SuperNode tries for ever. It checks for an older or newer protocol first, because
// nothing else shows that.
func retrying(lines []string, h NodeHints) *problem.Problem {
	p := &problem.Problem{Code: problem.NodeNotOnline, What: "the SuperNode tries for ever to reach the grid",
		Why: "the address is wrong, or a firewall is in between; flwr says no more than this",
		Fix: "check the fleet address and that its port is open", Raw: strings.Join(lines[max(0, len(lines)-8):], "\n")}
	if h.Fleet != "" {
		p.Fix = "check that " + h.Fleet + " is the grid's address for SuperNodes and that its port is open"
	}
	if !h.speaks() {
		older := "an older"
		if flwr.DialectOf(h.Node).FleetHTTP {
			older = "a newer"
		}
		p.Code = NodeVersion
		p.What = "the SuperNode cannot speak to this grid"
		p.Why = "it runs " + older + " flwr (" + h.Node.String() + ") than the grid (" + h.Grid.String() +
			"), and one speaks HTTP, the other gRPC"
		p.Fix = "start it with flwr " + h.Grid.String() + ", or the image of that version"
	}
	return p
}

// speaks reports whether SuperNode and grid speak the same protocol, as far as their versions are known.
func (h NodeHints) speaks() bool {
	return h.Node.Major == 0 || h.Grid.Major == 0 || flwr.DialectOf(h.Node).SpeaksTo(flwr.DialectOf(h.Grid))
}

// refine picks the cause of a refusal when the node's status in the list shows it.
func refine(p *problem.Problem, h NodeHints) {
	switch h.Status {
	case StatusUnregistered:
		p.Code = NodeUnregistered
		p.Why, p.Fix = "the node was unregistered, which is for good", "make and register a new key for it"
	case StatusOnline:
		p.Code = NodeHeld
		p.Why = "a SuperNode with this key is online, or was killed less than a minute ago"
		p.Fix = "stop the other one, or wait a minute, then start it again"
	case StatusRegistered:
		p.Why = "the node is registered and has never been online: it seems to await its confirmation"
		p.Fix = "wait until Flower Labs, or whoever runs the grid, have confirmed it"
	case StatusOffline:
		p.Why = "the node has been online before: the grid may need a minute after a SuperNode was killed"
		p.Fix = "start it again in a minute"
	}
}

// around returns the line that matches a pattern, with a few lines before it.
func around(lines []string, pattern *regexp.Regexp) string {
	for i, l := range lines {
		if pattern.MatchString(l) {
			return strings.Join(lines[max(0, i-3):min(len(lines), i+3)], "\n")
		}
	}
	return ""
}
