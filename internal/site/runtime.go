package site

import (
	"context"
	"sync"

	"flwrup/dockerctl"
	"flwrup/internal/byhand"
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
	r, err := s.openRuntime(kind)
	if err != nil {
		return nil, err
	}
	s.runtime = r
	return r, nil
}

// openRuntime opens the runtime of a kind, which also sees SuperNodes that were started by hand. The caller closes it.
func (s *Site) openRuntime(kind string) (supernode.Runtime, error) {
	id := s.Choices().ID
	processes, err := procctl.New(procctl.Options{Dir: s.StateDir("nodes"), Project: id})
	if err != nil {
		return nil, err
	}
	if kind == project.RuntimeDocker {
		docker := OpenDocker(s)
		return &byhand.EveryNode{Runtime: docker, Keys: nodeKeys{s}, Grace: StopGrace, Finders: []byhand.Finder{docker, processes},
			Containers: func(context.Context) (byhand.ContainerFinder, error) { return docker, nil }}, nil
	}
	containers := sync.OnceValues(func() (byhand.ContainerFinder, error) { // a SuperNode started by hand may be in one
		return dockerHere(s, id)
	})
	return &byhand.EveryNode{Runtime: processes, Keys: nodeKeys{s}, Grace: StopGrace, Finders: []byhand.Finder{processes},
		Containers: func(context.Context) (byhand.ContainerFinder, error) { return containers() }}, nil
}

// nodeKeys are the keys of the site's SuperNodes.
type nodeKeys struct{ s *Site }

func (k nodeKeys) All() ([]byhand.Key, error) {
	list, _, err := Members(k.s)
	all := make([]byhand.Key, len(list))
	for i, m := range list {
		all[i] = byhand.Key{Node: m.Name, Fingerprint: m.Pair.Fingerprint, Private: m.Pair.Private}
	}
	return all, err
}

// dockerHere prepares a connection to this machine's own Docker for the project with this ID; see dockerctl.New.
func dockerHere(s *Site, id string) (*dockerctl.Runtime, error) {
	return dockerctl.New(context.Background(), dockerctl.Options{Project: id, Dir: s.StateDir("starter")})
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
