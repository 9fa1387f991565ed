package problem

import (
	"errors"
	"io/fs"
	"os"
)

// Cause returns the words of an error of the file system without the path, which the sentence around them
// names already. Another error is returned whole.
func Cause(err error) string {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err.Error()
	}
	var link *os.LinkError
	if errors.As(err, &link) {
		return link.Err.Error()
	}
	return err.Error()
}

// Stopped returns the Problem of work that the user or a signal ended. cause is the error of its context, or
// the error that it ended with.
func Stopped(cause error, what, fix string) *Problem {
	return &Problem{Code: Cancelled, What: what, Fix: fix, Err: cause}
}
