//go:build unix

package machine

import "golang.org/x/sys/unix"

// DiskFree returns the bytes that this user may still write to the disk of dir.
func DiskFree(dir string) (uint64, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, err
	}
	return uint64(st.Bavail) * uint64(st.Bsize), nil
}
