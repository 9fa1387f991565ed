//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package keys

import (
	"errors"
	"os"
	"syscall"
)

// loose is never true: access depends on lists here, not on modes, and a user's own folder is theirs.
func loose(os.FileInfo) bool { return false }

// Windows: ERROR_HANDLE_DISK_FULL, ERROR_DISK_FULL.
func diskFull(err error) bool {
	return errors.Is(err, syscall.Errno(39)) || errors.Is(err, syscall.Errno(112))
}

// syncFolder does nothing: there are no folder handles to flush, and NTFS journals names.
func syncFolder(string) error { return nil }

type folderLock struct{}

// lockFolder never claims to be alone, so nothing is cleaned up here.
func lockFolder(string) (folderLock, bool) { return folderLock{}, false }

func (folderLock) share() func() { return func() {} }
