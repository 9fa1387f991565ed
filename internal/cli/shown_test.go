package cli

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"flwrup/flwrexec/flwr"
	"flwrup/internal/fleet"
	"flwrup/internal/front"
	"flwrup/internal/health"
	"flwrup/internal/problem"
	"flwrup/internal/site"
	"flwrup/internal/sitetest"
	"flwrup/steps"
)

var (
	quoted      = regexp.MustCompile("`((?:flwrup|flwr) [^`]*)`")
	mentioned   = regexp.MustCompile(`(?:^|[^\w./@-])flwrup ([a-z-][^\n` + "`" + `,;:()"|&#>…]*)`)
	endOfClause = regexp.MustCompile(`\.(\s|$)`)
	gap         = regexp.MustCompile(`^(%[a-z]|[A-Z]+|\S*…\S*)$`) // stands for a name or a number
	joint       = regexp.MustCompile(`\s(&&|\|\||\||;|>>?)\s|\s#|\n`)
)

// accepts reports why flwrup does not take a command line, without "flwrup".
func accepts(args []string) error {
	cmd, rest, err := find(args)
	if err != nil {
		return err
	}
	if err := cmd.ParseFlags(rest); err != nil && !errors.Is(err, pflag.ErrHelp) {
		return err
	}
	return cmd.ValidateArgs(cmd.Flags().Args())
}

func find(args []string) (*cobra.Command, []string, error) {
	root := Commands()
	cmd, rest, err := root.Find(args)
	if err == nil && cmd == root && len(rest) > 0 && !strings.HasPrefix(rest[0], "-") {
		err = fmt.Errorf("no command %q", rest[0])
	}
	cmd.InitDefaultHelpFlag()
	cmd.InitDefaultVersionFlag()
	return cmd, rest, err
}

// argsOf splits a command line as a shell does that has no variables; what stands for a name or a number becomes 1.
func argsOf(line string) (list []string) {
	var word strings.Builder
	var quote rune
	open := false
	for _, r := range line + " " {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '\'' || r == '"'):
			quote, open = r, true
		case quote == 0 && r == ' ':
			if w := word.String(); open || w != "" {
				if gap.MatchString(w) {
					w = "1"
				}
				list = append(list, w)
			}
			word.Reset()
			open = false
		default:
			word.WriteRune(r)
		}
	}
	return list
}

// commandsIn returns the simple commands of a shell line that call flwrup or flwr, each without its program.
func commandsIn(text string) (ours, flwrs [][]string) {
	for _, part := range joint.Split(text, -1) {
		w := argsOf(strings.TrimSpace(part))
		for len(w) > 0 && strings.Contains(w[0], "=") {
			w = w[1:]
		}
		switch {
		case len(w) == 0:
		case w[0] == "flwrup":
			ours = append(ours, w[1:])
		case filepath.Base(w[0]) == "flwr":
			flwrs = append(flwrs, w[1:])
		}
	}
	return ours, flwrs
}

// wrongIn names the commands of flwrup in a text for people that flwrup does not take. A command in backquotes is
// parsed as it stands; of others the end is not known, so only their flags are.
func wrongIn(text string) (wrong []string) {
	for _, m := range quoted.FindAllStringSubmatch(text, -1) {
		ours, _ := commandsIn(m[1])
		for _, args := range ours {
			err := accepts(args)
			if len(args) == 1 { // a command's name, not what to type
				_, _, err = find(args)
			}
			var named *pflag.ValueRequiredError // a flag's name, without a value
			if err != nil && args[0] != "1" && !errors.As(err, &named) {
				wrong = append(wrong, fmt.Sprintf("`%s`: %v", m[1], err))
			}
		}
	}
	for _, m := range mentioned.FindAllStringSubmatch(quoted.ReplaceAllString(text, ""), -1) {
		args := argsOf(endOfClause.Split(m[1], 2)[0])
		flags := slices.DeleteFunc(slices.Clone(args), func(w string) bool { return !strings.HasPrefix(w, "-") || strings.Trim(w, "-") == "" })
		if len(flags) == 0 {
			continue
		}
		cmd, _, err := find(args)
		if err != nil {
			wrong = append(wrong, fmt.Sprintf("flwrup %s: %v", m[1], err))
			continue
		}
		for _, f := range flags {
			name, _, _ := strings.Cut(strings.TrimLeft(f, "-"), "=")
			if cmd.Flag(name) == nil && cmd.Flags().ShorthandLookup(name[:1]) == nil {
				wrong = append(wrong, fmt.Sprintf("flwrup %s: %s has no %s", m[1], cmd.CommandPath(), f))
			}
		}
	}
	return wrong
}

