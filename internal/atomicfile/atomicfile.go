// Package atomicfile writes files so that a crash leaves either the old content or the new one.
package atomicfile

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Write writes data to path: to a temporary file in the same folder, flushed to disk, then renamed over it.
// It follows a symlink at path, so that a user's linked dotfile stays a link. An existing file keeps its
// mode; perm, less the umask, is for a new one.
func Write(path string, data []byte, perm os.FileMode) (err error) {
	return write(path, data, perm, true)
}

// Replace is Write for a file that may be lost with the power, such as one that is written every few seconds: nothing is
// flushed to disk.
func Replace(path string, data []byte, perm os.FileMode) error {
	return write(path, data, perm, false)
}

func write(path string, data []byte, perm os.FileMode, flush bool) (err error) {
	if target, lerr := filepath.EvalSymlinks(path); lerr == nil {
		path = target
	}
	old, serr := os.Stat(path)
	if serr == nil {
		if !old.Mode().IsRegular() {
			return fmt.Errorf("write %s: not a regular file", path)
		}
		perm &= old.Mode().Perm()
	}
	dir := filepath.Dir(path)
	tmp, err := Temp(dir, "."+filepath.Base(path)+".*.tmp", perm)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			tmp.Close()
			os.Remove(tmp.Name())
		}
	}()
	if serr == nil {
		if err = tmp.Chmod(old.Mode().Perm()); err != nil {
			return err
		}
	}
	if _, err = tmp.Write(data); err != nil {
		return err
	}
	if flush {
		if err = tmp.Sync(); err != nil {
			return err
		}
	}
	if err = tmp.Close(); err != nil {
		return err
	}
	if err = os.Rename(tmp.Name(), path); err != nil {
		return err
	}
	if flush {
		syncDir(dir)
	}
	return nil
}

// Temp makes a new file in dir and opens it for writing. The last "*" of pattern becomes a random text. In
// contrast to os.CreateTemp the file has the mode perm, less the umask.
func Temp(dir, pattern string, perm os.FileMode) (*os.File, error) {
	before, after := pattern, ""
	if i := strings.LastIndexByte(pattern, '*'); i >= 0 {
		before, after = pattern[:i], pattern[i+1:]
	}
	for {
		name := filepath.Join(dir, before+rand.Text()[:12]+after)
		f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, perm)
		if !errors.Is(err, fs.ErrExist) {
			return f, err
		}
	}
}
