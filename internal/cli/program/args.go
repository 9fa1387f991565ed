package program

import (
	"strings"

	"github.com/spf13/cobra"

	"flwrup/internal/problem"
	"flwrup/internal/runs"
	"flwrup/internal/termsafe"
)

// NoArgs refuses arguments, and names the command that a word may have meant.
func NoArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return unknown(cmd, args)
	}
	return nil
}

// OneOrMore wants arguments: things, named by flags or commands in hint.
func OneOrMore(things, hint string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return problem.New(problem.Usage, "cannot "+cmd.Name(), "no "+things+" named", hint)
		}
		return nil
	}
}

// unknown is the Problem about a word that is no command of cmd.
func unknown(cmd *cobra.Command, args []string) error {
	var words []string
	for _, arg := range args {
		words = append(words, termsafe.Quote(arg))
	}
	hint := "flwrup --help lists commands and flags"
	if cmd != nil && cmd.HasAvailableSubCommands() {
		if near := Nearest(args[0], namesOf(cmd)); near != "" {
			hint = "did you mean `" + cmd.CommandPath() + " " + near + "`? " + hint
		}
	}
	return problem.New(problem.Usage, "unknown command or argument: "+strings.Join(words, " "), "", hint)
}

func namesOf(cmd *cobra.Command) (names []string) {
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() {
			names = append(names, sub.Name())
		}
	}
	return names
}

// Nearest is the name that a mistyped word is most like; "" when it is like none.
func Nearest(word string, names []string) string {
	list := &cobra.Command{SuggestionsMinimumDistance: 2} // cobra's measure
	for _, name := range names {
		list.AddCommand(&cobra.Command{Use: name, Run: func(*cobra.Command, []string) {}})
	}
	if near := list.SuggestionsFor(word); len(near) > 0 {
		return near[0]
	}
	return ""
}

// OneRun takes the ID of a run at most.
func OneRun(cmd *cobra.Command, args []string) error {
	if len(args) > 1 {
		return problem.New(problem.Usage, "cannot show more than one run", "", "give one ID; `flwrup runs` lists them")
	}
	return RunIDs(cmd, args)
}

// RunIDs takes IDs of runs.
func RunIDs(_ *cobra.Command, args []string) error {
	for _, id := range args {
		if err := runs.CheckID(id); err != nil {
			return err
		}
	}
	return nil
}

// BadValue is the Problem about a flag's value v; why completes "it".
func BadValue(cmd *cobra.Command, flag, v, why string) error {
	hint := cmd.CommandPath() + " --help explains --" + flag
	if v == "" {
		hint = "give --" + flag + " a value, or leave it out"
	}
	return problem.New(problem.Usage, "cannot use --"+flag+" "+termsafe.Quote(v), why, hint)
}
