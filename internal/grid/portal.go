package grid

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"flwrup/internal/problem"
)

// State is a grid's knowledge of itself.
type State struct {
	Version     string                `json:"version"`
	Accounts    []string              `json:"accounts"`
	Logins      []Login               `json:"logins"` // not yet fetched by a flwr
	Nodes       []Node                `json:"nodes"`
	Federations map[string]Federation `json:"federations"`
	Faults      []Fault               `json:"faults"`
}

// Login is a login that waits.
type Login struct {
	UserCode string  `json:"user_code"`
	URL      string  `json:"url"`     // the page that flwr shows; without the code, which the page asks for
	Account  string  `json:"account"` // "" while nobody has approved it
	Denied   bool    `json:"denied"`
	Started  float64 `json:"started"` // seconds since 1970
}

// Node is a registered SuperNode, unregistered ones included.
type Node struct {
	NodeID    string `json:"node_id"`
	Owner     string `json:"owner"`
	Status    string `json:"status"`
	Confirmed bool   `json:"confirmed"`
	PublicKey string `json:"public_key"` // PEM, as the SuperLink keeps it
}

// Federation is one federation of the grid.
type Federation struct {
	Description string            `json:"description"`
	Owner       string            `json:"owner"`   // account ID
	Members     map[string]string `json:"members"` // account ID → role
	Nodes       []json.Number     `json:"nodes"`   // nil: every node is in it
	Archived    bool              `json:"archived"`
	Simulation  bool              `json:"simulation"`
}

// Fault is an error that the grid makes on purpose, Count times.
type Fault struct {
	RPC     string  `json:"rpc"`  // a Control method (RegisterNode), "Fleet/ActivateNode", or "*"
	Mode    string  `json:"mode"` // unavailable, internal, drop-before, drop-after, delay
	Count   int     `json:"count"`
	Seconds float64 `json:"seconds"` // of a delay
}

type ping struct {
	Instance    string
	PID         int
	Ready, Kept bool
}

// newClient makes a client that ignores proxies and redirects to other machines: the portal is on this
// machine.
func newClient() *http.Client {
	return &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func (g *Grid) ping(ctx context.Context) (p ping, err error) {
	return p, g.call(ctx, http.MethodGet, "/ping", nil, &p)
}

// State asks the grid for its state.
func (g *Grid) State(ctx context.Context) (s State, err error) {
	return s, g.call(ctx, http.MethodGet, "/state", nil, &s)
}

// LoginAt returns the waiting login whose page flwr shows. Its code is nowhere else, because other users of
// this machine may see the page's address among the arguments of a browser.
func (g *Grid) LoginAt(ctx context.Context, page string) (Login, error) {
	s, err := g.State(ctx)
	if err != nil {
		return Login{}, err
	}
	for _, l := range s.Logins {
		if l.URL == page {
			return l, nil
		}
	}
	return Login{}, problem.New(problem.GridFailed, "the rehearsal grid knows no login at "+page, "", "log in again")
}

// Approve approves the waiting login with a user code, as the account; "" is the grid's default account.
func (g *Grid) Approve(ctx context.Context, userCode, account string) error {
	form := map[string]string{"user_code": userCode}
	if account != "" {
		form["account"] = account
	}
	return g.post(ctx, "/approve", form, nil)
}

// Deny denies the waiting login with a user code. flwr does not notice: it polls until its time is over.
func (g *Grid) Deny(ctx context.Context, userCode string) error {
	return g.post(ctx, "/deny", map[string]string{"user_code": userCode}, nil)
}

// Fault makes the next calls of an RPC fail.
func (g *Grid) Fault(ctx context.Context, f Fault) error {
	if f.Count == 0 {
		f.Count = 1
	}
	return g.post(ctx, "/fault", f, nil)
}

// ClearFaults removes all faults.
func (g *Grid) ClearFaults(ctx context.Context) error {
	return g.post(ctx, "/fault/clear", struct{}{}, nil)
}

// Confirm acts as the staff of a grid: it lets in a node, or with "all" every registered one.
func (g *Grid) Confirm(ctx context.Context, nodeID string) error {
	return g.post(ctx, "/confirm", map[string]string{"node_id": nodeID}, nil)
}

// Unconfirm reverts Confirm.
func (g *Grid) Unconfirm(ctx context.Context, nodeID string) error {
	return g.post(ctx, "/unconfirm", map[string]string{"node_id": nodeID}, nil)
}

// Expire ends the tokens of an account ("" is every account) now: "access", "refresh" or "both".
func (g *Grid) Expire(ctx context.Context, account, what string) error {
	form := map[string]string{"what": what}
	if account != "" {
		form["account"] = account
	}
	return g.post(ctx, "/expire", form, nil)
}

func (g *Grid) post(ctx context.Context, path string, in, out any) error {
	return g.call(ctx, http.MethodPost, path, in, out)
}

// call asks the portal; out may be nil.
func (g *Grid) call(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, g.Ready.Portal+path, body)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+g.secret)
	answer, err := g.client.Do(req)
	if err != nil {
		if ctx.Err() != nil && errors.Is(ctx.Err(), context.Canceled) {
			return fmt.Errorf("ask the rehearsal grid for %s: %w", path, err)
		}
		return &problem.Problem{Code: problem.GridFailed, What: "the rehearsal grid does not answer", Why: err.Error(),
			Fix: "run the same command again: it restarts the grid", Err: err}
	}
	defer answer.Body.Close()
	content, err := io.ReadAll(io.LimitReader(answer.Body, 16<<20))
	if err != nil {
		return fmt.Errorf("ask the rehearsal grid for %s: %w", path, err)
	}
	if answer.StatusCode != http.StatusOK {
		var no struct{ Error string }
		_ = json.Unmarshal(content, &no)
		return problem.New(problem.GridFailed, fmt.Sprintf("the rehearsal grid refused %s", path), no.Error, "")
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(content, out)
}
