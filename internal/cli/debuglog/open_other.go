//go:build !unix

package debuglog

import "os"

func openNoFollow(path string, flags int) (*os.File, error) { return os.OpenFile(path, flags, 0o600) }
