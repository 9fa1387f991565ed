//go:build unix

package cli

import (
	"os"
	"syscall"
)

// endSignals ask flwrup to end in good order. A terminal that is closed sends SIGHUP.
var endSignals = []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP}
