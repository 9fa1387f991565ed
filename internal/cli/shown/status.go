// Package shown is what flwrup's commands show of SuperNodes, sites and runs, as lines and as JSON.
package shown

import (
	"fmt"
	"slices"
	"time"

	"flwrup/internal/cli/program"
	"flwrup/internal/fleet"
	"flwrup/internal/front"
	"flwrup/internal/supernode"
	"flwrup/internal/wording"
	"flwrup/ui/style"
)

// RemedyData is what puts a trouble right: a command, or the step of the wizard.
type RemedyData struct {
	Says    string `json:"says"`
	Command string `json:"command,omitempty"`
	Step    int    `json:"step,omitempty"`
}

// Remedy is r for programs; nil without one.
func Remedy(p *program.Program, r *front.Remedy) *RemedyData {
	if r == nil {
		return nil
	}
	d := &RemedyData{Says: r.Says, Step: int(r.Step)}
	if args := r.Args(); args != nil {
		d.Command = p.Command(args)
	}
	return d
}

// StatusData is what `flwrup status --json` carries.
type StatusData struct {
	Project    string               `json:"project"`
	Connection string               `json:"connection"`
	Federation string               `json:"federation"`
	Account    string               `json:"account"`
	Flwr       string               `json:"flwr"`
	Rehearsal  bool                 `json:"rehearsal"`
	Online     int                  `json:"online"`
	GridAsked  time.Time            `json:"grid_asked,omitzero"`
	AsOf       time.Time            `json:"as_of,omitzero"` // when the watch saw all this; not there: now
	Nodes      []nodeData           `json:"nodes"`
	Sites      []siteData           `json:"sites,omitempty"`     // whose SuperNodes this account registered; they run there
	Fit        *FitData             `json:"fit,omitempty"`       // which flwr fits the grid
	Backup     *BackupData          `json:"backup,omitempty"`    // of all keys, verified last; not there without one
	FromLogs   bool                 `json:"from_logs,omitempty"` // grid is what the SuperNodes' own logs say: only the coordinator can ask the grid
	Runs       []RunData            `json:"runs"`
	GridError  *program.ProblemData `json:"grid_error,omitempty"`
	LocalError *program.ProblemData `json:"runtime_error,omitempty"`
	FileError  *program.ProblemData `json:"file_error,omitempty"` // flwrup.toml as it is now is not gone by
	Remedy     *RemedyData          `json:"remedy,omitempty"`     // of grid_error
}

type siteData struct {
	Name    string     `json:"name"`
	Title   string     `json:"title"`
	Contact string     `json:"contact,omitempty"`
	Nodes   []nodeData `json:"nodes"`
}

// BackupData is the backup of the keys.
type BackupData struct {
	File     string    `json:"file"`
	Verified time.Time `json:"verified"` // when it was opened and compared with the keys
	Old      bool      `json:"old"`      // so long ago that it should be verified again
}

type nodeData struct {
	Name        string               `json:"name"`
	NodeID      string               `json:"node_id"`
	Key         string               `json:"key"`
	Fingerprint string               `json:"key_fingerprint"`
	Grid        string               `json:"grid"`
	State       string               `json:"state"`
	ExitCode    int                  `json:"exit_code"`
	Since       time.Time            `json:"since,omitzero"`
	Restarts    int                  `json:"restarts"`
	Image       string               `json:"image,omitempty"`
	ImageDigest string               `json:"image_digest,omitempty"` // repository@sha256:…, or the ID of an image that was built here
	ByHand      string               `json:"by_hand,omitempty"`      // "container NAME" or "process PID" that somebody started with this key
	RuntimeID   string               `json:"runtime_id,omitempty"`
	Host        string               `json:"host,omitempty"`      // Docker host that has its container; not there for this machine's own
	Engine      *engineData          `json:"engine,omitempty"`    // who runs it in flwrup's place
	Flwr        string               `json:"flwr,omitempty"`      // version that it was started with
	Fits        string               `json:"fits_grid,omitempty"` // yes or no; not there while it is not known
	Wanted      string               `json:"wanted,omitempty"`    // up or down: what was last asked of it
	Diagnosis   *program.ProblemData `json:"diagnosis,omitempty"`
	Remedy      *RemedyData          `json:"remedy,omitempty"`
}

type engineData struct {
	Kind  string `json:"kind"` // compose, swarm, kubernetes or systemd
	Dir   string `json:"dir"`
	Start string `json:"start"` // commands for /bin/sh
	Stop  string `json:"stop"`
	End   string `json:"end"` // after it flwrup start takes the SuperNode back
	Logs  string `json:"logs"`
}

