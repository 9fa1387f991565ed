//go:build !unix

package flwrexec

import "os/exec"

func ownGroup(*exec.Cmd) {}

// killGroup ends cmd; a child of it ends by itself, for its stdin closes.
func killGroup(cmd *exec.Cmd) {
	if cmd.Process != nil {
		cmd.Process.Kill() //nolint:errcheck // it may be gone already
	}
}
