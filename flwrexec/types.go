package flwrexec

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"flwrup/internal/problem"
	"flwrup/internal/termsafe"
)

// NodeID is the number that the SuperLink gave to a SuperNode. It uses all 64 bits, so it must never
// go through a float; in JSON flwrup writes it as a string.
type NodeID uint64

// ParseNodeID reads a node ID in decimal.
func ParseNodeID(s string) (NodeID, error) {
	n, err := strconv.ParseUint(strings.TrimSpace(s), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%q is no node ID", termsafe.Line(s))
	}
	return NodeID(n), nil
}

// String gives the ID in decimal.
func (id NodeID) String() string { return strconv.FormatUint(uint64(id), 10) }

// MarshalJSON writes a string: JavaScript and jq round a bare number of that size.
func (id NodeID) MarshalJSON() ([]byte, error) { return []byte(`"` + id.String() + `"`), nil }

// UnmarshalJSON reads a string or a bare number; flwr writes both.
func (id *NodeID) UnmarshalJSON(b []byte) error {
	n, err := ParseNodeID(strings.Trim(string(b), `"`))
	if err != nil {
		return err
	}
	*id = n
	return nil
}

// MarshalText writes decimal; it serves TOML and map keys.
func (id NodeID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText reads decimal.
func (id *NodeID) UnmarshalText(b []byte) error { return id.UnmarshalJSON(b) }

// RunID is the number that the SuperLink gave to a run: 64 bits, too. What is no number never becomes one,
// so that a run ID can stand in a command line and in the name of a file.
type RunID uint64

// ParseRunID reads a run ID in decimal.
func ParseRunID(s string) (RunID, error) {
	n, err := strconv.ParseUint(strings.TrimSpace(s), 10, 64)
	if err != nil {
		return 0, problem.New(problem.Usage, fmt.Sprintf("%q is no run ID", termsafe.Line(s)), "a run ID is a number of up to 20 digits", "flwrup runs lists the runs")
	}
	return RunID(n), nil
}

// String gives the ID in decimal.
func (id RunID) String() string { return strconv.FormatUint(uint64(id), 10) }

// MarshalJSON writes a string, as for NodeID.
func (id RunID) MarshalJSON() ([]byte, error) { return []byte(`"` + id.String() + `"`), nil }

// UnmarshalJSON reads a string or a bare number.
func (id *RunID) UnmarshalJSON(b []byte) error {
	n, err := ParseRunID(strings.Trim(string(b), `"`))
	if err == nil {
		*id = n
	}
	return err
}

// What the grid says about a SuperNode.
const (
	StatusRegistered   = "registered" // never online so far
	StatusOnline       = "online"
	StatusOffline      = "offline"
	StatusUnregistered = "unregistered" // gone for good; flwr goes on listing it
)

// Node is one SuperNode of the account, as `flwr supernode list` shows it. Times are UTC, zero when
// flwr gives none.
type Node struct {
	ID        NodeID        `json:"id"`
	Owner     string        `json:"owner,omitempty"` // account name
	Status    string        `json:"status"`
	Name      string        `json:"name,omitempty"` // given at registration; only where flwr lists it
	Created   time.Time     `json:"created,omitzero"`
	Online    time.Time     `json:"online,omitzero"`
	Offline   time.Time     `json:"offline,omitzero"`
	Deleted   time.Time     `json:"deleted,omitzero"`
	OnlineFor time.Duration `json:"online_for,omitzero"` // nanoseconds; of the present or the last time online
}

// Federation is one line of `flwr federation list`.
type Federation struct {
	ID          string `json:"id"` // @account/name; up to flwr 1.25 a bare name
	Description string `json:"description,omitempty"`
	Archived    bool   `json:"archived,omitempty"`
	Simulation  bool   `json:"simulation,omitempty"` // cannot hold SuperNodes
}

// FederationDetails is what a federation is made of.
type FederationDetails struct {
	Federation
	Members []Member `json:"members"`
	Nodes   []Node   `json:"nodes"` // of all members; ID, Owner and Status only
	Runs    []Run    `json:"runs"`
}

// Has tells whether a SuperNode belongs to the federation.
func (f FederationDetails) Has(id NodeID) bool {
	for _, n := range f.Nodes {
		if n.ID == id {
			return true
		}
	}
	return false
}

// Member is an account that belongs to a federation.
type Member struct {
	Account string `json:"account"`
	Role    string `json:"role"` // owner, member
}

// Run is one run.
type Run struct {
	ID         RunID         `json:"id"`
	Federation string        `json:"federation,omitempty"`
	Status     string        `json:"status"`               // pending, starting, running, finished
	SubStatus  string        `json:"sub_status,omitempty"` // completed, failed, stopped; "" until finished
	Details    string        `json:"details,omitempty"`    // why it failed, where flwr says so
	FabID      string        `json:"fab_id,omitempty"`     // publisher/name
	FabVersion string        `json:"fab_version,omitempty"`
	Elapsed    time.Duration `json:"elapsed"` // nanoseconds
	Pending    time.Time     `json:"pending,omitzero"`
	Running    time.Time     `json:"running,omitzero"`
	Finished   time.Time     `json:"finished,omitzero"`
}

// Ended tells whether the run is over.
func (r Run) Ended() bool { return r.Status == "finished" }

// Completed tells whether the run ended well.
func (r Run) Completed() bool { return r.Ended() && r.SubStatus == "completed" }

// StatusText gives the status as flwr writes it: finished:failed.
func (r Run) StatusText() string {
	if r.SubStatus == "" {
		return r.Status
	}
	return r.Status + ":" + r.SubStatus
}

// LoginPrompt is what the person needs for approving a login in a browser.
type LoginPrompt struct {
	URL     string        // carries the code in the versions seen so far
	Code    string        // the code alone, to compare; "" when the URL shows none
	Expires time.Duration // from the prompt on; 0 when not known
	Output  string        // what flwr printed so far, safe for a terminal
}

// Call is one flwr command that was run, for the log of commands.
type Call struct {
	Argv  []string // as a person would type it, "flwr" first
	Began time.Time
	Took  time.Duration
	Err   error // nil when the command did what it was asked for
	Raw   string
	// Worker tells that no new Python process was needed.
	Worker bool
}

// AccountOf tells which account is signed in, from what it can see: the owner of its own SuperNodes,
// else the owner of its workspace federation; "" when neither says.
func AccountOf(own []Node, federations []Federation) string {
	for _, n := range own {
		if n.Owner != "" {
			return n.Owner
		}
	}
	for _, f := range federations {
		if account, name, ok := strings.Cut(strings.TrimPrefix(f.ID, "@"), "/"); ok && name == "workspace" {
			return account
		}
	}
	return ""
}

// number is a JSON number or string, kept as written: run IDs, elapsed times.
type number string

func (n *number) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		var s string
		if err := json.Unmarshal(b, &s); err != nil {
			return err
		}
		*n = number(s)
		return nil
	}
	if string(b) != "null" {
		*n = number(b)
	}
	return nil
}
