package flwrexec

import (
	"strings"
	"testing"

	"flwrup/flwrexec/app"
	"flwrup/internal/problem"
)

const (
	nodeStart  = "INFO :      Starting Flower SuperNode"
	nodeOnline = "INFO :      SuperNode ID: 12"
	appRaised  = "ERROR :     ClientApp raised an exception"
)

// Every rule over a SuperNode's log, by its verdict: lines that match it, and similar lines that must not. A
// new rule needs both.
var nodeExamples = map[string]struct{ yes, no []string }{
	"flwr cannot read the SuperNode's node-config": {
		[]string{"typer.Exit: The provided configuration string is in an invalid format. The correct format should be in the form 'key1=\"value1\" key2=\"value2\"'.",
			"  File \"config.py\", line 311, in parse_config_args", "ValueError: The value for key a.b needs to be of type `int`, `float`, `bool`, or `str`."},
		[]string{"The provided configuration is fine", nodeOnline + "\n" + appRaised + "\nValueError: The value for key lr needs to be of type float"}},
	"flwr does not take one of the SuperNode's arguments": {
		[]string{"flower-supernode: error: argument --port: invalid int value: 'x'", "flower-supernode: error: the following arguments are required: --superlink"},
		[]string{"train.py: error: argument --epochs: invalid int value: 'x'", nodeOnline + "\nflower-supernode: error: argument --port: invalid int value: 'x'"}},
	"the SuperNode may not read its key": {
		[]string{"PermissionError: [Errno 13] Permission denied: 'keys/client_credentials_1'", "PermissionError: [Errno 13] Permission denied: '/run/flwrup/key'"},
		[]string{"PermissionError: [Errno 13] Permission denied: '/app/.flwr'", nodeOnline + "\nPermissionError: [Errno 13] Permission denied: '/data/keys.csv'"}},
	"the SuperNode may not read or write a file that it needs": {
		[]string{"PermissionError: [Errno 13] Permission denied: '/app/.flwr'"},
		[]string{nodeOnline + "\n" + appRaised + "\nPermissionError: [Errno 13] Permission denied: '/data/patients.csv'"}},
	"the SuperNode cannot use its key": {[]string{"Exit Code: 302"}, []string{"Exit Code: 3021", "Exit Code: 30", nodeOnline + "\nExit Code: 302"}},
	"the SuperNode does not find a program of flwr's that belongs to it": {
		[]string{"FileNotFoundError: [Errno 2] No such file or directory: 'flower-superexec'"},
		[]string{"FileNotFoundError: [Errno 2] No such file or directory: '/keys/flower'"}},
	"a file that the SuperNode was given is not there": {
		[]string{"FileNotFoundError: [Errno 2] No such file or directory: '/ca.crt'"},
		[]string{nodeOnline + "\nFileNotFoundError: [Errno 2] No such file or directory: 'data.csv'"}},
	"the SuperNode's own port is taken": {
		[]string{"Port in server address 0.0.0.0:9094 is already in use.", "OSError: [Errno 98] Address already in use"},
		[]string{"name already in use", nodeOnline + "\nOSError: [Errno 98] Address already in use"}},
	"the SuperNode cannot write its home": {
		[]string{"OSError: [Errno 30] Read-only file system: '/flwr'"},
		[]string{nodeOnline + "\n" + appRaised + "\nOSError: [Errno 30] Read-only file system: '/data/out.csv'"}},
	"the disk is full": {[]string{"OSError: [Errno 28] No space left on device"}, []string{"no space for another node"}},
	"the SuperNode cannot install the app's packages":   {[]string{"Unable to locate site-packages in runtime environment /x"}, []string{"site-packages: /x"}},
	"the SuperNode cannot read the grid's address":      {[]string{"SuperLink address (https://x) cannot be parsed.", "Exit Code: 600"}, []string{"node config cannot be parsed", "Exit Code: 6001"}},
	"this flwr does not take the SuperNode's arguments": {[]string{"flower-supernode: error: unrecognized arguments: --grpc-rere"}, []string{"train.py: error: unrecognized arguments: --epochs"}},
	"the SuperNode does not trust the grid's certificate": {
		[]string{"ssl_transport_security.cc:2563] Handshake failed with error SSL_ERROR_SSL: error:1000007d:SSL routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED: unable to get local issuer certificate",
			"httpx.ConnectError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate has expired (_ssl.c:1006)\nERROR :     SSL/TLS handshake error detected."},
		[]string{"ERROR :     SSL/TLS handshake error detected.\nhttpx.ConnectTimeout: _ssl.c:989: The handshake operation timed out",
			"ERROR :     SSL/TLS handshake error detected.\nhttpx.ConnectError: [SSL: UNEXPECTED_EOF_WHILE_READING] EOF occurred in violation of protocol (_ssl.c:1006)",
			nodeOnline + "\n" + appRaised + "\nurllib.error.URLError: <urlopen error [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed>"}},
	"what answers at the grid's address does not speak TLS": {
		[]string{"ERROR :     SSL/TLS handshake error detected.\n[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1006)"},
		[]string{nodeOnline + "\n" + appRaised + "\nssl.SSLError: [SSL: WRONG_VERSION_NUMBER] wrong version number"}},
	"the SuperNode gave up trying to reach the grid": {
		[]string{nodeOnline + "\nERROR :     SSL/TLS handshake error detected.\nhttpx.ConnectTimeout: _ssl.c:989: The handshake operation timed out",
			"ERROR :     SSL/TLS handshake error detected.\n[SSL: UNEXPECTED_EOF_WHILE_READING] EOF occurred in violation of protocol (_ssl.c:1006)",
			"ERROR :     SSL/TLS handshake error detected.\nTls handshake failed (TSI_PROTOCOL_FAILURE): SSL_ERROR_SYSCALL"},
		[]string{"The operation timed out", nodeOnline + "\n" + appRaised + "\nrequests.exceptions.SSLError: The handshake operation timed out"}},
	"the grid does not know the SuperNode's key": {[]string{"No SuperNode found with the given public key"}, []string{"No SuperNode found"}},
	"the grid did not let the SuperNode in":      {[]string{"[code: 2004] Failed to activate SuperNode.", "SuperNode could not be activated."}, []string{"[code: 20041]"}},
	"something on the way to the grid said no":   {[]string{"Client error '403 Forbidden' for url"}, []string{nodeOnline + "\n403 Forbidden", "4030 Forbidden items"}},
	"the app's packages could not be installed":  {[]string{"dependency_installer.RuntimeDependencyInstallationError: uv sync failed", "Exit Code: 608"}, []string{"Exit Code: 6080"}},
	"the app needs a package that the SuperNode does not have": {
		[]string{nodeOnline + "\n" + appRaised + "\nModuleNotFoundError: No module named 'torch'"}, []string{"no module named torch"}},
	"the grid answered the SuperNode with an error of its own": {
		[]string{nodeOnline + "\nstatus = StatusCode.INTERNAL", "Server error '500 Internal Server Error' for url"},
		[]string{nodeOnline + "\n" + appRaised + "\nrequests.exceptions.HTTPError: 500 Internal Server Error for url http://pacs.local", "StatusCode.INTERVAL"}},
}

