package site

import (
	"context"
	"sync"

	"flwrup/dockerctl"
	"flwrup/internal/problem"
	"flwrup/internal/procctl"
	"flwrup/internal/project"
	"flwrup/internal/supernode"
)

// RuntimeKind is "docker" or "process", as chosen or as step 3 settled "auto"; "" before that.
func (s *Site) RuntimeKind() string {
	if k := s.Choices().Runtime; k == project.RuntimeDocker || k == project.RuntimeProcess {
		return k
	}
	if a, ok := s.Ledger.Attestation(AttestRuntime); ok {
		return a.Detail
	}
	return ""
}

// NodesRuntime returns the runtime that starts this site's SuperNodes.
func (s *Site) NodesRuntime(ctx context.Context) (supernode.Runtime, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.runtime != nil {
		return s.runtime, nil
	}
	if Holds(s, NeedRuntime...) {
		return nil, Withheld(s)
	}
	kind := s.RuntimeKind()
	if kind == "" {
		return nil, problem.New(problem.NeedsPerson, "no runtime chosen yet", "", "step 3 chooses it")
	}
	r, err := s.openRuntime(ctx, kind)
	if err != nil {
		return nil, err
	}
	s.runtime = r
	return r, nil
}

// openRuntime opens the runtime of a kind, which also sees SuperNodes that were started by hand. The caller closes it.
func (s *Site) openRuntime(ctx context.Context, kind string) (supernode.Runtime, error) {
	id := s.Choices().ID
	processes, err := procctl.New(procctl.Options{Dir: s.StateDir("nodes"), Project: id})
	if err != nil {
		return nil, err
	}
	if kind == project.RuntimeDocker {
		docker, err := openDocker(ctx, s, id)
		if err != nil {
			return nil, err
		}
		return &EveryNode{Runtime: docker, s: s, finders: []byHand{docker, processes},
			containers: func(context.Context) (containerFinder, error) { return docker, nil }}, nil
	}
	containers := sync.OnceValues(func() (containerFinder, error) { // a SuperNode started by hand may be in one
		docker, err := openDocker(context.Background(), s, id)
		return docker, err
	})
	return &EveryNode{Runtime: processes, s: s, finders: []byHand{processes}, containers: func(context.Context) (containerFinder, error) { return containers() }}, nil
}

// openDocker prepares a connection to Docker for the project with this ID; see dockerctl.New.
func openDocker(ctx context.Context, s *Site, id string) (*dockerctl.Runtime, error) {
	return dockerctl.New(ctx, dockerctl.Options{Project: id, Dir: s.StateDir("starter")})
}

// CloseRuntime closes the runtime at hand: the next question opens the runtime that is chosen then.
func CloseRuntime(s *Site) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.runtime != nil {
		s.runtime.Close()
		s.runtime = nil
	}
}
