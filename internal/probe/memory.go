package probe

import (
	"os"
	"strconv"
	"strings"
)

// MemoryFree gives the bytes of memory that programs can still have on this machine without swapping;
// false where that cannot be told (only Linux says it, in /proc/meminfo).
func MemoryFree() (int64, bool) {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0, false
	}
	for line := range strings.SplitSeq(string(text), "\n") {
		if f := strings.Fields(line); len(f) == 3 && f[0] == "MemAvailable:" {
			kb, err := strconv.ParseInt(f[1], 10, 64)
			return kb << 10, err == nil
		}
	}
	return 0, false
}
