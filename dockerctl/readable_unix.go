//go:build unix

package dockerctl

import (
	"context"
	"os"
	"strconv"
	"strings"
	"syscall"

	"flwrup/internal/child"
)

// readable reports whether the containers' user gets into a folder (or file) of this machine, by its mode
// and, where getfacl is there, its access list.
func readable(path string, write bool) bool {
	info, err := os.Stat(path)
	if err != nil {
		return true // Docker reports what is out of sight here
	}
	want := os.FileMode(4)
	if info.IsDir() {
		want |= 1
	}
	if write {
		want |= 2
	}
	mode := info.Mode().Perm()
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		switch {
		case st.Uid == userID:
			mode >>= 6
		case st.Gid == userID:
			mode >>= 3
		}
	}
	if mode&want == want {
		return true
	}
	out, err := child.Tool(context.Background(), "getfacl", "-cnp", path).Output()
	return err == nil && strings.Contains(string(out), "user:"+strconv.Itoa(userID)+":")
}
