package procctl

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"flwrup/internal/child"
	"flwrup/internal/supernode"
)

// superNodes searches the process table for SuperNodes that have a key in their arguments. ps joins the
// arguments with spaces, so a path with " --" in it is not found.
func superNodes() []handStarted {
	out, err := child.Tool(context.Background(), "ps", "-A", "-ww", "-o", "pid=,command=").Output()
	if err != nil {
		return nil
	}
	var all []handStarted
	for _, line := range strings.Split(string(out), "\n") {
		number, command, _ := strings.Cut(strings.TrimSpace(line), " ")
		pid, err := strconv.Atoi(number)
		if err != nil || !strings.Contains(command, supernode.KeyFlag) {
			continue
		}
		program, rest, _ := strings.Cut(command, " --")
		argv := strings.Fields(program)
		for _, option := range strings.Split(rest, " --") {
			flag, value, _ := strings.Cut(strings.Replace("--"+option, "=", " ", 1), " ")
			argv = append(argv, flag, strings.TrimSpace(value))
		}
		key, ok := told(argv)
		if !ok {
			continue
		}
		if !filepath.IsAbs(key) {
			dir := lsof(pid, "cwd")
			if dir == "" {
				continue
			}
			key = filepath.Join(dir, key)
		}
		all = append(all, handStarted{pid, key, supernode.FlagIn(argv, "--superlink")})
	}
	return all
}

// stderrFile returns the file that a process writes its log to; "" when there is none.
func stderrFile(pid int) string {
	path := lsof(pid, "2") // flwr logs to stderr
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return ""
	}
	return path
}

// lsof returns the file behind a descriptor of a process, or behind "cwd"; lsof comes with macOS.
func lsof(pid int, descriptor string) string {
	out, err := child.Tool(context.Background(), "lsof", "-a", "-p", strconv.Itoa(pid), "-d", descriptor, "-Fn").Output()
	if err != nil {
		return ""
	}
	for _, line := range strings.Split(string(out), "\n") {
		if name, ok := strings.CutPrefix(line, "n"); ok {
			return name
		}
	}
	return ""
}

// containerOf returns "": on macOS containers run in a virtual machine, whose processes are not visible here.
func containerOf(int) string { return "" }
