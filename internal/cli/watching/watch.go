// Package watching is the part of flwrup's command line that watches: flwrup watch.
package watching

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"flwrup/internal/front"
	"flwrup/internal/health"
	"flwrup/internal/problem"
	"flwrup/internal/turn"
	"flwrup/internal/watch"
	"flwrup/internal/wording"
)

// Host is what the command needs of the program that it is part of.
type Host struct {
	Dir       func() string                               // the project's folder
	Gate      func(ctx context.Context, dir string) error // asks whether what the folder wants is accepted
	Say       func(string, ...any)                        // writes a line for a person
	WriteLine func(any)                                   // writes an object as a line
	Lines     *bool                                       // --json: every line is an object
	Attended  func() bool                                 // a person sits at the terminal
	Ask       func(context.Context, front.Question) (string, error)
	Version   string // flwrup's own
}

// Data is one line of `flwrup watch --json`.
type Data struct {
	Time  time.Time        `json:"time"`
	Dir   string           `json:"dir,omitempty"` // where several folders are watched
	Event health.WatchKind `json:"event"`
	Node  string           `json:"node,omitempty"`
	Text  string           `json:"text"`
	Code  problem.Code     `json:"code,omitempty"`
	Fix   string           `json:"fix,omitempty"`
}

// Watch is `flwrup watch`.
func Watch(h Host) *cobra.Command {
	var test, install, uninstall bool
	at := ""
	cmd := &cobra.Command{
		Use: "watch [DIR...]", Short: "Restart lost SuperNodes and tell people, until Ctrl-C",
		Long: `Stays in the foreground and writes a line for each event. It restarts SuperNodes that have ended
or that the grid calls offline, never one that was stopped with flwrup, nor one whose trouble
a restart does not fix. The pause before a restart doubles from 10 s to 5 min; after five
within an hour the SuperNode is left alone. While the grid cannot be reached the watch waits;
after that, and after this machine slept, the SuperNodes get a minute to come back on their own.
Its end leaves the SuperNodes running.

Where flwrup.toml has a table [notify], it tells people by a program, a webhook or e-mail: once
when something is lost for longer than three minutes, once when it is back, and of runs.

With --metrics it shows what it sees to Prometheus, and at /healthz whether it lives.

With --install the system runs it from now on, for each folder that is named: as a unit of your
own systemd, or as an agent of launchd. One service watches all folders.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if test && (install || uninstall) || install && uninstall {
				return problem.New(problem.Usage, "cannot use --install, --uninstall and --test-notify together", "", "give one of them")
			}
			dirs, err := folders(h, args)
			if err != nil {
				return err
			}
			switch {
			case uninstall:
				return doUninstall(cmd.Context(), h, dirs)
			case install:
				return doInstall(cmd.Context(), h, dirs, at)
			}
			patient := turn.AsService()
			for _, dir := range dirs {
				if patient { // nobody can be asked; a folder that is not ready is tried again
					break
				}
				if err := h.Gate(cmd.Context(), dir); err != nil {
					return err
				}
			}
			if test {
				return eachFolder(dirs, func(dir string) error { return sendTest(cmd.Context(), h, dir) })
			}
			o := watch.Options{Patient: patient, Each: func(dir string, e health.WatchEvent) {
				if len(dirs) == 1 {
					dir = ""
				}
				h.event(dir, e)
			}}
			if at == "" {
				return watch.Folders(cmd.Context(), dirs, o)
			}
			return withMetrics(cmd.Context(), h, at, &o, func(ctx context.Context) error { return watch.Folders(ctx, dirs, o) })
		},
	}
	cmd.Flags().BoolVar(h.Lines, "json", false, "one JSON object a line for each event; the last one is the envelope of the other commands")
	cmd.Flags().BoolVar(&test, "test-notify", false, "send a test message to all that [notify] names, and end")
	cmd.Flags().StringVar(&at, "metrics", "", "show metrics for Prometheus at this `ADDRESS`, such as 127.0.0.1:9464; a port alone is one of this machine's own")
	cmd.Flags().BoolVar(&install, "install", false, "have the system watch the folders, also after you close this terminal")
	cmd.Flags().BoolVar(&uninstall, "uninstall", false, "have the system no longer watch the folders")
	return cmd
}

// folders are those that are named, else the one at hand: absolute, each once.
func folders(h Host, args []string) (dirs []string, err error) {
	if len(args) == 0 {
		args = []string{h.Dir()}
	}
	for _, arg := range args {
		dir, err := filepath.Abs(arg)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	return dirs, nil
}

// eachFolder does something for each folder, and returns all errors.
func eachFolder(dirs []string, do func(dir string) error) error {
	var errs []error
	for _, dir := range dirs {
		errs = append(errs, do(dir))
	}
	return errors.Join(errs...)
}

// event writes an event as a line.
func (h Host) event(dir string, e health.WatchEvent) {
	if *h.Lines {
		h.WriteLine(Data{e.At.Truncate(time.Millisecond), dir, e.Kind, e.Node, e.Text, e.Code, e.Fix})
		return
	}
	text := e.At.Local().Format(time.TimeOnly) + "  "
	if dir != "" {
		text += dir + "  "
	}
	if e.Node != "" && !strings.HasPrefix(e.Text, e.Node+" ") {
		text += e.Node + "  "
	}
	h.Say("%s", text+e.Text)
	if e.Fix != "" && e.Kind != health.WatchDown {
		h.Say("          what to do: %s", e.Fix)
	}
}

// note writes a line that belongs to no folder.
func (h Host) note(text string) {
	h.event("", health.WatchEvent{At: time.Now(), Kind: health.WatchNote, Text: text})
}

// says writes a line for a person; with --json, a note.
func (h Host) says(format string, args ...any) {
	if *h.Lines {
		h.note(strings.TrimSpace(fmt.Sprintf(format, args...)))
		return
	}
	h.Say(format, args...)
}

// sendTest tries every channel, and fails when one of them did not take the message.
func sendTest(ctx context.Context, h Host, dir string) error {
	results, err := watch.TestMessage(ctx, dir)
	if err != nil {
		return err
	}
	var failed []string
	for _, channel := range slices.Sorted(maps.Keys(results)) {
		e := health.WatchEvent{At: time.Now(), Kind: health.WatchTold, Text: channel + " took the message"}
		if err := results[channel]; err != nil {
			e.Kind, e.Text = health.WatchNotTold, channel+": "+err.Error()
			if p := new(problem.Problem); errors.As(err, &p) {
				e.Code, e.Fix = p.Code, p.Fix
			}
			failed = append(failed, channel)
		}
		h.event("", e)
	}
	if len(failed) > 0 {
		return problem.New(problem.BadInput, wording.Count(len(failed), "message")+" did not arrive", strings.Join(failed, ", "), "see the lines above, and [notify] in flwrup.toml")
	}
	return nil
}
