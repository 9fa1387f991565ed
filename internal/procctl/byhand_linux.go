package procctl

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"flwrup/internal/plainfile"
	"flwrup/internal/supernode"
)

// superNodes searches the process table for SuperNodes that have a key in their arguments.
func superNodes() []handStarted {
	entries, _ := os.ReadDir("/proc")
	var all []handStarted
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		b, _ := plainfile.Read("/proc/" + e.Name() + "/cmdline")
		argv := strings.Split(strings.TrimSuffix(string(b), "\x00"), "\x00")
		key, ok := told(argv)
		if !ok {
			continue
		}
		place := "root" // as the process sees the path, in any container
		if !filepath.IsAbs(key) {
			place = "cwd"
		}
		all = append(all, handStarted{pid, "/proc/" + e.Name() + "/" + place + "/" + key, supernode.FlagIn(argv, "--superlink")})
	}
	return all
}

// inContainer finds the ID of Docker's container in a line of /proc/PID/cgroup: …/docker/ID, …/docker-ID.scope.
var inContainer = regexp.MustCompile(`docker[-/]([0-9a-f]{64})(?:\.scope)?(?:/|$)`)

// containerOf returns the ID of Docker's container that a process runs in; "" for none.
func containerOf(pid int) string {
	b, _ := plainfile.Read("/proc/" + strconv.Itoa(pid) + "/cgroup")
	for line := range strings.SplitSeq(string(b), "\n") {
		if m := inContainer.FindStringSubmatch(line); m != nil {
			return m[1]
		}
	}
	return ""
}

// stderrFile returns the file that a process writes its log to; "" when there is none.
func stderrFile(pid int) string {
	path := "/proc/" + strconv.Itoa(pid) + "/fd/2" // flwr logs to stderr
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return ""
	}
	target, err := os.Readlink(path)
	if err != nil {
		return ""
	}
	if _, err := os.Stat(target); err != nil {
		return "" // removed meanwhile, or in a container of its own
	}
	return target
}
