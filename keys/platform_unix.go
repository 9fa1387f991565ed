//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package keys

import (
	"errors"
	"os"
	"syscall"
	"time"
)

// loose reports whether others than the owner can access a file or folder.
func loose(info os.FileInfo) bool { return info.Mode().Perm()&0o077 != 0 }

func diskFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// syncFolder makes the names in dir durable. Some file systems cannot sync a folder; that is no error.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	err = d.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) || errors.Is(err, syscall.EBADF) {
		return nil
	}
	return err
}

type folderLock struct{ f *os.File }

// lockFolder takes a lock on the folder itself; alone reports whether nobody else has one.
func lockFolder(dir string) (lock folderLock, alone bool) {
	f, err := os.Open(dir)
	if err != nil {
		return folderLock{}, false
	}
	return folderLock{f}, syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
}

// cleaningTime is how long a run that is alone may remove leftovers. A process that holds the folder for
// longer is not flwrup, so nobody waits for it.
const cleaningTime = 2 * time.Second

// share lets others in and returns a function that ends the lock. It waits for a run that is removing
// leftovers: without a lock of our own, the next run would take our files for leftovers.
func (l folderLock) share() (leave func()) {
	if l.f == nil {
		return func() {}
	}
	for end := time.Now().Add(cleaningTime); ; time.Sleep(2 * time.Millisecond) {
		err := syscall.Flock(int(l.f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB)
		busy := errors.Is(err, syscall.EWOULDBLOCK) || errors.Is(err, syscall.EINTR)
		if !busy || time.Now().After(end) {
			return func() { l.f.Close() }
		}
	}
}
