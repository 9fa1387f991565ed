package export

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"flwrup/internal/hostpath"
	"flwrup/internal/problem"
	"flwrup/internal/shell"
	"flwrup/internal/termsafe"
)

// systemd writes a unit of the user's own for each SuperNode, and a target that starts them together. The key reaches
// the process as a credential: a copy that systemd keeps in memory, for the unit alone.
func systemd(s Set) ([]File, Guide, error) {
	var files []File
	var units []string
	g := Guide{
		Before: []Step{{"So that they run while you are not logged in", "loginctl enable-linger"}},
		Notes: []string{"The units are your own (`systemctl --user`): they have your rights, less what the units take away. Data folders and what node-config names are read as you.",
			"They need systemd 250 or later, with user namespaces for what they take away. Where the system forbids those to users, a unit ends with 217/USER or 226/NAMESPACE: an administrator allows them, or you take out the lines from PrivateUsers to RestrictNamespaces.",
			"The unit starts the flwr at " + code(filepath.Dir(s.Nodes[0].Program)) + ". After an update of flwr, export again."},
	}
	for _, n := range s.Nodes {
		text, err := s.serviceUnit(n)
		if err != nil {
			return nil, Guide{}, err
		}
		unit := s.unit(n.Name)
		files, units = append(files, File{unit, text}), append(units, unit)
		g.Before = append(g.Before, envSteps(s, n, serviceName(n.Name))...)
		if n.CPUs > 0 || n.Memory > 0 || n.PIDs > 0 {
			g.Notes = append(g.Notes, "Limits of "+markdown(n.Name)+" need a user manager to which the system delegates them (cpu, memory, pids); `systemctl --user show` says what applies.")
		}
	}
	list := strings.Join(units, " ")
	g.Start = Step{"", "systemctl --user enable --now" + each(s.Dir, units)}
	g.Again = Step{"", "systemctl --user daemon-reload\nsystemctl --user restart " + list}
	g.State, g.Logs = Step{"What runs", "systemctl --user status " + list}, Step{"Their logs", "journalctl --user -f -u " + strings.Join(units, " -u ")}
	g.Stop, g.End = Step{"They stay set up", "systemctl --user stop " + list}, Step{"", "systemctl --user disable --now " + list}
	return files, g, nil
}

// each are the units by their whole path, which systemctl links to.
func each(dir string, units []string) string {
	var b strings.Builder
	for _, u := range units {
		b.WriteString(" " + shell.Word(filepath.Join(dir, u)))
	}
	return b.String()
}

func code(s string) string {
	if strings.Contains(s, "`") {
		return markdown(s)
	}
	return "`" + s + "`"
}

// keyCredential stands for the key's place among the arguments until it is written.
const keyCredential = "\x01"

