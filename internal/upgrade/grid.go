package upgrade

import (
	"context"

	"flwrup/flwrexec/install"
	"flwrup/internal/fleet"
	"flwrup/internal/front"
	"flwrup/internal/grid"
	"flwrup/internal/site"
)

// gridStays reports whether a rehearsal's grid is to outlive this flwrup. A running grid of its own is not.
func gridStays(ctx context.Context, s *site.Site) bool {
	_, running := site.GridRunning(s)
	return !running || site.GridStays(ctx, s)
}

// replaceGrid stops the rehearsal's grid and starts it with another flwr, on the same records; see grid.KeepRecords. With
// stays it goes on without this flwrup. SuperNodes stop first: they take their leave of a grid that still answers.
// A SuperLink that cannot read the records is an error: the grid is down then.
func replaceGrid(ctx context.Context, s *site.Site, found install.Found, stays bool, to front.Sink) error {
	dir := s.StateDir("grid")
	before, running := site.GridRunning(s)
	if running {
		up, err := site.Running(ctx, s)
		if err != nil {
			return err
		}
		if err := fleet.Halt(ctx, s, up, to); err != nil {
			return err
		}
		if err := site.StopGrid(ctx, s, to); err != nil {
			return err
		}
		if err := grid.KeepRecords(dir, before.Ready.Version); err != nil {
			return err
		}
	}
	if err := grid.UseRecords(dir, found.Version.String()); err != nil {
		return err
	}
	if err := site.StartGrid(ctx, s, found, to); err != nil || !stays {
		return err
	}
	return site.KeepGrid(ctx, s)
}
