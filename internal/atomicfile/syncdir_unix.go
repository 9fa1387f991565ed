//go:build unix

package atomicfile

import "os"

// syncDir makes the rename itself durable. Some file systems refuse to sync a folder; the file's own
// content is on disk by then, so that is not an error.
func syncDir(dir string) {
	if d, err := os.Open(dir); err == nil {
		_ = d.Sync()
		d.Close()
	}
}