// TestCommandsInTexts reads every text of the program and of its documents, also those that no test brings about, such as the remedies of
// rare problems: flwrup takes the commands that they name.
func TestCommandsInTexts(t *testing.T) {
	for text, wrong := range map[string]int{
		"`flwrup start --grid` and `flwrup logs supernode_1 -f`": 0, "flwrup starts no second one": 0, "type flwrup up --flwr VERSION (or later)": 0,
		"`flwrup admit` writes it; `flwrup COMMAND --help`": 0, "`flwrup begin`": 1, "`flwrup status now`": 1, "`flwrup logs --tial 3`": 1, "type flwrup up --flower 1": 1,
	} {
		if got := wrongIn(text); len(got) != wrong {
			t.Errorf("%s: %q", text, got)
		}
	}
	named := 0
	err := filepath.WalkDir("../..", func(file string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(file, ".md") {
			text, err := os.ReadFile(file)
			for i, line := range strings.Split(string(text), "\n") {
				for _, w := range wrongIn(line) {
					t.Errorf("%s:%d: %s", file, i+1, w)
				}
			}
			return err
		}
		if err != nil || d.IsDir() || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return err
		}
		set := token.NewFileSet()
		f, err := parser.ParseFile(set, file, nil, 0)
		if err != nil {
			return err
		}
		var visit func(n ast.Node) bool
		visit = func(n ast.Node) bool {
			e, ok := n.(ast.Expr)
			if !ok {
				return true
			}
			text, rest, ok := flat(e)
			if !ok {
				return true
			}
			named += len(quoted.FindAllString(text, -1))
			for _, w := range wrongIn(text) {
				t.Errorf("%s: %s", set.Position(n.Pos()), w)
			}
			for _, e := range rest {
				ast.Inspect(e, visit)
			}
			return false
		}
		ast.Inspect(f, visit)
		return nil
	})
	if err != nil || named < 30 {
		t.Errorf("%d commands in backquotes, %v", named, err)
	}
}

// flat returns the text of a string literal, or of a sum of some with 1 for whatever else is in it.
func flat(e ast.Expr) (text string, rest []ast.Expr, ok bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		if e.Kind != token.STRING {
			return "", nil, false
		}
		text, err := strconv.Unquote(e.Value)
		return text, nil, err == nil
	case *ast.BinaryExpr:
		if e.Op != token.ADD {
			return "", nil, false
		}
		left, inLeft, okLeft := flat(e.X)
		right, inRight, okRight := flat(e.Y)
		if !okLeft {
			left, inLeft = "1", []ast.Expr{e.X}
		}
		if !okRight {
			right, inRight = "1", []ast.Expr{e.Y}
		}
		return left + right, append(inLeft, inRight...), okLeft || okRight
	}
	return "", nil, false
}

// TestCommandsShown brings a set-up to each of its stages, with an old flwr and a new one, and takes all commands that
// flwrup shows there: flwrup parses its own, and flwr's are those of its version.
func TestCommandsShown(t *testing.T) {
	stages := map[string]func(*testing.T, *sitetest.Grid) *site.Site{
		"open":       func(t *testing.T, g *sitetest.Grid) *site.Site { return sitetest.Open(t, g, 2) },
		"with keys":  func(t *testing.T, g *sitetest.Grid) *site.Site { return sitetest.WithKeys(t, g, 2) },
		"registered": func(t *testing.T, g *sitetest.Grid) *site.Site { return sitetest.Registered(t, g, 2) },
		"up": func(t *testing.T, g *sitetest.Grid) *site.Site {
			s, _ := sitetest.Up(t, g, 2)
			return s
		},
		"in the federation": func(t *testing.T, g *sitetest.Grid) *site.Site {
			s, _, _ := sitetest.InFederation(t, g, 2)
			return s
		},
		"one lost": func(t *testing.T, g *sitetest.Grid) *site.Site {
			s, _, rt := sitetest.InFederation(t, g, 2)
			if err := rt.Stop(t.Context(), "supernode_1", time.Second); err != nil {
				t.Fatal(err)
			}
			g.SeeOnline(rt)
			return s
		},
		"logged out": func(t *testing.T, g *sitetest.Grid) *site.Site {
			s, _, _ := sitetest.InFederation(t, g, 2)
			g.LoggedIn = false
			return s
		},
	}
	for _, version := range []string{"1.24.0", "1.42.0"} {
		for name, stage := range stages {
			t.Run(name+", flwr "+version, func(t *testing.T) {
				g := sitetest.NewGrid(version)
				commands, texts := shownOf(t.Context(), stage(t, g))
				dialect := everyCommandOf(g.Dialect())
				ours := 0
				for _, c := range commands {
					own, flwrs := commandsIn(c)
					for _, args := range own {
						ours++
						if err := accepts(args); err != nil {
							t.Errorf("%s: %v", c, err)
						}
					}
					for _, args := range flwrs {
						if why := unknownTo(dialect, args); why != "" {
							t.Errorf("%s: %s", c, why)
						}
					}
				}
				if ours < 5 {
					t.Errorf("%d commands of flwrup's in %q", ours, commands)
				}
				for _, text := range texts {
					for _, w := range wrongIn(text) {
						t.Error(w)
					}
					for _, m := range quoted.FindAllStringSubmatch(text, -1) {
						_, flwrs := commandsIn(m[1])
						for _, args := range flwrs {
							if why := unknownTo(dialect, args); why != "" {
								t.Errorf("%s: %s", text, why)
							}
						}
					}
				}
			})
		}
	}
}

