//go:build unix

package plainfile

import "syscall"

// noWait makes opening a pipe return at once. For plain files it changes nothing.
const noWait = syscall.O_NONBLOCK
