package procctl

// memory is the resident size: ps knows no other.
func memory(p process) uint64 { return p.memory }
