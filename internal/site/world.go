package site

import (
	"context"
	"reflect"
	"slices"
	"time"

	"flwrup/flwrexec"
	"flwrup/internal/front"
	"flwrup/internal/ledger"
	"flwrup/internal/memo"
)

// world keeps the grid's last answers, so that sixteen inspections in a row ask it once.
type world struct {
	nodes       memo.Answer[[]flwrexec.Node]
	federations memo.Answer[[]flwrexec.Federation]
	invitations memo.Answer[flwrexec.Invitations]
	membership  memo.Answer[flwrexec.FederationDetails]
	runs        memo.Answer[[]flwrexec.Run]
	network     memo.Answer[Network]
}

// ForgetGrid is for another grid: nothing that the one before said holds there.
func (s *Site) ForgetGrid() {
	for _, a := range append(answers(s), &s.world.network) {
		a.Reset()
	}
}

// Fresh is how old the grid's answer may be while a person goes through the steps.
const Fresh = 5 * time.Second

// Forget makes the next look read parts again, however young their last answers are; without parts all that the grid
// said, and all that rooms above keep.
func (s *Site) Forget(parts ...Part) {
	if len(parts) == 0 {
		for _, a := range answers(s) {
			a.Forget()
		}
	}
	of := map[Part]forgetful{ReadNodes: &s.world.nodes, ReadFederations: &s.world.federations, ReadInvitations: &s.world.invitations, ReadMembership: &s.world.membership,
		ReadRuns: &s.world.runs, ReadNetwork: &s.world.network}
	for _, p := range parts {
		of[p].Forget()
	}
}

// forgetful is an Answer, of whatever type.
type forgetful interface {
	Forget()
	Reset()
}

// answers are those of the grid, and those that rooms above keep; not what was seen of the network.
func answers(s *Site) []forgetful {
	list := []forgetful{&s.world.nodes, &s.world.federations, &s.world.invitations, &s.world.membership, &s.world.runs}
	s.kept.Range(func(_, v any) bool {
		if a, ok := v.(forgetful); ok {
			list = append(list, a)
		}
		return true
	})
	return list
}

// GridNodes returns the account's nodes on the grid, those unregistered left out.
func (s *Site) GridNodes(ctx context.Context, maxAge time.Duration) ([]flwrexec.Node, time.Time, error) {
	all, at, err := s.AllNodes(ctx, maxAge)
	return registered(all), at, err
}

// AllNodes returns the account's nodes as the grid lists them, also those that were unregistered.
func (s *Site) AllNodes(ctx context.Context, maxAge time.Duration) ([]flwrexec.Node, time.Time, error) {
	return s.world.nodes.Get(maxAge, func() ([]flwrexec.Node, error) {
		f, err := s.Session(ctx)
		if err != nil {
			return nil, err
		}
		return f.Nodes(ctx, s.Connection())
	})
}

// Federations returns the account's federations, archived ones left out.
func (s *Site) Federations(ctx context.Context, maxAge time.Duration) ([]flwrexec.Federation, error) {
	list, _, err := s.world.federations.Get(maxAge, func() ([]flwrexec.Federation, error) {
		f, err := s.Session(ctx)
		if err != nil {
			return nil, err
		}
		all, err := f.Federations(ctx, s.Connection())
		return slices.DeleteFunc(all, func(f flwrexec.Federation) bool { return f.Archived }), err
	})
	return list, err
}

// Invitations returns the open invitations that the account has sent and received.
func Invitations(ctx context.Context, s *Site, maxAge time.Duration) (flwrexec.Invitations, error) {
	list, _, err := s.world.invitations.Get(maxAge, func() (flwrexec.Invitations, error) {
		f, err := s.Session(ctx)
		if err != nil {
			return flwrexec.Invitations{}, err
		}
		return f.Invitations(ctx, s.Connection())
	})
	return list, err
}

// Federation returns the members, nodes and runs of the chosen federation.
func (s *Site) Federation(ctx context.Context, maxAge time.Duration) (flwrexec.FederationDetails, error) {
	d, _, err := s.world.membership.Get(maxAge, func() (flwrexec.FederationDetails, error) {
		f, err := s.Session(ctx)
		if err != nil {
			return flwrexec.FederationDetails{}, err
		}
		return f.FederationDetails(ctx, s.Connection(), s.Choices().Federation)
	})
	return d, err
}

// GridRuns returns the account's runs, newest first as the grid has them.
func (s *Site) GridRuns(ctx context.Context, maxAge time.Duration) ([]flwrexec.Run, error) {
	list, _, err := s.world.runs.Get(maxAge, func() ([]flwrexec.Run, error) {
		f, err := s.Session(ctx)
		if err != nil {
			return nil, err
		}
		return f.Runs(ctx, s.Connection())
	})
	return list, err
}

// LastRun returns the newest run that this site started on its connection; false when there is none.
func (s *Site) LastRun() (ledger.Run, bool) {
	for _, r := range slices.Backward(s.Ledger.Runs()) {
		if r.Connection == s.Choices().Grid.Connection {
			return r, true
		}
	}
	return ledger.Run{}, false
}

// RefreshRun is LastRun with the status that the grid gives, noted for the next time. A run goes on while flwrup is
// away, and only the grid's list says how it ended. One of the app at hand that was lost with a rehearsal's grid is it
// again where the next grid, which keeps its runs, has yet to start its ServerApp, or did; one whose ServerApp was there is gone.
func RefreshRun(ctx context.Context, s *Site, maxAge time.Duration) (ledger.Run, bool) {
	r, ok := s.LastRun()
	lost := ok && !r.Lost.IsZero() && front.RunStatus(r.Status) == front.RunLost
	if !ok || front.RunStatus(r.Status).Ended() && !lost || s.Rehearsal() && !GridUp(s) {
		return r, ok
	}
	list, err := s.GridRuns(ctx, maxAge)
	if err != nil {
		return r, ok // the last known status
	}
	for _, have := range list {
		if have.ID.String() != r.ID {
			continue
		}
		if lost && !have.Ended() && (r.App != s.Rel(s.AppDir()) || !front.RunStatus(have.Status).StartsSince(r.Lost, have.Running)) {
			continue
		}
		before := r
		if r.Status, r.Lost = have.StatusText(), (time.Time{}); r != before && !s.Options.ReadOnly {
			_ = s.Ledger.PutRun(r) // the next look tries again
		}
	}
	return r, ok
}

// LoggedInBefore tells, without asking the grid, whether a login can be expected to be there.
func (s *Site) LoggedInBefore() bool {
	_, good, err := s.world.nodes.Last()
	return !good.IsZero() && err == nil
}

// Title returns what every screen's first line says. It asks nobody.
func (s *Site) Title() front.Title {
	p := s.Look(context.Background(), Want{})
	return p.Title()
}

// Kept returns the value of type T that a room keeps in memory with the site. It is zero at first; its own
// methods guard it. An answer among them is forgotten with the grid's.
func Kept[T any](s *Site) *T {
	v, _ := s.kept.LoadOrStore(reflect.TypeFor[T](), new(T))
	return v.(*T)
}
