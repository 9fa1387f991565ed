package keys

import (
	"os"
	"syscall"
)

// flush hands the content to the drive. What (*os.File).Sync does on macOS, emptying the drive's own
// cache, takes milliseconds a file one after the other; the sync of the folder, which is last, does it
// once for all.
func flush(f *os.File) error { return syscall.Fsync(int(f.Fd())) }
