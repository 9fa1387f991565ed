package site

import (
	"context"
	"fmt"

	"flwrup/internal/front"
	"flwrup/internal/grid"
	"flwrup/internal/probe"
	"flwrup/internal/problem"
)

// SilentGrid reports why the grid gives no answer; nil at its first sign of life. flwr's commands ask it while
// they wait. What this machine knows comes first: a rehearsal's grid that is suspended needs no patience.
func SilentGrid(ctx context.Context, s *Site) error {
	if p := GridSuspended(s); p != nil {
		return p
	}
	if s.Rehearsal() && s.Choices().Grid.Control == "" {
		return nil
	}
	if p := probe.Knock(ctx, s.Folder().ControlAddress(s.Dialect()), probeOptions(s)); p != nil {
		return p
	}
	return nil
}

// GridSuspended is the Problem of a rehearsal whose grid was stopped with SIGSTOP; nil of any other.
func GridSuspended(s *Site) *problem.Problem {
	if !s.Rehearsal() {
		return nil
	}
	pid, is := grid.Suspended(gridDir(s))
	if !is {
		return nil
	}
	return problem.New(problem.Unreachable, "the grid does not answer",
		fmt.Sprintf("the process of the rehearsal's grid (%d) is suspended: somebody stopped it with SIGSTOP or Ctrl-Z", pid),
		"let it go on: flwrup start --grid")
}

// ResumeGrid lets a rehearsal's grid go on that was suspended.
func ResumeGrid(s *Site, to front.Sink) error {
	if GridSuspended(s) == nil {
		return nil
	}
	to.Event(front.Says{Text: "the rehearsal's grid is suspended: resuming it"})
	return grid.Resume(gridDir(s))
}
