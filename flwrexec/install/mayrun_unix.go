//go:build unix

package install

import (
	"io/fs"

	"golang.org/x/sys/unix"
)

// mayRun returns an error when this account may not run the program. Without any such bit not even root may.
func mayRun(program string) error {
	if err := unix.Access(program, unix.X_OK); err != nil {
		return &fs.PathError{Op: "run", Path: program, Err: err}
	}
	return nil
}
