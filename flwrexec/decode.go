package flwrexec

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"

	"flwrup/flwrexec/flwr"
	"flwrup/internal/problem"
)

// jsonPart finds the JSON value in flwr's output: it begins a line, possibly after chatter. nil when there is
// none.
func jsonPart(out string) []byte {
	rest := out
	for range mostChatter {
		if rest != "" && (rest[0] == '{' || rest[0] == '[') {
			var v json.RawMessage
			if json.NewDecoder(strings.NewReader(rest)).Decode(&v) == nil {
				return v
			}
		}
		i := strings.IndexByte(rest, '\n')
		if i < 0 {
			return nil
		}
		rest = rest[i+1:]
	}
	return nil
}

// mostChatter is how many lines may stand before the answer.
const mostChatter = 200

type nodesAnswer struct {
	Nodes []struct {
		ID        *flwr.NodeID `json:"node-id"`
		Owner     string       `json:"owner-name"`
		Status    string       `json:"status"`
		Name      string       `json:"name"`
		Created   string       `json:"created-at"`
		Online    string       `json:"online-at"`
		Offline   string       `json:"offline-at"`
		Deleted   string       `json:"deleted-at"`
		OnlineFor number       `json:"online-elapsed"`
	} `json:"nodes"`
}

func (a nodesAnswer) nodes() ([]Node, error) {
	nodes := make([]Node, 0, len(a.Nodes))
	for _, n := range a.Nodes {
		if n.ID == nil {
			return nil, problem.New(problem.NotSupported, "flwr lists a SuperNode without a node ID", "",
				"this flwr may be newer than flwrup; try another version of flwr")
		}
		nodes = append(nodes, Node{ID: *n.ID, Owner: n.Owner, Status: n.Status, Name: n.Name,
			Created: timeOf(n.Created), Online: timeOf(n.Online), Offline: timeOf(n.Offline),
			Deleted: timeOf(n.Deleted), OnlineFor: elapsed(n.OnlineFor)})
	}
	return nodes, nil
}

// federationsAnswer reads {"federations": […]} (1.33 on) and a bare list (before).
type federationsAnswer []Federation

type oneFederation struct {
	ID          string `json:"id"`
	Name        string `json:"name"` // up to 1.29
	Description string `json:"description"`
	Archived    bool   `json:"archived"`
	Simulation  bool   `json:"simulation"`
}

func (a *federationsAnswer) UnmarshalJSON(b []byte) error {
	var list []oneFederation
	if b = bytes.TrimSpace(b); len(b) > 0 && b[0] == '{' {
		var object struct {
			Federations *[]oneFederation `json:"federations"`
		}
		if err := json.Unmarshal(b, &object); err != nil {
			return err
		}
		if object.Federations == nil {
			return errors.New(`no "federations" in the list of federations`)
		}
		list = *object.Federations
	} else if err := json.Unmarshal(b, &list); err != nil {
		return err
	}
	*a = make(federationsAnswer, 0, len(list))
	for _, f := range list {
		if f.ID == "" {
			f.ID = f.Name
		}
		if err := checkForeignFederation(f.ID); err != nil {
			return err
		}
		*a = append(*a, Federation{ID: f.ID, Description: f.Description, Archived: f.Archived, Simulation: f.Simulation})
	}
	return nil
}

// detailsAnswer reads {"federation": {…}} (1.33 on) and three bare lists (before).
type detailsAnswer FederationDetails

func (a *detailsAnswer) UnmarshalJSON(b []byte) error {
	type member struct {
		ID   string `json:"member_id"`
		Role string `json:"role"`
	}
	type node struct {
		ID     flwr.NodeID `json:"node_id"`
		Owner  string      `json:"owner"`
		Status string      `json:"status"`
	}
	type run struct {
		ID      flwr.RunID `json:"run_id"`
		App     string     `json:"app"`
		Status  string     `json:"status"`
		Elapsed number     `json:"elapsed"`
	}
	var all struct {
		Members    []member `json:"members"`
		Nodes      []node   `json:"nodes"`
		Runs       []run    `json:"runs"`
		Archived   bool     `json:"archived"`
		Simulation bool     `json:"simulation"`
	}
	if b = bytes.TrimSpace(b); len(b) > 0 && b[0] == '[' {
		lists := []any{&all.Members, &all.Nodes, &all.Runs}
		if err := json.Unmarshal(b, &lists); err != nil {
			return err
		}
	} else {
		var object struct {
			Federation json.RawMessage `json:"federation"`
		}
		if err := json.Unmarshal(b, &object); err != nil {
			return err
		}
		if object.Federation == nil {
			return errors.New(`no "federation" in the details of a federation`)
		}
		if err := json.Unmarshal(object.Federation, &all); err != nil {
			return err
		}
	}
	d := FederationDetails{Members: []Member{}, Nodes: []Node{}, Runs: []Run{}}
	d.Archived, d.Simulation = all.Archived, all.Simulation
	for _, m := range all.Members {
		d.Members = append(d.Members, Member{Account: m.ID, Role: strings.ToLower(m.Role)})
	}
	for _, n := range all.Nodes {
		d.Nodes = append(d.Nodes, Node{ID: n.ID, Owner: n.Owner, Status: n.Status})
	}
	for _, r := range all.Runs {
		fab, version, _ := strings.Cut(strings.TrimPrefix(r.App, "@"), "==")
		one := Run{ID: r.ID, FabID: fab, FabVersion: version, Elapsed: elapsed(r.Elapsed)}
		one.Status, one.SubStatus, _ = strings.Cut(r.Status, ":")
		d.Runs = append(d.Runs, one)
	}
	*a = detailsAnswer(d)
	return nil
}

