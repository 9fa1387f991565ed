// Package fit decides which flwr fits the grid: the one at hand, the one of each SuperNode, and the release to move to.
// It reads a look and asks nobody.
package fit

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"flwrup/flwrexec"
	"flwrup/flwrexec/flwr"
	"flwrup/flwrexec/install"
	"flwrup/flwrexec/releases"
	"flwrup/internal/probe"
	"flwrup/internal/site"
	"flwrup/internal/supernode"
)

// Reads are the parts of a look that Judge decides by; with site.ReadNetwork what the grid speaks is probed.
const Reads = site.ReadKeys | site.ReadFlwrAtHand | site.ReadNodes | site.ReadStates | site.ReadNetworkSeen | site.ReadReleases

// Verdict says whether something fits the grid.
type Verdict string

// The verdicts.
const (
	NotKnown Verdict = "" // neither what the grid speaks nor a version is known
	Yes      Verdict = "yes"
	No       Verdict = "no"
)

// Node is a SuperNode that was started here.
type Node struct {
	Name    string
	Version flwr.Version // that it was started with; zero: not known
	Fits    Verdict      // NotKnown of one that is elsewhere

	Elsewhere bool // it was started for another grid
}

// Fit is how things stand.
type Fit struct {
	Out   releases.List // as the index said last
	Flwr  flwr.Version  // at hand; zero: none
	Tells Verdict       // whether the flwr at hand fits the grid
	Nodes []Node

	Control, Fleet probe.Transport // that the grid speaks to commands and to SuperNodes; None: not known

	Target flwr.Version // release to move to; zero: all is well, or none fits
	Needed bool         // something cannot talk to the grid as it is
	Why    string       // one line for people; "" where there is nothing to say
	Short  string       // the same for a narrow screen
}

// Judge decides by a look that has read Reads.
func Judge(p *site.Snapshot) Fit {
	f := Fit{}
	if p.Choices.Flwr.Check {
		f.Out = p.Releases
	}
	f.Flwr, _ = flwr.ParseVersion(p.Flwr)
	for _, n := range p.SuperNodes {
		if n.Runtime.State == "" || n.Runtime.State == supernode.Absent {
			continue
		}
		v, _ := VersionOf(n.Runtime)
		f.Nodes = append(f.Nodes, Node{Name: n.Name, Version: v, Elsewhere: p.Elsewhere(n.Runtime) != ""})
	}
	f.listen(p)
	if f.Tells = f.judge(f.Flwr); f.Tells == Yes && f.Control != probe.None && f.Control != probe.Over(flwr.DialectOf(f.Flwr).ControlHTTP) {
		f.Tells = No
	}
	for i := range f.Nodes {
		if n := &f.Nodes[i]; !n.Elsewhere {
			n.Fits = f.judge(n.Version)
		}
	}
	f.aim(p.Rehearsal())
	if i, open := p.Ledger.UpgradeUnderWay(p.Choices.Grid.Connection); open {
		f.Target, _ = flwr.ParseVersion(i.To)
		f.Short = "the upgrade to " + i.To + " is not finished"
		f.Why = fmt.Sprintf("the upgrade from flwr %s to %s is not finished: flwrup upgrade continues, flwrup upgrade %s goes back", i.From, i.To, i.From)
	}
	if d := flwr.DialectOf(f.Flwr); f.Why == "" && f.Flwr != (flwr.Version{}) && !d.Known() {
		f.Why, f.Short = d.HowKnown(), "flwr "+f.Flwr.String()+" is not in this flwrup's table of releases"
	}
	return f
}

// listen finds out what the grid speaks: from the probe, else from who is understood. A SuperNode that is online and the
// flwr whose question was answered speak the grid's protocol.
func (f *Fit) listen(p *site.Snapshot) {
	if n := p.Network.Value; p.Network.Err == nil {
		if f.Control, f.Fleet = n.Control.Control, n.Fleet.Fleet; f.Fleet == probe.None {
			f.Fleet = n.Control.Fleet // a SuperLink from 1.40 on has both at one address
		}
	}
	if p.Nodes.Err != nil || p.Nodes.At.IsZero() {
		return
	}
	if f.Control == probe.None {
		f.Control = probe.Over(p.Dialect.ControlHTTP)
	}
	if f.Fleet != probe.None {
		return
	}
	for _, n := range p.SuperNodes {
		if v, ok := VersionOf(n.Runtime); ok && n.Listed && n.Grid.Status == flwrexec.StatusOnline && n.Runtime.State == supernode.Running && p.Elsewhere(n.Runtime) == "" {
			f.Fleet = probe.Over(flwr.DialectOf(v).FleetHTTP)
			return
		}
	}
}

