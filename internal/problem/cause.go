package problem

import (
	"context"
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

// Stopped returns the Problem of work that ended because ctx did.
func Stopped(ctx context.Context, what string) *Problem {
	return &Problem{Code: Cancelled, What: what, Err: context.Cause(ctx)}
}