func TestEveryNodeRule(t *testing.T) {
	for _, r := range nodeRules {
		e := nodeExamples[r.what]
		if len(e.yes) == 0 || len(e.no) == 0 {
			t.Errorf("no examples for %q", r.what)
		}
		is := func(log string) bool {
			p := DiagnoseNodeLog(strings.Split(nodeStart+"\n"+log, "\n"), NodeHints{})
			if p != nil && r.code == app.Broken && strings.HasPrefix(p.What, "the app needs the package") {
				return true
			}
			return p != nil && p.What == r.what
		}
		for _, log := range e.yes {
			if !is(log) {
				t.Errorf("%q is not said of %q", r.what, log)
			}
		}
		for _, log := range e.no {
			if is(log) {
				t.Errorf("%q is said of %q", r.what, log)
			}
		}
	}
}

// Every word of every rule over flwr's errors is that rule's own: no earlier rule takes it.
func TestEveryErrorRule(t *testing.T) {
	for _, r := range rules {
		for _, words := range r.any {
			if p := classify("Error: "+words+" x", 1); p.What != r.what {
				t.Errorf("%q is for %q, said is %q", words, r.what, p.What)
			}
		}
	}
	for text, never := range map[string]problem.Code{
		"✅ Federation '@ada/other' created successfully. Then it broke.":             problem.FedNotFound,
		"Login failed: the account is locked":                                        problem.LoginTimeout,
		"PermissionError: [Errno 13] Permission denied: '/home/x/.flwr/config.toml'": problem.BadKey,
		"Client error '429 Too Many Requests' for url 'https://x'":                   WrongService,
		"Client error '407 Proxy Authentication Required' for url 'https://x'":       WrongService,
		"ConnectTimeout: _ssl.c:989: The handshake operation timed out":              problem.Untrusted,
		"[code: 231]": problem.KeyInUse,
		"[code: 200]": problem.FedNotFound,
	} {
		if p := classify(text, 1); p.Code == never {
			t.Errorf("%q is taken for %s (%s)", text, p.Code, p.What)
		}
	}
}
