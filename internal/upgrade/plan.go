// Package upgrade moves a set-up to another release of flwr: environment, image, configuration, SuperNodes. One SuperNode
// goes first, and the others follow once it has stayed online. A downgrade is the same.
package upgrade

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"flwrup/flwrexec"
	"flwrup/flwrexec/config"
	"flwrup/flwrexec/flwr"
	"flwrup/flwrexec/install"
	"flwrup/internal/fit"
	"flwrup/internal/front"
	"flwrup/internal/health"
	"flwrup/internal/probe"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/runs"
	"flwrup/internal/site"
	"flwrup/internal/supernode"
	"flwrup/internal/wording"
)

// Plan is all that an upgrade would change. It is made from a look, and changes nothing.
type Plan struct {
	From, To flwr.Version // From zero: no flwr is at hand
	Why      string       // why To; "" where the person named it
	Needed   bool         // something cannot talk to the grid as it is
	Open     bool         // an upgrade to To was cut short, or SuperNodes stayed behind

	Nodes     []Node   // that change their release now, in the order in which they do
	Later     []Node   // that do not run, and take To when they are started
	Elsewhere []string // names of those that other engines run

	Installs bool          // the environment with To has to be made
	Image    string        // that containers get; "" where SuperNodes are plain processes
	Gives    string        // the image that flwrup.toml names and that gives way to Image
	Fleet    string        // the address at which the grid has SuperNodes now; "" where it stays
	Edits    []config.Edit // of flwr's own configuration
	Grid     bool          // the rehearsal's grid moves, too
	Runs     []front.RunView
	Old      []Old // releases that earlier upgrades left, and that can go
}

// Node is a SuperNode and the release that it was started with; zero: not known.
type Node struct {
	Name    string
	Version flwr.Version
}

// Nothing reports whether there is nothing to do.
func (p Plan) Nothing() bool {
	return p.To == (flwr.Version{}) || !p.Open && p.From.Compare(p.To) == 0 && len(p.Nodes) == 0 && p.Gives == ""
}

// Summary is the plan in one line.
func (p Plan) Summary() string {
	switch {
	case p.To == (flwr.Version{}):
		return "no release is known that the grid takes: name one with flwrup upgrade VERSION"
	case p.Nothing():
		return "flwr " + p.To.String() + " is at hand, and all SuperNodes that run have it"
	case p.Why != "":
		return p.Why
	}
	return "flwr " + p.From.String() + " can move to " + p.To.String()
}

// Make returns the plan for a move to the release target; "" is that of a cut-short upgrade, else the release that
// fits the grid best. Where all is well it is a Plan with nothing to do.
func Make(ctx context.Context, s *site.Site, target string) (Plan, error) {
	look := s.Look(ctx, site.Want{Parts: fit.Reads | site.ReadFlwr | site.ReadNetwork})
	if look.Keys.Err != nil {
		return Plan{}, look.Keys.Err
	}
	f := fit.Judge(&look)
	p := Plan{From: f.Flwr, To: f.Target, Why: f.Why, Needed: f.Needed}
	intent, open := look.Ledger.UpgradeUnderWay(look.Choices.Grid.Connection)
	switch {
	case target != "":
		v, err := flwr.ParseVersion(target)
		if err != nil {
			return p, problem.New(problem.Usage, "cannot upgrade to "+target, err.Error(), "give a release such as "+flwr.Latest().Version.String())
		}
		if p.To != v {
			p.Why = ""
		}
		p.To = v
	case open:
		p.To, _ = flwr.ParseVersion(intent.To)
		p.Why = "an upgrade to it is not finished"
	case p.To == (flwr.Version{}):
		p.To = f.Flwr // SuperNodes may lag behind
	}
	if p.To == (flwr.Version{}) {
		return p, nil
	}
	if p.Open = open && intent.To == p.To.String(); p.Open {
		p.From, _ = flwr.ParseVersion(intent.From)
	}
	if err := p.check(&look, f); err != nil {
		return p, err
	}
	if err := p.fill(ctx, s, &look); err != nil || p.Nothing() {
		return p, err
	}
	p.Old = olds(ctx, s, p.From, p.To)
	return p, nil
}

// check says why a set-up cannot move to the release.
func (p *Plan) check(look *site.Snapshot, f fit.Fit) error {
	what := "cannot move to flwr " + p.To.String()
	if oldest, _ := flwr.ParseVersion(flwr.Oldest); p.To.Compare(oldest) < 0 {
		return problem.New(problem.Usage, what, "it is too old for SuperGrid", "choose "+flwr.Oldest+" or newer")
	}
	c := look.Choices
	if c.Flwr.Path != "" && !c.Grid.Rehearsal && p.From.Compare(p.To) != 0 {
		return problem.New(problem.NeedsPerson, what, "flwrup.toml names a flwr of your own, "+c.Flwr.Path+", which flwrup leaves as it is",
			"upgrade that one yourself, or take the path out of [flwr] in flwrup.toml: then flwrup installs flwr "+p.To.String()+" apart from it")
	}
	if !c.Grid.Rehearsal && !f.Takes(p.To) {
		return problem.New(problem.NodeNotOnline, what, f.Speech(), "choose another release: flwrup upgrade VERSION")
	}
	return nil
}

