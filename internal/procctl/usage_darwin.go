package procctl

// memory returns the resident size: ps knows no other.
func memory(p process) uint64 { return p.memory }
