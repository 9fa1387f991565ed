// Package cli is flwrup's command line: commands, flags, exit codes. It draws nothing and knows
// neither Docker nor flwr.
package cli

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"strings"

	"github.com/spf13/cobra"

	"flwrup/internal/cli/debuglog"
	"flwrup/internal/cli/doctor"
	"flwrup/internal/cli/keeping"
	"flwrup/internal/cli/past"
	"flwrup/internal/cli/program"
	"flwrup/internal/cli/setup"
	"flwrup/internal/cli/upgrading"
	"flwrup/internal/cli/watching"
	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/safego"
	"flwrup/internal/site"
	"flwrup/internal/termsafe"
)

// Main runs one command and returns the exit code.
func Main(args []string, streams program.Streams) (code int) {
	ctx, stop := signal.NotifyContext(context.Background(), endSignals...)
	defer stop()
	p := &program.Program{Args: args}
	p.Terminal, _ = streams.Out.(*os.File)
	// All output of commands goes through this door: nothing below root has the streams themselves.
	streams.Out, streams.Err = &termsafe.Writer{Out: streams.Out}, &termsafe.Writer{Out: streams.Err}
	p.Streams = streams
	root := root(p)
	root.SetArgs(args)
	root.SetOut(streams.Out)
	root.SetErr(streams.Err)
	end, err := debuglog.Begin(Version, args)
	if err != nil {
		program.WriteProblem(streams.Err, err)
		return program.ExitCode(err)
	}
	defer func() { end(code, err) }()
	err = safego.Call("flwrup "+strings.Join(args[:min(1, len(args))], ""), func() error { return root.ExecuteContext(ctx) })
	if err == nil {
		return program.ExitDone
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		err = problem.Stopped(err, "stopped", "")
	}
	var shown *program.ShownError
	if errors.As(err, &shown) {
		return program.ExitCode(shown.Err)
	}
	switch {
	case p.Lines:
		program.WriteLine(streams.Out, program.Envelope{Error: program.Shape(err)})
	case p.JSON:
		program.WriteJSON(streams.Out, nil, err)
	default:
		program.WriteProblem(streams.Err, err)
	}
	return program.ExitCode(err)
}

func root(p *program.Program) *cobra.Command {
	root := &cobra.Command{
		Use:   "flwrup",
		Short: "From nothing to online Flower SuperNodes on a SuperGrid",
		Long: `flwrup takes you through the 16 steps from nothing to online Flower SuperNodes,
and brings you back to check on them: status, logs, runs.

  flwrup            the wizard, or the dashboard once all is set up
  flwrup rehearse   the same on a SuperGrid on this machine, without an account`,
		Example: `  flwrup rehearse --yes                # try it: the whole way on this machine, in about a minute
  flwrup                               # in the folder of your project, or an empty one
  flwrup status                        # how the SuperNodes are
  flwrup logs -f                       # what they do`,
		Version:       Version,
		Args:          program.NoArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return setup.Wizard(cmd.Context(), p, setup.WizardOptions{Options: site.Options{Dir: p.FindDir(), Create: true, Attended: true}})
		},
	}
	root.SetVersionTemplate(versionLine() + "\n")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return badFlag(p, cmd, err) })
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error {
		if err := checkValues(p, cmd); err != nil {
			return err
		}
		return fromEnvironment(p, cmd)
	}
	root.PersistentFlags().StringVar(&p.Dir, "dir", "", "the project's `folder`, from here (default: this one, or flwrup-rehearsal in it)")
	root.PersistentFlags().BoolVar(&p.Plain, "plain", false, "plain questions and lines, no screen (also: ACCESSIBLE=1, TERM=dumb, a pipe)")
	root.PersistentFlags().BoolVar(&p.Commands, "commands", false, "with plain questions: print the commands of each step before it runs")
	root.PersistentFlags().BoolVar(&p.TrustAll, "trust", false, "accept what the folder asks for: programs, images, data, addresses (flwrup trust lists it)")
	root.AddCommand(setup.Rehearse(p), doctor.Command(p), setup.Up(p), statusCommand(p), logsCommand(p), setup.Down(p), planCommand(p), handoverCommand(p), imageCommand(p), exportCommand(p), runCommand(p), runsCommand(p), trustCommand(p), versionCommand(p))
	root.AddCommand(append(nodeCommands(p), setup.Sites(p)...)...)
	root.AddCommand(keeping.Backup(p), upgrading.Upgrade(p), watching.Watch(watchHost(p)), past.History(host(p)), past.Report(host(p)), questionsTopic())
	cobrasOwn(root)
	arrange(root)
	completions(p, root)
	return root
}

// cobrasOwn has cobra's own commands refuse arguments as all others do.
func cobrasOwn(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, cmd := range root.Commands() {
		switch cmd.Name() {
		case "help":
			cmd.Args = func(_ *cobra.Command, args []string) error {
				found, rest, err := root.Find(args)
				if err != nil {
					found, rest = root, args
				}
				return program.NoArgs(found, rest)
			}
		case "completion":
			cmd.Args, cmd.RunE = program.NoArgs, func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
			for _, shell := range cmd.Commands() {
				shell.Args = program.NoArgs
			}
		}
	}
}

// host is what the commands about the past need of the program.
func host(p *program.Program) past.Host {
	return past.Host{Dir: p.FindDir, Look: p.OpenToLook, Say: p.Say, WriteJSON: func(data any) { program.WriteJSON(p.Out, data, nil) }, JSONFlag: p.JSONFlag,
		JSON: func() bool { return p.JSON }, Out: p.Out, NoArgs: program.NoArgs, OneRun: program.OneRun, LookAt: p.LookingAt, Version: Version,
		Ask: func(ctx context.Context, q front.Question) (string, error) { return p.Front(false).Ask(ctx, q) }}
}

// watchHost is what flwrup watch needs of the program.
func watchHost(p *program.Program) watching.Host {
	return watching.Host{Dir: p.FindDir, Gate: func(ctx context.Context, dir string) error { return program.Gate(ctx, p, dir) }, Say: p.Say,
		WriteLine: func(v any) { program.WriteLine(p.Out, v) }, Lines: &p.Lines, Attended: p.Attended,
		Ask: func(ctx context.Context, q front.Question) (string, error) { return p.Front(false).Ask(ctx, q) }, Version: Version}
}
