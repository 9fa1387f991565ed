package procctl

// memory leaves out pages of mapped files, which all nodes share and the kernel can drop.
func memory(p process) uint64 {
	if own := ownMemory(p.pid); own > 0 {
		return own
	}
	return p.memory
}
