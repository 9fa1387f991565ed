//go:build unix

package child

import (
	"os/exec"
	"syscall"
)

// SystemDir returns a folder that is there, and closed to others, on every machine.
func SystemDir() string { return "/" }

// ownGroup makes cmd the leader of a process group: a Ctrl-C in the terminal reaches flwrup alone,
// and flwrup decides.
func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

func ownSession(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }

// KillGroup ends cmd and its children. It must have been started and not yet been waited for.
func KillGroup(cmd *exec.Cmd) {
	if cmd.Process != nil {
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) //nolint:errcheck // it may be gone already
	}
}
