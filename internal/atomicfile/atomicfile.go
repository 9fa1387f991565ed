// Package atomicfile writes files so that a crash leaves either the old content or the new one.
package atomicfile

import (
	"fmt"
	"os"
	"path/filepath"
)

// Write puts data at path: a temporary file beside it, flushed to disk, then renamed over it. A
// symlink at path is followed, so that a person's linked dotfile stays a link. An existing file keeps
// its own mode; perm is for a new one.
func Write(path string, data []byte, perm os.FileMode) (err error) {
	if target, lerr := filepath.EvalSymlinks(path); lerr == nil {
		path = target
	}
	if info, serr := os.Stat(path); serr == nil {
		if !info.Mode().IsRegular() {
			return fmt.Errorf("write %s: not a regular file", path)
		}
		perm = info.Mode().Perm()
	}
	dir := filepath.Dir(path)
	tmp, err := os.CreateTemp(dir, "."+filepath.Base(path)+".*.tmp")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			tmp.Close()
			os.Remove(tmp.Name())
		}
	}()
	if err = tmp.Chmod(perm); err != nil {
		return err
	}
	if _, err = tmp.Write(data); err != nil {
		return err
	}
	if err = tmp.Sync(); err != nil {
		return err
	}
	if err = tmp.Close(); err != nil {
		return err
	}
	if err = os.Rename(tmp.Name(), path); err != nil {
		return err
	}
	syncDir(dir)
	return nil
}