// StatusOf is an overview for programs. asOf is when a watch saw it; zero: now.
func StatusOf(p *program.Program, t front.Title, o front.Overview, asOf time.Time) StatusData {
	d := StatusData{Project: t.Project, Connection: t.Connection, Federation: t.Federation, Account: t.Account, Flwr: t.Flwr,
		Rehearsal: t.Rehearsal, Online: o.Online, GridAsked: o.GridAt, AsOf: asOf, Nodes: []nodeData{}, Runs: []RunData{},
		GridError: program.Shape(o.GridErr), LocalError: program.Shape(o.RuntimeErr), FileError: program.Shape(o.FileErr), Remedy: Remedy(p, o.Remedy)}
	d.FromLogs, d.Fit = o.FromLogs, FitOf(o.Fit)
	if b := o.Backup; b.File != "" {
		d.Backup = &BackupData{b.File, b.Verified, b.Old}
	}
	d.Nodes = append(d.Nodes, nodesOf(p, o.Nodes)...)
	for _, other := range o.Sites {
		d.Sites = append(d.Sites, siteData{Name: other.Name, Title: other.Title, Contact: other.Contact, Nodes: nodesOf(p, other.Nodes)})
	}
	for _, r := range o.Runs {
		d.Runs = append(d.Runs, DataOf(r))
	}
	return d
}

func nodesOf(p *program.Program, list []front.NodeView) (nodes []nodeData) {
	for _, n := range list {
		nd := nodeData{Name: n.Name, NodeID: n.NodeID, Key: n.KeyFile, Fingerprint: n.Fingerprint, Grid: string(n.Grid),
			State: string(n.Runtime.State), ExitCode: n.Runtime.ExitCode, Since: n.Runtime.Since, Restarts: n.Runtime.Restarts,
			Image: n.Runtime.Image, ImageDigest: n.Digest, ByHand: n.Runtime.ByHand, RuntimeID: n.Runtime.ID, Host: n.Runtime.Host, Flwr: n.Flwr, Fits: n.Fits, Wanted: string(n.Wanted), Remedy: Remedy(p, n.Remedy)}
		if at := n.Engine; at != nil {
			nd.Engine = &engineData{at.Kind, at.Dir, at.Start, at.Stop, at.End, at.Logs}
		}
		if n.Diagnosis != nil {
			nd.Diagnosis = program.Shape(n.Diagnosis)
		}
		nodes = append(nodes, nd)
	}
	return nodes
}

// ShowStatus writes the overview as lines.
func ShowStatus(p *program.Program, t front.Title, o front.Overview, asOf time.Time) {
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
		p.Say("%s %s · %s, not known whether online", o.Severity().Sign(false), head, wording.Count(len(o.Nodes), "SuperNode"))
	} else {
		here := fmt.Sprintf("%d of %d online", o.Online, len(o.Nodes))
		if len(o.Nodes) == 0 && len(o.Sites) > 0 {
			here = "no SuperNode here"
		}
		p.Say("%s %s · %s", o.Severity().Sign(false), head, here)
	}
	if !asOf.IsZero() {
		p.Say("    as of %d s ago, by the watch; --fresh asks the grid", int(time.Since(asOf).Seconds()))
	}
	if o.Fit.Says != "" {
		p.Say("%s", program.Folded("    "+o.Fit.Says))
	}
	if says := o.KeysSay(); says != "" {
		p.Say("%s", program.Folded("    "+says))
	}
	if o.GridErr != nil && o.RuntimeErr != nil && o.GridErr.Error() == o.RuntimeErr.Error() {
		showTrouble(p, "grid and SuperNodes", o.GridErr)
	} else {
		showTrouble(p, "grid", o.GridErr)
		showTrouble(p, "SuperNodes", o.RuntimeErr)
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
		p.Say("    %-*s  %-20s  %-12s  %s", width, "name", "node ID", "grid", "here")
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
		p.Say("  %s %-*s  %-20s  %-12s  %s", o.SeverityOf(n).Sign(false), width, n.Name, n.NodeID, grid, here)
		if n.Diagnosis != nil {
			p.Say("      %s", n.Diagnosis.Error())
			if n.Diagnosis.Fix != "" {
				p.Say("      %s", n.Diagnosis.Fix)
			}
			if r := Remedy(p, n.Remedy); r != nil && r.Command != "" {
				p.Say("      > %s", r.Command)
			}
		}
	}
	if o.FromLogs {
		p.Say("    the states are those of the SuperNodes' own logs: only the coordinator can ask the grid")
	}
	for _, other := range o.Sites {
		p.Say("%s %s%s · %d of %d online", other.Severity().Sign(false), other.Title, wording.Around(" · ", other.Contact, ""), other.Online(), len(other.Nodes))
		for i, n := range other.Nodes {
			p.Say("    %-*s  %-20s  %s", width, n.Name, n.NodeID, fleet.OrUnknown(string(n.Grid)))
			if n.Diagnosis != nil && o.GridErr == nil {
				p.Say("      %s", n.Diagnosis.Error())
				if !slices.ContainsFunc(other.Nodes[i+1:], func(later front.NodeView) bool {
					return later.Diagnosis != nil && later.Diagnosis.Fix == n.Diagnosis.Fix
				}) {
					p.Say("      %s", n.Diagnosis.Fix)
				}
			}
		}
	}
	for _, r := range o.Runs {
		p.Say("  run %s  %s  %s  %s", r.ID, r.App, r.Status, style.Age(r.Elapsed))
	}
}

// showTrouble writes what is wrong with a side of the overview; nothing where err is nil.
func showTrouble(p *program.Program, side string, err error) {
	if err == nil {
		return
	}
	e := program.Shape(err)
	p.Say("! %s: %s", side, e.Message)
	if e.Fix != "" {
		p.Say("    %s", e.Fix)
	}
}
