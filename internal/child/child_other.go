//go:build !unix

package child

import (
	"os"
	"os/exec"
)

// SystemDir returns a folder that is there, and closed to others, on every machine.
func SystemDir() string { return os.Getenv("SystemRoot") }

func ownGroup(*exec.Cmd) {}

func ownSession(*exec.Cmd) {}

// KillGroup ends cmd; a child of it ends once its stdin closes.
func KillGroup(cmd *exec.Cmd) {
	if cmd.Process != nil {
		cmd.Process.Kill() //nolint:errcheck // it may be gone already
	}
}
