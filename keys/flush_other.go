//go:build !darwin

package keys

import "os"

func flush(f *os.File) error { return f.Sync() }
