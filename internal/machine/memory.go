package machine

import (
	"math"
	"path/filepath"
	"strconv"
	"strings"

	"flwrup/internal/plainfile"
)

// MemoryFree returns the bytes of memory that this program can still have without swapping: the rest of the
// machine's memory, within the limits of this program's control groups. It returns false when the system does
// not say (only Linux does, in /proc/meminfo).
func MemoryFree() (int64, bool) { return memoryFree("/") }

// memoryFree is MemoryFree for the /proc and /sys below root.
func memoryFree(root string) (int64, bool) {
	free, ok := number(filepath.Join(root, "proc/meminfo"), "MemAvailable:")
	if !ok {
		return 0, false
	}
	free <<= 10
	groups, _ := plainfile.Read(filepath.Join(root, "proc/self/cgroup"))
	for line := range strings.SplitSeq(strings.TrimSpace(string(groups)), "\n") {
		part := strings.SplitN(line, ":", 3)
		if len(part) != 3 {
			continue
		}
		switch {
		case part[0] == "0" && part[1] == "":
			free = min(free, groupFree(filepath.Join(root, "sys/fs/cgroup"), part[2], "memory.max", "memory.current", "inactive_file"))
		case strings.Contains(","+part[1]+",", ",memory,"):
			free = min(free, groupFree(filepath.Join(root, "sys/fs/cgroup/memory"), part[2], "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"))
		}
	}
	return max(free, 0), true
}

// groupFree returns the bytes that the limits of a control group and of its parents leave. In a container the
// group's path may be the host's, while its files are at the mount. A missing folder limits nothing.
func groupFree(mount, group, limit, usage, cache string) int64 {
	free := int64(math.MaxInt64)
	for dir := filepath.Join("/", group); ; dir = filepath.Dir(dir) {
		at := filepath.Join(mount, dir)
		if top, ok := number(filepath.Join(at, limit), ""); ok {
			used, _ := number(filepath.Join(at, usage), "")
			idle, _ := number(filepath.Join(at, "memory.stat"), cache) // the kernel drops it before it kills anything
			free = min(free, top-used+idle)
		}
		if dir == "/" {
			return free
		}
	}
}

// number reads the number after name at the beginning of a line; with an empty name, the whole file.
func number(file, name string) (int64, bool) {
	text, err := plainfile.Read(file)
	if err != nil {
		return 0, false
	}
	for line := range strings.SplitSeq(string(text), "\n") {
		f := strings.Fields(line)
		if name != "" && (len(f) < 2 || f[0] != name) || len(f) == 0 {
			continue
		}
		n, err := strconv.ParseInt(f[min(1, len(f)-1)], 10, 64) // "max" means no limit
		return n, err == nil
	}
	return 0, false
}
