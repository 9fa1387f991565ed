//go:build linux

package e2e

import (
	"io"
	"os/exec"
	"testing"
	"time"

	"github.com/creack/pty"
)

// onSilentTerminal runs cmd on a terminal that shows everything and answers nothing.
func onSilentTerminal(t *testing.T, cmd *exec.Cmd) time.Duration {
	t.Helper()
	began := time.Now()
	terminal, err := pty.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	_, _ = io.Copy(io.Discard, terminal) // ends with an error when the program does
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	return time.Since(began)
}
