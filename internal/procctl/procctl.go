// Package procctl runs SuperNodes as plain flower-supernode processes on this machine. It is the second
// implementation of supernode.Runtime, for machines without Docker.
//
// Each node has a folder of its own below Options.Dir:
//
//	NAME/node.json          its spec, written before the process begins
//	NAME/pid                who the process is, written by the process itself before it becomes flower-supernode
//	NAME/stop.json          that SIGTERM was sent, so that nobody sends it twice
//	NAME/exit.json          how it ended, where flwrup saw it
//	NAME/supernode.log[.1]  stdout and stderr
//	NAME/home               FLWR_HOME
//
// A node is a session leader without a terminal and outlives flwrup. It begins as a two-line /bin/sh that
// notes its own pid and start time and then becomes flower-supernode with exec. So the note exists before
// there is a SuperNode, whenever flwrup itself dies, on every Unix, without a search through other processes'
// environments. Until it exists the shell holds the node's lock, so that a second flwrup cannot start the
// node again in between.
//
// Nobody stays to wait for the process: a waiting shell would be one more process to signal, and its death
// would lose the exit code. The exit code is known while the flwrup that started the node is there to collect
// it. Afterwards Status.ExitCode is ExitUnknown, unless the log says that the node ended gracefully, and
// Status.Reason quotes the log.
package procctl

import (
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"flwrup/internal/problem"
	"flwrup/internal/shell"
	"flwrup/internal/supernode"
)

// Killed is the code of the Problem that Stop returns when the node is down but had to be killed. The grid
// was not told: it shows the node as online, and refuses its key, for about a minute more.
const Killed problem.Code = "node-killed"

// ExitUnknown is the Status.ExitCode of a node whose end nobody saw.
const ExitUnknown = -1

// Options says which nodes a Runtime looks after.
type Options struct {
	Dir     string // absolute folder of the project's nodes: .flwrup/nodes; made when needed
	Project string // the project's name, for Status and for readers of process lists
	Work    string // working folder of the processes; "" is the node's own folder
}

var _ supernode.Runtime = (*Runtime)(nil)

const (
	nodeFile = "node.json"
	pidFile  = "pid"
	stopFile = "stop.json"
	exitFile = "exit.json"
	lockFile = "lock"
	logFile  = "supernode.log"
	homeDir  = "home"

	maxLog = 8 << 20 // a longer log is set aside when the node starts again
)

// Kind is "process".
func (r *Runtime) Kind() string { return "process" }

// Close has nothing to close. It stops no node.
func (r *Runtime) Close() error { return nil }

// Commands returns the command lines with the same effect as Start: the folder, then the node with its pid
// noted where List finds it. Variables whose values only the node may see come from the shell's environment,
// as for any process, and from Spec.EnvFile.
func (r *Runtime) Commands(spec supernode.Spec) []string {
	dir := filepath.Join(r.opts.Dir, spec.Name)
	var b strings.Builder
	for _, kv := range variables(spec, dir) {
		name, value, _ := strings.Cut(kv, "=")
		b.WriteString(name + "=" + shell.Word(value) + " ")
	}
	b.WriteString("PATH=" + shell.Word(filepath.Dir(spec.Program)) + `:"$PATH" nohup ` + shown(spec.Program, arguments(spec)))
	if spec.EnvFile != "" { // read by the shell that becomes the node: no command line shows the values
		line := "while IFS= read -r v || [ -n \"$v\" ]; do case $v in [#]*) ;; [A-Za-z_]*=*) export \"$v\" ;; esac; done <" + shell.Word(spec.EnvFile)
		rest := b.String()
		b.Reset()
		b.WriteString("(" + line + "; exec env " + rest)
		b.WriteString(" </dev/null >>" + shell.Word(filepath.Join(dir, logFile)) + " 2>&1) & echo $! >" + shell.Word(filepath.Join(dir, pidFile)))
		return []string{"mkdir -p " + shell.Word(filepath.Join(dir, homeDir)), b.String()}
	}
	b.WriteString(" </dev/null >>" + shell.Word(filepath.Join(dir, logFile)) + " 2>&1 & echo $! >" + shell.Word(filepath.Join(dir, pidFile)))
	return []string{"mkdir -p " + shell.Word(filepath.Join(dir, homeDir)), b.String()}
}

func arguments(spec supernode.Spec) []string {
	if spec.Args == nil {
		return nil
	}
	return spec.Args(spec.KeyFile, spec.CAFile)
}

// variables returns the node's own environment, except PATH, sorted by name.
func variables(spec supernode.Spec, dir string) []string {
	set := map[string]string{
		"PYTHONUNBUFFERED": "1", // the log is read while it is written
	}
	maps.Copy(set, spec.Env)
	set["FLWR_HOME"] = filepath.Join(dir, homeDir)
	var all []string
	for _, name := range slices.Sorted(maps.Keys(set)) {
		all = append(all, name+"="+set[name])
	}
	return all
}

// shown returns a command line as a person would type it.
func shown(program string, args []string) string {
	return shell.Line(append([]string{program}, args...))
}

var goodName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$`)

// checkName keeps a name from being a path.
func checkName(name string) error {
	if goodName.MatchString(name) {
		return nil
	}
	return problem.New(problem.BadInput, "SuperNode name "+shell.Word(name)+" cannot be used",
		"it names a folder", "use letters, digits, dots, hyphens and underscores, at most 100")
}

// mark returns the line that flwrup writes into a node's log, with the time that flwr's own lines lack.
func mark(what string, at time.Time) string {
	return "=== flwrup " + at.UTC().Format(time.RFC3339) + " " + what + "\n"
}

const startWord = "started" // of the mark that separates one start's log from the previous start's

// Began reports whether a line of a log is flwrup's mark before a start: the lines above it belong to an
// earlier process.
func Began(line string) bool {
	return !markTime(line).IsZero() && strings.Contains(line, " "+startWord+": ")
}

var markLine = regexp.MustCompile(`^=== flwrup (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ) `)

func markTime(line string) time.Time {
	if m := markLine.FindStringSubmatch(line); m != nil {
		if t, err := time.Parse(time.RFC3339, m[1]); err == nil {
			return t
		}
	}
	return time.Time{}
}
