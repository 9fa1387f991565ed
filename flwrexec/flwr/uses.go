package flwr

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"flwrup/internal/problem"
)

// Use is one command of flwr, or flower-supernode, with all that flwrup gives it in a dialect.
type Use struct {
	Command   string   // "flwr supernode register"; "flower-supernode"
	Options   []string // sorted
	Arguments int      // at most
}

// node is the name of the SuperNode's own program.
const node = "flower-supernode"

// groups are the words of flwr that have commands below them, and how many of these flwrup calls.
var groups = map[string]bool{"supernode": true, "federation": true, "federation invite": true}

// switches are the options without a value.
var switches = map[string]bool{"--stream": true, "--show": true, "--allow-runtime-dependency-installation": true}

// Uses returns the commands that flwrup uses in the dialect, from the functions that make its command lines.
func (d Dialect) Uses() []Use {
	c := Connection{Name: "supergrid"}
	const id, run, federation = NodeID(1), RunID(1), "@account/name"
	asked := [][]string{ // with the answer as JSON
		d.NodesArgv(c), d.RegisterArgv(c, Registration{PublicKey: "key.pub", Name: "name", Location: "1,2"}), d.UnregisterArgv(c, id),
		d.FederationsArgv(c), d.FederationDetailsArgv(c, federation), d.RunArgv(c, "", federation, "a=1", false), d.RunsArgv(c), d.RunStatusArgv(c, run), d.StopArgv(c, run),
	}
	if d.Managed {
		asked = append(asked, d.CreateFederationArgv(c, "name", "text"), d.AddArgv(c, id, federation), d.RemoveArgv(c, id, federation))
	}
	if d.Invitations {
		asked = append(asked, d.InvitationsArgv(c))
		for _, op := range []InviteOp{Invite, Accept, Reject, Revoke} {
			asked = append(asked, d.InvitationArgv(c, op, "account", federation))
		}
	}
	var lines [][]string
	for _, argv := range asked {
		lines = append(lines, append(slices.Clone(argv), "--format", "json"))
	}
	lines = append(lines, d.LoginArgv(c), d.RunArgv(c, "", federation, "a=1", true), d.LogArgv(c, run), append(d.LogArgv(c, run), "--show"), d.NewAppArgv("me"))
	lines = append(lines, append([]string{node}, d.SuperNodeArgs(SuperNodeOptions{Fleet: "h:1", Key: "k", CA: "c", Port: 1, NodeConfig: "a=1", AllowInstall: true})...))
	var uses []Use
	for _, argv := range lines {
		u := useOf(argv)
		i := slices.IndexFunc(uses, func(have Use) bool { return have.Command == u.Command })
		if i < 0 {
			uses = append(uses, u)
			continue
		}
		uses[i].Options = append(uses[i].Options, u.Options...)
		uses[i].Arguments = max(uses[i].Arguments, u.Arguments)
	}
	for i := range uses {
		slices.Sort(uses[i].Options)
		uses[i].Options = slices.Compact(uses[i].Options)
	}
	slices.SortFunc(uses, func(a, b Use) int { return strings.Compare(a.Command, b.Command) })
	return uses
}

// useOf takes a command line apart.
func useOf(argv []string) Use {
	u := Use{Command: argv[0]}
	rest := argv[1:]
	for path := ""; argv[0] != node && len(rest) > 0; {
		path = strings.TrimSpace(path + " " + rest[0])
		u.Command, rest = argv[0]+" "+path, rest[1:]
		if !groups[path] {
			break
		}
	}
	for i := 0; i < len(rest); i++ {
		name, _, with := strings.Cut(rest[i], "=")
		switch {
		case !strings.HasPrefix(rest[i], "--"):
			u.Arguments++
		default:
			u.Options = append(u.Options, name)
			if !with && !switches[name] {
				i++
			}
		}
	}
	return u
}

// Standing says how something that flwrup uses stands in a flwr.
type Standing string

// The standings. Misfit lists those that are troubles.
const (
	There   Standing = "there"
	Without Standing = "missing, flwrup does without"
	Missing Standing = "missing"
	Extra   Standing = "there, and the table does not have it"
)

