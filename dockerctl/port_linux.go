package dockerctl

import "fmt"

// portOwner returns the command that shows who listens at a port.
func portOwner(port int) string { return fmt.Sprintf("ss -ltnp 'sport = :%d'", port) }
