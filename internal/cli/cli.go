// Package cli is flwrup's command line: commands, flags, exit codes. It draws nothing and knows
// neither Docker nor flwr.
package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"flwrup/internal/cli/debuglog"
	"flwrup/internal/cli/past"
	"flwrup/internal/cli/watching"
	"flwrup/internal/front"
	"flwrup/internal/plain"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/safego"
	"flwrup/internal/site"
	"flwrup/internal/termsafe"
)

// Streams are what a process has of its terminal or pipes; tests hand in their own.
type Streams struct {
	In       *os.File
	Out, Err io.Writer
}

// program is one call of flwrup: its streams and the flags that every command has.
type program struct {
	Streams           // Out and Err through termsafe.Writer
	terminal *os.File // Out as it is, for the screen alone; nil where it is no file
	dir      string
	plain    bool
	commands bool // plain questions show the commands of each step
	json     bool
	lines    bool     // watch --json: an object a line
	args     []string // of the process

	trustAll bool // --trust
}

// Main runs one command and returns the exit code.
func Main(args []string, streams Streams) (code int) {
	ctx, stop := signal.NotifyContext(context.Background(), endSignals...)
	defer stop()
	p := &program{args: args}
	p.terminal, _ = streams.Out.(*os.File)
	// All output of commands goes through this door: nothing below root has the streams themselves.
	streams.Out, streams.Err = &termsafe.Writer{Out: streams.Out}, &termsafe.Writer{Out: streams.Err}
	p.Streams = streams
	root := p.root()
	root.SetArgs(args)
	root.SetOut(streams.Out)
	root.SetErr(streams.Err)
	end, err := debuglog.Begin(Version, args)
	if err != nil {
		writeProblem(streams.Err, err)
		return exitCode(err)
	}
	defer func() { end(code, err) }()
	err = safego.Call("flwrup "+strings.Join(args[:min(1, len(args))], ""), func() error { return root.ExecuteContext(ctx) })
	if err == nil {
		return exitDone
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		err = problem.Stopped(err, "stopped", "")
	}
	var shown *shownError
	if errors.As(err, &shown) {
		return exitCode(shown.err)
	}
	switch {
	case p.lines:
		writeLine(streams.Out, envelope{Error: shape(err)})
	case p.json:
		writeJSON(streams.Out, nil, err)
	default:
		writeProblem(streams.Err, err)
	}
	return exitCode(err)
}

// shownError is an error that the person has seen already.
type shownError struct{ err error }

func (e *shownError) Error() string { return e.err.Error() }
func (e *shownError) Unwrap() error { return e.err }

// alreadySaid is err for Main, which leaves it out: the person has seen it.
func alreadySaid(err error) error { return &shownError{err} }

func (p *program) root() *cobra.Command {
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
		Args:          noArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.wizard(cmd.Context(), wizardOptions{Options: site.Options{Dir: p.findDir(), Create: true, Attended: true}})
		},
	}
	root.SetVersionTemplate(versionLine() + "\n")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return p.badFlag(cmd, err) })
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error {
		if err := p.checkValues(cmd); err != nil {
			return err
		}
		return p.fromEnvironment(cmd)
	}
	root.PersistentFlags().StringVar(&p.dir, "dir", "", "the project's `folder`, from here (default: this one, or flwrup-rehearsal in it)")
	root.PersistentFlags().BoolVar(&p.plain, "plain", false, "plain questions and lines, no screen (also: ACCESSIBLE=1, TERM=dumb, a pipe)")
	root.PersistentFlags().BoolVar(&p.commands, "commands", false, "with plain questions: print the commands of each step before it runs")
	root.PersistentFlags().BoolVar(&p.trustAll, "trust", false, "accept what the folder asks for: programs, images, data, addresses (flwrup trust lists it)")
	root.AddCommand(rehearseCommand(p), doctorCommand(p), upCommand(p), statusCommand(p), logsCommand(p), downCommand(p), planCommand(p), handoverCommand(p), imageCommand(p), exportCommand(p), runCommand(p), runsCommand(p), trustCommand(p), versionCommand(p))
	root.AddCommand(append(nodeCommands(p), siteCommands(p)...)...)
	root.AddCommand(watching.Watch(p.watchHost()), past.History(p.host()), past.Report(p.host()), questionsTopic())
	cobrasOwn(root)
	arrange(root)
	p.completions(root)
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
				return noArgs(found, rest)
			}
		case "completion":
			cmd.Args, cmd.RunE = noArgs, func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
			for _, shell := range cmd.Commands() {
				shell.Args = noArgs
			}
		}
	}
}

