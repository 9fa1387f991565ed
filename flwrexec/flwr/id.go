package flwr

import (
	"fmt"
	"strconv"
	"strings"

	"flwrup/internal/problem"
	"flwrup/internal/termsafe"
)

// NodeID is the SuperLink's number of a SuperNode. It uses all 64 bits, so it must never go through a float;
// in JSON flwrup writes it as a string.
type NodeID uint64

// ParseNodeID reads a node ID in decimal.
func ParseNodeID(s string) (NodeID, error) {
	n, err := strconv.ParseUint(strings.TrimSpace(s), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%q is no node ID", termsafe.Line(s))
	}
	return NodeID(n), nil
}

// String returns the ID in decimal.
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

// RunID is the SuperLink's number of a run, of 64 bits as well. Only a number becomes one, so a run ID is
// safe in a command line and in a file name.
type RunID uint64

// ParseRunID reads a run ID in decimal.
func ParseRunID(s string) (RunID, error) {
	n, err := strconv.ParseUint(strings.TrimSpace(s), 10, 64)
	if err != nil {
		return 0, problem.New(problem.Usage, "cannot use run ID "+termsafe.Quote(s), "a run ID is a number of up to 20 digits", "`flwrup runs` lists the runs")
	}
	return RunID(n), nil
}

// String returns the ID in decimal.
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
