//go:build linux || darwin

package procctl

import (
	"path/filepath"
	"slices"
	"strings"
)

// Using returns the numbers of the processes whose command line names something below a folder, such as the programs of an
// environment. It sees those that the system shows to this user.
func Using(folder string) (pids []int) {
	below := filepath.Clean(folder) + string(filepath.Separator)
	for _, p := range processes() {
		if strings.Contains(commandLine(p.pid), below) {
			pids = append(pids, p.pid)
		}
	}
	slices.Sort(pids)
	return pids
}