// Item is one thing that was compared.
type Item struct {
	Command  string // "flwr supernode register"
	What     string // "--name", "3 arguments"; "" the command itself
	Standing Standing
}

// Comparison is what flwrup uses, compared with the help of one flwr.
type Comparison struct {
	Version Version
	Known   bool // the table has this release
	Items   []Item
	Problem *problem.Problem // what Check says: flwrup cannot work with it; nil: it can
}

// Misfits returns what flwrup would use and does not find.
func (c Comparison) Misfits() []Item {
	return slices.DeleteFunc(slices.Clone(c.Items), func(i Item) bool { return i.Standing == There || i.Standing == Extra })
}

// Compare looks up each command, option and number of arguments that flwrup uses in the dialect in the help of flwr and
// of flower-supernode. help and nodeHelp are those of Check, which then says with what of the missing flwrup copes. The
// error is that of a cancelled ctx.
func (d Dialect) Compare(ctx context.Context, help func(ctx context.Context, args ...string) (string, error), nodeHelp string) (Comparison, error) {
	result := Comparison{Version: d.Version, Known: d.Known()}
	texts := map[string]string{node: nodeHelp}
	read := func(command string) string {
		text, have := texts[command]
		if !have {
			text, _ = help(ctx, strings.Fields(command)[1:]...) // "" where there is no such command
			texts[command] = text
		}
		return text
	}
	checked, err := d.Check(ctx, func(ctx context.Context, args ...string) (string, error) {
		if text := read("flwr " + strings.Join(args, " ")); text != "" {
			return text, nil
		}
		return "", fmt.Errorf("no help of flwr %s", strings.Join(args, " "))
	}, nodeHelp)
	if ctx.Err() != nil {
		return result, problem.Stopped(context.Cause(ctx), "flwr was stopped", "")
	}
	if err != nil {
		result.Problem = problem.Of(err)
	}
	without := checked.Uses()
	uses := func(list []Use, command, option string) bool {
		return slices.ContainsFunc(list, func(u Use) bool {
			return u.Command == command && (option == "" || slices.Contains(u.Options, option))
		})
	}
	note := func(u Use, what string, there bool) {
		i := Item{u.Command, what, There}
		option := what
		if !strings.HasPrefix(what, "--") {
			option = ""
		}
		if !there {
			if i.Standing = Missing; !uses(without, u.Command, option) {
				i.Standing = Without
			}
		}
		result.Items = append(result.Items, i)
	}
	mine := d.Uses()
	for _, u := range mine {
		text := read(u.Command)
		if ctx.Err() != nil {
			return result, problem.Stopped(context.Cause(ctx), "flwr was stopped", "")
		}
		note(u, "", text != "")
		if text == "" {
			continue
		}
		for _, option := range u.Options {
			note(u, option, offers(text, option))
		}
		if takes, said := argumentsOf(text); said && u.Command != node && u.Arguments > takes {
			note(u, fmt.Sprintf("%d arguments (it takes %d)", u.Arguments, takes), false)
		}
	}
	for _, u := range without {
		switch {
		case !uses(mine, u.Command, ""):
			result.Items = append(result.Items, Item{u.Command, "", Extra})
		default:
			for _, option := range u.Options {
				if !uses(mine, u.Command, option) {
					result.Items = append(result.Items, Item{u.Command, option, Extra})
				}
			}
		}
	}
	return result, nil
}

var usageLine = regexp.MustCompile(`(?m)^ *[Uu]sage: flwr [^\n\[]*\[OPTIONS\]((?:[^\n]|\n {3,}\S)*)`)

// argumentsOf returns how many arguments a command takes by the first line of its help; not said where there is none.
func argumentsOf(help string) (n int, said bool) {
	m := usageLine.FindStringSubmatch(help)
	if m == nil {
		return 0, false
	}
	if strings.Contains(m[1], "...") {
		return 0, false
	}
	return len(strings.Fields(m[1])), true
}