// shownOf returns the commands that flwrup shows of s, and the texts around them.
func shownOf(ctx context.Context, s *site.Site) (commands, texts []string) {
	note := func(err error) {
		if err != nil {
			p := problem.Of(err)
			texts = append(texts, p.Error(), p.Fix)
		}
	}
	add := func(actions []front.Action) {
		for _, a := range actions {
			commands, texts = append(commands, a.Command), append(texts, a.Says)
		}
	}
	for _, st := range steps.Steps() {
		status, err := steps.Inspect(ctx, s, st.ID())
		note(err)
		texts = append(append(append(texts, status.Why), status.Hints...), status.Evidence...)
		for _, it := range status.Items {
			texts = append(texts, it.Text)
		}
		actions, err := steps.Plan(ctx, s, st.ID())
		note(err)
		add(actions)
	}
	add(fleet.Reference(s))
	places := []front.Place{{Dir: s.Dir, Keys: "keys", Cache: "~/.cache/flwrup"},
		{Dir: s.Dir, Keys: "keys", Backup: "keys-backup.age", Cache: "~/.cache/flwrup", Nodes: []string{"supernode_1", "supernode_2"}, Containers: true},
		{Dir: s.Dir, Keys: "keys", Cache: "~/.cache/flwrup", Nodes: []string{"supernode_1"}, Rehearsal: true}}
	for _, at := range places {
		for _, a := range front.Answers(at) {
			commands, texts = append(commands, a.Command), append(texts, a.Answer)
		}
	}
	steps.Doctor(ctx, s, func(f steps.Finding) {
		texts = append(texts, f.Says...)
		if f.Problem != nil {
			note(f.Problem)
		}
	})
	o := health.Diagnosed(ctx, s, 0)
	note(o.GridErr)
	for _, n := range o.Nodes {
		if n.Diagnosis != nil {
			note(n.Diagnosis)
		}
		if n.Remedy != nil {
			if args := n.Remedy.Args(); args != nil {
				commands = append(commands, "flwrup "+strings.Join(args, " "))
			}
		}
	}
	return commands, texts
}

// everyCommandOf returns the commands of a dialect with all their arguments.
func everyCommandOf(d flwr.Dialect) (all [][]string) {
	c := flwr.Connection{Name: "supergrid"}
	for _, argv := range [][]string{d.LoginArgv(c), d.NodesArgv(c), d.RegisterArgv(c, flwr.Registration{PublicKey: "k", Name: "n", Location: "1,2"}),
		d.UnregisterArgv(c, 1), d.FederationsArgv(c), d.FederationDetailsArgv(c, "f"), d.CreateFederationArgv(c, "n", "d"), d.AddArgv(c, 1, "f"),
		d.RemoveArgv(c, 1, "f"), d.RunArgv(c, "a", "f", "x=1", true), d.RunsArgv(c), d.RunStatusArgv(c, 1), d.LogArgv(c, 1), d.StopArgv(c, 1), d.NewAppArgv("p")} {
		all = append(all, argv[1:])
	}
	return all
}

// unknownTo says why no command of a dialect is like args: the same words first, no other flag, as many arguments.
func unknownTo(dialect [][]string, args []string) string {
	verb := func(args []string) string {
		if len(args) > 1 && slices.Contains([]string{"supernode", "federation"}, args[0]) {
			return args[0] + " " + args[1]
		}
		return strings.Join(args[:min(1, len(args))], "")
	}
	flags := func(args []string) (list []string) {
		for _, w := range args {
			if name, _, _ := strings.Cut(w, "="); strings.HasPrefix(name, "-") {
				list = append(list, name)
			}
		}
		return list
	}
	known, same := map[string]bool{}, false
	for _, argv := range dialect {
		if verb(argv) == verb(args) {
			same = true
			for _, f := range flags(argv) {
				known[f] = true
			}
		}
	}
	if !same {
		return "this flwr has no command " + verb(args)
	}
	for _, f := range flags(args) {
		if !known[f] {
			return verb(args) + " of this flwr has no flag " + f
		}
	}
	return ""
}
