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

// child is never made here.
type child struct {
	pid  int
	done chan struct{}
}

func spawn(string, []string, []string, string) (*child, error) { return nil, supported() }
func (*child) kill()                                           {}
func (*child) ending() string                                  { return "" }
func (*child) lastLines(int) string                            { return "" }
func alive(string) bool                                        { return false }
func suspended(int) bool                                       { return false }
func resume(int) error                                         { return supported() }
func holder(string, string) int                                { return 0 }
func end(context.Context, int, *child, func() bool) error      { return supported() }