// judge says whether SuperNodes of a release fit the grid.
func (f *Fit) judge(v flwr.Version) Verdict {
	switch {
	case v == flwr.Version{} || f.Fleet == probe.None:
		return NotKnown
	case f.Fleet == probe.Over(flwr.DialectOf(v).FleetHTTP):
		return Yes
	}
	return No
}

// Takes reports whether the grid speaks to commands and to SuperNodes of a release, as far as both are known.
func (f *Fit) Takes(v flwr.Version) bool {
	d := flwr.DialectOf(v)
	return (f.Control == probe.None || f.Control == probe.Over(d.ControlHTTP)) && (f.Fleet == probe.None || f.Fleet == probe.Over(d.FleetHTTP))
}

// aim chooses the release to move to. Releases that the table of dialects knows come first: a newer one is named, and
// taken where no other fits.
func (f *Fit) aim(rehearsal bool) {
	var misfits []Node
	for _, n := range f.Nodes {
		if n.Fits == No {
			misfits = append(misfits, n)
		}
	}
	if f.Tells == No {
		misfits = append(misfits, Node{Name: onThisMachine, Version: f.Flwr})
	}
	best, newest := f.best()
	switch f.Needed = len(misfits) > 0; {
	case f.Needed:
		f.Target = best
		f.Why = f.Speech() + "; " + inWords(misfits)
		f.Short = f.protocol() + ", " + counted(misfits)
		if best == (flwr.Version{}) {
			f.Why += ": flwrup knows no release that fits"
			return
		}
		verb := "upgrade"
		if best.Compare(misfits[0].Version) < 0 {
			verb = "go back"
		}
		f.Why += ": " + verb + " to " + best.String() + unknown(best)
		f.Short = verb + " to " + best.String() + ": " + f.protocol() + ", " + counted(misfits)
	case rehearsal || f.Out.At.IsZero(): // a rehearsal's grid is of the flwr at hand
	default:
		old := f.olderThan(best)
		if len(old) > 0 {
			f.Target, f.Why = best, "flwr "+best.String()+" is out; "+inWords(old)
			f.Short = "flwr " + best.String() + " is out; " + counted(old)
		}
		// A release that the table does not have is for a person to name.
		if v := newest.String(); newest.Compare(best) > 0 && len(f.olderThan(newest)) > 0 {
			if f.Why == "" {
				f.Why = "flwr " + v + " is out, and newer than this flwrup knows: flwrup doctor --flwr " + v + " compares it"
				f.Short = "flwr " + v + " is out: flwrup doctor --flwr " + v + " compares it"
			} else {
				f.Why = "flwr " + v + " is out, and newer than this flwrup knows; " + f.Why
			}
		}
	}
}

// best returns the newest release that fits and that the table knows, and the newest one that fits. Without an answer
// of an index the releases are those that flwrup has hashes for.
func (f *Fit) best() (best, newest flwr.Version) {
	var out []flwr.Version
	for _, r := range f.Out.Releases {
		out = append(out, r.Version)
	}
	if len(out) == 0 {
		out = install.Locked()
	}
	if f.Flwr != (flwr.Version{}) {
		out = append(out, f.Flwr)
	}
	oldest, _ := flwr.ParseVersion(flwr.Oldest)
	for _, v := range out {
		if v.Compare(oldest) < 0 || !f.Takes(v) {
			continue
		}
		if v.Compare(newest) > 0 {
			newest = v
		}
		if flwr.DialectOf(v).Known() && v.Compare(best) > 0 {
			best = v
		}
	}
	if best == (flwr.Version{}) {
		best = newest
	}
	return best, newest
}

