//go:build !unix

package cli

import "os"

// endSignals ask flwrup to end in good order.
var endSignals = []os.Signal{os.Interrupt}