// fill finds out what has to change.
func (p *Plan) fill(ctx context.Context, s *site.Site, look *site.Snapshot) error {
	c := look.Choices
	var last []Node // that are online: the first shows whether the release works here, and costs least where it is down anyway
	for _, n := range look.SuperNodes {
		if _, is := health.RunBy(look.Ledger, look.Folder, n.Name); is {
			p.Elsewhere = append(p.Elsewhere, n.Name)
			continue
		}
		v, _ := fit.VersionOf(n.Runtime)
		one, online := Node{n.Name, v}, n.Grid.Status == flwrexec.StatusOnline
		switch runs := n.Runtime.State == supernode.Running || n.Runtime.State == supernode.Restarting; {
		case n.Runtime.ByHand != "" || !n.Known(): // not flwrup's to restart
		case n.Wanted == front.WantedDown, !runs && n.Wanted != front.WantedUp:
			p.Later = append(p.Later, one)
		case runs && v == p.To && (online || !p.Open) && (c.Image == "" || p.From.Compare(p.To) == 0): // it has moved
		case online:
			last = append(last, one)
		default:
			p.Nodes = append(p.Nodes, one)
		}
	}
	p.Nodes = append(p.Nodes, last...)
	if look.Kind == project.RuntimeDocker && !c.NoneHere() {
		p.Image = site.OfficialImage(p.To.String())
		if v, known := fit.OfImage(c.Image); c.Image != "" && (p.From.Compare(p.To) != 0 || known && v != p.To) {
			p.Gives = c.Image
		} else if c.Image != "" {
			p.Image = c.Image
		}
	}
	if n := look.Network.Value; look.Network.Err == nil && c.Grid.Fleet != "" && !c.Grid.Rehearsal && n.Fleet.Fleet == probe.None &&
		n.Control.Fleet == probe.Over(flwr.DialectOf(p.To).FleetHTTP) { // from 1.40 on a SuperLink has both at one address
		p.Fleet = n.Control.Address
	}
	found, _ := install.Find(ctx, install.FindOptions{OnlyOwn: true})
	p.Installs = !slices.ContainsFunc(found, func(f install.Found) bool { return f.Version == p.To })
	if running, ok := site.GridRunning(s); look.Rehearsal() {
		p.Grid = !ok || running.Ready.Version != p.To.String()
	}
	if !look.Coordinated() {
		now, err := site.ConfigurationFor(look.Folder, flwr.DialectOf(p.To))
		if err != nil {
			return err
		}
		p.Edits = now.Due
		if list, err := runs.Runs(ctx, s, 0); err == nil { // a grid that does not answer has none to lose
			p.Runs = slices.DeleteFunc(list, func(r front.RunView) bool { return !r.Status.Going() })
		}
	}
	return nil
}

// Lines are the plan for people.
func (p Plan) Lines(at site.Folder) (lines []string) {
	add := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	from := p.From.String()
	if p.From == (flwr.Version{}) {
		from = "none"
	}
	add("from flwr %s to %s%s", from, p.To, wording.Around(": ", p.Why, ""))
	if p.Installs {
		add("  install flwr %s into an environment of its own; the one before stays", p.To)
	}
	if p.Image != "" {
		add("  get the image %s before anything stops", p.Image)
	}
	if p.Gives != "" {
		add("  give up the image %s, which flwrup.toml names: it holds another release (flwrup image makes it again)", p.Gives)
	}
	if p.Fleet != "" {
		add("  have SuperNodes go to %s, where the grid has them now (fleet in flwrup.toml)", p.Fleet)
	}
	for _, e := range p.Edits {
		add("  change %s: %s", at.Rel(e.File), e.Why)
	}
	if p.Grid {
		add("  restart the rehearsal's grid with SuperLink %s; a copy of its records stays", p.To)
	}
	if len(p.Nodes) > 0 {
		add("  restart %s, and wait until it is online and has stayed so for %d s", p.Nodes[0].Name, int(stays.Seconds()))
	}
	if rest := p.Nodes[min(1, len(p.Nodes)):]; len(rest) > 0 {
		add("  then restart %s, at most %d at the same time", named(rest), atOnce)
	}
	if len(p.Later) > 0 {
		add("  %s %s down, and start with it later", named(p.Later), map[bool]string{true: "stays", false: "stay"}[len(p.Later) == 1])
	}
	if len(p.Elsewhere) > 0 {
		add("  show the new files for %s, which flwrup exported", strings.Join(p.Elsewhere, ", "))
	}
	for _, o := range p.Old {
		add("  ask whether flwr %s can go, which an earlier upgrade left: %s", o.Version, o.parts())
	}
	if len(p.Nodes) > 0 {
		add("Keys and node IDs stay. If %s does not come online, all of this is taken back.", p.Nodes[0].Name)
	}
	for _, r := range p.Runs {
		add("Run %s%s is going on.", r.ID, wording.Around(" (", r.App, ")"))
	}
	return lines
}

func named(list []Node) string {
	var names []string
	for _, n := range list {
		names = append(names, n.Name)
	}
	if more := len(names) - 6; more > 1 {
		return strings.Join(names[:6], ", ") + " and " + fmt.Sprint(more) + " more"
	}
	return strings.Join(names, ", ")
}
