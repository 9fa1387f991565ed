//go:build unix

package history

import (
	"os"
	"syscall"
)

// ours reports whether a folder belongs to the user of this flwrup. A file that root made in another user's folder would
// keep that user from writing.
func ours(info os.FileInfo) bool {
	s, ok := info.Sys().(*syscall.Stat_t)
	return !ok || int(s.Uid) == os.Geteuid()
}
