//go:build unix

package flwrexec

import (
	"os/exec"
	"syscall"
)

// ownGroup makes cmd the leader of a process group: a Ctrl-C in the terminal reaches flwrup alone,
// and flwrup decides.
func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// killGroup ends cmd, which must have been started and not yet be waited for, with its children.
func killGroup(cmd *exec.Cmd) {
	if cmd.Process != nil {
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) //nolint:errcheck // it may be gone already
	}
}