func usage(what string) error {
	return problem.New(problem.Usage, what, "", "flwrup --help lists commands and flags")
}

func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return unknown(cmd, args)
	}
	return nil
}

// oneOrMore wants arguments: things, named by flags or commands in hint.
func oneOrMore(things, hint string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return problem.New(problem.Usage, "cannot "+cmd.Name(), "no "+things+" named", hint)
		}
		return nil
	}
}

// jsonFlag adds --json to a command.
func (p *program) jsonFlag(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&p.json, "json", false, `one JSON object: {"ok":…, "data":…, "error":{"code":…, "message":…, "fix":…}}`)
}

// findDir is the folder to work in: --dir, else this one, else a rehearsal in it.
func (p *program) findDir() string {
	if p.dir != "" {
		return p.dir
	}
	if dir, ok := project.Find("."); ok {
		return dir
	}
	return "."
}

// attended reports whether a person sits at a terminal.
func (p *program) attended() bool { return p.In != nil && term.IsTerminal(int(p.In.Fd())) }

// screen reports whether the wizard can draw: a person, a terminal that can, and no request for plain lines.
func (p *program) screen() bool {
	return !p.plain && !p.json && p.attended() && p.terminal != nil && term.IsTerminal(int(p.terminal.Fd())) && !spoken()
}

// spoken reports whether the person listens to flwrup, or has a terminal that cannot draw: signs are words.
func spoken() bool { return os.Getenv("TERM") == "dumb" || os.Getenv("ACCESSIBLE") != "" }

// front makes the front end without a screen. With --json the standard output is the one object at the end;
// a program that waits for it reads on the standard error what happens meanwhile, such as where to log in.
func (p *program) front(yes bool) *plain.Front {
	f := &plain.Front{Out: p.Out, In: p.In, Yes: yes, Quiet: p.json, Spoken: spoken(), Commands: p.commands}
	if p.json {
		f.Progress, f.Yes = p.Err, true
	}
	return f
}

// host is what the commands about the past need of the program.
func (p *program) host() past.Host {
	return past.Host{Dir: p.findDir, Look: p.openToLook, Say: p.say, WriteJSON: func(data any) { writeJSON(p.Out, data, nil) }, JSONFlag: p.jsonFlag,
		JSON: func() bool { return p.json }, Out: p.Out, NoArgs: noArgs, OneRun: oneRun, LookAt: p.lookingAt, Version: Version,
		Ask: func(ctx context.Context, q front.Question) (string, error) { return p.front(false).Ask(ctx, q) }}
}

// watchHost is what flwrup watch needs of the program.
func (p *program) watchHost() watching.Host {
	return watching.Host{Dir: p.findDir, Gate: func(ctx context.Context, dir string) error { return gate(ctx, p, dir) }, Say: p.say,
		WriteLine: func(v any) { writeLine(p.Out, v) }, Lines: &p.lines, Attended: p.attended,
		Ask: func(ctx context.Context, q front.Question) (string, error) { return p.front(false).Ask(ctx, q) }, Version: Version}
}

// indent puts spaces before each of the last max lines of text.
func indent(text string, max int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if len(lines) > max {
		lines = lines[len(lines)-max:]
	}
	return "    " + strings.Join(lines, "\n    ")
}
