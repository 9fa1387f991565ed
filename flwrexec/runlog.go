package flwrexec

import (
	"path/filepath"
	"regexp"
	"strings"

	"flwrup/internal/problem"
)

var (
	readOnlyPattern  = regexp.MustCompile(`Read-only file system: '([^']+)'`)
	framePattern     = regexp.MustCompile(`File "([^"]+)", line (\d+), in `)
	noModule         = regexp.MustCompile(`No module named '([^']+)'`)
	exceptionPattern = regexp.MustCompile(`^[\w.]*(?:Error|Exception|Interrupt|Timeout|timeout)(?:: .*)?$`)

	// Messages of Python's libraries when there is no way out: of the resolver, of the system, of requests and
	// aiohttp.
	noWayOut = regexp.MustCompile(`Temporary failure in name resolution|Name or service not known|No address associated with hostname|` +
		`nodename nor servname provided|getaddrinfo failed|Network is unreachable|No route to host|Connection refused|` +
		`NameResolutionError|Failed to resolve|Max retries exceeded with url|Cannot connect to host|` +
		`Tunnel connection failed|ConnectTimeout|^(?:socket\.|builtins\.)?(?:timeout|TimeoutError): timed out|Connection timed out`)
)

// DiagnoseRunLog says why a run failed, from its log, or returns nil when the log does not show it. details
// is Run.Details.
func DiagnoseRunLog(lines []string, details string) *problem.Problem {
	text := strings.Join(lines, "\n") + "\n" + details
	raw := strings.Join(lines[max(0, len(lines)-25):], "\n")
	if m := readOnlyPattern.FindStringSubmatch(text); m != nil {
		p := &problem.Problem{Code: problem.RunReadOnly, What: "the app could not save " + m[1],
			Why: "the grid runs the ServerApp where it cannot write files",
			Fix: "comment out the line that saves it in server_app.py, such as np.savez(...), and run again", Raw: raw}
		if at, ok := blame(text[:strings.Index(text, m[0])]); ok {
			p.Fix = "comment out what saves it, " + at.String() + ", and run again: flwrup offers to do both"
		}
		return p
	}
	if m := noModule.FindStringSubmatch(text); m != nil {
		return &problem.Problem{Code: problem.RunFailed, What: "the app needs the package " + m[1] + ", which is not there",
			Why: "it is not among the dependencies of the app's pyproject.toml, or they are not installed",
			Fix: "add it to dependencies in the app's pyproject.toml, and use SuperNodes that have it or may install it", Raw: raw}
	}
	for i := len(lines) - 1; i >= 0; i-- {
		m := exceptionPattern.FindString(lines[i])
		if m == "" {
			continue
		}
		at, ok := blame(strings.Join(lines[:i], "\n"))
		if noWayOut.MatchString(m) && ok && !at.flwr {
			return &problem.Problem{Code: RunNoNetwork, What: "the ServerApp could not reach something over the network: " + m,
				Why: "it runs on the grid, which may not let it out",
				Fix: "take out what reaches for it, " + at.String() + ": put the data into the app's folder, or have the ClientApps fetch it", Raw: raw}
		}
		return &problem.Problem{Code: problem.RunFailed, What: "the app failed: " + m, Why: "an error in the app's own code",
			Fix: "read the traceback, correct the app, and run again", Raw: raw}
	}
	if details != "" {
		return &problem.Problem{Code: problem.RunFailed, What: "the run failed: " + details, Fix: "read the run's log", Raw: raw}
	}
	return nil
}

// RunNoNetwork is the code of a run whose ServerApp tried to reach the network in vain.
const RunNoNetwork problem.Code = "run-no-network"

// culprit is the last line of the app's own in a traceback.
type culprit struct {
	file, line string
	flwr       bool // it called flwr, and that failed
}

func (c culprit) String() string { return filepath.Base(c.file) + " line " + c.line }

// blame finds the innermost frame of a traceback that is not in a library.
func blame(traceback string) (at culprit, ok bool) {
	for _, f := range framePattern.FindAllStringSubmatch(traceback, -1) {
		library := strings.Contains(f[1], "site-packages") || strings.Contains(f[1], "/lib/python")
		switch {
		case !library:
			at, ok = culprit{file: f[1], line: f[2]}, true
		case strings.Contains(f[1], "/site-packages/flwr/"):
			at.flwr = true
		}
	}
	return at, ok
}
