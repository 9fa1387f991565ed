package machine

import "golang.org/x/sys/windows"

// DiskFree returns the bytes that this user may still write to the disk of dir.
func DiskFree(dir string) (uint64, error) {
	name, err := windows.UTF16PtrFromString(dir)
	if err != nil {
		return 0, err
	}
	var free uint64
	return free, windows.GetDiskFreeSpaceEx(name, &free, nil, nil)
}
