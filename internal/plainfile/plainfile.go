// Package plainfile reads files that another user may have put there. A pipe or a device would hold a reader
// forever, and a sparse file would fill the memory.
package plainfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// Most is how large a file may be for Read, in bytes.
const Most = 64 << 20

// ErrKind is the reason when a path does not lead to a plain file.
var ErrKind = errors.New("it is not a plain file")

// ErrLarge is the reason when a file is too large.
var ErrLarge = errors.New("it is too large")

// Read returns the content of a plain file, links followed.
func Read(path string) ([]byte, error) { return ReadAtMost(path, Most) }

// ReadAtMost is Read for a file of at most n bytes.
func ReadAtMost(path string, n int64) ([]byte, error) {
	fail := func(err error) ([]byte, error) { return nil, &fs.PathError{Op: "read", Path: path, Err: err} }
	f, err := os.OpenFile(path, os.O_RDONLY|noWait, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return fail(ErrKind)
	case info.Size() > n:
		return fail(fmt.Errorf("%w: %d MiB", ErrLarge, info.Size()>>20))
	}
	data := bytes.NewBuffer(make([]byte, 0, info.Size()+bytes.MinRead)) // as long as the file, so that no reading copies
	_, err = data.ReadFrom(io.LimitReader(f, n+1))
	if err == nil && int64(data.Len()) > n {
		return fail(ErrLarge)
	}
	return data.Bytes(), err
}
