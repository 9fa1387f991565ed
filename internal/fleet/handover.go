package fleet

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"flwrup/flwrexec"
	"flwrup/internal/sheet"
	"flwrup/internal/site"
	"flwrup/internal/termsafe"
)

// Handover is what Flower Labs, or a federation's owner, have to know of this site's SuperNodes.
type Handover struct {
	Account    string         `json:"account,omitempty"`
	Federation string         `json:"federation,omitempty"`
	Grid       string         `json:"grid"`
	Nodes      []HandoverNode `json:"supernodes"`
	Entered    bool           `json:"in_federation"` // the grid says that all of them are in the federation
}

// HandoverNode is one line of it. NodeID is decimal, and a string in JSON too: it has 64 bits.
type HandoverNode struct {
	Name        string `json:"name"`
	NodeID      string `json:"node_id"`
	Fingerprint string `json:"key_fingerprint"`
}

// NewHandover returns the node IDs that the ledger has, or why the keys they belong to cannot be read.
func NewHandover(s *site.Site) (Handover, error) {
	c := s.Choices()
	h := Handover{Account: s.Ledger.Account(c.Grid.Connection), Federation: c.Federation, Grid: c.Grid.Connection}
	list, _, err := site.Members(s)
	if err != nil {
		return h, err
	}
	for _, m := range list {
		if m.Known() {
			h.Nodes = append(h.Nodes, HandoverNode{m.Name, m.Record.NodeID, m.Pair.Fingerprint})
		}
	}
	return h, nil
}

// Look asks the grid, where flwr has worked before, whether the federation has all of the SuperNodes already. A grid
// that does not answer leaves Entered as it is.
func (h *Handover) Look(ctx context.Context, s *site.Site) {
	if len(h.Nodes) == 0 || h.Federation == "" || !site.WorkedBefore(s) {
		return
	}
	d, err := s.Federation(flwrexec.OneLook(ctx), site.Fresh)
	if err != nil {
		return
	}
	h.Entered = !slices.ContainsFunc(h.Nodes, func(n HandoverNode) bool {
		return !slices.ContainsFunc(d.Nodes, func(in flwrexec.Node) bool { return in.ID.String() == n.NodeID })
	})
}

// Lines is the message as plain text, ready to be sent; a record where the federation has all of them.
func (h Handover) Lines() []string {
	lines := []string{"Dear Flower Labs team,", "", "please enter these SuperNodes into the federation " + h.Federation + ":", ""}
	if h.Entered {
		lines = []string{"These SuperNodes are in the federation " + h.Federation + ":", ""}
	}
	width := 0
	for _, n := range h.Nodes {
		width = max(width, len(n.Name))
	}
	for _, n := range h.Nodes {
		lines = append(lines, fmt.Sprintf("  %-*s  %-20s  %s", width, n.Name, n.NodeID, n.Fingerprint))
	}
	if h.Account != "" {
		lines = append(lines, "", "They belong to the account "+h.Account+".")
	}
	if h.Entered {
		return lines
	}
	return append(lines, "", "Please tell us when they are confirmed. Thank you.")
}

// Text is Lines as one text.
func (h Handover) Text() string { return strings.Join(h.Lines(), "\n") + "\n" }

// Markdown is the same as a table.
func (h Handover) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# SuperNodes for %s\n\nAccount: %s\n\n| name | node ID | key fingerprint |\n|---|---|---|\n",
		sheet.Markdown(h.Federation), sheet.Markdown(OrUnknown(h.Account)))
	for _, n := range h.Nodes {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", sheet.Markdown(n.Name), sheet.Markdown(n.NodeID), sheet.Markdown(n.Fingerprint))
	}
	return b.String()
}

// OrUnknown returns s, or "unknown" for nothing.
func OrUnknown(s string) string {
	if s == "" {
		return "(not known)"
	}
	return s
}

// CSV is the same for a spreadsheet; open the node ID as text there, it has more digits than a number keeps.
func (h Handover) CSV() string {
	rows := [][]string{{"name", "node_id", "key_fingerprint", "account", "federation"}}
	for _, n := range h.Nodes {
		rows = append(rows, []string{n.Name, n.NodeID, n.Fingerprint, h.Account, h.Federation})
	}
	return sheet.CSV(rows)
}

// JSON is the same for programs.
func (h Handover) JSON() string {
	b, err := termsafe.EncodeJSON(h, "  ")
	if err != nil {
		return err.Error()
	}
	return string(b)
}
