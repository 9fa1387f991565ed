package cli

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"flwrup/flwrexec/config"
	"flwrup/flwrexec/flwr"
	"flwrup/internal/cli/program"
	"flwrup/internal/ledger"
	"flwrup/internal/project"
	"flwrup/internal/site"
	"flwrup/internal/termsafe"
	"flwrup/steps"
)

// Completions read this folder's files: no lock, no network, nothing is written, and what nobody accepted is left
// out. A folder that cannot be read completes nothing.

// words are the completions of a flag or an argument; each may have its meaning behind a tab.
type words func(p *program.Program) []string

// flagWords are the completions of flags by name. Flags that take files and folders have the shell's own.
var flagWords = map[string]words{
	"runtime": func(*program.Program) []string {
		return []string{project.RuntimeAuto, project.RuntimeDocker, project.RuntimeProcess}
	},
	"format":     func(*program.Program) []string { return handoverFormats },
	"federation": federations,
	"connection": connections,
	"flwr": func(*program.Program) []string {
		return []string{flwr.Latest().Version.String() + "\tthe newest that flwrup knows"}
	},
	"memory":   func(*program.Program) []string { return []string{project.Unlimited, "2g", "4g", "8g"} },
	"pids":     func(*program.Program) []string { return []string{project.Unlimited, "4096"} },
	"gpus":     func(*program.Program) []string { return []string{"all", "1", "device=0"} },
	"cpus":     func(*program.Program) []string { return []string{"1", "2", "4"} },
	"tmp":      func(*program.Program) []string { return []string{"1g", "2g"} },
	"until":    stepNumbers,
	"node":     nodeNames,
	"nodes":    nothing,
	"site":     siteNames,
	"tail":     nothing,
	"control":  nothing,
	"fleet":    nothing,
	"env":      nothing,
	"image":    nothing,
	"location": nothing,

	"backup-recipient": nothing,
	"node-config":      nothing,
}

func nothing(*program.Program) []string { return nil }

// completions puts the completions on every command of root.
func completions(p *program.Program, root *cobra.Command) {
	for _, cmd := range append(everyCommand(root), root) {
		switch path := pathOf(cmd); path {
		case "logs", "start", "stop", "restart", "settings", "remove", "restore-key", "rotate", "add":
			cmd.ValidArgsFunction = complete(p, nodeNames, true)
		case "export":
			cmd.ValidArgsFunction = complete(p, func(*program.Program) []string { return exportKinds() }, false)
		case "runs log", "runs metrics", "runs nodes":
			cmd.ValidArgsFunction = complete(p, runNumbers, false)
		case "runs stop":
			cmd.ValidArgsFunction = complete(p, runNumbers, true)
		default:
			if cmd != root && cmd.Name() != "help" && cmd.Runnable() && !cmd.HasSubCommands() {
				cmd.ValidArgsFunction = cobra.NoFileCompletions
			}
		}
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if from, ok := flagWords[f.Name]; ok {
				_ = cmd.RegisterFlagCompletionFunc(f.Name, complete(p, from, true)) // fails for a flag that has one
			}
		})
	}
	_ = root.MarkPersistentFlagDirname("dir")
}

// complete completes with the words that are not there yet; only the first argument unless more is set.
func complete(p *program.Program, from words, more bool) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 && !more {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var left []string
		for _, w := range from(p) {
			if !slices.Contains(args, firstField(w)) {
				left = append(left, w)
			}
		}
		return left, cobra.ShellCompDirectiveNoFileComp
	}
}

func firstField(word string) string {
	for i, r := range word {
		if r == '\t' {
			return word[:i]
		}
	}
	return word
}

// word is a completion with its meaning; texts of others are cleaned, and none has a tab or a line's end.
func word(name, meaning string) string {
	if meaning == "" {
		return termsafe.Text(name)
	}
	return termsafe.Text(name) + "\t" + termsafe.Text(meaning)
}

// glance opens the folder for reading alone; nil where it cannot be.
func glance(p *program.Program) *site.Site {
	s, err := site.Open(site.Options{Dir: p.FindDir(), ReadOnly: true})
	if err != nil {
		return nil
	}
	return s
}

func nodeNames(p *program.Program) (list []string) {
	s := glance(p)
	if s == nil {
		return nil
	}
	defer s.Close()
	have := map[string]bool{}
	add := func(name, id string) {
		if name != "" && !have[name] {
			have[name] = true
			list = append(list, word(name, id))
		}
	}
	c := s.Choices()
	for _, n := range s.Ledger.Data().Nodes {
		if n.Connection == c.Grid.Connection && (n.State == ledger.Registered || n.State == ledger.Removed) {
			add(n.Name, n.NodeID)
		}
	}
	for i := 1; i <= c.Nodes; i++ {
		add(c.NodeName(i), "")
	}
	return list
}

// siteNames are the sites that were admitted from here. A site's own name is completed nowhere.
func siteNames(p *program.Program) (list []string) {
	s := glance(p)
	if s == nil {
		return nil
	}
	defer s.Close()
	for _, other := range s.Ledger.Data().SitesOn(s.Choices().Grid.Connection) {
		list = append(list, word(other.Name, other.Title))
	}
	return list
}

func runNumbers(p *program.Program) (list []string) {
	s := glance(p)
	if s == nil {
		return nil
	}
	defer s.Close()
	runs := s.Ledger.Runs()
	slices.Reverse(runs)
	for _, r := range runs {
		list = append(list, word(r.ID, fmt.Sprintf("%s %s, %s", r.Started.Local().Format("2006-01-02 15:04"), r.App, r.Status)))
	}
	return list
}

func federations(p *program.Program) (list []string) {
	s := glance(p)
	if s == nil {
		return nil
	}
	defer s.Close()
	all := []string{s.Choices().Federation}
	for _, r := range s.Ledger.Runs() {
		all = append(all, r.Federation)
	}
	if file, err := config.FlowerFile(s.FlwrHome()); err == nil {
		known, _ := config.ReadFlower(file) // unreadable means none
		for _, c := range known {
			all = append(all, c.Federation)
		}
	}
	slices.Sort(all)
	for _, f := range slices.Compact(all) {
		if f != "" {
			list = append(list, word(f, ""))
		}
	}
	return list
}

func connections(p *program.Program) (list []string) {
	home := ""
	if s := glance(p); s != nil {
		home = s.FlwrHome()
		defer s.Close()
	}
	file, err := config.FlowerFile(home)
	if err != nil {
		return nil
	}
	known, _ := config.ReadFlower(file)
	for _, c := range known {
		if !c.Simulation() {
			list = append(list, word(c.Name, c.Address))
		}
	}
	return list
}

func stepNumbers(*program.Program) (list []string) {
	for _, st := range steps.Steps() {
		list = append(list, word(st.ID().String(), st.Name()))
	}
	return list
}
