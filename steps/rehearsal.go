package steps

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"flwrup/flwrexec/install"
	"flwrup/internal/front"
	"flwrup/internal/grid"
	"flwrup/internal/plainfile"
	"flwrup/internal/problem"
	"flwrup/internal/procctl"
	"flwrup/internal/project"
	"flwrup/internal/wording"
)

// rehearsalAccount is the account that a rehearsal signs in as, by itself or when the person says so.
const rehearsalAccount = "ada"

// RehearsalIs tells a person who begins one what it is.
const RehearsalIs = "This is a rehearsal: all 16 steps for real, on a SuperGrid on this machine. It needs no account, and nothing leaves the machine."

func (s *Site) gridDir() string { return s.stateDir("grid") }

// gridRunning tells whether the rehearsal's grid runs now. One that has ended is given, too, for what
// there is to clear away of it.
func (s *Site) gridRunning() (*grid.Grid, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.grid != nil && s.grid.Alive() {
		return s.grid, true
	}
	g, ok := grid.Running(s.gridDir())
	if ok {
		s.grid = g
	}
	return s.grid, ok
}

// startGrid starts the rehearsal's grid with the Python of its flwr, puts the app beside it and notes
// the addresses. It does nothing twice.
func (s *Site) startGrid(ctx context.Context, found install.Found, to front.Sink) error {
	if err := grid.WriteApp(s.Dir, s.o.Trap); err != nil {
		return fmt.Errorf("write the rehearsal's app: %w", err)
	}
	to.Event(front.Says{Text: "starting a SuperGrid on this machine: " + "SuperLink " + found.Version.String()})
	g, err := grid.Start(ctx, grid.Options{Dir: s.gridDir(), Python: found.Python, AutoAccount: rehearsalAccount},
		func(line string) { to.Event(front.Output{Text: line}) })
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.grid = g
	s.mu.Unlock()
	if err := s.Choose(func(c *project.Choices) error {
		c.Flwr.Version = found.Version.String() // a newer flwr may come to this machine: it could not speak to this grid
		c.Grid.Control, c.Grid.Fleet, c.Grid.CA = g.Ready.Control, g.Ready.Fleet, s.rel(g.Ready.CA)
		return nil
	}); err != nil {
		return err
	}
	return s.forgetLostRuns()
}

// forgetLostRuns notes that runs ended with the grid that they ran on: their ServerApp was its child.
func (s *Site) forgetLostRuns() error {
	for _, r := range s.Ledger.Runs() {
		if r.Status != "" && !front.RunEnded(r.Status) {
			r.Status = front.RunLost
			if err := s.Ledger.PutRun(r); err != nil {
				return err
			}
		}
	}
	return nil
}

// KeepGrid lets the rehearsal's grid go on when flwrup ends.
func (s *Site) KeepGrid(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.grid == nil {
		return nil
	}
	return s.grid.Keep(ctx)
}

// GridStays reports whether the rehearsal's grid and its SuperNodes outlive this flwrup: the grid was kept, by this call or an
// earlier one, or this call did not start it. Only TearDown ends them then.
func (s *Site) GridStays(ctx context.Context) bool {
	g, alive := s.gridRunning()
	switch {
	case !s.Rehearsal():
		return false
	case g != nil && !g.Attached:
		kept, err := g.Kept(ctx)
		return err == nil && kept
	case alive:
		return true
	case s.runtimeKind() == "":
		return false
	}
	up, err := s.running(ctx) // left behind by a grid that has ended
	return err == nil && len(up) > 0
}

// TearDown ends what a rehearsal started on this machine: its SuperNodes, its grid, and with remove
// its folder, if flwrup made that. What goes wrong does not stop the rest; all of it is reported.
func (s *Site) TearDown(ctx context.Context, to front.Sink, remove bool) error {
	var errs []error
	keep := func(doing string, err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", doing, err))
		}
	}
	if s.runtimeKind() != "" {
		keep("end the SuperNodes", s.endNodes(ctx, to))
	}
	if remove {
		keep("remove the SuperNodes", s.clearLeftovers(ctx))
	}
	if s.Rehearsal() {
		if g, ok := s.gridRunning(); g != nil {
			if ok {
				to.Event(front.Says{Text: "stopping the rehearsal's grid"})
			}
			keep("stop the grid", g.Stop(ctx))
			s.mu.Lock()
			s.grid = nil
			s.mu.Unlock()
		} else { // one that is only half there
			keep("stop the grid", grid.StopDir(ctx, s.gridDir()))
		}
	}
	if len(errs) == 0 && remove && s.Rehearsal() {
		if !project.Marked(s.Dir, "rehearsal") {
			to.Event(front.Says{Text: s.Dir + " was there before flwrup: it stays, with all that is in it"})
		} else {
			s.Close()
			keep("remove "+s.Dir, errors.Join(project.RemoveMarked(s.Dir), s.store.Forget()))
		}
	}
	return problem.Join(errs...)
}

// endNodes stops every SuperNode of this site at once.
func (s *Site) endNodes(ctx context.Context, to front.Sink) error {
	rt, err := s.nodesRuntime(ctx)
	if err != nil {
		return err
	}
	list, err := rt.List(ctx)
	if err != nil {
		return err
	}
	names := make([]string, 0, len(list))
	for _, st := range list {
		if st.ByHand == "" {
			names = append(names, st.Name)
		}
	}
	if err := s.want(names, wantedDown); err != nil {
		return err
	}
	if len(names) > 0 {
		to.Event(front.Says{Text: fmt.Sprintf("stopping %d %s", len(names), wording.Plural(len(names), "SuperNode"))})
	}
	return s.each(ctx, names, func(ctx context.Context, name string) error {
		if err := rt.Stop(ctx, name, stopGrace); err != nil && !problem.Is(err, procctl.Killed) {
			return err
		}
		return nil
	})
}

// rehearsalPassphrase makes or reads the passphrase of an unattended rehearsal's backup. It guards
// keys that are good for nothing but the rehearsal, and lies beside them, for their owner alone.
func (s *Site) rehearsalPassphrase() (string, error) {
	file := s.stateDir("rehearsal-passphrase")
	if b, err := plainfile.Read(file); err == nil && len(b) > 0 {
		return string(b), nil
	}
	pass, err := randomWord(24)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return "", err
	}
	return pass, os.WriteFile(file, []byte(pass), 0o600)
}

// choseItself tells whether this rehearsal has a passphrase of rehearsalPassphrase's: no person knows it.
func (s *Site) choseItself() bool {
	_, err := os.Stat(s.stateDir("rehearsal-passphrase"))
	return err == nil
}

// randomWord gives n random letters and digits.
func randomWord(n int) (string, error) {
	b := make([]byte, n)
	if _, err := rand.Read(b); err != nil {
		return "", err
	}
	return base32.StdEncoding.EncodeToString(b)[:n], nil
}

// GridUp tells whether this rehearsal's grid runs.
func (s *Site) GridUp() bool {
	_, ok := s.gridRunning()
	return s.Rehearsal() && ok
}