// olderThan returns all that runs an older release.
func (f *Fit) olderThan(v flwr.Version) []Node {
	old := slices.DeleteFunc(slices.Clone(f.Nodes), func(n Node) bool { return n.Version == (flwr.Version{}) || n.Version.Compare(v) >= 0 })
	if f.Flwr != (flwr.Version{}) && f.Flwr.Compare(v) < 0 {
		old = append(old, Node{Name: onThisMachine, Version: f.Flwr})
	}
	return old
}

// unknown says that the table of dialects does not have a release.
func unknown(v flwr.Version) string {
	if flwr.DialectOf(v).Known() {
		return ""
	}
	return ", which is newer than this flwrup knows"
}

// Speech says what the grid speaks.
func (f *Fit) Speech() string {
	says := "the grid speaks " + string(f.Fleet) + " to SuperNodes"
	if f.Fleet == probe.None {
		says = "the grid speaks " + string(f.Control) + " to flwr's commands"
	} else if f.Control != probe.None {
		if r := flwr.Releases(f.Control == probe.HTTP, f.Fleet == probe.HTTP); r != "" {
			says += " (flwr " + r + ")"
		}
	}
	return says
}

// protocol says what the grid speaks in few words.
func (f *Fit) protocol() string {
	if f.Fleet == probe.None {
		return "the grid speaks " + string(f.Control)
	}
	return "the grid speaks " + string(f.Fleet)
}

// onThisMachine is the name of the flwr at hand.
const onThisMachine = "flwr on this machine"

// counted counts the SuperNodes that run the oldest release of a list.
func counted(list []Node) string {
	oldest := slices.MinFunc(list, func(a, b Node) int { return a.Version.Compare(b.Version) })
	var same []Node
	for _, n := range list {
		if n.Version == oldest.Version && n.Name != onThisMachine {
			same = append(same, n)
		}
	}
	if len(same) > 1 {
		return fmt.Sprintf("%d SuperNodes run %s", len(same), oldest.Version)
	}
	if len(same) == 0 {
		same = []Node{oldest}
	}
	return inWords(same)
}

// mostNamed is how many SuperNodes a line names.
const mostNamed = 3

// inWords names what runs which release: "supernode_1 and supernode_2 run 1.38.0".
func inWords(list []Node) string {
	var order []string
	names := map[string][]string{}
	for _, n := range list {
		v := n.Version.String()
		if names[v] == nil {
			order = append(order, v)
		}
		names[v] = append(names[v], n.Name)
	}
	var parts []string
	for _, v := range order {
		who, verb := names[v], "run"
		if len(who) == 1 {
			verb = "runs"
		}
		if who[0] == onThisMachine && len(who) == 1 {
			verb = "is"
		}
		if more := len(who) - mostNamed; more > 0 {
			who = append(slices.Clone(who[:mostNamed]), fmt.Sprintf("%d more", more))
		}
		text := strings.Join(who, ", ")
		if n := len(who); n > 1 {
			text = strings.Join(who[:n-1], ", ") + " and " + who[n-1]
		}
		parts = append(parts, text+" "+verb+" "+v)
	}
	return strings.Join(parts, ", ")
}

// imageVersion finds flwr's version in an image's name: flwr/supernode:1.42.0-py3.13-ubuntu24.04.
var imageVersion = regexp.MustCompile(`:(\d+\.\d+\.\d+(?:\.dev\d+)?)`)

// OfImage returns the version of flwr that the name of an image says.
func OfImage(name string) (flwr.Version, bool) {
	m := imageVersion.FindStringSubmatch(name)
	if m == nil {
		return flwr.Version{}, false
	}
	v, err := flwr.ParseVersion(m[1])
	return v, err == nil
}

// VersionOf returns the version of flwr that a SuperNode was started with: that of its image's name, else that which
// flwrup noted at the start.
func VersionOf(st supernode.Status) (flwr.Version, bool) {
	if v, ok := OfImage(st.Image); ok {
		return v, true
	}
	v, err := flwr.ParseVersion(st.Labels["flwr"])
	return v, err == nil
}
