//go:build unix

package userdirs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"flwrup/internal/problem"
	"flwrup/internal/shell"
)

const (
	others   = 0o022
	maxLinks = 40
)

// Check refuses a path that another user can change or exchange. The path, every folder above it and every
// link on the way must belong to this user or to root, and nobody else may write to them. For a folder above
// it the sticky bit is enough. A part that does not exist yet is left to its maker. Errors are Problems
// (unsafe-folder).
func Check(path string) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	at, todo, links := "/", parts(path), 0
	for len(todo) > 0 {
		next := filepath.Join(at, todo[0])
		todo = todo[1:]
		info, err := os.Lstat(next)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return refuse(path, next+" cannot be looked at: "+problem.Cause(err), "make it readable for you")
		}
		if err := owned(path, next, info); err != nil {
			return err
		}
		if info.Mode()&fs.ModeSymlink != 0 {
			target, err := os.Readlink(next)
			if links++; err != nil || links > maxLinks {
				return refuse(path, next+" is a link that leads nowhere", "remove it")
			}
			if filepath.IsAbs(target) {
				at = "/"
			}
			todo = append(parts(target), todo...)
			continue
		}
		if sticky := info.Mode()&fs.ModeSticky != 0 && len(todo) > 0; !sticky {
			if err := closed(path, next, info); err != nil {
				return err
			}
		}
		at = next
	}
	return nil
}

// Folder refuses a single folder that is not this user's or root's, or that others may write to. Errors
// are Problems (unsafe-folder).
func Folder(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return &problem.Problem{Code: problem.BadInput, What: "cannot use the folder " + dir, Why: problem.Cause(err), Fix: "make it", Err: err}
	}
	if !info.IsDir() {
		return problem.New(problem.BadInput, "cannot use the folder "+dir, "it is a file", "move it away")
	}
	if err := owned(dir, dir, info); err != nil {
		return err
	}
	return closed(dir, dir, info)
}

// Program refuses a program that everybody can exchange: it or its folder is open to all, or it is another
// user's in a folder such as /tmp. A folder that its owner or a group shares is the responsibility of whoever
// put it on PATH. Errors are Problems (unsafe-folder).
func Program(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return nil // the start of the program reports it
	}
	if info.Mode()&0o002 != 0 {
		return closed(path, path, info)
	}
	for _, dir := range []string{filepath.Dir(path), filepath.Dir(realOf(path))} {
		in, err := os.Stat(dir)
		if err != nil || in.Mode()&0o002 == 0 {
			continue
		}
		if in.Mode()&fs.ModeSticky == 0 {
			return closed(path, dir, in)
		}
		if err := owned(path, path, info); err != nil {
			return err
		}
	}
	return nil
}

func realOf(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	return path
}

func parts(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
}

func refuse(path, why, fix string) error {
	return problem.New(Unsafe, "cannot use "+path, why, fix)
}

func owned(path, at string, info fs.FileInfo) error {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok || st.Uid == 0 || int(st.Uid) == os.Geteuid() {
		return nil
	}
	return refuse(path, fmt.Sprintf("%s belongs to another user (%s)", at, nameOf(st.Uid)), "remove "+at+", or have its owner give it to you")
}

func closed(path, at string, info fs.FileInfo) error {
	mode := info.Mode().Perm()
	st, ok := info.Sys().(*syscall.Stat_t)
	if ok && own(st.Gid) {
		mode &^= 0o020
	}
	if mode&others == 0 {
		return nil
	}
	fix := "chmod go-w " + shell.Path(at)
	if ok && int(st.Uid) != os.Geteuid() {
		fix = "have an administrator run: " + fix
	}
	return refuse(path, fmt.Sprintf("others may write to %s (mode %04o)", at, info.Mode().Perm()), fix)
}

// own reports whether write access for a group gives it to nobody else: root's group, and the group of the
// same name that many systems make for each account, with a umask of 0002.
func own(gid uint32) bool {
	if gid == 0 || runtime.GOOS == "darwin" && gid == 80 { // 80 is admin, whose members may become root
		return true
	}
	if int(gid) != os.Getegid() {
		return false
	}
	me, err := user.Current()
	if err != nil {
		return false
	}
	group, err := user.LookupGroupId(strconv.Itoa(int(gid)))
	return err == nil && group.Name == me.Username
}

func nameOf(uid uint32) string {
	id := strconv.Itoa(int(uid))
	if u, err := user.LookupId(id); err == nil {
		return u.Username + ", uid " + id
	}
	return "uid " + id
}
