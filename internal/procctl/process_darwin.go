package procctl

import (
	"context"
	"strconv"
	"strings"
	"time"

	"flwrup/internal/child"
)

// psColumns are understood by the ps of macOS, the BSDs and Linux; lstart comes last because it has spaces.
const psColumns = "pid=,ppid=,pgid=,stat=,rss=,time=,lstart="

// identityScript makes the starting shell write the text that identity reads: its start time, to the second.
const identityScript = `LC_ALL=C TZ=UTC0 ps -o lstart= -p $$`

func identity(lines []string) string {
	return strings.Join(strings.Fields(strings.Join(lines, " ")), " ")
}

// ps asks ps(1) for one process, or for all when pid is 0.
func ps(pid int) []process {
	args := []string{"-A", "-o", psColumns}
	if pid != 0 {
		args = []string{"-o", psColumns, "-p", strconv.Itoa(pid)}
	}
	cmd := child.Tool(context.Background(), "ps", args...)
	cmd.Env = child.Environ("LC_ALL=C", "TZ=UTC0")
	out, err := cmd.Output()
	if err != nil {
		return nil
	}
	return parsePS(out)
}

// began returns when p started, to the second.
func (p process) began() time.Time { return p.start }

func inspect(pid int) (process, bool) {
	for _, p := range ps(pid) {
		if p.pid == pid {
			return p, true
		}
	}
	return process{}, false
}

func processes() []process { return ps(0) }

func commandLine(pid int) string {
	out, _ := child.Tool(context.Background(), "ps", "-ww", "-o", "command=", "-p", strconv.Itoa(pid)).Output()
	return string(out)
}

// otherBoot is unknown here: the start time alone shows that the process is gone.
func (rec record) otherBoot() bool { return false }

// portOwner asks lsof, which comes with macOS.
func portOwner(port int) string {
	out, err := child.Tool(context.Background(), "lsof", "-nP", "-iTCP:"+strconv.Itoa(port), "-sTCP:LISTEN", "-Fpc").Output()
	if err != nil {
		return ""
	}
	var pid, name string
	for _, line := range strings.Split(string(out), "\n") {
		switch {
		case strings.HasPrefix(line, "p") && pid == "":
			pid = line[1:]
		case strings.HasPrefix(line, "c") && name == "":
			name = line[1:]
		}
	}
	if pid == "" {
		return ""
	}
	return name + " (pid " + pid + ")"
}
