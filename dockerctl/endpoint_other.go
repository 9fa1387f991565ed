//go:build !unix

package dockerctl

// otherSockets is empty: Docker Desktop for Windows has one named pipe.
func otherSockets() []string { return nil }