type runsAnswer struct {
	Runs []struct {
		ID           *flwr.RunID `json:"run-id"`
		Federation   string      `json:"federation"` // up to 1.29
		FederationID string      `json:"federation-id"`
		FabID        string      `json:"fab-id"`
		FabVersion   string      `json:"fab-version"`
		Status       string      `json:"status"`
		Details      string      `json:"status-details"`
		Elapsed      number      `json:"elapsed"`
		Pending      string      `json:"pending-at"`
		Running      string      `json:"running-at"`
		Finished     string      `json:"finished-at"`
	} `json:"runs"`
}

func (a runsAnswer) runs() ([]Run, error) {
	runs := make([]Run, 0, len(a.Runs))
	for _, r := range a.Runs {
		if r.ID == nil {
			return nil, problem.New(problem.NotSupported, "flwr lists a run without a run ID", "",
				"this flwr may be newer than flwrup; try another version of flwr")
		}
		one := Run{ID: *r.ID, Federation: r.FederationID, FabID: r.FabID, FabVersion: r.FabVersion,
			Details: r.Details, Elapsed: elapsed(r.Elapsed),
			Pending: timeOf(r.Pending), Running: timeOf(r.Running), Finished: timeOf(r.Finished)}
		if one.Federation == "" {
			one.Federation = r.Federation
		}
		if one.Details == "N/A" {
			one.Details = ""
		}
		one.Status, one.SubStatus, _ = strings.Cut(r.Status, ":")
		runs = append(runs, one)
	}
	return runs, nil
}

// timeOf reads "2026-11-23 02:15:10Z"; "N/A" and anything else is the zero time.
func timeOf(s string) time.Time {
	for _, layout := range [...]string{"2006-01-02 15:04:05Z07:00", time.RFC3339Nano} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}

var clockPattern = regexp.MustCompile(`^(?:(\d+)d )?(\d+):(\d\d):(\d\d)$`)

// elapsed reads seconds (1.26 on) and "1d 00:00:40" (before).
func elapsed(n number) time.Duration {
	if m := clockPattern.FindStringSubmatch(string(n)); m != nil {
		var total time.Duration
		for i, unit := range [...]time.Duration{24 * time.Hour, time.Hour, time.Minute, time.Second} {
			v, err := strconv.Atoi(m[i+1])
			if m[i+1] != "" && (err != nil || v > 1e6) { // "" is no days
				return 0
			}
			total += time.Duration(v) * unit
		}
		return total
	}
	seconds, err := strconv.ParseFloat(string(n), 64)
	if err != nil || !(seconds >= 0 && seconds <= 1e9) { // also NaN
		return 0
	}
	return time.Duration(seconds * float64(time.Second)).Round(time.Millisecond)
}

var federationName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]{0,31}$`)

// CheckFederationName reports why a name is refused for a new federation, given without the account: first a
// letter, then letters, digits and hyphens, 32 at most (Flower's documentation).
func CheckFederationName(name string) error {
	if federationName.MatchString(name) {
		return nil
	}
	return problem.New(problem.FedBadName, fmt.Sprintf("%q cannot be the name of a federation", name),
		"a name has a letter first, then letters, digits and hyphens, 32 at most", "choose another name")
}

var federationID = regexp.MustCompile(`^@[^/\s@]+/[^/\s@]+$`)

// isAccount reports whether text may be the name of a Flower account, or of a federation behind its account: nothing that
// a command line takes for a flag.
func isAccount(text string) bool {
	for i, r := range text {
		if !(unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' || i > 0 && (r == '-' || r == '.')) {
			return false
		}
	}
	return text != "" && len(text) <= 100
}

// ParseAccount reads an account as a person writes it, with its @ or without, and returns it without.
func ParseAccount(text string) (string, error) {
	name := strings.TrimPrefix(text, "@")
	if isAccount(name) {
		return name, nil
	}
	why := "an account is letters, digits, hyphens, dots and underscores"
	if strings.Contains(name, "/") {
		why = "it is a federation: an account has no /"
	}
	return "", problem.New(problem.Usage, fmt.Sprintf("%q cannot be an account", text), why, "write it as @ACCOUNT")
}

// ParseFederation reads @account/name and returns the account without its @, and the name.
func ParseFederation(text string) (account, name string, err error) {
	account, name, _ = strings.Cut(strings.TrimPrefix(text, "@"), "/")
	if len(text) <= 200 && federationID.MatchString(text) && isAccount(account) && isAccount(name) {
		return account, name, nil
	}
	return "", "", problem.New(problem.Usage, fmt.Sprintf("%q cannot be a federation", text), "", "write it as @account/name")
}

// bareFederation matches the federation names of a grid up to flwr 1.29. They never look like a flag.
var bareFederation = regexp.MustCompile(`^[\p{L}\p{N}_][^/\s@]*$`)

// checkForeignFederation refuses a malformed federation ID from the grid: it goes into command lines.
func checkForeignFederation(id string) error {
	if len(id) <= 200 && (federationID.MatchString(id) || bareFederation.MatchString(id)) {
		return nil
	}
	return fmt.Errorf("%q is no federation ID", id)
}
