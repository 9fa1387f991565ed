//go:build !unix

package dockerctl

// readable leaves the decision to Docker, whose virtual machine has its own idea of the modes.
func readable(string, bool) bool { return true }
