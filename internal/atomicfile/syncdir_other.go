//go:build !unix

package atomicfile

// syncDir does nothing: Windows has no folder handles to flush, and NTFS journals the rename.
func syncDir(string) {}
