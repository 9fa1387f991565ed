package steps

import (
	"fmt"
	"os"
	"testing"
)

// TestMain keeps what tests accept out of the person's own state.
func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "state")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Setenv("XDG_STATE_HOME", dir)
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}
