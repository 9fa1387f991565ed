package site

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"flwrup/flwrexec/install"
	"flwrup/internal/front"
	"flwrup/internal/grid"
	"flwrup/internal/project"
	"flwrup/keys"
)

// RehearsalAccount is the account that a rehearsal signs in as, at once or when the person says so.
const RehearsalAccount = "ada"

// RehearsalIs tells a person who begins one what it is.
const RehearsalIs = "This is a rehearsal: all 16 steps for real, on a SuperGrid on this machine. It needs no account, and nothing leaves the machine."

func gridDir(s *Site) string { return s.StateDir("grid") }

// GridRunning reports whether the rehearsal's grid runs now. One that has ended is returned, too, to be
// cleared away.
func GridRunning(s *Site) (*grid.Grid, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.grid != nil && s.grid.Alive() {
		return s.grid, true
	}
	g, ok := grid.Running(gridDir(s))
	if ok {
		s.grid = g
	}
	return s.grid, ok
}

// StartGrid starts the rehearsal's grid with the Python of its flwr, puts the app next to it and notes
// the addresses. It does nothing twice.
func StartGrid(ctx context.Context, s *Site, found install.Found, to front.Sink) error {
	if err := grid.WriteApp(s.Dir, s.Options.Trap); err != nil {
		return fmt.Errorf("write the rehearsal's app: %w", err)
	}
	began := time.Now()
	to.Event(front.Says{Text: "starting a SuperGrid on this machine: " + "SuperLink " + found.Version.String()})
	g, err := grid.Start(ctx, grid.Options{Dir: gridDir(s), Python: found.Python, AutoAccount: RehearsalAccount},
		func(line string) { to.Event(front.Output{Text: line}) })
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.grid = g
	s.mu.Unlock()
	if err := s.Change(func(c *project.Choices) error {
		c.Flwr.Version = found.Version.String() // a newer flwr may come to this machine: it could not speak to this grid
		c.Grid.Control, c.Grid.Fleet, c.Grid.CA = g.Ready.Control, g.Ready.Fleet, s.Rel(g.Ready.CA)
		return nil
	}); err != nil {
		return err
	}
	return forgetLostRuns(s, began)
}

// forgetLostRuns notes that runs ended with the grid that they ran on, as their ServerApp was its child. The next grid was
// started at the time began.
func forgetLostRuns(s *Site, began time.Time) error {
	for _, r := range s.Ledger.Runs() {
		if status := front.RunStatus(r.Status); status != front.RunUnknown && !status.Ended() {
			r.Status, r.Lost = string(front.RunLost), began
			if err := s.Ledger.PutRun(r); err != nil {
				return err
			}
		}
	}
	return nil
}

// KeepGrid lets the rehearsal's grid go on when flwrup ends.
func KeepGrid(ctx context.Context, s *Site) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.grid == nil {
		return nil
	}
	return s.grid.Keep(ctx)
}

// GridStays reports whether the rehearsal's grid and its SuperNodes outlive this flwrup: the grid was kept, by this call or an
// earlier one, or this call did not start it. Only TearDown ends them then.
func GridStays(ctx context.Context, s *Site) bool {
	g, alive := GridRunning(s)
	switch {
	case !s.Rehearsal():
		return false
	case g != nil && !g.Attached:
		kept, err := g.Kept(ctx)
		return err == nil && kept
	case alive:
		return true
	case s.RuntimeKind() == "":
		return false
	}
	up, err := Running(ctx, s) // left behind by a grid that has ended
	return err == nil && len(up) > 0
}

// StopGrid ends the rehearsal's grid, also one that is only half there.
func StopGrid(ctx context.Context, s *Site, to front.Sink) error {
	g, ok := GridRunning(s)
	if g == nil {
		return grid.StopDir(ctx, gridDir(s))
	}
	if ok {
		to.Event(front.Says{Text: "stopping the rehearsal's grid"})
	}
	err := g.Stop(ctx)
	s.mu.Lock()
	s.grid = nil
	s.mu.Unlock()
	return err
}

// RemoveFolder closes the site, and removes its folder and what was accepted in it. The folder carries flwrup's mark.
func RemoveFolder(s *Site) error {
	s.Close()
	return errors.Join(project.RemoveMarked(s.Dir), s.store.Forget())
}

// RehearsalPassphrase makes or reads the passphrase of an unattended rehearsal's backup. It guards
// keys that are good for the rehearsal alone, and lies in the same project, for its owner alone.
func RehearsalPassphrase(s *Site) (string, error) {
	return keys.OwnPassphrase(s.StateDir("rehearsal-passphrase"))
}

// ChoseItself reports whether this rehearsal has a passphrase of RehearsalPassphrase's: no person knows it.
func ChoseItself(s *Site) bool {
	_, err := os.Stat(s.StateDir("rehearsal-passphrase"))
	return err == nil
}

// GridUp reports whether this rehearsal's grid runs.
func GridUp(s *Site) bool {
	_, ok := GridRunning(s)
	return s.Rehearsal() && ok
}
