package sitetest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"flwrup/flwrexec"
	"flwrup/flwrexec/flwr"
	"flwrup/flwrexec/install"
	"flwrup/internal/problem"
	"flwrup/internal/site"
)

// Grid is a grid together with the flwr that talks to it. A key that it registers stays registered, also when its answer
// is an error. Tests may change its fields while no call runs.
type Grid struct {
	site.Flwr // a call that no test makes panics

	Python   string                 // reads an app; "" for none
	LoggedIn bool                   // else every call but a login fails
	Known    []flwrexec.Node        // also those that were unregistered
	Keys     map[string]flwr.NodeID // by public key file
	Members  []flwrexec.Node        // of the federation
	Accounts []flwrexec.Member      // of the federation
	Joined   []string               // federations that the account is in, but for its own
	Open     flwrexec.Invitations   // of the account
	Faults   map[string][]Fault     // by operation, used up in order
	Logins   int
	Calls    []string

	mu      sync.Mutex
	version flwr.Version
}

// Fault is how one call of an operation goes instead of well. Its operations: accept, add, create, details, invitations,
// leave, nodes, register, reject, revoke, unregister.
type Fault struct {
	Err   error
	Done  bool   // the grid does the work all the same
	After func() // called before the answer
}

// ErrCut is the error of a call whose connection was cut.
var ErrCut = &problem.Problem{Code: problem.Unreachable, What: "unreachable", Raw: "Socket closed", Err: errors.New("cut")}

// NewGrid returns an empty grid that speaks the dialect of a flwr version.
func NewGrid(version string) *Grid {
	v, err := flwr.ParseVersion(version)
	if err != nil {
		panic(err)
	}
	return &Grid{version: v, LoggedIn: true, Keys: map[string]flwr.NodeID{}, Faults: map[string][]Fault{}}
}

// GridOf returns the grid of a site that Open opened.
func GridOf(t *testing.T, s *site.Site) *Grid {
	t.Helper()
	f, err := s.Session(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return f.(*Grid)
}

// SetStatus makes the grid list its node i with this status.
func (g *Grid) SetStatus(i int, status string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.Known[i].Status = status
}

// SeeOnline makes the grid call the SuperNodes online that run on rt, and those offline that no longer do.
func (g *Grid) SeeOnline(rt *Runtime) {
	g.mu.Lock()
	defer g.mu.Unlock()
	rt.mu.Lock()
	defer rt.mu.Unlock()
	up := map[flwr.NodeID]bool{}
	for _, spec := range rt.Started {
		up[g.Keys[spec.KeyFile+".pub"]] = true
	}
	for i := range g.Known {
		switch n := &g.Known[i]; {
		case n.Status == flwrexec.StatusUnregistered:
		case up[n.ID]:
			n.Status = flwrexec.StatusOnline
		case n.Status == flwrexec.StatusOnline:
			n.Status = flwrexec.StatusOffline
		}
	}
}

func (g *Grid) Version() flwr.Version { return g.version }
func (g *Grid) Dialect() flwr.Dialect { return flwr.DialectOf(g.version) }
func (g *Grid) Found() install.Found {
	return install.Found{Program: "/usr/bin/flwr", Version: g.version, Source: install.SourcePath, Python: g.Python}
}
func (g *Grid) Close() error                                { return nil }
func (g *Grid) Warm(context.Context) (time.Duration, error) { return 0, nil }

// take notes the call and returns the fault that is due.
func (g *Grid) take(op string) (Fault, bool) {
	g.Calls = append(g.Calls, op)
	if !g.LoggedIn && op != "login" {
		return Fault{Err: problem.New(problem.NotLoggedIn, "not logged in", "", "")}, true
	}
	list := g.Faults[op]
	if len(list) == 0 {
		return Fault{}, false
	}
	g.Faults[op] = list[1:]
	if list[0].After != nil {
		list[0].After()
	}
	return list[0], list[0].Err != nil
}

func (g *Grid) Login(ctx context.Context, _ flwr.Connection, _ func(flwrexec.LoginPrompt), _ func(string)) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.take("login")
	g.Logins++
	g.LoggedIn = true
	return nil
}

func (g *Grid) Nodes(context.Context, flwr.Connection) ([]flwrexec.Node, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if f, ok := g.take("nodes"); ok {
		return nil, f.Err
	}
	return slices.Clone(g.Known), nil
}

