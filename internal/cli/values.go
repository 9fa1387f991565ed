package cli

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"flwrup/flwrexec/flwr"
	"flwrup/internal/admission"
	"flwrup/internal/cli/doctor"
	"flwrup/internal/cli/program"
	"flwrup/internal/cli/watching"
	"flwrup/internal/fleet"
	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/runs"
	"flwrup/internal/site"
	"flwrup/internal/termsafe"
	"flwrup/internal/wording"
	"flwrup/keys"
)

// valueChecks say why a flag cannot take a value, by the name of the flag; "" where it can. They run before
// anything is opened, written or asked. Paths are looked up in the folder from which the command takes them.
var valueChecks = map[string]func(p *program.Program, v string) string{
	"dir":              func(_ *program.Program, v string) string { return folderOrNothing(v) },
	"nodes":            func(_ *program.Program, v string) string { return number(v, 0, project.MaxNodes) },
	"until":            func(_ *program.Program, v string) string { return number(v, 1, front.StepTotal) },
	"tail":             func(_ *program.Program, v string) string { return number(v, 0, math.MaxInt32) },
	"metrics":          func(_ *program.Program, v string) string { return watching.CheckMetrics(v) },
	"since":            func(_ *program.Program, v string) string { return moment(v) },
	"format":           func(_ *program.Program, v string) string { return oneOf(v, handoverFormats) },
	"federation":       choice("federation"),
	"connection":       choice("grid.connection"),
	"control":          choice("grid.control"),
	"fleet":            choice("grid.fleet"),
	"runtime":          choice("runtime"),
	"flwr":             choice("flwr.version"),
	doctor.CheckFlag:   func(_ *program.Program, v string) string { return doctor.CheckFlwr(v) },
	"image":            choice("image"),
	"backup-recipient": func(_ *program.Program, v string) string { _, err := keys.ParseRecipients(v); return reason(err) },
	"ca":               func(_ *program.Program, v string) string { return file(v) },
	"identity":         func(_ *program.Program, v string) string { return file(v) },
	"passphrase-file":  func(_ *program.Program, v string) string { return file(v) },
	"flwr-path":        func(p *program.Program, v string) string { return somethingAt(inProject(p, v)) },
	"flwr-home":        func(p *program.Program, v string) string { return folderOrNothing(inProject(p, v)) },
	"keys":             func(p *program.Program, v string) string { return folderOrNothing(inProject(p, v)) },
	"backup":           func(p *program.Program, v string) string { return fileOrNothing(inProject(p, v)) },
	"run-config":       func(_ *program.Program, v string) string { _, err := runs.ParseConfig([]string{v}); return reason(err) },
	"node":             setting("name"),
	"out":              func(_ *program.Program, v string) string { return folderOrNothing(v) },
	"site":             func(_ *program.Program, v string) string { return reason(admission.CheckSite(v)) },
	"contact":          func(_ *program.Program, v string) string { return reason(admission.CheckContact(v)) },
	"words":            func(_ *program.Program, v string) string { return fourWords(v) },
	"sites":            func(_ *program.Program, v string) string { return number(v, 1, 20) },
	"app":              func(_ *program.Program, v string) string { return appFolder(v) },
	"node-config":      setting("node-config"),
	"env":              setting("env"),
	"env-file":         func(p *program.Program, v string) string { return file(inProject(p, v)) },
	"cpus":             setting("cpus"),
	"memory":           setting("memory"),
	"pids":             setting("pids"),
	"tmp":              setting("tmp"),
	"gpus":             setting("gpus"),
	"host":             setting("host"),
	"location":         setting("location"),
	"data": func(p *program.Program, v string) string {
		if why := setting("data")(p, v); why != "" {
			return why
		}
		here, _, _ := project.ParseData(v)
		return somethingAt(inProject(p, here))
	},
}

// spokenWords are what a person types of what was read out.
var spokenWords = regexp.MustCompile(`^[A-Za-z-]+( +[A-Za-z-]+){3}$`)

func fourWords(v string) string {
	if !spokenWords.MatchString(strings.TrimSpace(v)) {
		return "it takes the four words that were read out, in quotes"
	}
	return ""
}

// takenBack are the flags whose empty value takes a choice back: Problems and their fixes name some of them.
var takenBack = []string{"image", "flwr", "flwr-path", "flwr-home", "control", "fleet", "ca", "backup", "backup-recipient",
	"node-config", "env-file", "cpus", "memory", "pids", "tmp", "gpus", "host", "location"}

// checkValues refuses the first value of a flag that cannot be meant.
func checkValues(p *program.Program, cmd *cobra.Command) error {
	var bad error
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if bad != nil {
			return
		}
		if v, why := badOf(p, f); why != "" {
			bad = program.BadValue(cmd, f.Name, v, why)
		}
	})
	return bad
}

// checkOf returns the name of a flag's check.
func checkOf(f *pflag.Flag) string {
	if own := f.Annotations[program.OwnCheck]; own != nil {
		return own[0]
	}
	return f.Name
}

