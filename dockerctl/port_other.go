//go:build !linux

package dockerctl

import (
	"fmt"
	"runtime"
)

// portOwner returns the command that shows who listens at a port.
func portOwner(port int) string {
	if runtime.GOOS == "windows" {
		return fmt.Sprintf("netstat -ano | findstr :%d", port)
	}
	return fmt.Sprintf("lsof -nP -iTCP:%d -sTCP:LISTEN", port)
}
