//go:build !unix

package grid

import (
	"context"
	"runtime"

	"flwrup/internal/problem"
)

func supported() error {
	return problem.New(problem.Unsupported, "the rehearsal grid does not run on "+runtime.GOOS,
		"flower-superlink is for Linux and macOS", "rehearse in WSL, or use flwrup up with a SuperGrid")
}

// process is never made here.
type process struct {
	pid  int
	done chan struct{}
}

func spawn(string, []string, []string, string) (*process, error) { return nil, supported() }
func (*process) kill()                                           {}
func (*process) ending() string                                  { return "" }
func (*process) lastLines(int) string                            { return "" }
func alive(string) bool                                          { return false }
func suspended(int) bool                                         { return false }
func resume(int) error                                           { return supported() }
func holder(string, string) int                                  { return 0 }
func end(context.Context, int, *process, func() bool) error      { return supported() }
