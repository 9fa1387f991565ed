package site

import (
	"context"
	"time"

	"flwrup/internal/procctl"
	"flwrup/internal/supernode"
)

// SinceStart leaves out what an earlier process of the SuperNode said: a fresh one has said nothing yet.
func SinceStart(lines []supernode.Line) []supernode.Line {
	for i := len(lines) - 1; i >= 0; i-- {
		if procctl.Began(lines[i].Text) {
			return lines[i+1:]
		}
	}
	return lines
}

// SaidLately is what a SuperNode has said since it was started, its last lines: what a diagnosis goes by.
func SaidLately(ctx context.Context, s *Site, name string) (lines []string) {
	for _, l := range SinceStart(LastLines(ctx, s, name, 80)) {
		lines = append(lines, l.Text)
	}
	return lines
}

// LastLines returns the end of a SuperNode's log; none when it cannot be read.
func LastLines(ctx context.Context, s *Site, name string, n int) []supernode.Line {
	rt, err := s.NodesRuntime(ctx)
	if err != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	var lines []supernode.Line
	_ = rt.Logs(ctx, name, supernode.LogOptions{Tail: n}, func(l supernode.Line) error {
		lines = append(lines, l)
		return nil
	})
	return lines
}

// LookBack is how many lines of a SuperNode's log are read for the runs that it took part in.
const LookBack = 1000
