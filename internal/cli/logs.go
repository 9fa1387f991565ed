package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"flwrup/internal/cli/inorder"
	"flwrup/internal/cli/program"
	"flwrup/internal/fleet"
	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/site"
	"flwrup/internal/supernode"
	"flwrup/internal/wording"
)

func logsCommand(p *program.Program) *cobra.Command {
	var o supernode.LogOptions
	since := ""
	cmd := &cobra.Command{
		Use: "logs [NODE…]", Short: "Show the SuperNodes' logs",
		Long: `Prints the logs of the named SuperNodes, or of all. The lines of several come in the order of
their times. The log of a process keeps times only for its starts and stops.`,
		RunE: func(cmd *cobra.Command, nodes []string) error {
			var from time.Time
			if since != "" {
				from, _ = front.ParseMoment(since, time.Now()) // checked with the other values
			}
			return doLogs(cmd.Context(), p, nodes, o, from)
		},
	}
	cmd.Flags().BoolVarP(&o.Follow, "follow", "f", false, "go on until Ctrl-C")
	cmd.Flags().IntVar(&o.Tail, "tail", -1, "only the last `N` lines of each (default: all that is kept)")
	cmd.Flags().StringVar(&since, "since", "", "only lines from this `TIME` on: 10m, 14:00, yesterday, \"2026-11-23 14:00\"")
	return cmd
}

func doLogs(ctx context.Context, p *program.Program, nodes []string, o supernode.LogOptions, from time.Time) error {
	s, err := p.OpenToLook()
	if err != nil {
		return err
	}
	defer s.Close()
	if len(nodes) == 0 {
		if nodes, err = site.Names(s); err != nil {
			return err
		}
	}
	if err := fleet.CheckNames(s, nodes); err != nil {
		return err
	}
	nodes = wording.Once(nodes)
	width := 0
	for _, n := range nodes {
		width = max(width, len(n))
	}
	errs := inorder.Read(ctx, nodes, o.Follow, func(ctx context.Context, node string, each func(supernode.Line) error) error {
		return site.Logs(ctx, s, node, o, each)
	}, func(l inorder.Line) {
		if l.At.Before(from) {
			return
		}
		stamp := ""
		if !l.Time.IsZero() {
			stamp = stampOf(l.Time, time.Now()) + " "
		}
		if len(nodes) > 1 {
			p.Say("%s%-*s | %s", stamp, width, l.Node, l.Text)
		} else {
			p.Say("%s%s", stamp, l.Text)
		}
	})
	if ctx.Err() != nil {
		return problem.Stopped(nil, "stopped", "")
	}
	return errors.Join(errs...)
}

// stampOf writes the time of a line, with its day unless that is today.
func stampOf(at, now time.Time) string {
	at, now = at.Local(), now.Local()
	if at.YearDay() == now.YearDay() && at.Year() == now.Year() {
		return at.Format(time.TimeOnly)
	}
	return at.Format(time.DateTime)
}

func moment(v string) string {
	if _, err := front.ParseMoment(v, time.Now()); err != nil {
		return fmt.Sprint(err)
	}
	return ""
}
