package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"flwrup/internal/fleet"
	"flwrup/internal/front"
	"flwrup/internal/health"
	"flwrup/internal/plain"
	"flwrup/internal/site"
	"flwrup/internal/supernode"
	"flwrup/internal/wording"
	"flwrup/ui/style"
)

// say writes a line for a person; nothing with --json.
func (p *program) say(format string, args ...any) {
	if p.json {
		return
	}
	text := fmt.Sprintf(format, args...)
	if spoken() {
		text = plain.Unsigned(text)
	}
	fmt.Fprintln(p.Out, text)
}

// folded breaks the lines of a text where they are too long to be heard or read in one piece.
func folded(text string) string {
	var lines []string
	for _, l := range strings.Split(text, "\n") {
		lines = append(lines, plain.Folded(l)...)
	}
	return strings.Join(lines, "\n")
}

// statusData is what `flwrup status --json` carries.
type statusData struct {
	Project    string       `json:"project"`
	Connection string       `json:"connection"`
	Federation string       `json:"federation"`
	Account    string       `json:"account"`
	Flwr       string       `json:"flwr"`
	Rehearsal  bool         `json:"rehearsal"`
	Online     int          `json:"online"`
	GridAsked  time.Time    `json:"grid_asked,omitzero"`
	AsOf       time.Time    `json:"as_of,omitzero"` // when the watch saw all this; not there: now
	Nodes      []nodeData   `json:"nodes"`
	Sites      []siteData   `json:"sites,omitempty"`     // whose SuperNodes this account registered; they run there
	FromLogs   bool         `json:"from_logs,omitempty"` // grid is what the SuperNodes' own logs say: only the coordinator can ask the grid
	Runs       []runData    `json:"runs"`
	GridError  *problemData `json:"grid_error,omitempty"`
	LocalError *problemData `json:"runtime_error,omitempty"`
	FileError  *problemData `json:"file_error,omitempty"` // flwrup.toml as it is now is not gone by
	Remedy     *remedyData  `json:"remedy,omitempty"`     // of grid_error
}

type siteData struct {
	Name    string     `json:"name"`
	Title   string     `json:"title"`
	Contact string     `json:"contact,omitempty"`
	Nodes   []nodeData `json:"nodes"`
}

type nodeData struct {
	Name        string       `json:"name"`
	NodeID      string       `json:"node_id"`
	Key         string       `json:"key"`
	Fingerprint string       `json:"key_fingerprint"`
	Grid        string       `json:"grid"`
	State       string       `json:"state"`
	ExitCode    int          `json:"exit_code"`
	Since       time.Time    `json:"since,omitzero"`
	Restarts    int          `json:"restarts"`
	Image       string       `json:"image,omitempty"`
	ImageDigest string       `json:"image_digest,omitempty"` // repository@sha256:…, or the ID of an image that was built here
	ByHand      string       `json:"by_hand,omitempty"`      // "container NAME" or "process PID" that somebody started with this key
	RuntimeID   string       `json:"runtime_id,omitempty"`
	Host        string       `json:"host,omitempty"`   // Docker host that has its container; not there for this machine's own
	Engine      *engineData  `json:"engine,omitempty"` // who runs it in flwrup's place
	Wanted      string       `json:"wanted,omitempty"` // up or down: what was last asked of it
	Diagnosis   *problemData `json:"diagnosis,omitempty"`
	Remedy      *remedyData  `json:"remedy,omitempty"`
}

type engineData struct {
	Kind  string `json:"kind"` // compose, swarm, kubernetes or systemd
	Dir   string `json:"dir"`
	Start string `json:"start"` // commands for /bin/sh
	Stop  string `json:"stop"`
	End   string `json:"end"` // after it flwrup start takes the SuperNode back
	Logs  string `json:"logs"`
}

type runData struct {
	ID      string  `json:"id"`
	App     string  `json:"app"`
	Status  string  `json:"status"`
	Seconds float64 `json:"seconds"`
}

func dataOf(r front.RunView) runData {
	return runData{r.ID, r.App, string(r.Status), r.Elapsed.Seconds()}
}

func (p *program) statusOf(t front.Title, o front.Overview, asOf time.Time) statusData {
	d := statusData{Project: t.Project, Connection: t.Connection, Federation: t.Federation, Account: t.Account, Flwr: t.Flwr,
		Rehearsal: t.Rehearsal, Online: o.Online, GridAsked: o.GridAt, AsOf: asOf, Nodes: []nodeData{}, Runs: []runData{},
		GridError: shape(o.GridErr), LocalError: shape(o.RuntimeErr), FileError: shape(o.FileErr), Remedy: p.remedy(o.Remedy)}
	d.FromLogs = o.FromLogs
	d.Nodes = append(d.Nodes, p.nodesOf(o.Nodes)...)
	for _, other := range o.Sites {
		d.Sites = append(d.Sites, siteData{Name: other.Name, Title: other.Title, Contact: other.Contact, Nodes: p.nodesOf(other.Nodes)})
	}
	for _, r := range o.Runs {
		d.Runs = append(d.Runs, dataOf(r))
	}
	return d
}

func (p *program) nodesOf(list []front.NodeView) (nodes []nodeData) {
	for _, n := range list {
		nd := nodeData{Name: n.Name, NodeID: n.NodeID, Key: n.KeyFile, Fingerprint: n.Fingerprint, Grid: string(n.Grid),
			State: string(n.Runtime.State), ExitCode: n.Runtime.ExitCode, Since: n.Runtime.Since, Restarts: n.Runtime.Restarts,
			Image: n.Runtime.Image, ImageDigest: n.Digest, ByHand: n.Runtime.ByHand, RuntimeID: n.Runtime.ID, Host: n.Runtime.Host, Wanted: string(n.Wanted), Remedy: p.remedy(n.Remedy)}
		if at := n.Engine; at != nil {
			nd.Engine = &engineData{at.Kind, at.Dir, at.Start, at.Stop, at.End, at.Logs}
		}
		if n.Diagnosis != nil {
			nd.Diagnosis = shape(n.Diagnosis)
		}
		nodes = append(nodes, nd)
	}
	return nodes
}

