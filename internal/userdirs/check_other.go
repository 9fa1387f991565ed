//go:build !unix

package userdirs

import (
	"os"

	"flwrup/internal/problem"
)

// Check accepts every path: access on Windows depends on lists, and a profile belongs to its owner by
// default.
func Check(string) error { return nil }

// Program accepts every program; see Check.
func Program(string) error { return nil }

// Folder refuses a path that is not a folder; see Check.
func Folder(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return &problem.Problem{Code: problem.BadInput, What: "cannot use the folder " + dir, Why: problem.Cause(err), Fix: "make it", Err: err}
	}
	if !info.IsDir() {
		return problem.New(problem.BadInput, "cannot use the folder "+dir, "it is a file", "move it away")
	}
	return nil
}