func (s Set) serviceUnit(n Node) ([]byte, error) {
	if !filepath.IsAbs(n.Program) {
		return nil, problem.New(problem.FlwrMissing, "cannot export "+n.Name, "flower-supernode is not known here", "flwrup up finds or installs it")
	}
	credentials := []string{n.KeyFile}
	if n.secretive() {
		credentials = append(credentials, filepath.Join(s.Dir, envFile(serviceName(n.Name))))
	}
	for _, path := range append(credentials, n.Program, n.CAFile) {
		if strings.HasSuffix(path, `\`) || strings.TrimSpace(path) != path {
			return nil, problem.New(problem.BadInput, "cannot export "+n.Name, "a unit cannot name "+termsafe.Quote(path), "rename it")
		}
	}
	args := joined(n.Args(keyCredential, n.CAFile))
	words := make([]string, 0, len(args)+5)
	if n.secretive() {
		words = append(words, "/bin/sh", "-c", quoted(readVariables2), "sh")
	}
	words = append(words, quoted(n.Program))
	for _, a := range args {
		words = append(words, strings.ReplaceAll(quoted(a), keyCredential, "${CREDENTIALS_DIRECTORY}/key"))
	}
	var b strings.Builder
	line := func(format string, a ...any) { fmt.Fprintf(&b, format+"\n", a...) }
	line("# %s, run by systemd. Written by flwrup export systemd; README.md has the commands.", plain(about(n)))
	line("[Unit]\nDescription=Flower SuperNode %s of %s\nAfter=network-online.target", specifiers(plain(n.Name)), specifiers(plain(s.Project)))
	line("\n[Service]\nExecStart=%s", strings.Join(words, " \\\n    "))
	line("\n# A copy in memory, for this unit alone.\nLoadCredential=key:%s", specifiers(n.KeyFile))
	if n.secretive() {
		line("LoadCredential=env:%s", specifiers(credentials[1]))
	}
	line("\n# Its home: apps, packages. One a SuperNode.\nStateDirectory=%s\nWorkingDirectory=%%S/%s", s.state(n), s.state(n))
	env := map[string]string{"PYTHONUNBUFFERED": "1"}
	for k, v := range n.Env {
		env[k] = v
	}
	delete(env, "FLWR_HOME")
	for _, p := range sortedPairs(env) {
		line("Environment=%s", assigned(p[0]+"="+p[1]))
	}
	line("Environment=FLWR_HOME=%%S/%s", s.state(n))
	line("Environment=%s", assigned("PATH="+filepath.Dir(n.Program)+":/usr/local/bin:/usr/bin:/bin"))
	line("\n# The grid holds a killed SuperNode for about a minute, and refuses its key until then.\nRestart=always\nRestartSec=%d\nKillMode=mixed\nTimeoutStopSec=30", restartPause)
	// Without PrivateUsers a user's manager of systemd 252 starts the unit and passes over all that needs mounts.
	line("\n# What it does not need. Without PrivateUsers a user's own manager passes over the Protect lines.\nPrivateUsers=yes\nNoNewPrivileges=yes\n%sProtectSystem=strict\nProtectHome=read-only\nProtectControlGroups=yes\nProtectKernelTunables=yes\nRestrictSUIDSGID=yes\nRestrictRealtime=yes\nRestrictNamespaces=yes\nLockPersonality=yes\nRestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK\nSystemCallArchitectures=native\nUMask=0077", n.ownTmp())
	var write []string
	for _, d := range n.Data {
		if d.Write {
			write = append(write, assigned(d.Host))
		}
	}
	if len(write) > 0 {
		line("ReadWritePaths=%s", strings.Join(write, " "))
	}
	if n.CPUs > 0 || n.Memory > 0 || n.PIDs > 0 {
		line("\n# Limits of flwrup.toml.")
	}
	if n.CPUs > 0 {
		line("CPUQuota=%d%%", int(math.Round(n.CPUs*100)))
	}
	if n.Memory > 0 {
		line("MemoryMax=%d", n.Memory)
	}
	if n.PIDs > 0 {
		line("TasksMax=%d", n.PIDs)
	}
	line("\n[Install]\nWantedBy=default.target")
	line("\n# Not systemd's: by these flwrup and people know it.\n[X-Flwrup]\nProject=%s\nNode=%s\nNodeID=%s\nFingerprint=%s", s.ID, plain(n.Name), n.ID, plain(n.Labels["flwrup.fingerprint"]))
	return []byte(b.String()), nil
}

// ownTmp returns the line for a /tmp in which nothing of the machine is seen; "" where the unit needs a file from there.
func (n Node) ownTmp() string {
	needs := []string{n.Program, n.CAFile}
	for _, d := range n.Data {
		needs = append(needs, d.Host)
	}
	for _, file := range needs {
		if hostpath.Within(file, "/tmp") || hostpath.Within(file, "/var/tmp") {
			return ""
		}
	}
	return "PrivateTmp=yes\n"
}

// readVariables2 is readVariables for a credential.
var readVariables2 = strings.ReplaceAll(readVariables("CREDENTIAL"), "CREDENTIAL", `"$CREDENTIALS_DIRECTORY/env"`)

// state is the folder below the user's state folder that the unit has for itself.
func (s Set) state(n Node) string { return s.stack() + "-" + serviceName(n.Name) }

// plain is a text in a line of its own.
func plain(text string) string { return strings.TrimRight(termsafe.Line(text), `\ `) }

// specifiers writes a % so that systemd takes it as one.
func specifiers(text string) string { return strings.ReplaceAll(text, "%", "%%") }

// quoted is one word of a command line in a unit: no specifier, no variable, no escape of its own.
func quoted(word string) string { return assigned(strings.ReplaceAll(word, "$", "$$")) }

// assigned is one word of a list in a unit, where $ is an ordinary character.
func assigned(word string) string {
	word = specifiers(word)
	if word != "" && !strings.ContainsFunc(word, func(r rune) bool { return !slices.Contains([]rune(unquoted), r) }) {
		return word
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(word) + `"`
}

// UnitWord returns one word of a command line as a unit has it.
func UnitWord(word string) string { return quoted(word) }

// UnitAssign returns one word of a list in a unit, such as NAME=VALUE of Environment.
func UnitAssign(word string) string { return assigned(word) }

// UnitPath returns a path as a unit has it where it is all of a line.
func UnitPath(path string) string { return specifiers(path) }

// unquoted are the characters that need no quotes in a unit.
const unquoted = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=@%+,$" + keyCredential