func (g *Grid) Register(_ context.Context, _ flwr.Connection, r flwr.Registration) (flwr.NodeID, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	f, bad := g.take("register")
	if bad && !f.Done {
		return 0, f.Err
	}
	if _, ok := g.Keys[r.PublicKey]; ok {
		return 0, problem.New(problem.KeyInUse, "the public key is in use", "", "")
	}
	id := flwr.NodeID(1<<63 + uint64(len(g.Keys)) + 1)
	g.Keys[r.PublicKey] = id
	node := flwrexec.Node{ID: id, Owner: "ada", Status: flwrexec.StatusRegistered}
	if g.Dialect().RegisterName {
		node.Name = r.Name
	}
	g.Known = append(g.Known, node)
	return id, f.Err
}

// Invitations lists Open.
func (g *Grid) Invitations(context.Context, flwr.Connection) (flwrexec.Invitations, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if f, ok := g.take("invitations"); ok {
		return flwrexec.Invitations{}, f.Err
	}
	if err := flwrexec.CheckInvitations(g.Dialect()); err != nil {
		return flwrexec.Invitations{}, err
	}
	return flwrexec.Invitations{Sent: slices.Clone(g.Open.Sent), Received: slices.Clone(g.Open.Received)}, nil
}

// Invite does what the owner of an invitation, or the one invited, does.
func (g *Grid) Invite(_ context.Context, _ flwr.Connection, op flwr.InviteOp, account, federation string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	f, bad := g.take(string(op))
	if bad && !f.Done {
		return f.Err
	}
	list := &g.Open.Sent
	if op == flwr.Accept || op == flwr.Reject {
		list = &g.Open.Received
	}
	i := slices.IndexFunc(*list, func(i flwrexec.Invitation) bool {
		return i.Federation == federation && (account == "" || i.Account == account)
	})
	switch {
	case op == flwr.Invite && i >= 0:
		return problem.New(flwrexec.Invited, "the account has an open invitation already", "", "")
	case op == flwr.Invite && slices.ContainsFunc(g.Accounts, func(m flwrexec.Member) bool { return m.Account == account }):
		return problem.New(flwrexec.AccountIn, "the account is a member of the federation already", "", "")
	case op == flwr.Invite:
		*list = append(*list, flwrexec.Invitation{Federation: federation, Account: account})
		return f.Err
	case i < 0:
		return problem.New(flwrexec.NoInvitation, "no invitation to this federation is open", "", "")
	}
	*list = slices.Delete(*list, i, i+1)
	if op == flwr.Accept {
		g.Joined = append(g.Joined, federation)
	}
	return f.Err
}

// Runs returns none.
func (g *Grid) Runs(context.Context, flwr.Connection) ([]flwrexec.Run, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	f, _ := g.take("runs")
	return nil, f.Err
}

func (g *Grid) Federations(context.Context, flwr.Connection) ([]flwrexec.Federation, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	list := []flwrexec.Federation{{ID: federation}}
	for _, id := range g.Joined {
		list = append(list, flwrexec.Federation{ID: id})
	}
	return list, nil
}

func (g *Grid) FederationDetails(context.Context, flwr.Connection, string) (flwrexec.FederationDetails, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if f, ok := g.take("details"); ok {
		return flwrexec.FederationDetails{}, f.Err
	}
	return flwrexec.FederationDetails{Nodes: slices.Clone(g.Members), Members: slices.Clone(g.Accounts)}, nil
}

func (g *Grid) AddToFederation(_ context.Context, _ flwr.Connection, id flwr.NodeID, _ string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if f, ok := g.take("add"); ok {
		return f.Err
	}
	for _, n := range g.Members {
		if n.ID == id {
			return problem.New(problem.AlreadyMember, "the SuperNode is already part of the federation", "", "")
		}
	}
	g.Members = append(g.Members, flwrexec.Node{ID: id})
	return nil
}

func (g *Grid) RemoveFromFederation(_ context.Context, _ flwr.Connection, id flwr.NodeID, _ string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	f, bad := g.take("leave")
	if bad && !f.Done {
		return f.Err
	}
	g.Members = slices.DeleteFunc(g.Members, func(n flwrexec.Node) bool { return n.ID == id })
	return f.Err
}

func (g *Grid) Unregister(_ context.Context, _ flwr.Connection, id flwr.NodeID) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	f, bad := g.take("unregister")
	if bad && !f.Done {
		return f.Err
	}
	for i, n := range g.Known {
		if n.ID == id {
			g.Known[i].Status = flwrexec.StatusUnregistered
		}
	}
	return f.Err
}
