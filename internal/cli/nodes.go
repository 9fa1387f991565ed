package cli

import (
	"context"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"flwrup/internal/cli/program"
	"flwrup/internal/cli/shown"
	"flwrup/internal/front"
	"flwrup/internal/health"
	"flwrup/internal/plain"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/site"
	"flwrup/internal/termsafe"
	"flwrup/steps"
)

// nodeCommands are what a person does to SuperNodes that are set up: start, stop, restart, add, remove.
func nodeCommands(p *program.Program) []*cobra.Command {
	var list []*cobra.Command
	add := func(cmd *cobra.Command) *cobra.Command {
		p.JSONFlag(cmd)
		list = append(list, cmd)
		return cmd
	}
	act := func(verb front.Verb) func(*cobra.Command, []string) error {
		return func(cmd *cobra.Command, nodes []string) error {
			return actOn(cmd.Context(), p, verb, nodes, actOptions{yes: !p.Attended() || p.JSON})
		}
	}
	gridOnly := false
	starting := add(&cobra.Command{Use: "start [NODE…]", Short: "Start SuperNodes; waits where the grid still holds one that was killed",
		RunE: func(cmd *cobra.Command, nodes []string) error {
			if !gridOnly {
				return act(front.StartNodes)(cmd, nodes)
			}
			if len(nodes) > 0 {
				return problem.New(problem.Usage, "cannot use --grid with names", "it starts no SuperNodes", "leave --grid out, or the names")
			}
			return onSite(p, actOptions{yes: !p.Attended() || p.JSON}, false, func(s *site.Site, to front.Sink) error {
				if !s.Rehearsal() {
					return problem.New(problem.Usage, "cannot start the grid", "this folder is not a rehearsal", "flwrup start starts the SuperNodes")
				}
				return steps.Act(cmd.Context(), s, front.StartGrid, nil, to)
			}, cmd.Context())
		}})
	starting.Flags().BoolVar(&gridOnly, "grid", false, "only the grid of a rehearsal; its SuperNodes reconnect on their own")
	add(&cobra.Command{Use: "stop [NODE…]", Short: "Stop SuperNodes gracefully", RunE: act(front.StopNodes)})
	ownImage, replace := false, false
	restart := add(&cobra.Command{Use: "restart [NODE…]", Short: "Restart SuperNodes",
		RunE: func(cmd *cobra.Command, nodes []string) error {
			verb := front.RestartNodes
			switch {
			case ownImage && replace:
				return problem.New(problem.Usage, "cannot use --own-image with --replace", "they are two different restarts", "run one after the other")
			case ownImage:
				verb = front.OwnImage
			case replace:
				verb = front.ReplaceNodes
			}
			return act(verb)(cmd, nodes)
		}})
	restart.Flags().BoolVar(&replace, "replace", false, "stop what was started by hand with a SuperNode's key, too, and start flwrup's own")
	restart.Flags().BoolVar(&ownImage, "own-image", false, "give up the image in flwrup.toml for the one of the flwr in use")

	var o actOptions
	adding := add(&cobra.Command{Use: "add [N | NODE…]", Short: "Add N SuperNodes (1): key, registration, federation, start; or bring removed ones back",
		Long: `Makes N new SuperNodes, with the next numbers. With names it brings back SuperNodes that were
removed but not unregistered, with their keys and node IDs.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			n, err := 1, error(nil)
			if len(args) == 1 {
				n, err = strconv.Atoi(args[0])
			}
			if len(args) > 1 || err != nil {
				if args, err = known(p, args); err != nil {
					return err
				}
				return onSite(p, o, false, func(s *site.Site, to front.Sink) error { return steps.BringBack(cmd.Context(), s, args, to) }, cmd.Context())
			}
			if n < 1 || n > project.MaxNodes {
				return problem.New(problem.Usage, "cannot add "+termsafe.Quote(args[0])+" SuperNodes", number(args[0], 1, project.MaxNodes), "`flwrup add` adds one")
			}
			return onSite(p, o, false, func(s *site.Site, to front.Sink) error { return steps.Add(cmd.Context(), s, n, to) }, cmd.Context())
		}})
	add(&cobra.Command{Use: "settings [NODE…]", Short: "Change what SuperNodes are started with, by questions; flwrup.toml keeps it",
		Long: `Asks for the values that the ClientApp reads, data folders, variables, CPU and memory limits, GPUs,
packages, and more arguments. Settings of all SuperNodes go into [node.all] of flwrup.toml, those
of one SuperNode into a table with its number.`,
		RunE: act(front.ChangeSettings)})
	burn, elsewhere := false, ""
	someNode := program.OneOrMore("SuperNode", "`flwrup status` lists them")
	removing := add(&cobra.Command{Use: "remove NODE…", Short: "Stop SuperNodes and take them out of the federation; or another site's",
		Args: func(cmd *cobra.Command, nodes []string) error {
			switch {
			case elsewhere == "":
				return someNode(cmd, nodes)
			case len(nodes) > 0:
				return problem.New(problem.Usage, "cannot use --site with names", "it removes all SuperNodes of that site", "leave --site out, or the names")
			}
			return nil
		},
		Long: `Stops the SuperNodes, takes them out of the federation (flwr 1.27 and later) and removes their
containers. Their keys stay registered and valid. With --unregister the grid also forgets them, and
their keys can never be registered again: flwrup asks first. If a removal was cut short, the same
command continues it.

With --site the SuperNodes of another site, which was admitted from here, leave the federation and
are unregistered: flwrup asks first. They run there, and their own flwrup says so.`,
		RunE: func(cmd *cobra.Command, nodes []string) error {
			if elsewhere != "" {
				return onSite(p, o, false, func(s *site.Site, to front.Sink) error {
					return steps.Act(cmd.Context(), s, front.RemoveSite, []string{elsewhere}, to)
				}, cmd.Context())
			}
			verb := front.RemoveNodes
			if burn {
				verb = front.UnregisterNodes
			}
			return actOn(cmd.Context(), p, verb, nodes, o)
		}})
	removing.Flags().StringVar(&elsewhere, "site", "", "another site, by the `name` that flwrup status shows: all of its SuperNodes, unregistered")
	removing.Flags().BoolVar(&burn, "unregister", false, "unregister them, too: their keys can never be registered again")
	restoring := add(&cobra.Command{Use: "restore-key NODE…", Short: "Take the key of a SuperNode from the backup", Args: program.OneOrMore("SuperNode", "`flwrup status` lists them"),
		RunE: func(cmd *cobra.Command, nodes []string) error {
			return actOn(cmd.Context(), p, front.RestoreKey, nodes, o)
		}})
	back := false
	rotating := add(&cobra.Command{Use: "rotate NODE…", Short: "Give SuperNodes new keys, one after the other; the old ones are unregistered", Args: someNode,
		Long: `Makes a new key, renews the backup and verifies it, registers the key, and starts the SuperNode with
it. Only when the grid calls it online, the old key is unregistered; its files are set aside. The
SuperNode keeps its name and settings, and gets another node ID: flwrup asks first.

If it does not come online, it is started with its old key again. If a rotation was cut short, the
same command continues it, and --back gives it up.`,
		RunE: func(cmd *cobra.Command, nodes []string) error {
			verb := front.RotateKeys
			if back {
				verb = front.GiveUpRotation
			}
			return actOn(cmd.Context(), p, verb, nodes, o)
		}})
	rotating.Flags().BoolVar(&back, "back", false, "give up a rotation that is not finished: the old key again, the new one unregistered")
	for _, cmd := range []*cobra.Command{adding, removing, restoring, rotating} {
		cmd.Flags().BoolVarP(&o.yes, "yes", "y", false, "do not ask")
	}
	for _, cmd := range []*cobra.Command{adding, restoring, rotating} {
		cmd.Flags().StringVar(&o.passphraseFile, "passphrase-file", "", "`file`, from here, with the passphrase of the backup")
	}
	return list
}

// actOptions are the flags of the commands that change SuperNodes.
type actOptions struct {
	yes            bool
	passphraseFile string
}

func actOn(ctx context.Context, p *program.Program, verb front.Verb, nodes []string, o actOptions) error {
	nodes, err := known(p, nodes)
	if err != nil {
		return err
	}
	return onSite(p, o, verb == front.StopNodes, func(s *site.Site, to front.Sink) error { return steps.Act(ctx, s, verb, nodes, to) }, ctx)
}

// onSite opens the site, does the work and shows how the SuperNodes stand then.
func onSite(p *program.Program, o actOptions, ending bool, do func(*site.Site, front.Sink) error, ctx context.Context) error {
	s, err := p.Open(ctx, site.Options{Dir: p.FindDir(), Attended: !o.yes, PassphraseFile: o.passphraseFile, Ending: ending}, o.yes)
	if err != nil {
		return err
	}
	defer s.Close()
	front := p.Front(o.yes)
	if err := do(s, agreed{front, o.yes}); err != nil {
		return err
	}
	if p.JSON {
		program.WriteJSON(p.Out, shown.StatusOf(p, s.Title(), health.Overview(ctx, s, 0), time.Time{}), nil)
	}
	return nil
}

// agreed is a front end whose person has said yes on the command line: to --unregister --yes, to rotate --yes.
type agreed struct {
	*plain.Front
	yes bool
}

func (a agreed) Ask(ctx context.Context, q front.Question) (string, error) {
	if a.yes && (q.ID == "unregister" || q.ID == "rotate") {
		return "yes", nil
	}
	return a.Front.Ask(ctx, q)
}