// badOf returns the first value of a flag that cannot be meant, and why; no reason where all can.
func badOf(p *program.Program, f *pflag.Flag) (value, why string) {
	check, has := valueChecks[checkOf(f)]
	if !has {
		return "", ""
	}
	values := []string{f.Value.String()}
	if list, ok := f.Value.(pflag.SliceValue); ok {
		values = list.GetSlice()
	}
	for _, v := range values {
		if v == "" && slices.Contains(takenBack, checkOf(f)) {
			continue
		}
		if why := whyNot(p, check, v); why != "" {
			return v, why
		}
	}
	return "", ""
}

func whyNot(p *program.Program, check func(*program.Program, string) string, v string) string {
	switch {
	case strings.TrimSpace(v) == "":
		return "it is empty"
	case unprintable(v):
		return "it has characters that do not print"
	}
	return check(p, v)
}

func unprintable(v string) bool {
	_, bad := termsafe.Unsafe(v)
	return bad || strings.ContainsAny(v, "\n\t")
}

// badFlag words an error of the flags' parser, which may not have come to --json.
func badFlag(p *program.Program, cmd *cobra.Command, err error) error {
	if slices.Contains(p.Args, "--json") {
		_ = cmd.Flags().Set("json", "true") // a command without it has no JSON
	}
	var value *pflag.InvalidValueError
	if !errors.As(err, &value) {
		wrong := problem.Of(usage(err.Error()))
		if hint := unknownFlag(cmd, err); hint != "" {
			wrong.Fix = hint
		}
		return wrong
	}
	name := value.GetFlag().Name
	return program.BadValue(cmd, name, value.GetValue(), whyInvalid(p, name, value.GetValue()))
}

func usage(what string) error {
	return problem.New(problem.Usage, what, "", "flwrup --help lists commands and flags")
}

// whyInvalid says why the flags' parser refused a value.
func whyInvalid(p *program.Program, flag, v string) string {
	check, has := valueChecks[flag]
	if !has {
		return "it takes true or false"
	}
	if why := whyNot(p, check, v); why != "" {
		return why
	}
	return "it is not a whole number"
}

// choice checks a value by the rules of its key in flwrup.toml.
func choice(key string) func(*program.Program, string) string {
	return func(_ *program.Program, v string) string { return reason(project.Check(key, v)) }
}

// setting checks a value by the rules of its key in the [node.…] tables.
func setting(key string) func(*program.Program, string) string {
	return func(_ *program.Program, v string) string { return reason(project.CheckNode(key, v)) }
}

func reason(err error) string {
	if err == nil {
		return ""
	}
	return problem.Of(err).Error()
}

func number(v string, low, high int) string {
	n, err := strconv.Atoi(v)
	switch {
	case high == math.MaxInt32 && err == nil && n < low:
		return fmt.Sprintf("it takes %d or more", low)
	case errors.Is(err, strconv.ErrRange), err == nil && (n < low || n > high):
		return fmt.Sprintf("it takes a number from %d to %d", low, high)
	case err != nil:
		return "it is not a whole number"
	}
	return ""
}

func oneOf(v string, values []string) string {
	if slices.Contains(values, v) {
		return ""
	}
	last := len(values) - 1
	return "it takes " + strings.Join(values[:last], ", ") + " or " + values[last]
}

// inProject is where a path that flwrup.toml keeps as it was typed leads to.
func inProject(p *program.Program, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(p.FindDir(), path)
}

func somethingAt(path string) string {
	if _, err := os.Stat(path); err != nil {
		return "cannot read it: " + problem.Cause(err)
	}
	return ""
}

func file(path string) string {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return "cannot read it: " + problem.Cause(err)
	case info.IsDir():
		return "it is a folder, and it takes a file"
	}
	return ""
}

func fileOrNothing(path string) string {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return "it is a folder, and it takes a file"
	}
	return folderOrNothing(filepath.Dir(path))
}

func folderOrNothing(path string) string {
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		return "it is a file, and it takes a folder"
	}
	return ""
}

func appFolder(path string) string {
	switch {
	case path == site.NoApp, flwr.IsAppID(path):
		return ""
	case strings.HasPrefix(path, "@"):
		return "an app of Flower's hub is @publisher/name, or @publisher/name==1.2.3 for one release"
	}
	if why := somethingAt(path); why != "" {
		return why
	}
	if why := folderOrNothing(path); why != "" {
		return why
	}
	return reason(runs.UsableApp(path))
}

// known returns names without repetition, or the Problem about the first that no SuperNode here has. It comes
// before the folder's lock. It leaves folders that cannot be read, or ask for something that nobody accepted, to the
// call that opens the site.
func known(p *program.Program, names []string) ([]string, error) {
	if len(names) == 0 {
		return nil, nil
	}
	s, err := site.Open(site.Options{Dir: p.FindDir(), ReadOnly: true})
	if err != nil {
		return names, nil
	}
	defer s.Close()
	if len(site.LeftOut(s)) > 0 {
		return names, nil
	}
	names = wording.Once(names)
	return names, fleet.CheckNames(s, names)
}
