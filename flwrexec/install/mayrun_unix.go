//go:build unix

package install

import (
	"io/fs"

	"golang.org/x/sys/unix"
)

// mayRun returns an error where this account may not run the program; root may run nothing that has no
// such bit at all.
func mayRun(program string) error {
	if err := unix.Access(program, unix.X_OK); err != nil {
		return &fs.PathError{Op: "run", Path: program, Err: err}
	}
	return nil
}
