package procctl

import (
	"bufio"
	"bytes"
	"strconv"
	"strings"
	"time"
)

// process is one row of the machine's process table.
type process struct {
	pid, ppid, pgid int
	zombie          bool
	suspended       bool          // by SIGSTOP or Ctrl-Z
	ident           string        // differs between two processes that have the same pid one after the other
	since           time.Duration // start, after the machine's own (Linux)
	start           time.Time     // start by the clock (others)
	cpu             time.Duration
	memory          uint64 // bytes of its own, without mapped files
}

func parsePS(out []byte) []process {
	var all []process
	lines := bufio.NewScanner(bytes.NewReader(out))
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		if len(f) != 11 {
			continue
		}
		var p process
		p.pid, _ = strconv.Atoi(f[0])
		p.ppid, _ = strconv.Atoi(f[1])
		p.pgid, _ = strconv.Atoi(f[2])
		p.zombie, p.suspended = strings.HasPrefix(f[3], "Z"), strings.HasPrefix(f[3], "T")
		kib, _ := strconv.ParseUint(f[4], 10, 64)
		p.memory = kib << 10
		p.cpu = psTime(f[5])
		p.ident = strings.Join(f[6:], " ")
		p.start, _ = time.Parse("Mon Jan 2 15:04:05 2006", p.ident)
		all = append(all, p)
	}
	return all
}

// psTime reads [[days-]hours:]minutes:seconds[.fraction].
func psTime(s string) time.Duration {
	var d time.Duration
	if days, rest, ok := strings.Cut(s, "-"); ok {
		n, _ := strconv.Atoi(days)
		d, s = time.Duration(n)*24*time.Hour, rest
	}
	var seconds float64
	for _, part := range strings.Split(s, ":") {
		v, _ := strconv.ParseFloat(part, 64)
		seconds = seconds*60 + v
	}
	return d + time.Duration(seconds*float64(time.Second))
}

// family finds a process and its descendants, even when the parent in between has ended.
func family(all []process, pid int) []process {
	in := map[int]bool{pid: true}
	for grown := true; grown; {
		grown = false
		for _, p := range all {
			if !in[p.pid] && (in[p.ppid] || p.pgid == pid) {
				in[p.pid], grown = true, true
			}
		}
	}
	var members []process
	for _, p := range all {
		if in[p.pid] && !p.zombie {
			members = append(members, p)
		}
	}
	return members
}
