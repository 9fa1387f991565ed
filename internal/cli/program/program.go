// Package program is one call of flwrup, as its commands see it: streams, folder and the flags that every command has,
// opening the site, what is said, the JSON envelope and the exit codes.
package program

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"flwrup/internal/plain"
	"flwrup/internal/project"
	"flwrup/internal/shell"
)

// Streams are what a process has of its terminal or pipes; tests hand in their own.
type Streams struct {
	In       *os.File
	Out, Err io.Writer
}

// Program is one call of flwrup: its streams and the flags that every command has.
type Program struct {
	Streams           // Out and Err through termsafe.Writer
	Terminal *os.File // Out as it is, for the screen alone; nil where it is no file
	Dir      string   // --dir
	Plain    bool     // --plain
	Commands bool     // plain questions show the commands of each step
	JSON     bool     // --json
	Lines    bool     // watch --json: an object a line
	Args     []string // of the process
	TrustAll bool     // --trust
}

// OwnCheck marks a flag whose value has a check of its own, which the mark names: it means something else than
// flwrup.toml's key of that name, and no variable sets it.
const OwnCheck = "own-check"

// JSONFlag adds --json to a command.
func (p *Program) JSONFlag(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&p.JSON, "json", false, `one JSON object: {"ok":…, "data":…, "error":{"code":…, "message":…, "fix":…}}`)
}

// FindDir is the folder to work in: --dir, else this one, else a rehearsal in it.
func (p *Program) FindDir() string {
	if p.Dir != "" {
		return p.Dir
	}
	if dir, ok := project.Find("."); ok {
		return dir
	}
	return "."
}

// Attended reports whether a person sits at a terminal.
func (p *Program) Attended() bool { return p.In != nil && term.IsTerminal(int(p.In.Fd())) }

// Screen reports whether the wizard can draw: a person, a terminal that can, and no request for plain lines.
func (p *Program) Screen() bool {
	return !p.Plain && !p.JSON && p.Attended() && p.Terminal != nil && term.IsTerminal(int(p.Terminal.Fd())) && !Spoken()
}

// Spoken reports whether the person listens to flwrup, or has a terminal that cannot draw: signs are words.
func Spoken() bool { return os.Getenv("TERM") == "dumb" || os.Getenv("ACCESSIBLE") != "" }

// Front makes the front end without a screen. With --json the standard output is the one object at the end;
// a program that waits for it reads on the standard error what happens meanwhile, such as where to log in.
func (p *Program) Front(yes bool) *plain.Front {
	f := &plain.Front{Out: p.Out, In: p.In, Yes: yes, Quiet: p.JSON, Spoken: Spoken(), Commands: p.Commands}
	if p.JSON {
		f.Progress, f.Yes = p.Err, true
	}
	return f
}

// indent puts spaces before each of the last max lines of text.
func indent(text string, max int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if len(lines) > max {
		lines = lines[len(lines)-max:]
	}
	return "    " + strings.Join(lines, "\n    ")
}

// Command is how a person types flwrup's own arguments here.
func (p *Program) Command(args []string) string {
	line := "flwrup"
	for _, a := range args {
		line += " " + a
	}
	if p.Dir != "" {
		line += " --dir " + shell.Path(p.Dir)
	}
	return line
}

// Say writes a line for a person; nothing with --json.
func (p *Program) Say(format string, args ...any) {
	if p.JSON {
		return
	}
	text := fmt.Sprintf(format, args...)
	if Spoken() {
		text = plain.Unsigned(text)
	}
	fmt.Fprintln(p.Out, text)
}

// Folded breaks the lines of a text where they are too long to be heard or read in one piece.
func Folded(text string) string {
	var lines []string
	for _, l := range strings.Split(text, "\n") {
		lines = append(lines, plain.Folded(l)...)
	}
	return strings.Join(lines, "\n")
}
