package flwr

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
)

// helpOf writes the help of a flwr that has all that a dialect uses, as typer and argparse do; change may alter the uses.
func helpOf(d Dialect, change func([]Use) []Use) (help func(context.Context, ...string) (string, error), nodeHelp string) {
	texts := map[string]string{}
	below := map[string]string{}
	for _, u := range change(d.Uses()) {
		text := ""
		for _, o := range u.Options {
			text += "│ " + o + "   TEXT  says something │\n"
		}
		path := strings.TrimPrefix(u.Command, "flwr ")
		if u.Command == node {
			nodeHelp = strings.ReplaceAll(text, "│", " ")
			continue
		}
		args := strings.TrimSpace(strings.Repeat("ARG ", u.Arguments))
		if path == "login" && d.ConfigInPyproject {
			text += "│   app   [APP] │\n│   federation   [FEDERATION] │\n"
		} else if path == "login" {
			text += "│   superlink   [SUPERLINK] │\n"
		}
		texts[path] = "\n Usage: flwr " + path + " [OPTIONS] " + args + "\n\n" + text
		for words := strings.Fields(path); len(words) > 1; words = words[:len(words)-1] {
			group := strings.Join(words[:len(words)-1], " ")
			below[group] += "│ " + words[len(words)-1] + "   does something │\n"
		}
	}
	for group, text := range below {
		texts[group] = " Usage: flwr " + group + " [OPTIONS] COMMAND [ARGS]...\n" + text
	}
	return func(_ context.Context, args ...string) (string, error) {
		if text := texts[strings.Join(args, " ")]; text != "" {
			return text, nil
		}
		return "", errors.New("no such command")
	}, nodeHelp
}

func same(u []Use) []Use { return u }

// TestCompareFindsNothing: each dialect fits a flwr that has all that it uses.
func TestCompareFindsNothing(t *testing.T) {
	for _, version := range []string{"1.24.0", "1.26.1", "1.33.0", "1.42.0", "1.43.0.dev20270101"} {
		d := DialectOf(parse(t, version))
		help, nodeHelp := helpOf(d, same)
		c, err := d.Compare(t.Context(), help, nodeHelp)
		if err != nil || c.Problem != nil || len(c.Misfits()) > 0 || len(c.Items) < 25 {
			t.Errorf("%s: %d items, %v %v %+v", version, len(c.Items), err, c.Problem, c.Misfits())
		}
		for _, i := range c.Items {
			if i.Standing == Extra {
				t.Errorf("%s: %+v", version, i)
			}
		}
	}
}

// TestCompareFindsWhatVanished: options, commands and arguments that a newer flwr no longer has, and those that it has
// against the table.
func TestCompareFindsWhatVanished(t *testing.T) {
	without := func(command, option string) func([]Use) []Use {
		return func(list []Use) []Use {
			var left []Use
			for _, u := range list {
				if u.Command == command && option == "" {
					continue
				}
				u.Options = slices.DeleteFunc(slices.Clone(u.Options), func(o string) bool { return u.Command == command && o == option })
				left = append(left, u)
			}
			return left
		}
	}
	newest := DialectOf(parse(t, "1.43.0"))
	for name, c := range map[string]struct {
		change func([]Use) []Use
		want   Item
		works  bool
	}{
		"an option that flwrup does without": {without("flwr supernode register", "--name"), Item{"flwr supernode register", "--name", Without}, true},
		"an option that it needs":            {without("flwr list", "--run-id"), Item{"flwr list", "--run-id", Missing}, false},
		"one that Check does not know":       {without("flwr federation create", "--description"), Item{"flwr federation create", "--description", Missing}, true},
		"a command":                          {without("flwr stop", ""), Item{"flwr stop", "", Missing}, false},
		"a command that it does without":     {without("flwr federation create", ""), Item{"flwr federation create", "", Without}, true},
		"an option of flower-supernode":      {without(node, "--node-config"), Item{node, "--node-config", Missing}, false},
		"one that it does without there":     {without(node, "--allow-runtime-dependency-installation"), Item{node, "--allow-runtime-dependency-installation", Without}, true},
		"an argument": {func(list []Use) []Use {
			for i := range list {
				if list[i].Command == "flwr federation add-supernode" {
					list[i].Arguments--
				}
			}
			return list
		}, Item{"flwr federation add-supernode", "3 arguments (it takes 2)", Missing}, true},
	} {
		t.Run(name, func(t *testing.T) {
			help, nodeHelp := helpOf(newest, c.change)
			got, err := newest.Compare(t.Context(), help, nodeHelp)
			if err != nil || got.Known || !slices.Contains(got.Misfits(), c.want) || (got.Problem == nil) != c.works {
				t.Errorf("misfits %+v, %v, %v", got.Misfits(), got.Problem, err)
			}
		})
	}
	old, now := DialectOf(parse(t, "1.37.0")), DialectOf(parse(t, "1.38.0"))
	help, nodeHelp := helpOf(now, same)
	if got, err := old.Compare(t.Context(), help, nodeHelp); err != nil || !slices.Contains(got.Items, Item{"flwr supernode register", "--name", Extra}) || len(got.Misfits()) > 0 {
		t.Errorf("%+v %v", got, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := newest.Compare(ctx, help, nodeHelp); err == nil {
		t.Error("went on after it was stopped")
	}
}

func TestUseOf(t *testing.T) {
	for line, want := range map[string]Use{
		"flwr federation invite create ada @a/f supergrid --format json":   {"flwr federation invite create", []string{"--format"}, 3},
		"flwr run . supergrid --federation @a/f --run-config a=1 --stream": {"flwr run", []string{"--federation", "--run-config", "--stream"}, 2},
		"flwr supernode register k.pub s --location=-1,2":                  {"flwr supernode register", []string{"--location"}, 2},
		"flwr log 9 . supergrid --show":                                    {"flwr log", []string{"--show"}, 3},
	} {
		if got := useOf(strings.Fields(line)); got.Command != want.Command || !slices.Equal(got.Options, want.Options) || got.Arguments != want.Arguments {
			t.Errorf("%s: %+v", line, got)
		}
	}
	for help, want := range map[string]int{" Usage: flwr federation invite create [OPTIONS] ACCOUNT FEDERATION [SUPERLINK]  \n        \n Creates one\n": 3, "Usage: flwr stop [OPTIONS]\n\nx": 0,
		" Usage: flwr x [OPTIONS] ONE\n              TWO\n\n": 2} {
		if n, said := argumentsOf(help); n != want || !said {
			t.Errorf("%q: %d %v", help, n, said)
		}
	}
	if _, said := argumentsOf("Usage: flwr federation [OPTIONS] COMMAND [ARGS]...\n"); said {
		t.Error("a group's arguments")
	}
}
