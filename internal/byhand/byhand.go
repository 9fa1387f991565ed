// Package byhand lets a runtime see the SuperNodes that somebody else started with the same keys.
package byhand

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/fvbommel/sortorder"

	"flwrup/internal/supernode"
)

// Finder finds SuperNodes that somebody else started with one of the given keys, and looks after them by their ID.
// dockerhosts and procctl implement it.
type Finder interface {
	ByHand(ctx context.Context, keys map[string]string) (map[string]supernode.Status, error)
	StopByHand(ctx context.Context, id string, grace time.Duration) error
	LogsByHand(ctx context.Context, id string, o supernode.LogOptions, each func(supernode.Line) error) error
	UsageByHand(ctx context.Context, id string) (supernode.Usage, error)
}

// ContainerFinder also knows a container by its ID; dockerctl implements it.
type ContainerFinder interface {
	Finder
	Container(ctx context.Context, id string) (supernode.Status, error)
}

// Key is the key of one SuperNode.
type Key struct {
	Node        string // name
	Fingerprint string
	Private     string // path of the private key
}

// Keys returns the keys of a project's SuperNodes as they are now.
type Keys interface{ All() ([]Key, error) }

// EveryNode is a runtime that also sees SuperNodes which somebody else started with one of the keys, as the guide
// does by hand, in containers or as plain processes: such a SuperNode counts as running, its log is read, and no
// second one is started, which the grid would refuse.
type EveryNode struct {
	supernode.Runtime
	Keys    Keys
	Finders []Finder      // the first that sees a SuperNode looks after it
	Grace   time.Duration // that End gives a SuperNode

	// Containers is Docker, also where SuperNodes are processes; nil: not asked.
	Containers func(context.Context) (ContainerFinder, error)

	mu   sync.Mutex
	seen map[string]stranger // as of the last look, by SuperNode
	at   time.Time
}

// stranger is a SuperNode started by hand.
type stranger struct {
	supernode.Status
	by Finder
}

// How long a look at what was started by hand serves: the whole list of processes is read for it, and fifty
// SuperNodes may be asked at a time what they take.
const (
	strangersFor  = time.Second      // for a list
	strangersLong = 10 * time.Second // for what is asked of one SuperNode again and again
)

// strangers returns what was started by hand, by SuperNode, as of at most maxAge ago.
func (e *EveryNode) strangers(ctx context.Context, maxAge time.Duration) (map[string]stranger, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.seen != nil && time.Since(e.at) < maxAge {
		return e.seen, nil
	}
	list, err := e.Keys.All()
	if err != nil {
		return nil, err
	}
	keys, names := map[string]string{}, map[string]string{}
	for _, k := range list {
		keys[k.Fingerprint], names[k.Fingerprint] = k.Private, k.Node
	}
	seen := map[string]stranger{}
	for _, by := range e.Finders {
		found, err := by.ByHand(ctx, keys)
		if err != nil {
			return nil, err
		}
		for fingerprint, st := range found {
			name := names[fingerprint]
			if _, taken := seen[name]; taken {
				continue
			}
			found := stranger{st, by}
			if st.Inside != "" {
				found = e.inContainer(ctx, found)
			}
			found.Name = name
			seen[name] = found
		}
	}
	e.seen, e.at = seen, time.Now()
	return seen, nil
}

// inContainer is the container that a process found by hand runs in, to be read and stopped as such. Where
// Docker does not say, the process is all that is known.
func (e *EveryNode) inContainer(ctx context.Context, found stranger) stranger {
	if e.Containers == nil {
		return found
	}
	docker, err := e.Containers(ctx)
	if err != nil {
		return found
	}
	st, err := docker.Container(ctx, found.Inside)
	if err != nil {
		return found
	}
	return stranger{st, docker}
}

// List returns the project's own SuperNodes. One started by hand takes the place of one that does not run, or is
// not there.
func (e *EveryNode) List(ctx context.Context) ([]supernode.Status, error) {
	own, err := e.Runtime.List(ctx)
	if err != nil {
		return nil, err
	}
	others, err := e.strangers(ctx, strangersFor)
	if err != nil {
		return nil, err
	}
	list := make([]supernode.Status, 0, len(own)+len(others))
	runs := map[string]bool{}
	for _, st := range own {
		_, taken := others[st.Name]
		runs[st.Name] = st.State == supernode.Running
		if !taken || runs[st.Name] {
			list = append(list, st)
		}
	}
	for name, other := range others {
		if !runs[name] {
			list = append(list, other.Status)
		}
	}
	slices.SortFunc(list, func(a, b supernode.Status) int { return sortorder.NaturalCompare(a.Name, b.Name) })
	return list, nil
}

// Start leaves a SuperNode alone that runs already, whoever started it.
func (e *EveryNode) Start(ctx context.Context, spec supernode.Spec) error {
	others, err := e.strangers(ctx, 0)
	if err != nil {
		return err
	}
	if _, ok := others[spec.Name]; ok {
		return nil
	}
	return e.Runtime.Start(ctx, spec)
}

// stranger returns the SuperNode that runs in node's place.
func (e *EveryNode) stranger(ctx context.Context, node string) (stranger, bool) {
	others, err := e.strangers(ctx, strangersLong)
	other, ok := others[node]
	if err != nil || !ok {
		return stranger{}, false
	}
	list, err := e.List(ctx)
	return other, err == nil && slices.ContainsFunc(list, func(st supernode.Status) bool { return st.Name == node && st.ByHand != "" })
}

// Logs returns the node's lines, also of one started by hand.
func (e *EveryNode) Logs(ctx context.Context, node string, o supernode.LogOptions, each func(supernode.Line) error) error {
	other, ok := e.stranger(ctx, node)
	if !ok {
		return e.Runtime.Logs(ctx, node, o, each)
	}
	return other.by.LogsByHand(ctx, other.ID, o, func(l supernode.Line) error {
		l.Node = node
		return each(l)
	})
}

// Usage reads what the node takes, also of one started by hand.
func (e *EveryNode) Usage(ctx context.Context, node string) (supernode.Usage, error) {
	if other, ok := e.stranger(ctx, node); ok {
		return other.by.UsageByHand(ctx, other.ID)
	}
	return e.Runtime.Usage(ctx, node)
}

// End stops what was started by hand in node's place.
func (e *EveryNode) End(ctx context.Context, node string) error {
	others, err := e.strangers(ctx, strangersFor)
	if err != nil {
		return err
	}
	if other, ok := others[node]; ok {
		err = other.by.StopByHand(ctx, other.ID, e.Grace)
	}
	e.mu.Lock()
	e.seen = nil
	e.mu.Unlock()
	return err
}
