package cli

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"flwrup/internal/cli/program"
	"flwrup/internal/cli/setup"
)

// TestEveryCommandIsArranged: each command is under a heading of the help and has examples, and the examples are
// commands and flags that exist.
func TestEveryCommandIsArranged(t *testing.T) {
	root := Commands()
	left := map[string]bool{}
	for path := range commands {
		left[path] = true
	}
	for _, cmd := range everyCommand(root) {
		path := pathOf(cmd)
		c, there := commands[path]
		delete(left, path)
		if !there || c.group == "" && cmd.Parent() == root || c.examples == "" && path != "help" && path != "completion" {
			t.Errorf("%s has no group or no examples in the table of commands", path)
		}
		for line := range strings.SplitSeq(c.examples, "\n") {
			line, _, _ = strings.Cut(line, "#")
			for part := range strings.SplitSeq(line, "&&") {
				part, _, _ = strings.Cut(part, "|")
				part, _, _ = strings.Cut(part, ">")
				args := strings.Fields(part)
				for len(args) > 0 && strings.Contains(args[0], "=") {
					args = args[1:]
				}
				if len(args) == 0 || args[0] != "flwrup" {
					continue
				}
				found, rest, err := Commands().Find(args[1:])
				if err != nil || !strings.HasPrefix(pathOf(found), path) && !strings.Contains(line, "&&") {
					t.Errorf("%s: %q is %q: %v", path, part, pathOf(found), err)
					continue
				}
				if err := found.ParseFlags(rest); err != nil {
					t.Errorf("%s: %q: %v", path, part, err)
				} else if err := found.ValidateArgs(found.Flags().Args()); err != nil {
					t.Errorf("%s: %q: %v", path, part, err)
				}
			}
		}
	}
	if len(left) > 0 {
		t.Errorf("no commands %v", left)
	}
}

// TestEveryChoiceHasAVariable: the help names the variable of each flag of up that flwrup.toml keeps.
func TestEveryChoiceHasAVariable(t *testing.T) {
	up, _, err := Commands().Find([]string{"up"})
	if err != nil {
		t.Fatal(err)
	}
	said, flags := environmentHelp(), withVariables(up)
	if len(flags) < len(setup.Kept) {
		t.Errorf("%d flags have variables, and %d are kept", len(flags), len(setup.Kept))
	}
	for _, f := range flags {
		if !strings.Contains(said, variable(f.Name)+" ") {
			t.Errorf("flwrup help environment does not have %s", variable(f.Name))
		}
	}
}

// TestVariablesAreChecked: a value that the flag does not take ends the command as with the flag, and names the variable.
func TestVariablesAreChecked(t *testing.T) {
	tried := 0
	up, _, _ := Commands().Find([]string{"up"})
	for _, f := range withVariables(up) {
		bad := "a\x1b[31mb"
		tried++
		t.Run(f.Name, func(t *testing.T) {
			t.Setenv(variable(f.Name), bad)
			var out, errs bytes.Buffer
			args := []string{"up", "--yes"}
			if f.Name != "dir" {
				args = append(args, "--dir", t.TempDir())
			}
			code := Main(args, program.Streams{Out: &out, Err: &errs})
			if code != program.ExitUsage || !strings.HasPrefix(errs.String(), "flwrup: cannot use "+variable(f.Name)+"=") || strings.Contains(errs.String(), "\x1b") {
				t.Errorf("exit code %d\n%s%s", code, out.String(), errs.String())
			}
		})
	}
	if tried < 25 {
		t.Errorf("only %d variables", tried)
	}
}

// TestHelpIsNarrow: no line of any command's help is longer than helpWidth.
func TestHelpIsNarrow(t *testing.T) {
	root, read := Commands(), 0
	for _, cmd := range append(everyCommand(root), root) {
		for _, line := range strings.Split(cmd.Short+"\n"+cmd.Long+"\n"+cmd.UsageString(), "\n") {
			read++
			if n := utf8.RuneCountInString(line); n > helpWidth {
				t.Errorf("%s: %d characters: %s", cmd.CommandPath(), n, line)
			}
		}
	}
	if read < 300 {
		t.Errorf("only %d lines were read", read)
	}
}
