package flwrexec

import (
	"encoding/json"
	"strings"
	"time"

	"flwrup/flwrexec/flwr"
)

// The grid's statuses of a SuperNode.
const (
	StatusRegistered   = "registered" // never online so far
	StatusOnline       = "online"
	StatusOffline      = "offline"
	StatusUnregistered = "unregistered" // gone for good; flwr still lists it
)

// Node is one SuperNode of the account, as `flwr supernode list` shows it. Times are UTC, zero when flwr has
// none.
type Node struct {
	ID        flwr.NodeID   `json:"id"`
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

// FederationDetails lists the parts of a federation.
type FederationDetails struct {
	Federation
	Members []Member `json:"members"`
	Nodes   []Node   `json:"nodes"` // of all members; ID, Owner and Status only
	Runs    []Run    `json:"runs"`
}

// Has reports whether a SuperNode belongs to the federation.
func (f FederationDetails) Has(id flwr.NodeID) bool {
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
	ID         flwr.RunID    `json:"id"`
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

// Ended reports whether the run is over.
func (r Run) Ended() bool { return r.Status == "finished" }

// Completed reports whether the run ended well.
func (r Run) Completed() bool { return r.Ended() && r.SubStatus == "completed" }

// StatusText returns the status as flwr writes it: finished:failed.
func (r Run) StatusText() string {
	if r.SubStatus == "" {
		return r.Status
	}
	return r.Status + ":" + r.SubStatus
}

// LoginPrompt holds what the user needs to approve a login in a browser.
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
	Err   error // nil when the command did its work
	Raw   string
	// Worker reports that no new Python process was needed.
	Worker bool
}

// AccountOf returns the account that is signed in: the owner of its own SuperNodes, else the owner of its
// workspace federation; "" when both are missing.
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
