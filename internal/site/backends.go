package site

import (
	"flwrup/internal/grid"
	"flwrup/internal/supernode"
)

// Backends are the flwr, the runtime and the rehearsal's grid that a site works with.
type Backends struct {
	Flwr    Flwr
	Runtime supernode.Runtime
	Grid    *grid.Grid
}

// With makes s work with the backends that are given, in place of those that it finds and opens on first use. It is
// the seam for tests. Close closes a given backend; one that it replaces stays open, as the new one may wrap it.
func With(s *Site, b Backends) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if b.Flwr != nil {
		s.flwr = b.Flwr
	}
	if b.Runtime != nil {
		s.runtime = b.Runtime
	}
	if b.Grid != nil {
		s.grid = b.Grid
	}
}
