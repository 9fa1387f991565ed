// Package child makes every process that flwrup starts. A child runs in a folder that nobody else can
// write to, without variables that lead Python to other people's code, and in a process group of its own.
package child

import (
	"context"
	"log/slog"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"flwrup/internal/userdirs"
)

// Command returns a child that is not started yet. It works in dir, which belongs to this user or root
// and is closed to others, and so is the program, on PATH too: otherwise starting it fails with a Problem. The end of ctx ends the child
// and its children. The caller may change all but Dir; for Env see Environ.
func Command(ctx context.Context, dir, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir, cmd.Env = dir, Environ()
	ownGroup(cmd)
	cmd.Cancel = func() error { KillGroup(cmd); return nil }
	cmd.WaitDelay = 2 * time.Second
	check(cmd)
	return cmd
}

// Detached returns a child in a session of its own: neither Ctrl-C in the terminal nor the end of flwrup
// reaches it. See Command for dir.
func Detached(dir, program string, args ...string) *exec.Cmd {
	cmd := exec.Command(program, args...)
	cmd.Dir, cmd.Env = dir, Environ()
	ownSession(cmd)
	check(cmd)
	return cmd
}

// check refuses to start cmd in a folder, or from a folder, that others can write to.
func check(cmd *exec.Cmd) {
	if cmd.Err == nil {
		cmd.Err = userdirs.Folder(cmd.Dir)
	}
	if cmd.Err == nil {
		cmd.Err = userdirs.Program(cmd.Path)
	}
	slog.Debug("program", "argv", cmd.Args, "folder", cmd.Dir, "refused", cmd.Err)
}

// Tool returns a child that takes nothing from its working folder, such as ps: it gets a folder of the
// system's.
func Tool(ctx context.Context, program string, args ...string) *exec.Cmd {
	return Command(ctx, SystemDir(), program, args...)
}

// foreign are the variables that make Python run code or take packages from elsewhere, or that belong to
// an environment that happens to be active.
var foreign = map[string]bool{
	"PYTHONPATH": true, "PYTHONHOME": true, "PYTHONSTARTUP": true, "PYTHONINSPECT": true, "PYTHONPLATLIBDIR": true,
	"PYTHONEXECUTABLE": true, "PYTHONBREAKPOINT": true, "__PYVENV_LAUNCHER__": true, "VIRTUAL_ENV": true, "VIRTUAL_ENV_PROMPT": true,
}

// Environ returns the variables of a child: flwrup's own without the foreign ones and without those
// meant for flwrup alone, then set. HOME is there even where flwrup was started without it, so that flwr
// and flwrup look in the same place.
func Environ(set ...string) []string {
	var env []string
	for _, kv := range os.Environ() {
		name, _, _ := strings.Cut(kv, "=")
		if upper := strings.ToUpper(name); foreign[upper] || strings.HasPrefix(upper, "FLWRUP_") {
			continue
		}
		env = append(env, kv)
	}
	if dir, err := userdirs.Home(); err == nil && dir != os.Getenv("HOME") && runtime.GOOS != "windows" {
		env = append(env, "HOME="+dir)
	}
	return append(env, set...)
}
