package steps

import (
	"context"
	"slices"
	"sync"
	"time"

	"flwrup/flwrexec"
)

// world keeps the grid's last answers, so that sixteen inspections in a row ask it once.
type world struct {
	nodes   answer[[]flwrexec.Node]
	details answer[flwrexec.FederationDetails]
	list    answer[[]flwrexec.Federation]
	runs    answer[[]flwrexec.Run]
	network answer[network]
	app     answer[appReport]
	parcel  answer[parcel]
}

// answer is one answer of the grid with its age.
type answer[T any] struct {
	asking sync.Mutex // held while the grid is asked, which may take long
	mu     sync.Mutex // guards what follows
	value  T
	err    error
	at     time.Time // of the last try
	good   time.Time // of value
}

// get gives the answer, asking again when the last one is older than maxAge. After an error the last
// good value comes with it.
func (a *answer[T]) get(maxAge time.Duration, ask func() (T, error)) (T, time.Time, error) {
	if a.young(maxAge) {
		return a.last()
	}
	a.asking.Lock()
	defer a.asking.Unlock()
	if a.young(maxAge) { // somebody else has asked while we waited
		return a.last()
	}
	value, err := ask()
	a.mu.Lock()
	a.at, a.err = time.Now(), err
	if err == nil {
		a.value, a.good = value, a.at
	}
	a.mu.Unlock()
	return a.last()
}

func (a *answer[T]) young(maxAge time.Duration) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return !a.at.IsZero() && time.Since(a.at) < maxAge
}

func (a *answer[T]) last() (T, time.Time, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.value, a.good, a.err
}

func (a *answer[T]) forget() {
	a.mu.Lock()
	a.at = time.Time{}
	a.mu.Unlock()
}

// reset forgets the answer as if nothing had ever been asked.
func (a *answer[T]) reset() {
	a.asking.Lock()
	defer a.asking.Unlock()
	a.mu.Lock()
	defer a.mu.Unlock()
	var none T
	a.value, a.err, a.at, a.good = none, nil, time.Time{}, time.Time{}
}

// reset is for another grid: nothing that the one before said holds there.
func (w *world) reset() {
	w.nodes.reset()
	w.details.reset()
	w.list.reset()
	w.runs.reset()
	w.network.reset()
	w.app.reset()
	w.parcel.reset()
}

// fresh is how old the grid's answer may be while a person goes through the steps.
const fresh = 5 * time.Second

// forget makes the next inspection ask the grid again.
func (s *Site) forget() {
	s.world.nodes.forget()
	s.world.details.forget()
	s.world.list.forget()
	s.world.runs.forget()
	s.world.app.forget()
	s.world.parcel.forget()
}

// gridNodes gives the account's nodes on the grid, those unregistered left out.
func (s *Site) gridNodes(ctx context.Context, maxAge time.Duration) ([]flwrexec.Node, time.Time, error) {
	all, at, err := s.allNodes(ctx, maxAge)
	nodes := slices.DeleteFunc(slices.Clone(all), func(n flwrexec.Node) bool { return n.Status == flwrexec.StatusUnregistered })
	return nodes, at, err
}

// allNodes gives the account's nodes as the grid lists them, also those that were unregistered.
func (s *Site) allNodes(ctx context.Context, maxAge time.Duration) ([]flwrexec.Node, time.Time, error) {
	return s.world.nodes.get(maxAge, func() ([]flwrexec.Node, error) {
		f, err := s.session(ctx)
		if err != nil {
			return nil, err
		}
		return f.Nodes(ctx, s.connection())
	})
}

// federations gives the account's federations, archived ones left out.
func (s *Site) federations(ctx context.Context, maxAge time.Duration) ([]flwrexec.Federation, error) {
	list, _, err := s.world.list.get(maxAge, func() ([]flwrexec.Federation, error) {
		f, err := s.session(ctx)
		if err != nil {
			return nil, err
		}
		all, err := f.Federations(ctx, s.connection())
		return slices.DeleteFunc(all, func(f flwrexec.Federation) bool { return f.Archived }), err
	})
	return list, err
}

// federation gives members, nodes and runs of the chosen federation.
func (s *Site) federation(ctx context.Context, maxAge time.Duration) (flwrexec.FederationDetails, error) {
	d, _, err := s.world.details.get(maxAge, func() (flwrexec.FederationDetails, error) {
		f, err := s.session(ctx)
		if err != nil {
			return flwrexec.FederationDetails{}, err
		}
		return f.FederationDetails(ctx, s.connection(), s.Choices().Federation)
	})
	return d, err
}

// runs gives the account's runs, newest first as the grid has them.
func (s *Site) runs(ctx context.Context, maxAge time.Duration) ([]flwrexec.Run, error) {
	list, _, err := s.world.runs.get(maxAge, func() ([]flwrexec.Run, error) {
		f, err := s.session(ctx)
		if err != nil {
			return nil, err
		}
		return f.Runs(ctx, s.connection())
	})
	return list, err
}
