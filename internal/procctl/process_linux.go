package procctl

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"flwrup/internal/plainfile"
)

// identityScript makes the starting shell write the text that identity reads, without starting a program: the
// boot and its own line of the process table.
const identityScript = `read -r boot </proc/sys/kernel/random/boot_id; read -r stat </proc/$$/stat && printf '%s\n' "$boot" "$stat"`

// tick is the unit of times in /proc/PID/stat: USER_HZ, 100 on every architecture that Go knows.
const tick = 10 * time.Millisecond

func identity(lines []string) string {
	if len(lines) != 2 {
		return ""
	}
	p, ok := parseStat(lines[1], lines[0])
	if !ok {
		return ""
	}
	return p.ident
}

// parseStat reads a line of /proc/PID/stat (proc_pid_stat(5)); the name in it may hold spaces and
// brackets, so fields are counted from the last bracket.
func parseStat(line, boot string) (process, bool) {
	open, end := strings.IndexByte(line, '('), strings.LastIndexByte(line, ')')
	if open < 0 || end < open {
		return process{}, false
	}
	f := strings.Fields(line[end+1:]) // f[0] is field 3
	if len(f) < 22 {
		return process{}, false
	}
	number := func(field int) int64 { n, _ := strconv.ParseInt(f[field-3], 10, 64); return n }
	p := process{ppid: int(number(4)), pgid: int(number(5)), zombie: f[0] == "Z" || f[0] == "X", suspended: f[0] == "T"}
	p.pid, _ = strconv.Atoi(strings.TrimSpace(line[:open]))
	p.cpu = time.Duration(number(14)+number(15)) * tick
	p.memory = uint64(number(24)) * uint64(os.Getpagesize())
	p.ident = boot + " " + f[22-3]
	p.since = time.Duration(number(22)) * tick
	return p, p.pid > 0
}

func bootID() string {
	b, _ := plainfile.Read("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(b))
}

// bootTime returns when the machine booted, by today's clock.
func bootTime() time.Time {
	b, _ := plainfile.Read("/proc/stat")
	lines := bufio.NewScanner(bytes.NewReader(b))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if s, ok := strings.CutPrefix(lines.Text(), "btime "); ok {
			n, _ := strconv.ParseInt(s, 10, 64)
			return time.Unix(n, 0)
		}
	}
	return time.Time{}
}

// began returns when p started, by today's clock.
func (p process) began() time.Time { return bootTime().Add(p.since) }

func inspect(pid int) (process, bool) { return inspectIn(pid, bootID()) }

func inspectIn(pid int, boot string) (process, bool) {
	b, err := plainfile.Read("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return process{}, false
	}
	return parseStat(string(b), boot)
}

func processes() []process {
	entries, _ := os.ReadDir("/proc")
	boot := bootID()
	var all []process
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil {
			if p, ok := inspectIn(pid, boot); ok {
				all = append(all, p)
			}
		}
	}
	return all
}

// ownMemory returns the memory of a process itself: resident pages that no file backs, 0 if unknown.
func ownMemory(pid int) uint64 {
	b, err := plainfile.Read(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	var sum uint64
	for _, line := range strings.Split(string(b), "\n") {
		name, value, _ := strings.Cut(line, ":")
		if name == "RssAnon" || name == "RssShmem" {
			n, _ := strconv.ParseUint(strings.TrimSpace(strings.TrimSuffix(value, "kB")), 10, 64)
			sum += n << 10
		}
	}
	return sum
}

func commandLine(pid int) string {
	b, _ := plainfile.Read(fmt.Sprintf("/proc/%d/cmdline", pid))
	return strings.ReplaceAll(string(b), "\x00", " ")
}

func (rec record) otherBoot() bool {
	boot, _, _ := strings.Cut(rec.ident, " ")
	return boot != "" && boot != bootID()
}

// portOwner finds the process that listens on a TCP port, as far as this user may look.
func portOwner(port int) string {
	inodes := map[string]bool{}
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		b, _ := plainfile.Read(table)
		for _, line := range strings.Split(string(b), "\n") {
			f := strings.Fields(line) // sl local remote state … inode is the tenth
			if len(f) < 10 || f[3] != "0A" {
				continue
			}
			_, hex, _ := strings.Cut(f[1], ":")
			if n, err := strconv.ParseUint(hex, 16, 16); err == nil && int(n) == port {
				inodes["socket:["+f[9]+"]"] = true
			}
		}
	}
	if len(inodes) == 0 {
		return ""
	}
	fds, _ := filepath.Glob("/proc/[0-9]*/fd/*")
	for _, fd := range fds {
		if target, err := os.Readlink(fd); err == nil && inodes[target] {
			pid := strings.Split(fd, "/")[2]
			name, _ := plainfile.Read("/proc/" + pid + "/comm")
			return strings.TrimSpace(string(name)) + " (pid " + pid + ")"
		}
	}
	return ""
}