// showStatus writes the overview as lines.
func (p *program) showStatus(t front.Title, o front.Overview, asOf time.Time) {
	head := t.Project + " · "
	if t.Federation != "" {
		head += t.Federation + " on "
	}
	head += t.Connection
	if t.Account != "" {
		head += " · " + t.Account
	}
	if t.Flwr != "" {
		head += " · flwr " + t.Flwr
	}
	if o.GridErr != nil {
		p.say("%s %s · %s, not known whether online", o.Severity().Sign(false), head, wording.Count(len(o.Nodes), "SuperNode"))
	} else {
		here := fmt.Sprintf("%d of %d online", o.Online, len(o.Nodes))
		if len(o.Nodes) == 0 && len(o.Sites) > 0 {
			here = "no SuperNode here"
		}
		p.say("%s %s · %s", o.Severity().Sign(false), head, here)
	}
	if !asOf.IsZero() {
		p.say("    as of %d s ago, by the watch; --fresh asks the grid", int(time.Since(asOf).Seconds()))
	}
	if o.GridErr != nil && o.RuntimeErr != nil && o.GridErr.Error() == o.RuntimeErr.Error() {
		p.showTrouble("grid and SuperNodes", o.GridErr)
	} else {
		p.showTrouble("grid", o.GridErr)
		p.showTrouble("SuperNodes", o.RuntimeErr)
	}
	width := len("name")
	for _, n := range o.Nodes {
		width = max(width, len(n.Name))
	}
	for _, other := range o.Sites {
		for _, n := range other.Nodes {
			width = max(width, len(n.Name))
		}
	}
	if len(o.Nodes) > 0 {
		p.say("    %-*s  %-20s  %-12s  %s", width, "name", "node ID", "grid", "here")
	}
	for _, n := range o.Nodes {
		grid, here := string(n.Grid), string(n.Runtime.State)
		if here == "" {
			here = "unknown"
		}
		if n.Wanted == front.WantedDown && n.Runtime.State == supernode.Stopped {
			here = "stopped by you"
		}
		if grid == "" {
			grid = "unknown"
		}
		if n.Runtime.State == supernode.Running && !n.Runtime.Since.IsZero() {
			here += " " + style.Age(time.Since(n.Runtime.Since))
		}
		if n.Runtime.Host != "" {
			here += " on " + supernode.HostName(n.Runtime.Host)
		}
		if n.Engine != nil {
			here = "run by " + n.Engine.Kind + " (" + n.Engine.Dir + ")"
		}
		if n.Runtime.ByHand != "" {
			here += ", started by hand (" + n.Runtime.ByHand + ")"
		}
		p.say("  %s %-*s  %-20s  %-12s  %s", o.SeverityOf(n).Sign(false), width, n.Name, n.NodeID, grid, here)
		if n.Diagnosis != nil {
			p.say("      %s", n.Diagnosis.Error())
			if n.Diagnosis.Fix != "" {
				p.say("      %s", n.Diagnosis.Fix)
			}
			if r := p.remedy(n.Remedy); r != nil && r.Command != "" {
				p.say("      > %s", r.Command)
			}
		}
	}
	if o.FromLogs {
		p.say("    the states are those of the SuperNodes' own logs: only the coordinator can ask the grid")
	}
	for _, other := range o.Sites {
		p.say("%s %s%s · %d of %d online", other.Severity().Sign(false), other.Title, wording.Around(" · ", other.Contact, ""), other.Online(), len(other.Nodes))
		for _, n := range other.Nodes {
			p.say("    %-*s  %-20s  %s", width, n.Name, n.NodeID, fleet.OrUnknown(string(n.Grid)))
			if n.Diagnosis != nil && o.GridErr == nil {
				p.say("      %s", n.Diagnosis.Error())
				p.say("      %s", n.Diagnosis.Fix)
			}
		}
	}
	for _, r := range o.Runs {
		p.say("  run %s  %s  %s  %s", r.ID, r.App, r.Status, style.Age(r.Elapsed))
	}
}

// showTrouble writes what is wrong with a side of the overview; nothing where err is nil.
func (p *program) showTrouble(side string, err error) {
	if err == nil {
		return
	}
	e := envelopeError(err)
	p.say("! %s: %s", side, e.Message)
	if e.Fix != "" {
		p.say("    %s", e.Fix)
	}
}

// rehearsalData is what `flwrup rehearse --json` carries.
type rehearsalData struct {
	statusData
	Seconds float64     `json:"seconds"`
	Metrics metricsData `json:"metrics"`
}

// showRehearsal looks at the whole once more, while all of it runs, and shows what was reached.
func (p *program) showRehearsal(ctx context.Context, s *site.Site, front *plain.Front, took time.Duration) error {
	o := health.Overview(ctx, s, 0)
	if o.GridErr != nil {
		return o.GridErr
	}
	if o.RuntimeErr != nil {
		return o.RuntimeErr
	}
	if p.json {
		d := rehearsalData{p.statusOf(s.Title(), o, time.Time{}), took.Seconds(), metricsOf(front)}
		writeJSON(p.Out, d, nil)
		return nil
	}
	p.say("")
	p.showStatus(s.Title(), o, time.Time{})
	p.say("\nall 16 steps, for real, in %d s", int(took.Seconds()))
	return nil
}
