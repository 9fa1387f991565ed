package keys

import (
	"os"
	"syscall"
)

// flush hands the content to the drive. On macOS (*os.File).Sync also empties the drive's own cache, which
// takes milliseconds for each file. The sync of the folder, which comes last, does that once for all.
func flush(f *os.File) error { return syscall.Fsync(int(f.Fd())) }
