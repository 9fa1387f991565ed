package cli

import (
	"strings"
	"time"

	"github.com/spf13/cobra"

	"flwrup/internal/health"
	"flwrup/internal/problem"
	"flwrup/internal/watch"
)

// watchData is one line of `flwrup watch --json`.
type watchData struct {
	Time  time.Time        `json:"time"`
	Event health.WatchKind `json:"event"`
	Node  string           `json:"node,omitempty"`
	Text  string           `json:"text"`
	Code  problem.Code     `json:"code,omitempty"`
	Fix   string           `json:"fix,omitempty"`
}

func watchCommand(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use: "watch", Short: "Restart SuperNodes that ended or that the grid lost, until Ctrl-C", Args: noArgs,
		Long: `Stays in the foreground and writes a line for each event. It restarts SuperNodes that have ended
or that the grid calls offline, never one that was stopped with flwrup, nor one whose trouble
a restart does not fix. The pause before a restart doubles from 10 s to 5 min; after five
within an hour the SuperNode is left alone. While the grid cannot be reached the watch waits;
after that, and after this machine slept, the SuperNodes get a minute to come back on their own.
Its end leaves the SuperNodes running.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := gate(cmd.Context(), p, p.findDir()); err != nil {
				return err
			}
			return watch.Nodes(cmd.Context(), p.findDir(), func(e health.WatchEvent) {
				if p.lines {
					writeLine(p.Out, watchData{e.At.Truncate(time.Millisecond), e.Kind, e.Node, e.Text, e.Code, e.Fix})
					return
				}
				text := e.At.Local().Format(time.TimeOnly) + "  "
				if e.Node != "" && !strings.HasPrefix(e.Text, e.Node+" ") {
					text += e.Node + "  "
				}
				p.say("%s", text+e.Text)
				if e.Fix != "" && e.Kind != health.WatchDown {
					p.say("          what to do: %s", e.Fix)
				}
			})
		},
	}
	cmd.Flags().BoolVar(&p.lines, "json", false, "one JSON object a line for each event; the last one is the envelope of the other commands")
	return cmd
}
